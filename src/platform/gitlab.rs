//! GitLab's dotenv report as a file. Keeps what others wrote into it, and never quotes it.

use std::fs::File;
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::PathBuf;

use upsert_secret_config::environment::Environment;
use upsert_secret_core::bounded;

use super::dotenv;
use super::file_end::end_line;

/// The report's name, for `artifacts: reports: dotenv`.
const REPORT: &str = "upsert-secret.env";

/// More than any file that GitLab takes; what is longer is not read.
const MAX_READ: usize = 64 * 1024;

/// Where the report is looked for, whatever folder a script is in.
pub(super) fn report(environment: &Environment) -> PathBuf {
    environment
        .text("CI_PROJECT_DIR")
        .map_or_else(PathBuf::new, PathBuf::from)
        .join(REPORT)
}

/// Writes `lines` after what others wrote. Lines of an earlier call of ours go: the ids of two secrets
/// must not mix where the later call knows fewer, and a folder that is kept from job to job must not
/// fill the report up. Returns why GitLab will not take the report, if it will not.
///
/// # Errors
/// The file cannot be read or written.
pub(super) fn write(file: &mut File, lines: &str) -> io::Result<Option<String>> {
    if !file.metadata()?.is_file() {
        return file.write_all(lines.as_bytes()).map(|()| None);
    }
    let before = read(file)?;
    let others = dotenv::others(&before);
    if others.len() < before.len() && before.len() < MAX_READ {
        file.set_len(0)?;
        file.write_all(&others)?;
    }
    end_line(file)?;
    file.write_all(lines.as_bytes())?;
    Ok(dotenv::rejection(&read(file)?))
}

fn read(file: &mut File) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(0))?;
    bounded::read_prefix(file, MAX_READ)
}
