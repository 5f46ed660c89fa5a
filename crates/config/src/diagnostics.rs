//! Problems and warnings about a run's inputs, collected so that one run reports all of them. Independent of what inputs mean.

use upsert_secret_core::choices::Choice;
use upsert_secret_core::failure::{Class, Failure};

use crate::spelling::Spelling;

/// An input and the reason it is rejected, as text that follows the input's name.
pub(crate) type Rejection = (&'static str, String);

/// Problems and warnings in the order in which the checks find them.
pub(crate) struct Diagnostics {
    pub(crate) spelling: Spelling,
    /// The input is `None` if the text names its own subject.
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

    /// Adds a problem with an input; `why` follows the input's name.
    pub(crate) fn reject(&mut self, input: &'static str, why: impl Into<String>) {
        self.problems.push((Some(input), why.into()));
    }

    /// Unwraps the result of an input check; adds an error as a problem.
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

    /// Records why there are no usable credentials. Problems with inputs are reported first, because they may be the cause.
    pub(crate) fn set_unusable_credentials(&mut self, why: Failure) {
        self.unusable_credentials = Some(why);
    }

    /// The choice that a word represents, or the default.
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
    /// All problems found so far; if there are none, the lack of usable credentials.
    pub(crate) fn check_all(&mut self) -> Result<(), Failure> {
        self.check_problems()?;
        self.unusable_credentials.take().map_or(Ok(()), Err)
    }

    pub(crate) fn into_warnings(self) -> Vec<String> {
        self.warnings
    }

    /// Splits the results for a manifest entry into problems with its keys and warnings.
    pub(crate) fn into_rejections(self) -> (Vec<Rejection>, Vec<String>) {
        let rejections = self
            .problems
            .into_iter()
            .filter_map(|(input, why)| Some((input?, why)))
            .collect();
        (rejections, self.warnings)
    }
}
