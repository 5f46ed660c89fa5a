//! Problems and warnings of a run's inputs, collected so that one run reports all of them. Knows how a message names an
//! input, not what an input means.

use upsert_secret_core::choices::Choice;
use upsert_secret_core::failure::{Class, Failure};

use crate::inputs::{RawInputs, variable};

/// How messages name inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spelling {
    /// `kms-key-id`, as in a workflow or a manifest.
    Input,
    /// `UPSERT_SECRET_KMS_KEY_ID`
    Variable,
}

impl Spelling {
    /// The spelling that the user of these inputs chose.
    pub(crate) fn from_inputs(raw: &RawInputs) -> Self {
        if raw.from_action {
            Self::Input
        } else {
            Self::Variable
        }
    }

    /// The input's name as the user wrote it.
    pub(crate) fn name(self, input: &str) -> String {
        match self {
            Self::Input => format!("`{input}`"),
            Self::Variable => variable(input),
        }
    }
}

/// An input and why it is rejected, in words that follow its name.
pub(crate) type Rejection = (&'static str, String);

/// Problems and warnings in the order in which the checks find them.
pub(crate) struct Diagnostics {
    pub(crate) spelling: Spelling,
    /// Without an input where the text names its own subject.
    problems: Vec<(Option<&'static str>, String)>,
    warnings: Vec<String>,
    unusable_credentials: Option<Failure>,
}

impl Diagnostics {
    pub(crate) fn new(spelling: Spelling) -> Self {
        Self {
            spelling,
            problems: Vec::new(),
            warnings: Vec::new(),
            unusable_credentials: None,
        }
    }

    /// Adds a problem of an input; `why` follows the input's name.
    pub(crate) fn reject(&mut self, input: &'static str, why: impl Into<String>) {
        self.problems.push((Some(input), why.into()));
    }

    /// The result of a check of an input; an error is added as a problem.
    pub(crate) fn accept<T>(
        &mut self,
        input: &'static str,
        checked: Result<T, impl Into<String>>,
    ) -> Option<T> {
        checked.map_err(|why| self.reject(input, why)).ok()
    }

    /// Adds a problem whose text names its own subject, such as a variable of the SDK.
    pub(crate) fn add_problem(&mut self, text: impl Into<String>) {
        self.problems.push((None, text.into()));
    }

    pub(crate) fn warn(&mut self, text: impl Into<String>) {
        self.warnings.push(text.into());
    }

    /// Records why there are no usable credentials. Problems with inputs may be the cause and are reported first.
    pub(crate) fn set_unusable_credentials(&mut self, why: Failure) {
        self.unusable_credentials = Some(why);
    }

    /// The choice that a word stands for, or the default.
    pub(crate) fn choice<T: Choice>(&mut self, input: &'static str, given: Option<&str>) -> T {
        let choice = given.map_or(Some(T::default()), T::parse);
        choice.unwrap_or_else(|| {
            self.reject(input, format!("must be `{}`", T::words().join("` or `")));
            T::default()
        })
    }

    /// Ends the checks of inputs.
    ///
    /// # Errors
    /// All problems found so far.
    pub(crate) fn check_problems(&self) -> Result<(), Failure> {
        if self.problems.is_empty() {
            return Ok(());
        }
        let lines: Vec<_> = self
            .problems
            .iter()
            .map(|(input, text)| match input {
                Some(input) => format!("{} {text}", self.spelling.name(input)),
                None => text.clone(),
            })
            .collect();
        Err(Failure::new(
            Class::Input,
            lines.join("\n"),
            "correct the input; nothing was sent to AWS",
        ))
    }

    /// Ends the checks of inputs and credentials.
    ///
    /// # Errors
    /// All problems found so far; without one, the lack of usable credentials.
    pub(crate) fn check_all(&mut self) -> Result<(), Failure> {
        self.check_problems()?;
        self.unusable_credentials.take().map_or(Ok(()), Err)
    }

    pub(crate) fn into_warnings(self) -> Vec<String> {
        self.warnings
    }

    /// Splits what was found in the entry of a manifest into problems of its keys and warnings.
    pub(crate) fn into_rejections(self) -> (Vec<Rejection>, Vec<String>) {
        let rejections = self
            .problems
            .into_iter()
            .filter_map(|(input, why)| Some((input?, why)))
            .collect();
        (rejections, self.warnings)
    }
}
