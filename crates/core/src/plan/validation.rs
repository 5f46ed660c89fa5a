//! Decides whether a resource policy is acceptable, from the findings of ValidateResourcePolicy. Must not read the policy
//! itself.

use crate::failure::Failure;
use crate::state::{Finding, Validation};

/// Rejects a policy with findings, except for public access if that is allowed.
///
/// # Errors
/// The findings, in AWS's words.
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
        "correct it: name the principals that may read the secret, and keep the permissions of those that \
         manage it (this run included);\n`allow-public-policy: true` attaches a public policy anyway",
    );
    if findings.is_empty() {
        return Err(failure.because("the policy did not pass AWS's checks"));
    }
    let texts = findings.iter().map(|finding| {
        let message = finding.message.quote(&[id]);
        match finding.check.quote(&[]).as_str() {
            "" => format!("AWS answered: {message}"),
            check => format!("AWS answered: {check}: {message}"),
        }
    });
    Err(failure.because(texts.collect::<Vec<_>>().join("\n")))
}

/// Whether a finding is about public access only, and not also about locking the caller out. The names of checks are not
/// documented, so the message is searched as well.
fn is_public_access(finding: &Finding) -> bool {
    let texts = [&finding.check, &finding.message];
    let mentions = |phrases: &[&str]| {
        let mut phrases = phrases.iter();
        phrases.any(|phrase| texts.iter().any(|text| text.mentions(phrase)))
    };
    mentions(&["public", "broad access", "any aws principal"])
        && !mentions(&["lock", "would not let you"])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quote::ForeignText;

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
                        check: ForeignText::new(check),
                        message: ForeignText::new(message),
                    })
                    .collect(),
            };
            let verdict = check_validation(&validation, allow_public, "prod/key");
            assert_eq!(verdict.is_ok(), wanted, "{findings:?} {allow_public}");
        }
    }
}
