//! The verdict on a resource policy, from the findings of ValidateResourcePolicy. It does not read the policy itself.

use crate::failure::Failure;
use crate::state::{Finding, Validation};

/// Rejects a policy with findings, other than public access where that is allowed.
///
/// # Errors
/// The findings, as AWS words them.
pub fn check_validation(
    validation: &Validation,
    allow_public: bool,
    id: &str,
) -> Result<(), Failure> {
    let findings: Vec<&Finding> = validation
        .findings
        .iter()
        .filter(|finding| !(allow_public && is_public_access(finding)))
        .collect();
    let passed = validation.passed || allow_public && !validation.findings.is_empty();
    if passed && findings.is_empty() {
        return Ok(());
    }
    let failure = Failure::refused(
        format!("the resource policy must not be attached to {id}"),
        "correct it: name who may read the secret, and leave those who manage it (this run among them) their rights;\n\
         `allow-public-policy: true` attaches a public one all the same",
    );
    if findings.is_empty() {
        return Err(failure.because("AWS's checks were not passed"));
    }
    let texts = findings.iter().map(|finding| match &*finding.check {
        "" => format!("AWS says: {}", finding.message),
        check => format!("AWS says: {check}: {}", finding.message),
    });
    Err(failure.because(texts.collect::<Vec<_>>().join("\n")))
}

/// Whether a finding is about public access, and not about locking the caller out as well. The names of checks are not documented, so the message is
/// searched as well.
fn is_public_access(finding: &Finding) -> bool {
    let text = format!("{} {}", finding.check, finding.message).to_ascii_lowercase();
    let mentions = |phrases: &[&str]| phrases.iter().any(|phrase| text.contains(phrase));
    mentions(&["public", "broad access", "any aws principal"])
        && !mentions(&["lock", "would not let you"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_access_can_be_allowed() {
        let public = (
            "PublicAccess",
            "The resource policy allows broad access to the secret.",
        );
        let lockout = (
            "CallerLockout",
            "The resource policy would not let you change or delete it.",
        );
        /// Passed, findings, whether a public policy is allowed, and whether it may be attached.
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
        for (passed, findings, allow_public, wanted) in cases {
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
            let verdict = check_validation(&validation, allow_public, "prod/key");
            assert_eq!(verdict.is_ok(), wanted, "{findings:?} {allow_public}");
        }
    }
}
