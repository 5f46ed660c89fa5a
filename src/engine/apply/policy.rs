//! The steps that check and write the resource policy.

use super::{Applier, Then};
use crate::aws::AwsError;
use crate::failure::Failure;
use crate::outcome::Change;
use crate::patience::Patience;
use crate::plan::judge;

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
