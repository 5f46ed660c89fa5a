//! All identities of a sandbox, and the sessions that are issued to them.

use std::time::{Duration, SystemTime};

use super::{
    issuers::Issuers,
    keys::{Key, Keys},
    metadata::Metadata,
    roles::Roles,
    session::Session,
};
use crate::random;

#[derive(Default)]
pub(crate) struct IdentityRegistry {
    pub(crate) keys: Keys,
    pub(crate) roles: Roles,
    pub(crate) issuers: Issuers,
    pub(crate) metadata: Metadata,
}

/// A new session with its credentials.
pub(super) struct IssuedSession {
    pub(super) key: Key,
    pub(super) session: Session,
    pub(super) expires: SystemTime,
}

impl IdentityRegistry {
    /// Issues a session of a registered role; its key is accepted from now on.
    ///
    /// # Panics
    /// If there is no such role.
    pub(super) fn issue_session(
        &mut self,
        role: &str,
        name: &str,
        duration: Duration,
        now: SystemTime,
    ) -> IssuedSession {
        let id = self.roles.id(role).expect("the role is registered");
        let user_id = format!("{id}:{name}");
        let role = self.roles.get(role).expect("the role is registered");
        let expires = now + duration;
        let key = Key {
            id: random::id("ASIA", 16),
            secret: random::base64(30),
            // The prefix and the approximate length of real session tokens.
            session_token: Some(format!("IQoJb3JpZ2luX2Vj{}", random::base64(480))),
            account: role.account().to_owned(),
            user_arn: format!(
                "arn:aws:sts::{}:assumed-role/{}/{name}",
                role.account(),
                role.name()
            ),
            policy: role.policy.clone(),
            expires: Some(expires),
        };
        let session = Session {
            role: role.arn.clone(),
            user_id,
        };
        self.keys.add_session(key.clone(), session.clone());
        IssuedSession {
            key,
            session,
            expires,
        }
    }
}
