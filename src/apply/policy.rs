//! The steps that check and write the resource policy.

use super::{Applier, Then};
use crate::aws::{AwsError, Fault, Validation};
use crate::failure::{Class, Failure};
use crate::outcome::Change;
use crate::patience::Patience;

/// Looks at a principal that AWS does not know yet: a new role can be named some seconds after it was made.
/// About a minute in all.
const LOOKS: u32 = 36;

impl Applier<'_> {
    pub(super) async fn check_policy(&mut self) -> Result<Then, Failure> {
        let Some(policy) = self.request.policy.as_ref() else {
            return Ok(Then::Go);
        };
        if self.outcome.policy_checked {
            return Ok(Then::Go);
        }
        let mut patience = Patience::of(LOOKS);
        loop {
            let answer = self.aws.validate_policy(self.id(), policy.text()).await;
            let again = match &answer {
                Ok(validation) => validation
                    .faults
                    .iter()
                    .any(|fault| is_unknown(&fault.message)),
                Err(error) => is_unknown_principal(error),
            };
            if again && self.wait_for_principals(&mut patience).await {
                continue;
            }
            return match answer {
                Ok(validation) => {
                    judge(&validation, self.request.allow_public_policy, self.id())?;
                    self.outcome.policy_checked = true;
                    Ok(Then::Go)
                }
                Err(error) => self.changed_or_failed(error),
            };
        }
    }

    pub(super) async fn set_policy(&mut self) -> Result<Then, Failure> {
        let Some(policy) = self.request.policy.as_ref() else {
            return Ok(Then::Go);
        };
        let public = self.request.allow_public_policy;
        let mut patience = Patience::of(LOOKS);
        loop {
            let sent = self.aws.put_policy(self.id(), policy.text(), public).await;
            match sent {
                Err(error)
                    if is_unknown_principal(&error)
                        && self.wait_for_principals(&mut patience).await => {}
                sent => return self.metadata(sent, Change::Policy),
            }
        }
    }

    /// Whether it is worth another look.
    async fn wait_for_principals(&mut self, patience: &mut Patience) -> bool {
        self.progress
            .say(|| "waiting for AWS to know the principals of the resource policy".to_owned());
        self.outcome.waiting = Some("AWS to know the principals of the resource policy".to_owned());
        let more = patience.wait().await;
        self.outcome.waiting = None;
        more
    }
}

fn is_unknown_principal(error: &AwsError) -> bool {
    error.is("MalformedPolicyDocumentException") && error.message().is_some_and(is_unknown)
}

fn is_unknown(message: &str) -> bool {
    message.contains("unsupported principal")
}

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
