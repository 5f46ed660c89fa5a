//! How inputs are called in messages, and everything that is wrong with them, told at once.

use crate::failure::{Class, Failure};
use crate::inputs::{RawInputs, variable};

/// How inputs are called in messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelling {
    /// `kms-key-id`, as in a workflow.
    Action,
    /// `UPSERT_SECRET_KMS_KEY_ID`
    Variable,
    /// `kms-key-id`, as in a manifest.
    Key,
}

impl Spelling {
    /// How the user of these inputs wrote them.
    #[must_use]
    pub fn of(raw: &RawInputs) -> Self {
        if raw.from_action {
            Self::Action
        } else {
            Self::Variable
        }
    }

    /// The input's name as the user wrote it.
    #[must_use]
    pub fn name(self, input: &str) -> String {
        match self {
            Self::Action | Self::Key => format!("`{input}`"),
            Self::Variable => variable(input),
        }
    }
}

/// Collects everything that is wrong, so that one run tells all of it.
pub(super) struct Problems {
    pub(super) spelling: Spelling,
    pub(super) found: Vec<String>,
    /// Of a manifest: the key and what is wrong with it, for the manifest to say where that is.
    pub(super) of_keys: Vec<(&'static str, String)>,
}

impl Problems {
    pub(super) fn new(spelling: Spelling) -> Self {
        Self {
            spelling,
            found: Vec::new(),
            of_keys: Vec::new(),
        }
    }

    /// # Errors
    /// There are problems.
    pub(super) fn verdict(&self) -> Result<(), Failure> {
        if self.found.is_empty() {
            Ok(())
        } else {
            Err(self.failure())
        }
    }

    pub(super) fn add(&mut self, input: &'static str, text: impl AsRef<str>) {
        let text = text.as_ref();
        if self.spelling == Spelling::Key {
            self.of_keys.push((input, text.to_owned()));
            return;
        }
        let name = self.spelling.name(input);
        self.found.push(format!("{name} {text}"));
    }

    pub(super) fn failure(&self) -> Failure {
        Failure::new(
            Class::Input,
            self.found.join("\n"),
            "correct the input; nothing was sent to AWS",
        )
    }

    /// One of a few words; the first is the default.
    pub(super) fn choice<T: Copy + Default>(
        &mut self,
        input: &'static str,
        given: Option<&str>,
        words: &[(&str, T)],
    ) -> T {
        let Some(given) = given else {
            return T::default();
        };
        if let Some((_, choice)) = words.iter().find(|(word, _)| *word == given) {
            return *choice;
        }
        let list: Vec<_> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
        self.add(input, format!("must be {}", list.join(" or ")));
        T::default()
    }
}
