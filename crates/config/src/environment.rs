//! The variables of the process, taken once and zeroized when dropped. Does not interpret them.

use std::ffi::{OsStr, OsString};

use upsert_secret_core::value::SecretBytes;
use zeroize::Zeroize as _;

/// Prefix of this tool's variables: the action input `some-input` is the variable `UPSERT_SECRET_SOME_INPUT`.
pub const PREFIX: &str = "UPSERT_SECRET_";

/// The longest name of a variable, in characters.
pub(crate) const MAX_NAME: usize = 128;

/// Variables with their exact content. Zeroized when dropped, because one of them may be the value.
pub struct Environment(Vec<(OsString, OsString)>);

impl Environment {
    /// Copies the environment of this process.
    pub fn of_process() -> Self {
        Self::from_pairs(std::env::vars_os())
    }

    /// Makes an environment of pairs of name and content.
    pub fn from_pairs(pairs: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        Self(pairs.into_iter().collect())
    }

    /// The exact content of a variable.
    pub fn raw(&self, name: &str) -> Option<&OsStr> {
        let (_, content) = self.0.iter().find(|(key, _)| key == name)?;
        Some(content)
    }

    /// The text of a variable, not trimmed; `None` if it is unset, empty or not UTF-8.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.raw(name)?.to_str().filter(|text| !text.is_empty())
    }

    /// The exact bytes of a variable; `None` if it is unset or empty.
    pub(crate) fn secret(&self, name: &str) -> Option<SecretBytes> {
        let content = self.raw(name)?;
        (!content.is_empty()).then(|| bytes(content))
    }

    /// Whether a switch is on in one of the usual spellings.
    pub(crate) fn is_on(&self, name: &str) -> bool {
        matches!(self.text(name), Some("1" | "true" | "TRUE" | "True"))
    }

    /// This tool's variables, by name.
    pub(crate) fn own_variables(&self) -> impl Iterator<Item = (&str, &OsStr)> {
        self.0
            .iter()
            .filter_map(|(key, value)| Some((key.to_str()?, value.as_os_str())))
            .filter(|(key, _)| key.starts_with(PREFIX))
    }
}

/// Whether a text can be the name of a variable. One that cannot is not shown in messages: it may be the value, given
/// by mistake.
pub(crate) fn is_variable_name(text: &str) -> bool {
    (1..=MAX_NAME).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && !text.starts_with(|c: char| c.is_ascii_digit())
}

/// The exact bytes of a variable's content; on Windows, of its text in UTF-8.
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
