//! What went wrong, in three parts that a person needs: what, why, what to do next; and the exit
//! code of its class. This room words failures; it must never take text from an `SdkError`, its
//! source chain or a parser of user data (they quote the request, value included), only AWS's
//! code, message and request id.

use std::fmt;

/// The class of a failure. Scripts branch on its exit code, so the numbers never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// A bug of ours: a panic was caught.
    Bug,
    /// Something the user gave is wrong; nothing was sent.
    Input,
    /// No usable AWS credentials.
    Credentials,
    /// AWS does not allow it.
    Denied,
    /// Somebody else wrote, and the request said not to overwrite.
    Conflict,
    /// The secret is in a state in which it must not or cannot be written.
    Refused,
    /// AWS could not be reached or did not answer in time.
    Unavailable,
    /// A quota of AWS that waiting does not lift.
    Limit,
    /// SIGINT.
    Interrupted,
    /// SIGTERM.
    Terminated,
}

impl Class {
    /// All, in the order of their exit codes.
    pub const ALL: [Self; 10] = [
        Self::Bug,
        Self::Input,
        Self::Credentials,
        Self::Denied,
        Self::Conflict,
        Self::Refused,
        Self::Unavailable,
        Self::Limit,
        Self::Interrupted,
        Self::Terminated,
    ];

    /// The exit code.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Bug => 1,
            Self::Input => 2,
            Self::Credentials => 3,
            Self::Denied => 4,
            Self::Conflict => 5,
            Self::Refused => 6,
            Self::Unavailable => 7,
            Self::Limit => 8,
            Self::Interrupted => 130,
            Self::Terminated => 143,
        }
    }

    /// The class in words, for logs and JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bug => "internal error",
            Self::Input => "bad input",
            Self::Credentials => "no usable credentials",
            Self::Denied => "not allowed",
            Self::Conflict => "conflict",
            Self::Refused => "refused by state",
            Self::Unavailable => "unavailable",
            Self::Limit => "limit",
            Self::Interrupted | Self::Terminated => "cancelled",
        }
    }

    /// What is of this class, for the documents.
    #[must_use]
    pub const fn examples(self) -> &'static str {
        match self {
            Self::Bug => "please report it",
            Self::Input => {
                "no value, a bad name, an unknown variable, an output file that cannot be written"
            }
            Self::Credentials => {
                "none found, expired, an unknown key, a wrong signature, OIDC or the role refused, an account that is not allowed"
            }
            Self::Denied => "AccessDenied, a KMS key that may not be used",
            Self::Conflict => {
                "somebody wrote after this run did; `expected-version-id` is not current; others kept writing until `timeout`"
            }
            Self::Refused => {
                "scheduled for deletion, a replica, managed by another service, rotation enabled; a resource policy that is public or locks the run out; a replica that failed; no version to promote or to go back to; `json-key` on what is no JSON object"
            }
            Self::Unavailable => "throttled, server errors, time-outs, TLS, DNS, after retries",
            Self::Limit => "AWS's quotas of versions and labels",
            Self::Interrupted => "SIGINT",
            Self::Terminated => "SIGTERM",
        }
    }
}

/// One failure, ready for a person. Every part still goes through `redact` before it is printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Which kind, and so which exit code.
    pub class: Class,
    /// What went wrong, one line without a full stop.
    pub what: String,
    /// Why, where that is known; may have several lines.
    pub why: Option<String>,
    /// What to do next; may have several lines.
    pub next: String,
    /// Operation, code and request id of the answer behind it, for a support case.
    pub aws: Option<String>,
}

impl Failure {
    /// A failure with no more to say than what happened and what to do.
    pub fn new(class: Class, what: impl Into<String>, next: impl Into<String>) -> Self {
        Self {
            class,
            what: what.into(),
            why: None,
            next: next.into(),
            aws: None,
        }
    }

    /// Adds the reason.
    #[must_use]
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
    fn exit_codes_are_a_promise_to_scripts() {
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
            Interrupted,
            Terminated,
        ]
        .map(Class::exit_code);
        assert_eq!(codes, [1, 2, 3, 4, 5, 6, 7, 8, 130, 143]);
    }
}
