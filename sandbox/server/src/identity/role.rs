//! Roles: their policy, their longest session, and the parties they trust.

use std::time::Duration;

use sandbox_model::{Caller, Policy, matches_wildcard};

use super::arn::{parts, role_name};

/// The audience that AWS's own action requests from GitHub.
pub(super) const STS_AUDIENCE: &str = "sts.amazonaws.com";

/// A role that can be assumed. It trusts no one until [`Role::trust`] adds a statement.
#[derive(Clone, Debug)]
pub struct Role {
    pub(crate) arn: String,
    pub(crate) policy: Policy,
    pub(crate) max_session: Duration,
    trust: Vec<Trust>,
}

/// One statement of a trust policy: a trusted party and its conditions.
#[derive(Clone, Debug)]
pub struct Trust(Trustee);

#[derive(Clone, Debug)]
enum Trustee {
    WebIdentity {
        /// The issuer's URL without the scheme.
        issuer: String,
        audience: Option<String>,
        subject: Option<String>,
    },
    Principal {
        /// The ARN; `arn:aws:iam::ACCOUNT:root` stands for the whole account.
        arn: String,
        external_id: Option<String>,
    },
}

/// How a trust policy matches a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TrustMatch {
    /// It names the caller. Within one account, no other permission is needed.
    Principal,
    /// It names the caller's account. The caller's identity policy must also allow the action.
    Account,
}

impl Role {
    /// A role that is allowed everything, with sessions of at most one hour (AWS's default).
    ///
    /// # Panics
    /// If `arn` is not the ARN of a role.
    #[must_use]
    pub fn new(arn: impl Into<String>) -> Self {
        let arn = arn.into();
        let role = Self::try_new(&arn);
        role.unwrap_or_else(|| panic!("{arn} is the ARN of a role"))
    }

    /// Like [`Role::new`], but returns `None` if `arn` is not the ARN of a role.
    #[must_use]
    pub fn try_new(arn: &str) -> Option<Self> {
        let is_role = parts(arn).is_some_and(|parts| parts.resource.starts_with("role/"));
        is_role.then(|| Self {
            arn: arn.to_owned(),
            policy: Policy::allow_all(),
            max_session: Duration::from_secs(3600),
            trust: Vec::new(),
        })
    }

    /// Replaces the policy of the role's sessions.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// Sets the longest session that can be requested.
    #[must_use]
    pub fn max_session(mut self, max: Duration) -> Self {
        self.max_session = max;
        self
    }

    /// Adds a statement to the trust policy. One matching statement is enough.
    #[must_use]
    pub fn trust(mut self, trust: Trust) -> Self {
        self.trust.push(trust);
        self
    }

    /// The audience that each trust in this issuer requires; `None` for a trust that accepts any.
    pub(super) fn trusted_audiences<'a>(
        &'a self,
        issuer: &'a str,
    ) -> impl Iterator<Item = Option<&'a str>> {
        self.trust.iter().filter_map(move |Trust(who)| match who {
            Trustee::WebIdentity {
                issuer: trusted,
                audience,
                ..
            } if trusted == issuer => Some(audience.as_deref()),
            _ => None,
        })
    }

    pub(crate) fn account(&self) -> &str {
        parts(&self.arn).map_or("", |parts| parts.account)
    }

    /// The name without its path, as the ARN of a session shows it.
    pub(crate) fn name(&self) -> &str {
        role_name(&self.arn)
    }

    pub(crate) fn trusts_token(&self, issuer: &str, audiences: &[String], subject: &str) -> bool {
        self.trust.iter().any(|Trust(who)| match who {
            Trustee::WebIdentity {
                issuer: trusted,
                audience,
                subject: pattern,
            } => {
                trusted == issuer
                    && audience.as_ref().is_none_or(|a| audiences.contains(a))
                    && pattern
                        .as_ref()
                        .is_none_or(|p| matches_wildcard(p, subject))
            }
            Trustee::Principal { .. } => false,
        })
    }

    /// Whether and how the caller is trusted. Trust in a role is trust in all of its sessions.
    pub(crate) fn trusts_caller(&self, caller: &Caller, given: Option<&str>) -> Option<TrustMatch> {
        let root = format!("arn:aws:iam::{}:root", caller.account());
        let mut account_match = None;
        for Trust(who) in &self.trust {
            let Trustee::Principal {
                arn: trusted,
                external_id,
            } = who
            else {
                continue;
            };
            if external_id.is_some() && external_id.as_deref() != given {
                continue;
            }
            if trusted == caller.arn() || Some(trusted.as_str()) == caller.role() {
                return Some(TrustMatch::Principal);
            }
            if *trusted == root {
                account_match = Some(TrustMatch::Account);
            }
        }
        account_match
    }
}

impl Trust {
    /// Trusts tokens of GitHub Actions with a `sub` that matches this pattern (`repo:OWNER/REPO:*`) and the
    /// audience `sts.amazonaws.com`.
    #[must_use]
    pub fn github(subject: &str) -> Self {
        Self::web_identity("token.actions.githubusercontent.com")
            .audience(STS_AUDIENCE)
            .subject(subject)
    }

    /// Trusts tokens of gitlab.com with this audience and a `sub` that matches this pattern.
    #[must_use]
    pub fn gitlab(audience: &str, subject: &str) -> Self {
        Self::web_identity("gitlab.com")
            .audience(audience)
            .subject(subject)
    }

    /// Trusts tokens of an issuer, named by its host and path, such as `gitlab.example.com`.
    #[must_use]
    pub fn web_identity(issuer: &str) -> Self {
        Self(Trustee::WebIdentity {
            issuer: issuer.trim_start_matches("https://").to_owned(),
            audience: None,
            subject: None,
        })
    }

    /// Trusts a user, a role with all of its sessions, or one session, by its ARN.
    #[must_use]
    pub fn principal(arn: &str) -> Self {
        Self(Trustee::Principal {
            arn: arn.to_owned(),
            external_id: None,
        })
    }

    /// Trusts all principals of an account whose own policy allows it.
    #[must_use]
    pub fn account(id: &str) -> Self {
        Self::principal(&format!("arn:aws:iam::{id}:root"))
    }

    /// Requires this `aud` claim.
    ///
    /// # Panics
    /// If this is not a trust in a web identity.
    #[must_use]
    pub fn audience(mut self, audience: &str) -> Self {
        match &mut self.0 {
            Trustee::WebIdentity { audience: own, .. } => *own = Some(audience.to_owned()),
            Trustee::Principal { .. } => panic!("a principal has no audience"),
        }
        self
    }

    /// Requires a `sub` claim that matches this pattern (`*`, `?`).
    ///
    /// # Panics
    /// If this is not a trust in a web identity.
    #[must_use]
    pub fn subject(mut self, pattern: &str) -> Self {
        match &mut self.0 {
            Trustee::WebIdentity { subject, .. } => *subject = Some(pattern.to_owned()),
            Trustee::Principal { .. } => panic!("a principal has no subject"),
        }
        self
    }

    /// Requires this `ExternalId` from the caller.
    ///
    /// # Panics
    /// If this is not a trust in a principal.
    #[must_use]
    pub fn external_id(mut self, id: &str) -> Self {
        match &mut self.0 {
            Trustee::Principal { external_id, .. } => *external_id = Some(id.to_owned()),
            Trustee::WebIdentity { .. } => panic!("a web identity has no external id"),
        }
        self
    }
}
