//! How loud a message is. Where it goes and how it looks is for the output.

/// The level of a message, as GitHub's annotations have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Worth knowing.
    Notice,
    /// Probably a mistake.
    Warning,
    /// The run failed.
    Error,
}

impl Level {
    /// The name of the workflow command, and the word in front of a line of text.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Notice => "notice",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}
