//! The level of a message. Must not decide where a message goes or how it is formatted.

/// The level of a message, matching GitHub's annotations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Level {
    /// Information.
    Notice,
    /// Probably a mistake.
    Warning,
    /// The run failed.
    Error,
}

impl Level {
    /// The name of GitHub's workflow command, also the prefix of a line of text.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Notice => "notice",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_workflow_commands() {
        let words = [Level::Notice, Level::Warning, Level::Error].map(Level::word);
        assert_eq!(words, ["notice", "warning", "error"]);
    }
}
