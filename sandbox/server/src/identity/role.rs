//! Owns what a role is: what it may do, for how long, and whom it trusts.

use std::time::Duration;

use sandbox_model::{Caller, Policy, matches_wildcard};

use super::arn::{parts, role_name};

/// The audience that AWS's own action asks GitHub for.
pub(super) const STS_AUDIENCE: &str = "sts.amazonaws.com";

/// A role that can be assumed. It trusts nobody until [`Role::trust`] says so.
#[derive(Clone, Debug)]
pub struct Role {
    pub(crate) arn: String,
    pub(crate) policy: Policy,
    pub(crate) max_session: Duration,
    trust: Vec<Trust>,
}

/// One statement of a trust policy: somebody, under conditions.
#[derive(Clone, Debug)]
pub struct Trust(Trustee);

#[derive(Clone, Debug)]
enum Trustee {
    WebIdentity {
        /// Without a scheme.
        issuer: String,
        audience: Option<String>,
        subject: Option<String>,
    },
    Principal {
        /// `arn:aws:iam::ACCOUNT:root` stands for the whole account.
        arn: String,
        external_id: Option<String>,
    },
}

/// How far a trust policy goes by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TrustMatch {
    /// Names the caller: within one account nothing else is needed.
    Principal,
    /// Names the caller's account, which then has to allow it with a policy of its own.
    Account,
}

impl Role {
    /// A role that may do everything, for at most an hour (AWS's default).
    ///
    /// # Panics
    /// When `arn` is not the ARN of a role.
    #[must_use]
    pub fn new(arn: impl Into<String>) -> Self {
        let arn = arn.into();
        let role = Self::try_new(&arn);
        role.unwrap_or_else(|| panic!("{arn} is the ARN of a role"))
    }

    /// The same; `None` when `arn` is not the ARN of a role.
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

    /// What its sessions may do.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// The longest session that can be asked for.
    #[must_use]
    pub fn max_session(mut self, max: Duration) -> Self {
        self.max_session = max;
        self
    }

    /// One more statement of its trust policy; any one that holds is enough.
    #[must_use]
    pub fn trust(mut self, trust: Trust) -> Self {
        self.trust.push(trust);
        self
    }

    /// The audience that tokens of this issuer need, for each trust in it; `None` where any will do.
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

    /// The name without a path, as the ARN of a session has it.
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

    /// Whether a caller is trusted. A trust in a role is one in all of its sessions.
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
    /// Tokens of GitHub Actions whose `sub` is like this pattern (`repo:OWNER/REPO:*`), for the audience
    /// `sts.amazonaws.com`.
    #[must_use]
    pub fn github(subject: &str) -> Self {
        Self::web_identity("token.actions.githubusercontent.com")
            .audience(STS_AUDIENCE)
            .subject(subject)
    }

    /// Tokens of gitlab.com whose `sub` is like this pattern, for this audience.
    #[must_use]
    pub fn gitlab(audience: &str, subject: &str) -> Self {
        Self::web_identity("gitlab.com")
            .audience(audience)
            .subject(subject)
    }

    /// Tokens of an issuer, by its host (and path, if it has one): `gitlab.example.com`.
    #[must_use]
    pub fn web_identity(issuer: &str) -> Self {
        Self(Trustee::WebIdentity {
            issuer: issuer.trim_start_matches("https://").to_owned(),
            audience: None,
            subject: None,
        })
    }

    /// A user, a role (all of its sessions) or one session, by its ARN.
    #[must_use]
    pub fn principal(arn: &str) -> Self {
        Self(Trustee::Principal {
            arn: arn.to_owned(),
            external_id: None,
        })
    }

    /// Everybody in an account whose own policy allows it.
    #[must_use]
    pub fn account(id: &str) -> Self {
        Self::principal(&format!("arn:aws:iam::{id}:root"))
    }

    /// The token's `aud` must be this.
    ///
    /// # Panics
    /// When this is not a trust in a web identity.
    #[must_use]
    pub fn audience(mut self, audience: &str) -> Self {
        match &mut self.0 {
            Trustee::WebIdentity { audience: own, .. } => *own = Some(audience.to_owned()),
            Trustee::Principal { .. } => panic!("a principal has no audience"),
        }
        self
    }

    /// The token's `sub` must be like this pattern (`*`, `?`).
    ///
    /// # Panics
    /// When this is not a trust in a web identity.
    #[must_use]
    pub fn subject(mut self, pattern: &str) -> Self {
        match &mut self.0 {
            Trustee::WebIdentity { subject, .. } => *subject = Some(pattern.to_owned()),
            Trustee::Principal { .. } => panic!("a principal has no subject"),
        }
        self
    }

    /// The caller must give this `ExternalId`.
    ///
    /// # Panics
    /// When this is not a trust in a principal.
    #[must_use]
    pub fn external_id(mut self, id: &str) -> Self {
        match &mut self.0 {
            Trustee::Principal { external_id, .. } => *external_id = Some(id.to_owned()),
            Trustee::WebIdentity { .. } => panic!("a web identity has no external id"),
        }
        self
    }
}
