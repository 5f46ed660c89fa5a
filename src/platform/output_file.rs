//! Files that other programs write to as well: GitHub's outputs and summary, GitLab's dotenv report. Keeps the content of
//! others and never quotes it.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use anyhow::Context as _;
use upsert_secret_core::bounded;

use super::dotenv;

/// More bytes than any dotenv report that GitLab accepts; the rest of a longer file is not read.
const MAX_READ: usize = 64 * 1024;

/// Opens a file for appending.
pub(super) fn open(path: &Path) -> anyhow::Result<File> {
    // `end_line` reads; a pipe or a device need not allow that.
    let readable = path.is_file() || !path.exists();
    OpenOptions::new()
        .read(readable)
        .append(true)
        .create(true)
        .open(path)
        .with_context(|| format!("cannot open {}", path.display()))
}

/// Appends `lines`, on lines of their own.
///
/// # Errors
/// The file cannot be read or written.
pub(super) fn append(file: &mut File, lines: &str) -> io::Result<()> {
    end_line(file)?;
    file.write_all(lines.as_bytes())
}

/// Appends `lines` to GitLab's dotenv report, and removes the lines of earlier calls: the ids of two secrets must not mix if
/// the later call knows fewer, and a folder that is kept from job to job must not fill the report. Returns the reason why
/// GitLab will reject the report, if it will.
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

/// Adds the line feed that the last line may lack.
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
