//! Whether a resource policy may be attached, by the findings of AWS's validation.

use crate::failure::{Class, Failure};
use crate::state::{Finding, Validation};

/// Rejects a policy for AWS's findings, except that it is public where that is allowed.
///
/// # Errors
/// The policy must not be attached.
pub fn check_validation(validation: &Validation, public: bool, id: &str) -> Result<(), Failure> {
    let findings: Vec<&Finding> = validation
        .findings
        .iter()
        .filter(|finding| !(public && is_about_public(finding)))
        .collect();
    let passed = validation.passed || public && !validation.findings.is_empty();
    if passed && findings.is_empty() {
        return Ok(());
    }
    let failure = Failure::new(
        Class::Refused,
        format!("the resource policy must not be attached to {id}"),
        "correct it: name who may read the secret, and leave those who manage it (this run among them) their rights;\n\
         `allow-public-policy: true` attaches a public one all the same",
    );
    let said: Vec<String> = findings
        .iter()
        .map(
            |finding| match (finding.check.as_str(), finding.message.as_str()) {
                ("", message) => format!("AWS says: {message}"),
                (check, message) => format!("AWS says: {check}: {message}"),
            },
        )
        .collect();
    Err(if said.is_empty() {
        failure.because("AWS's checks were not passed")
    } else {
        failure.because(said.join("\n"))
    })
}

/// The names of AWS's checks are not documented, so its words count as well.
fn is_about_public(finding: &Finding) -> bool {
    let text = format!("{} {}", finding.check, finding.message).to_ascii_lowercase();
    let about_lockout = ["lock", "would not let you"]
        .iter()
        .any(|word| text.contains(word));
    !about_lockout
        && ["public", "broad access", "any aws principal"]
            .iter()
            .any(|word| text.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_public_can_be_allowed() {
        let public = (
            "PublicAccess",
            "The resource policy allows broad access to the secret.",
        );
        let lockout = (
            "CallerLockout",
            "The resource policy would not let you change or delete it.",
        );
        /// Passed, findings, whether public ones are allowed, whether it may be attached.
        type Case<'a> = (bool, &'a [(&'a str, &'a str)], bool, bool);
        let both = ("", "This policy is public, and would lock the caller out.");
        let cases: [Case<'_>; 8] = [
            (false, &[both], true, false),
            (true, &[], false, true),
            (false, &[], true, false),
            (false, &[public], false, false),
            (false, &[public], true, true),
            (false, &[lockout], true, false),
            (false, &[public, lockout], true, false),
            (false, &[("Syntax", "made up")], true, false),
        ];
        for (passed, findings, allowed, good) in cases {
            let validation = Validation {
                passed,
                findings: findings
                    .iter()
                    .map(|(check, message)| Finding {
                        check: (*check).to_owned(),
                        message: (*message).to_owned(),
                    })
                    .collect(),
            };
            let judged = check_validation(&validation, allowed, "prod/key");
            assert_eq!(judged.is_ok(), good, "{findings:?} {allowed}");
        }
    }
}
