//! The principal that makes a call, and the condition keys that describe it.

use crate::{
    policy::{Context, Decision, Policy},
    state::ACCOUNT,
};

/// A user, or a session of a role, with its identity policy.
#[derive(Clone, Debug)]
pub struct Caller {
    account: String,
    arn: String,
    role: Option<String>,
    policy: Policy,
    obeys_resource_policies: bool,
}

impl Default for Caller {
    /// The user `sandbox` of the default account, which is allowed everything.
    fn default() -> Self {
        Self::new(ACCOUNT, &format!("arn:aws:iam::{ACCOUNT}:user/sandbox"))
    }
}

impl Caller {
    /// A principal that is allowed everything.
    #[must_use]
    pub fn new(account: &str, arn: &str) -> Self {
        Self {
            account: account.to_owned(),
            arn: arn.to_owned(),
            role: None,
            policy: Policy::allow_all(),
            obeys_resource_policies: true,
        }
    }

    /// The caller for arranging helpers, which no policy restricts.
    pub(crate) fn unrestricted() -> Self {
        Self {
            obeys_resource_policies: false,
            ..Self::new(ACCOUNT, &format!("arn:aws:iam::{ACCOUNT}:root"))
        }
    }

    /// Replaces the identity policy.
    #[must_use]
    pub fn with_policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// Makes the caller a session of the role with this ARN.
    #[must_use]
    pub fn with_role(mut self, arn: &str) -> Self {
        self.role = Some(arn.to_owned());
        self
    }

    /// The account ID, twelve digits.
    #[must_use]
    pub fn account(&self) -> &str {
        &self.account
    }

    /// The ARN of the user or session.
    #[must_use]
    pub fn arn(&self) -> &str {
        &self.arn
    }

    /// The ARN of the role, if the caller is a session.
    #[must_use]
    pub fn role(&self) -> Option<&str> {
        self.role.as_deref()
    }

    /// The identity policy's decision about an action of a service other than Secrets Manager.
    #[must_use]
    pub fn decide(&self, action: &str, resource: &str) -> Decision {
        self.policy.decide(action, resource, &self.context())
    }

    pub(crate) fn policy(&self) -> &Policy {
        &self.policy
    }

    pub(crate) fn obeys_resource_policies(&self) -> bool {
        self.obeys_resource_policies
    }

    /// The condition keys that describe the caller.
    pub(crate) fn context(&self) -> Context {
        // For a session, IAM compares the ARN of its role.
        let arn = self.role.as_ref().unwrap_or(&self.arn);
        Context::from([
            ("aws:principalarn".to_owned(), vec![arn.clone()]),
            (
                "aws:principalaccount".to_owned(),
                vec![self.account.clone()],
            ),
        ])
    }
}
