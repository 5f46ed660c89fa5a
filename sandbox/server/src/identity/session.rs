//! Owns sessions of roles: the temporary credentials that STS and the metadata services mint.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use super::{Identity, Key};
use crate::{random, time};

/// What a session key stands for beside its own data.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    /// The role's ARN.
    pub(crate) role: String,
    /// `AROA...:NAME`.
    pub(crate) user_id: String,
}

/// A session that was just made.
pub(crate) struct Minted {
    pub(crate) key: Key,
    pub(crate) session: Session,
    pub(crate) expires: SystemTime,
}

impl Identity {
    /// Makes a session of a registered role and lets its key in.
    ///
    /// # Panics
    /// When there is no such role.
    pub(crate) fn mint(
        &mut self,
        role: &str,
        name: &str,
        duration: Duration,
        now: SystemTime,
    ) -> Minted {
        let id = self.roles.id(role).expect("the role is registered");
        let user_id = format!("{id}:{name}");
        let role = self.roles.get(role).expect("the role is registered");
        let expires = now + duration;
        let key = Key {
            id: random::id("ASIA", 16),
            secret: random::base64(30),
            // The first characters are those of real ones, and so is the length, more or less.
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
        Minted {
            key,
            session,
            expires,
        }
    }
}

impl Minted {
    /// The part of an STS answer that both ways to assume a role share.
    pub(crate) fn shown(&self) -> Value {
        json!({
            "AssumedRoleUser": {
                "Arn": self.key.user_arn,
                "AssumedRoleId": self.session.user_id,
            },
            "Credentials": {
                "AccessKeyId": self.key.id,
                "SecretAccessKey": self.key.secret,
                "SessionToken": self.key.session_token,
                "Expiration": time::iso8601(self.expires),
            },
        })
    }
}
