//! Access keys, and whether a signed request is authenticated by one. What a key is allowed to do is up to its
//! policy.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

use sandbox_model::{Policy, ServiceError};

use super::session::Session;
use crate::{
    errors,
    sigv4::{Authorization, RequestToSign},
    time,
};

const SKEW: Duration = Duration::from_secs(5 * 60);

/// An access key of a user or a session.
#[derive(Clone, Debug)]
pub struct Key {
    /// The access key ID.
    pub id: String,
    /// The secret access key.
    pub secret: String,
    /// The session token that requests must carry, for temporary credentials.
    pub session_token: Option<String>,
    /// The account ID, twelve digits.
    pub account: String,
    /// The ARN of the user or of the role session.
    pub user_arn: String,
    /// The identity policy.
    pub policy: Policy,
    /// When the session expires, by the service's clock (`Sandbox::advance_clock` moves it).
    pub expires: Option<SystemTime>,
}

#[derive(Default)]
pub(crate) struct Keys(BTreeMap<String, (Key, Option<Session>)>);

/// The two clocks of authentication. Clients sign by the real one, which no test can move.
#[derive(Clone, Copy)]
pub(crate) struct Clocks {
    pub(crate) real: SystemTime,
    pub(crate) service: SystemTime,
}

impl Keys {
    pub(crate) fn add(&mut self, key: Key) {
        self.0.insert(key.id.clone(), (key, None));
    }

    /// Adds the key of a role session.
    pub(crate) fn add_session(&mut self, key: Key, session: Session) {
        self.0.insert(key.id.clone(), (key, Some(session)));
    }

    pub(crate) fn set_policy(&mut self, id: &str, policy: Policy) {
        let (key, _) = self.0.get_mut(id).expect("set_policy names a known key");
        key.policy = policy;
    }

    /// The key that signed the request, with its session, or the error of the AWS front end.
    pub(crate) fn authenticate(
        &self,
        service: &str,
        authorization: Option<&Authorization>,
        request: &RequestToSign<'_>,
        clocks: Clocks,
    ) -> Result<(&Key, Option<&Session>), ServiceError> {
        let missing = || {
            ServiceError::new(
                400,
                "MissingAuthenticationTokenException",
                "Missing Authentication Token",
            )
        };
        let authorization = authorization.ok_or_else(missing)?;
        let (key, session) = self
            .0
            .get(&authorization.key_id)
            .ok_or_else(errors::unknown_client)?;
        let header = |name: &str| {
            let mut headers = request.headers.iter();
            headers.find(|(n, _)| n == name).map(|(_, v)| v.as_str())
        };
        if header("x-amz-security-token") != key.session_token.as_deref() {
            return Err(errors::unknown_client());
        }
        let amz_date = header("x-amz-date").unwrap_or_default();
        check_date(amz_date, clocks.real)?;
        if authorization.service != service {
            return Err(errors::bad_signature(format!(
                "Credential should be scoped to correct service: '{service}'."
            )));
        }
        let must_sign = ["host", "x-amz-date", "x-amz-target", "x-amz-security-token"];
        let unsigned = must_sign.iter().any(|name| {
            header(name).is_some() && !authorization.signed_headers.iter().any(|s| s == name)
        });
        if unsigned
            || !amz_date.starts_with(&authorization.date)
            || !authorization.is_made_with(&key.secret, amz_date, request)
        {
            return Err(errors::signature_mismatch());
        }
        if key.expires.is_some_and(|at| at <= clocks.service) {
            return Err(errors::expired_token());
        }
        Ok((key, session.as_ref()))
    }
}

fn check_date(amz_date: &str, now: SystemTime) -> Result<(), ServiceError> {
    let signed = time::parse_compact(amz_date).ok_or_else(|| {
        errors::bad_signature(
            "Date must be in ISO-8601 'basic format'. See http://en.wikipedia.org/wiki/ISO_8601",
        )
    })?;
    let clock = time::compact(now);
    if signed + SKEW < now {
        let limit = time::compact(now - SKEW);
        return Err(errors::bad_signature(format!(
            "Signature expired: {amz_date} is now earlier than {limit} ({clock} - 5 min.)"
        )));
    }
    if signed > now + SKEW {
        let limit = time::compact(now + SKEW);
        return Err(errors::bad_signature(format!(
            "Signature not yet current: {amz_date} is still later than {limit} ({clock} + 5 min.)"
        )));
    }
    Ok(())
}
