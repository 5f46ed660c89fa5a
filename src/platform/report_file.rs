//! The report of a manifest run, as a file for later steps and jobs. Opens it before the first AWS call, and empties it once
//! the inputs are valid, so that the report of an earlier run is never mistaken for this run's. Must not overwrite anything
//! except such a report, and does not depend on the report's other content.

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{anyhow, ensure};
use upsert_secret_config::random;
use upsert_secret_core::hash::uuid;

use super::output_file::creation_reason;

/// The first bytes of every report.
const BEGINNING: &[u8] = br#"{"changed":"#;

/// An open file.
pub(crate) struct ReportFile {
    file: File,
    /// The path as later jobs need it.
    path: String,
}

impl ReportFile {
    /// Opens or creates a file. `name` is its path for later jobs, and `kept` lists files that must not be overwritten.
    ///
    /// # Errors
    /// The path and the reason.
    pub(super) fn open(path: &Path, name: &str, kept: &[&Path]) -> anyhow::Result<Self> {
        let shown = path.display();
        // Opening a pipe without a reader would block.
        let is_special = fs::metadata(path).is_ok_and(|metadata| !metadata.is_file());
        ensure!(!is_special, "{shown} is not a regular file");
        ensure!(
            !kept.iter().any(|kept| is_same_file(path, kept)),
            "{shown} is another file of this run, and would be overwritten"
        );
        let cannot_open = |error| anyhow!("cannot open {shown}: {}", creation_reason(&error));
        let mut options = OpenOptions::new();
        let options = options.read(true).write(true).create(true).truncate(false);
        let file = options.open(path).map_err(cannot_open)?;
        let mut beginning = Vec::new();
        let limit = BEGINNING.len() as u64;
        (&file)
            .take(limit)
            .read_to_end(&mut beginning)
            .map_err(cannot_open)?;
        ensure!(
            beginning.is_empty() || beginning == BEGINNING,
            "{shown} is neither empty nor a report of an earlier run, and would be overwritten"
        );
        Ok(Self {
            file,
            path: name.to_owned(),
        })
    }

    /// Creates a file with a new name in a directory.
    ///
    /// # Errors
    /// The reason.
    pub(super) fn create_in(folder: &str) -> anyhow::Result<Self> {
        let mut unique = [0; 16];
        random::fill(&mut unique);
        let path = PathBuf::from(folder).join(format!("upsert-secret-{}.json", uuid(&unique)));
        match File::create_new(&path) {
            Ok(file) => Ok(Self {
                file,
                path: path.display().to_string(),
            }),
            Err(error) => Err(anyhow!("{}", creation_reason(&error))),
        }
    }

    /// Removes the report of an earlier run.
    ///
    /// # Errors
    /// The reason.
    pub(super) fn clear(&mut self) -> anyhow::Result<()> {
        let cleared = self.file.set_len(0).and_then(|()| self.file.rewind());
        cleared.map_err(|error| anyhow!("cannot write {}: {}", self.path, creation_reason(&error)))
    }

    /// Writes the report, and returns the path.
    ///
    /// # Errors
    /// The reason.
    pub(super) fn write(mut self, json: &str) -> anyhow::Result<String> {
        let line = format!("{json}\n");
        match self.file.write_all(line.as_bytes()) {
            Ok(()) => Ok(self.path),
            Err(error) => Err(anyhow!(
                "cannot write {}: {}",
                self.path,
                creation_reason(&error)
            )),
        }
    }
}

/// Whether two paths refer to the same file, through any links.
fn is_same_file(one: &Path, other: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let id = |path| fs::metadata(path).map(|metadata| (metadata.dev(), metadata.ino()));
        matches!((id(one), id(other)), (Ok(one), Ok(other)) if one == other)
    }
    #[cfg(not(unix))]
    {
        matches!((fs::canonicalize(one), fs::canonicalize(other)), (Ok(one), Ok(other)) if one == other)
    }
}
