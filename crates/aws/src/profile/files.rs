//! The shared configuration files. The SDK treats an unreadable file as empty, and would ignore an endpoint in it, so the SDK
//! gets the content that was read and checked here. Must not quote the content.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use upsert_secret_core::bounded::{self, io_reason};

use super::syntax;
use crate::roots::is_quotable;
use crate::text_file;

/// The maximum size of a file. In a large organization, a file with a profile per account has about 100 KB.
const MAX_BYTES: usize = 1024 * 1024;

/// Both files, if they exist.
#[derive(Debug)]
pub(crate) struct SharedFiles {
    pub(super) sdk: EnvConfigFiles,
    /// Their actual or expected locations, in words for messages.
    pub(super) places: [String; 2],
    /// The names in headings of the configuration file without the word `profile`, which the SDK ignores.
    bare_sections: Vec<String>,
}

impl SharedFiles {
    /// Whether the configuration file has a section `[NAME]`.
    pub(super) fn has_bare_section(&self, name: &str) -> bool {
        self.bare_sections.iter().any(|section| section == name)
    }
}

/// Reads both files from where all AWS tools expect them. A missing file counts as empty, even if a variable names it.
///
/// # Errors
/// A file that cannot be read or parsed: its path and the reason.
pub(crate) fn read(variable: impl Fn(&str) -> Option<OsString>) -> Result<SharedFiles, String> {
    let given = |name: &str| variable(name).filter(|content| !content.is_empty());
    let home = home(given);
    let find = |name, default| find(name, given(name), default, home.as_deref());
    let (config, config_place) = find("AWS_CONFIG_FILE", "config")?;
    let (credentials, credentials_place) = find("AWS_SHARED_CREDENTIALS_FILE", "credentials")?;
    let names = config.lines().filter_map(|line| {
        let (name, _) = line.strip_prefix('[')?.split_once(']')?;
        Some(name.trim().to_owned())
    });
    Ok(SharedFiles {
        bare_sections: names.collect(),
        sdk: EnvConfigFiles::builder()
            .with_contents(EnvConfigFileKind::Config, config)
            .with_contents(EnvConfigFileKind::Credentials, credentials)
            .build(),
        places: [config_place, credentials_place],
    })
}

/// The text of a file, and its location in words.
fn find(
    variable: &str,
    given: Option<OsString>,
    default: &str,
    home: Option<&Path>,
) -> Result<(String, String), String> {
    let is_default = given.is_none();
    let path = match (given, home) {
        (Some(path), home) => expand_home(Path::new(&path), home),
        (None, Some(home)) => home.join(".aws").join(default),
        (None, None) => return Ok((String::new(), format!("~/.aws/{default} (HOME is not set)"))),
    };
    let shown = path.to_string_lossy();
    if !is_quotable(&shown) {
        let variable = if is_default { "HOME" } else { variable };
        return Err(format!(
            "{variable} holds no path; it must name one, not hold what is in a file"
        ));
    }
    let content = read_file(&path, is_default).map_err(|why| format!("{shown}{why}"))?;
    let place = match content {
        Some(_) => shown.into_owned(),
        None if is_null_device(&path) => shown.into_owned(),
        None => format!("{shown} (no such file)"),
    };
    Ok((content.unwrap_or_default(), place))
}

/// The home directory, determined in the same way as in the SDK.
fn home(given: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let windows = || {
        let profile = given("USERPROFILE");
        profile.or_else(|| {
            let mut path = given("HOMEDRIVE")?;
            path.push(given("HOMEPATH")?);
            Some(path)
        })
    };
    let home = given("HOME").or_else(|| windows().filter(|_| cfg!(windows)));
    home.map(PathBuf::from)
}

fn expand_home(path: &Path, home: Option<&Path>) -> PathBuf {
    let mut components = path.components();
    match (components.next(), home) {
        (Some(Component::Normal(first)), Some(home)) if first == OsStr::new("~") => {
            home.join(components.as_path())
        }
        _ => path.to_owned(),
    }
}

/// The checked text of a file, or `None` if there is none. An error continues a sentence that starts with the path.
fn read_file(path: &Path, is_default: bool) -> Result<Option<String>, String> {
    if is_null_device(path) {
        return Ok(None);
    }
    let is_file = match fs::metadata(path) {
        Ok(metadata) => metadata.is_file(),
        Err(error) => match error.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => return Ok(None),
            // A home directory that this user may not enter belongs to another user: containers often keep HOME=/root.
            ErrorKind::PermissionDenied if is_default && is_home_closed(path) => return Ok(None),
            _ => return Err(format!(" cannot be read: {}", io_reason(&error))),
        },
    };
    if !is_file {
        return Err(" is a folder, a pipe or a device, and must be a file".to_owned());
    }
    let content = File::open(path)
        .and_then(|file| bounded::read(file, MAX_BYTES))
        .map_err(|error| format!(" cannot be read: {}", io_reason(&error)))?
        .ok_or(" has more than 1 MiB")?;
    if text_file::is_utf16(&content) {
        return Err(" is UTF-16; save it as UTF-8".to_owned());
    }
    let text = str::from_utf8(text_file::without_mark(&content)).map_err(|error| {
        let valid = &text_file::without_mark(&content)[..error.valid_up_to()];
        format!(", line {}, is not UTF-8", line_number(valid))
    })?;
    if let Some((before, _)) = text.split_once('\0') {
        let line = line_number(before.as_bytes());
        return Err(format!(
            ", line {line}, has a NUL character, as in UTF-16; save it as UTF-8"
        ));
    }
    match syntax::first_mistake(text) {
        Some((line, why)) => Err(format!(", line {line}, {why}")),
        None => Ok(Some(text.to_owned())),
    }
}

/// Whether the path is the null device, the usual way to have no configuration.
fn is_null_device(path: &Path) -> bool {
    cfg!(unix) && path == Path::new("/dev/null")
}

/// Whether the directory that contains `.aws` cannot be entered.
fn is_home_closed(path: &Path) -> bool {
    let folder = path.parent().map(fs::metadata);
    folder
        .is_some_and(|found| found.is_err_and(|error| error.kind() == ErrorKind::PermissionDenied))
}

/// The number of the line after this text.
fn line_number(before: &[u8]) -> usize {
    1 + before.iter().filter(|&&byte| byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    fn read_named(path: &Path) -> Result<SharedFiles, String> {
        read(|name| (name == "AWS_CONFIG_FILE").then(|| path.as_os_str().to_owned()))
    }

    #[test]
    fn unusable_file_is_rejected_with_line() {
        let home = TempDir::new().unwrap();
        let path = home.path().join("config");
        let utf16 = |text: &str| -> Vec<u8> {
            let units = text.encode_utf16();
            units.flat_map(u16::to_le_bytes).collect()
        };
        let large = format!("[default]\n#{}", " ".repeat(MAX_BYTES));
        for (content, expected) in [
            (
                &b"[default]\nmade-up-key\n"[..],
                ", line 2, has no `=`, as a setting needs it",
            ),
            (b"[default]\nregion = \xff\n", ", line 2, is not UTF-8"),
            (b"\xef\xbb\xbf[default]\n\n\xff", ", line 3, is not UTF-8"),
            (
                &utf16("\u{feff}[default]\n"),
                " is UTF-16; save it as UTF-8",
            ),
            (
                &utf16("[default]\n"),
                ", line 1, has a NUL character, as in UTF-16; save it as UTF-8",
            ),
            (large.as_bytes(), " has more than 1 MiB"),
        ] {
            fs::write(&path, content).unwrap();
            let expected = format!("{}{expected}", path.display());
            assert_eq!(read_named(&path).unwrap_err(), expected);
        }
        let folder = read_named(home.path()).unwrap_err();
        assert!(
            folder.ends_with(" is a folder, a pipe or a device, and must be a file"),
            "{folder}"
        );
        let content =
            read_named(Path::new("[default]\naws_secret_access_key = made-up")).unwrap_err();
        assert_eq!(
            content,
            "AWS_CONFIG_FILE holds no path; it must name one, not hold what is in a file"
        );
    }

    #[test]
    fn files_are_where_other_tools_look_for_them() {
        let folder = TempDir::new().unwrap();
        let home = folder.path().to_str().unwrap();
        fs::create_dir(folder.path().join(".aws")).unwrap();
        fs::write(folder.path().join(".aws/config"), "\u{feff}[prod]\n").unwrap();
        fs::write(folder.path().join("own"), "[default]\n").unwrap();
        let named = format!("{home}/.aws/config");
        let absent = format!("{home}/.aws/credentials (no such file)");
        for (variables, places) in [
            (&[("HOME", home)][..], [named.as_str(), &absent]),
            (
                &[("HOME", home), ("AWS_CONFIG_FILE", "")],
                [&named, &absent],
            ),
            (
                &[("HOME", home), ("AWS_CONFIG_FILE", "~/own")],
                [&format!("{home}/own"), &absent],
            ),
            (
                &[("HOME", home), ("AWS_CONFIG_FILE", "/no/such")],
                ["/no/such (no such file)", &absent],
            ),
            (
                &[("HOME", home), ("AWS_CONFIG_FILE", "/dev/null")],
                ["/dev/null", &absent],
            ),
            (
                &[("HOME", "")],
                [
                    "~/.aws/config (HOME is not set)",
                    "~/.aws/credentials (HOME is not set)",
                ],
            ),
        ] {
            let found = read(|name| {
                let variable = variables.iter().find(|(given, _)| *given == name);
                variable.map(|(_, content)| OsString::from(content))
            });
            let found = found.unwrap();
            assert_eq!(found.places, places, "{variables:?}");
            assert_eq!(found.has_bare_section("prod"), places[0] == named);
        }
    }
}
