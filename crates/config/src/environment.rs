//! The variables of the process, captured once and zeroized on drop. Must not interpret them.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};

use upsert_secret_core::value::{SecretBytes, ValueError};
use zeroize::Zeroize as _;

/// Prefix of this tool's variables: the action input `some-input` corresponds to the variable `UPSERT_SECRET_SOME_INPUT`.
pub const PREFIX: &str = "UPSERT_SECRET_";

/// The maximum length of a variable name, in characters.
pub(crate) const MAX_NAME: usize = 128;

/// Variables with their exact content. Zeroized on drop, because one of them may be the value.
pub struct Environment {
    variables: Vec<(OsString, OsString)>,
    /// Whether names are case-insensitive and content is UTF-16.
    is_windows: bool,
}

impl Environment {
    /// Copies the environment of this process.
    pub fn of_process() -> Self {
        let mut environment = Self::from_pairs(std::env::vars_os());
        environment.is_windows = cfg!(windows);
        environment
    }

    /// Creates an environment from pairs of name and content.
    pub fn from_pairs(pairs: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        Self {
            variables: pairs.into_iter().collect(),
            is_windows: false,
        }
    }

    /// The same variables with Windows semantics.
    #[cfg(test)]
    pub(crate) fn on_windows(mut self) -> Self {
        self.is_windows = true;
        self
    }

    /// The canonical form of a variable name: Windows does not distinguish `Path` and `PATH`.
    pub(crate) fn canonical<'n>(&self, name: &'n str) -> Cow<'n, str> {
        if self.is_windows {
            name.to_ascii_uppercase().into()
        } else {
            name.into()
        }
    }

    /// The exact content of a variable.
    pub fn raw(&self, name: &str) -> Option<&OsStr> {
        let is_same =
            |key: &OsStr| key == name || self.is_windows && key.eq_ignore_ascii_case(name);
        let (_, content) = self.variables.iter().find(|(key, _)| is_same(key))?;
        Some(content)
    }

    /// The text of a variable, untrimmed; `None` if it is unset, empty or not UTF-8.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.raw(name)?.to_str().filter(|text| !text.is_empty())
    }

    /// The exact bytes of a variable; `None` if it is unset or empty.
    pub(crate) fn secret(&self, name: &str) -> Option<SecretBytes> {
        let content = self.raw(name)?;
        (!content.is_empty()).then(|| bytes(content))
    }

    /// Rejects content that cannot be converted to bytes: on Windows it is UTF-16, and an unpaired surrogate has no UTF-8 form.
    /// Elsewhere, any bytes are allowed.
    pub(crate) fn check_bytes(&self, content: &[u8]) -> Result<(), ValueError> {
        if self.is_windows && str::from_utf8(content).is_err() {
            return Err(ValueError::UnpairedSurrogate);
        }
        Ok(())
    }

    /// Whether a switch is on in one of the usual spellings.
    pub(crate) fn is_on(&self, name: &str) -> bool {
        matches!(self.text(name), Some("1" | "true" | "TRUE" | "True"))
    }

    /// This tool's variables, by canonical name.
    pub(crate) fn own_variables(&self) -> impl Iterator<Item = (Cow<'_, str>, &OsStr)> {
        self.variables
            .iter()
            .filter_map(|(key, value)| Some((self.canonical(key.to_str()?), value.as_os_str())))
            .filter(|(key, _)| key.starts_with(PREFIX))
    }

    /// The names of variables that are set, but empty.
    pub fn empty_names(&self) -> impl Iterator<Item = &str> {
        let empty = self.variables.iter().filter(|(_, value)| value.is_empty());
        empty.filter_map(|(key, _)| key.to_str())
    }
}

/// Whether a text can be a variable name. A text that cannot is not shown in messages: it may be the value, given by mistake.
pub(crate) fn is_variable_name(text: &str) -> bool {
    (1..=MAX_NAME).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && !text.starts_with(|c: char| c.is_ascii_digit())
}

/// Whether the name of an unset variable may be shown: words in uppercase, such as `MODEL_API_KEY_2`. Most keys also have the
/// format of variable names, but not this one.
pub(crate) fn is_conventional_name(name: &str) -> bool {
    let is_word = |word: &str| {
        let letters = word.trim_end_matches(|c: char| c.is_ascii_digit());
        letters.len() <= 14
            && word.len() - letters.len() <= 3
            && letters.bytes().all(|b| b.is_ascii_uppercase())
    };
    is_variable_name(name) && name.split('_').all(is_word)
}

/// The exact bytes of a variable's content. On Windows, its text in UTF-8; invalid text has already been rejected.
pub fn bytes(content: &OsStr) -> SecretBytes {
    SecretBytes::new(content.as_encoded_bytes().to_vec())
}

impl Drop for Environment {
    fn drop(&mut self) {
        for (_, value) in &mut self.variables {
            std::mem::take(value).into_encoded_bytes().zeroize();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment() -> Environment {
        Environment::from_pairs([
            ("Upsert_Secret_Name".into(), "prod/key".into()),
            ("https_proxy".into(), "http://proxy".into()),
            ("AWS_PROFILE".into(), "".into()),
        ])
    }

    #[test]
    fn case_of_names_counts_except_on_windows() {
        let unix = environment();
        assert_eq!(unix.text("HTTPS_PROXY"), None);
        assert_eq!(unix.text("https_proxy"), Some("http://proxy"));
        assert_eq!(unix.own_variables().count(), 0);
        let windows = environment().on_windows();
        assert_eq!(windows.text("HTTPS_PROXY"), Some("http://proxy"));
        let own: Vec<_> = windows.own_variables().map(|(key, _)| key).collect();
        assert_eq!(own, ["UPSERT_SECRET_NAME"]);
    }

    #[test]
    fn empty_variables_are_listed() {
        assert_eq!(
            environment().empty_names().collect::<Vec<_>>(),
            ["AWS_PROFILE"]
        );
    }

    #[test]
    fn unpaired_surrogate_has_no_bytes_on_windows() {
        // In the form that Windows passes to a program: WTF-8.
        let half = b"made up \xed\xa0\x80";
        assert_eq!(environment().check_bytes(half), Ok(()));
        let windows = environment().on_windows();
        let rejected = windows.check_bytes(half);
        assert_eq!(rejected, Err(ValueError::UnpairedSurrogate));
        assert_eq!(windows.check_bytes("made up 😀".as_bytes()), Ok(()));
    }
}
