//! Files that others write to as well: GitHub's outputs and summary, GitLab's dotenv report. Keeps what others wrote, and
//! never quotes it.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use anyhow::Context as _;
use upsert_secret_core::bounded;

use super::dotenv;

/// More than any dotenv report that GitLab takes; what is longer is not read.
const MAX_READ: usize = 64 * 1024;

/// Opens a file to append to it.
pub(super) fn open(path: &Path) -> anyhow::Result<File> {
    // Reading is for `end_line`; a pipe or a device need not allow it.
    let readable = path.is_file() || !path.exists();
    OpenOptions::new()
        .read(readable)
        .append(true)
        .create(true)
        .open(path)
        .with_context(|| format!("cannot open {}", path.display()))
}

/// Writes `lines` after what others wrote.
///
/// # Errors
/// The file cannot be read or written.
pub(super) fn append(file: &mut File, lines: &str) -> io::Result<()> {
    end_line(file)?;
    file.write_all(lines.as_bytes())
}

/// Writes `lines` after what others wrote into GitLab's dotenv report. Lines of an earlier call of ours go: the ids of two
/// secrets must not mix where the later call knows fewer, and a folder that is kept from job to job must not fill the
/// report up. Returns why GitLab will not take the report, if it will not.
///
/// # Errors
/// The file cannot be read or written.
pub(super) fn append_dotenv(file: &mut File, lines: &str) -> io::Result<Option<String>> {
    if !file.metadata()?.is_file() {
        return file.write_all(lines.as_bytes()).map(|()| None);
    }
    let before = read(file)?;
    let others = dotenv::others(&before);
    if others.len() < before.len() && before.len() < MAX_READ {
        file.set_len(0)?;
        file.write_all(&others)?;
    }
    append(file, lines)?;
    Ok(dotenv::rejection(&read(file)?))
}

/// Ends the last line, where others left it without a line feed.
fn end_line(file: &mut File) -> io::Result<()> {
    if !file.metadata()?.is_file() || file.seek(SeekFrom::End(0))? == 0 {
        return Ok(());
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    match last {
        [b'\n'] => Ok(()),
        _ => file.write_all(b"\n"),
    }
}

fn read(file: &mut File) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(0))?;
    bounded::read_prefix(file, MAX_READ)
}
