//! The variables of the process, as they are. Taken once, zeroized in the end.

use std::ffi::{OsStr, OsString};

use upsert_secret_core::value::SecretBytes;
use zeroize::Zeroize as _;

/// The prefix of this tool's variables: the action input `some-input` is the variable `UPSERT_SECRET_SOME_INPUT`.
pub const PREFIX: &str = "UPSERT_SECRET_";

/// The environment of the process. Zeroized when dropped, because it holds the value.
pub struct Environment(Vec<(OsString, OsString)>);

impl Environment {
    /// The environment of this process.
    #[must_use]
    pub fn of_process() -> Self {
        Self::from_pairs(std::env::vars_os())
    }

    /// An environment of these pairs.
    pub fn from_pairs(pairs: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        Self(pairs.into_iter().collect())
    }

    /// A variable's exact content.
    #[must_use]
    pub fn raw(&self, name: &str) -> Option<&OsStr> {
        self.0
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_os_str())
    }

    /// A variable as text; `None` where it is unset, empty or not UTF-8. Not trimmed.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.raw(name)?.to_str().filter(|text| !text.is_empty())
    }

    /// Whether a switch is on in one of the usual spellings.
    #[must_use]
    pub fn is_on(&self, name: &str) -> bool {
        matches!(self.text(name), Some("1" | "true" | "TRUE" | "True"))
    }

    /// Our own variables, by name.
    pub(crate) fn own_variables(&self) -> impl Iterator<Item = (String, &OsStr)> {
        self.0.iter().filter_map(|(key, value)| {
            let key = key.to_str()?;
            key.starts_with(PREFIX)
                .then(|| (key.to_owned(), value.as_os_str()))
        })
    }
}

/// The exact bytes of a variable; on Windows, of its text in UTF-8.
#[must_use]
pub fn bytes(content: &OsStr) -> SecretBytes {
    #[cfg(unix)]
    let bytes = std::os::unix::ffi::OsStrExt::as_bytes(content).to_vec();
    #[cfg(not(unix))]
    let bytes = content.to_string_lossy().into_owned().into_bytes();
    SecretBytes::new(bytes)
}

impl Drop for Environment {
    fn drop(&mut self) {
        for (_, value) in &mut self.0 {
            std::mem::take(value).into_encoded_bytes().zeroize();
        }
    }
}
