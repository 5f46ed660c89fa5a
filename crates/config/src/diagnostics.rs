//! How messages name inputs, and everything that is wrong with them, reported at once.

use upsert_secret_core::choices::Choice;
use upsert_secret_core::failure::{Class, Failure};

use crate::inputs::{RawInputs, variable};

/// How messages name inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spelling {
    /// `kms-key-id`, as in a workflow.
    Action,
    /// `UPSERT_SECRET_KMS_KEY_ID`
    Variable,
    /// `kms-key-id`, as in a manifest.
    Key,
}

impl Spelling {
    /// How the user of these inputs wrote them.
    pub(crate) fn from_inputs(raw: &RawInputs) -> Self {
        if raw.from_action {
            Self::Action
        } else {
            Self::Variable
        }
    }

    /// The input's name as the user wrote it.
    pub(crate) fn name(self, input: &str) -> String {
        match self {
            Self::Action | Self::Key => format!("`{input}`"),
            Self::Variable => variable(input),
        }
    }
}

/// Collects everything that is wrong, so that one run tells all of it.
pub(crate) struct Diagnostics {
    pub(crate) spelling: Spelling,
    pub(crate) found: Vec<String>,
    /// Of a manifest: the key and what is wrong with it, for the manifest to say where that is.
    pub(crate) of_keys: Vec<(&'static str, String)>,
}

impl Diagnostics {
    pub(crate) fn new(spelling: Spelling) -> Self {
        Self {
            spelling,
            found: Vec::new(),
            of_keys: Vec::new(),
        }
    }

    /// Ends the checks.
    ///
    /// # Errors
    /// There are problems.
    pub(crate) fn to_result(&self) -> Result<(), Failure> {
        if self.found.is_empty() {
            Ok(())
        } else {
            Err(self.failure())
        }
    }

    pub(crate) fn reject(&mut self, input: &'static str, text: impl AsRef<str>) {
        let text = text.as_ref();
        if self.spelling == Spelling::Key {
            self.of_keys.push((input, text.to_owned()));
            return;
        }
        let name = self.spelling.name(input);
        self.found.push(format!("{name} {text}"));
    }

    pub(crate) fn failure(&self) -> Failure {
        Failure::new(
            Class::Input,
            self.found.join("\n"),
            "correct the input; nothing was sent to AWS",
        )
    }

    /// One of a few words, or the default.
    pub(crate) fn choice<T: Choice>(&mut self, input: &'static str, given: Option<&str>) -> T {
        let Some(given) = given else {
            return T::default();
        };
        T::parse(given).unwrap_or_else(|| {
            let list: Vec<_> = T::words().iter().map(|word| format!("`{word}`")).collect();
            self.reject(input, format!("must be {}", list.join(" or ")));
            T::default()
        })
    }
}
