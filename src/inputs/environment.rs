//! The variables of the process, as they are. Taken once, zeroized in the end.

use std::ffi::{OsStr, OsString};

use zeroize::Zeroize as _;

use super::PREFIX;

/// The environment of the process, taken once. Zeroized when dropped: it holds the value too.
pub struct Environment(Vec<(OsString, OsString)>);

impl Environment {
    /// What this process was given.
    #[must_use]
    pub fn of_process() -> Self {
        Self::from_pairs(std::env::vars_os())
    }

    /// An environment made of these pairs.
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
    pub(super) fn ours(&self) -> impl Iterator<Item = (String, &OsStr)> {
        self.0.iter().filter_map(|(key, value)| {
            let key = key.to_str()?;
            key.starts_with(PREFIX)
                .then(|| (key.to_owned(), value.as_os_str()))
        })
    }
}

impl Drop for Environment {
    fn drop(&mut self) {
        for (_, value) in &mut self.0 {
            std::mem::take(value).into_encoded_bytes().zeroize();
        }
    }
}
