//! Reported failures: a headline, the cause, the next step, and a class with its exit code. A failure must never quote an
//! `SdkError`, its source chain or a parser of user data, because those contain the request and the value. Of an AWS response
//! it may quote the code, the message and the request ID.

use std::fmt;

/// The class of a failure. Scripts branch on exit codes, so the numbers never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// A bug in this program: a caught panic.
    Bug,
    /// An invalid input; nothing was written to AWS by the run.
    Input,
    /// No usable AWS credentials.
    Credentials,
    /// Missing permissions.
    Denied,
    /// A concurrent write that the request must not overwrite.
    Conflict,
    /// A secret state that forbids the write, or an input that AWS rejected after other writes of the run.
    Refused,
    /// No response from AWS within the time limit, or only server errors and throttling.
    Unavailable,
    /// An AWS quota that does not reset within the run.
    Limit,
    /// A dry run that found changes, if the user requested this exit code.
    Pending,
    /// Canceled by SIGINT.
    Interrupted,
    /// Canceled by SIGTERM.
    Terminated,
}

impl Class {
    /// All classes, by exit code.
    pub const ALL: [Self; 11] = [
        Self::Bug,
        Self::Input,
        Self::Credentials,
        Self::Denied,
        Self::Conflict,
        Self::Refused,
        Self::Unavailable,
        Self::Limit,
        Self::Pending,
        Self::Interrupted,
        Self::Terminated,
    ];

    /// Exit code, name and examples.
    const fn row(self) -> (u8, &'static str, &'static str) {
        match self {
            Self::Bug => (1, "internal error", "please report it"),
            Self::Input => (
                2,
                "bad input",
                "no value, an invalid name, an unknown variable, an output file that cannot be written",
            ),
            Self::Credentials => (
                3,
                "no usable credentials",
                "none found, expired, an unknown access key, a wrong signature, no OIDC token, a role that cannot be assumed, an account that is not allowed",
            ),
            Self::Denied => (
                4,
                "not allowed",
                "AccessDenied, a KMS key that the caller is not allowed to use",
            ),
            Self::Conflict => (
                5,
                "conflict",
                "another writer wrote after this run; `expected-version-id` is not current; other writers kept writing until `timeout`",
            ),
            Self::Refused => (
                6,
                "refused by state",
                "scheduled for deletion, a replica, managed by another service, rotation enabled; a resource policy that is public or locks the caller out; a replication that failed; an input that AWS rejected after something was written; no version to promote or to roll back to; `json-key` on a value that is not a JSON object",
            ),
            Self::Unavailable => (
                7,
                "unavailable",
                "throttling, server errors, timeouts, TLS and DNS errors, after retries; outputs that could not be written at the end",
            ),
            Self::Limit => (
                8,
                "limit",
                "an AWS quota of secrets, versions, staging labels or tags",
            ),
            Self::Pending => (
                9,
                "changes pending",
                "`plan` with `fail-on-change` found something to do",
            ),
            Self::Interrupted => (130, "cancelled", "SIGINT"),
            Self::Terminated => (143, "cancelled", "SIGTERM"),
        }
    }

    /// The exit code of the process.
    pub const fn exit_code(self) -> u8 {
        self.row().0
    }

    /// The name in logs and JSON.
    pub const fn name(self) -> &'static str {
        self.row().1
    }

    /// Examples for `--help` and the documentation.
    pub const fn examples(self) -> &'static str {
        self.row().2
    }
}

/// A failure to report. Every part still goes through redaction before it is printed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Failure {
    /// The class, which determines the exit code.
    pub class: Class,
    /// The headline: one line without a period.
    pub what: String,
    /// The cause, if it is known; may have several lines.
    pub why: Option<String>,
    /// The next step for the user; may have several lines.
    pub next: String,
    /// Operation, error code and request ID of the AWS response, for a support case.
    pub aws: Option<String>,
}

impl Failure {
    /// A failure without a known cause.
    pub fn new(class: Class, what: impl Into<String>, next: impl Into<String>) -> Self {
        Self {
            class,
            what: what.into(),
            why: None,
            next: next.into(),
            aws: None,
        }
    }

    /// A failure caused by the secret's state.
    pub fn refused(what: impl Into<String>, next: impl Into<String>) -> Self {
        Self::new(Class::Refused, what, next)
    }

    /// Rewrites the texts that this program itself wrote.
    pub fn map_text(self, rewrite: impl Fn(&str) -> String) -> Self {
        Self {
            what: rewrite(&self.what),
            why: self.why.as_deref().map(&rewrite),
            next: rewrite(&self.next),
            ..self
        }
    }

    /// Sets the cause.
    pub fn because(mut self, why: impl Into<String>) -> Self {
        self.why = Some(why.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.what)?;
        if let Some(why) = &self.why {
            write!(f, "\n  why:  {}", why.replace('\n', "\n        "))?;
        }
        write!(f, "\n  next: {}", self.next.replace('\n', "\n        "))?;
        if let Some(aws) = &self.aws {
            write!(f, "\n  aws:  {aws}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_never_change() {
        use Class::*;
        let codes = [
            Bug,
            Input,
            Credentials,
            Denied,
            Conflict,
            Refused,
            Unavailable,
            Limit,
            Pending,
            Interrupted,
            Terminated,
        ]
        .map(Class::exit_code);
        assert_eq!(codes, [1, 2, 3, 4, 5, 6, 7, 8, 9, 130, 143]);
    }

    #[test]
    fn classes_have_names_and_examples() {
        let names = Class::ALL.map(Class::name);
        let wanted = [
            "internal error",
            "bad input",
            "no usable credentials",
            "not allowed",
            "conflict",
            "refused by state",
            "unavailable",
            "limit",
            "changes pending",
            "cancelled",
            "cancelled",
        ];
        assert_eq!(names, wanted);
        let examples = Class::ALL.map(Class::examples);
        let unique: std::collections::BTreeSet<_> = examples.iter().collect();
        assert_eq!(unique.len(), examples.len());
    }

    #[test]
    fn failure_shows_cause_next_step_and_answer() {
        let failure = Failure::refused("made up", "first\nthen");
        assert_eq!(failure.class, Class::Refused);
        assert_eq!(failure.to_string(), "made up\n  next: first\n        then");
        let failure = Failure {
            aws: Some("PutSecretValue: made up".to_owned()),
            ..failure.because("one\ntwo")
        };
        assert_eq!(
            failure.to_string(),
            "made up\n  why:  one\n        two\n  next: first\n        then\n  aws:  PutSecretValue: made up"
        );
    }
}
