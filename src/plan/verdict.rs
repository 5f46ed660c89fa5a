//! Whether a resource policy may be attached, by what AWS's validation says of it.

use crate::aws::{Fault, Validation};
use crate::failure::{Class, Failure};

/// What AWS finds fault with, but for being public where that is allowed.
///
/// # Errors
/// The policy must not be attached.
pub(crate) fn judge(validation: &Validation, public: bool, id: &str) -> Result<(), Failure> {
    let faults: Vec<&Fault> = validation
        .faults
        .iter()
        .filter(|fault| !(public && is_about_public(fault)))
        .collect();
    let passed = validation.passed || public && !validation.faults.is_empty();
    if passed && faults.is_empty() {
        return Ok(());
    }
    let failure = Failure::new(
        Class::Refused,
        format!("the resource policy must not be attached to {id}"),
        "correct it: name who may read the secret, and leave those who manage it (this run among them) their rights;\n\
         `allow-public-policy: true` attaches a public one all the same",
    );
    let said: Vec<String> = faults
        .iter()
        .map(
            |fault| match (fault.check.as_str(), fault.message.as_str()) {
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
fn is_about_public(fault: &Fault) -> bool {
    let text = format!("{} {}", fault.check, fault.message).to_ascii_lowercase();
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
        /// Passed, faults, whether public ones are allowed, whether it may be attached.
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
        for (passed, faults, allowed, good) in cases {
            let validation = Validation {
                passed,
                faults: faults
                    .iter()
                    .map(|(check, message)| Fault {
                        check: (*check).to_owned(),
                        message: (*message).to_owned(),
                    })
                    .collect(),
            };
            let judged = judge(&validation, allowed, "prod/key");
            assert_eq!(judged.is_ok(), good, "{faults:?} {allowed}");
        }
    }
}
