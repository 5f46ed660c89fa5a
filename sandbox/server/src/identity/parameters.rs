//! The constraints on STS parameters, and the recorded messages for violations. One error lists all violations of a request.
//! Independent of operations.

use sandbox_model::ServiceError;

use super::call::IdentityCall;
use crate::errors;

/// Reads parameters and collects their violations.
pub(super) struct Parameters<'a> {
    call: &'a IdentityCall<'a>,
    violations: Vec<String>,
}

type Pattern = (&'static str, fn(char) -> bool);

/// The constraints on one string parameter.
pub(super) struct Rules {
    pub(super) length: std::ops::RangeInclusive<usize>,
    /// The pattern in the API model, and its equivalent for each character.
    pub(super) pattern: Option<Pattern>,
    /// Whether an error message may quote the value.
    pub(super) quotable: bool,
}

/// `RoleArn`. Its syntax is checked later, with an error of its own.
pub(super) const ROLE_ARN: Rules = Rules {
    length: 20..=2048,
    pattern: None,
    quotable: true,
};

pub(super) const SESSION_NAME: Rules = Rules {
    length: 2..=64,
    pattern: Some((r"[\w+=,.@-]*", |c| word(c) || "+=,.@-".contains(c))),
    quotable: true,
};

pub(super) const EXTERNAL_ID: Rules = Rules {
    length: 2..=1224,
    pattern: Some((r"[\w+=,.@:\/-]*", |c| word(c) || "+=,.@:/-".contains(c))),
    quotable: true,
};

pub(super) const WEB_TOKEN: Rules = Rules {
    length: 4..=20_000,
    pattern: None,
    quotable: false,
};

/// `\w` as in Java: ASCII only.
fn word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

impl<'a> Parameters<'a> {
    pub(super) fn new(call: &'a IdentityCall<'a>) -> Self {
        let violations = Vec::new();
        Self { call, violations }
    }

    /// A required parameter; empty if it is missing.
    pub(super) fn required(&mut self, name: &str, rules: &Rules) -> String {
        let text = self.optional(name, rules);
        if text.is_none() {
            self.add_violation("Value null", name, "not be null");
        }
        text.unwrap_or_default()
    }

    pub(super) fn optional(&mut self, name: &str, rules: &Rules) -> Option<String> {
        let text = self.call.text(name)?.to_owned();
        let value = if rules.quotable {
            format!("Value '{text}'")
        } else {
            "Value".to_owned()
        };
        let length = text.chars().count();
        let (min, max) = (rules.length.start(), rules.length.end());
        if length < *min {
            let rule = format!("have length greater than or equal to {min}");
            self.add_violation(&value, name, &rule);
        }
        if length > *max {
            let rule = format!("have length less than or equal to {max}");
            self.add_violation(&value, name, &rule);
        }
        if let Some((pattern, allowed)) = rules.pattern
            && !text.chars().all(allowed)
        {
            let rule = format!("satisfy regular expression pattern: {pattern}");
            self.add_violation(&value, name, &rule);
        }
        Some(text)
    }

    /// `DurationSeconds`; one hour by default.
    pub(super) fn duration(&mut self) -> u64 {
        let name = "DurationSeconds";
        let Some(text) = self.call.text(name) else {
            return 3600;
        };
        let seconds: u64 = text.parse().unwrap_or(0);
        let value = format!("Value '{text}'");
        if seconds < 900 {
            self.add_violation(&value, name, "have value greater than or equal to 900");
        }
        if seconds > 43_200 {
            self.add_violation(&value, name, "have value less than or equal to 43200");
        }
        seconds
    }

    /// Rejects parameters that STS has and the sandbox does not model. Ignoring them would make tests prove
    /// nothing.
    pub(super) fn reject_unmodeled(&self, known: &[&str]) -> Result<(), ServiceError> {
        let sent = self.call.request.input.as_object().into_iter().flatten();
        for (name, _) in sent {
            if !["Action", "Version"].contains(&name.as_str()) && !known.contains(&name.as_str()) {
                let text = format!("the sandbox does not model {name}");
                return Err(ServiceError::new(501, "NotImplemented", text));
            }
        }
        Ok(())
    }

    /// Fails if there were any violations.
    pub(super) fn finish(self) -> Result<(), ServiceError> {
        let count = self.violations.len();
        let errors = if count == 1 { "error" } else { "errors" };
        match count {
            0 => Ok(()),
            _ => Err(errors::validation(format!(
                "{count} validation {errors} detected: {}",
                self.violations.join("; ")
            ))),
        }
    }

    fn add_violation(&mut self, value: &str, name: &str, rule: &str) {
        let (first, rest) = name.split_at(1);
        let name = format!("{}{rest}", first.to_ascii_lowercase());
        self.violations.push(format!(
            "{value} at '{name}' failed to satisfy constraint: Member must {rule}"
        ));
    }
}
