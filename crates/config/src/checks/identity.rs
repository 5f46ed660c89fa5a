//! `role-to-assume` and the inputs that belong to it: the role, how it is assumed, and the accounts that are allowed.
//! Assumes no role. No token or key is ever in a message.

use std::sync::Arc;

use upsert_secret_core::connection::{Identity, Role};
use upsert_secret_core::failure::{Class, Failure};

use super::list::items;
use crate::diagnostics::Diagnostics;
use crate::environment::Environment;
use crate::inputs::RawInputs;

mod role_arn;
mod session;
mod token_source;

pub(crate) use role_arn::{NOT_A_ROLE, is_role};
pub(crate) use token_source::DEFAULT_AUDIENCE;

/// Limits of STS for a session, in seconds.
const DURATIONS: std::ops::RangeInclusive<u32> = 900..=43_200;
/// The shortest session: most runs last minutes, and a longer one renews its credentials.
const DEFAULT_DURATION: u32 = 900;

/// The inputs that need `role-to-assume`, and whether each is given.
fn role_inputs(raw: &RawInputs) -> [(&'static str, bool); 6] {
    [
        ("role-session-name", raw.role_session_name.is_some()),
        ("role-external-id", raw.role_external_id.is_some()),
        ("role-duration-seconds", raw.role_duration_seconds.is_some()),
        ("role-chaining", raw.role_chaining.is_some()),
        ("audience", raw.audience.is_some()),
        (
            "web-identity-token-env",
            raw.web_identity_token_env.is_some(),
        ),
    ]
}

/// Checks the role and the allowed accounts.
///
/// # Errors
/// There are no usable credentials: no OIDC token for the role, or a role of an account that is not allowed.
pub(crate) fn check(
    raw: &RawInputs,
    environment: &Environment,
    diagnostics: &mut Diagnostics,
) -> Result<Identity, Failure> {
    let chaining = diagnostics.choice("role-chaining", raw.role_chaining.as_deref());
    let duration = check_duration(raw, diagnostics);
    let session_name = check_session_name(raw, environment, diagnostics);
    check_external_id(raw, diagnostics);
    let allowed_accounts = check_accounts(raw, diagnostics);
    let token_file_role =
        token_source::token_file_role(environment, &session_name, duration, diagnostics)
            .map(Arc::new);
    let Some(arn) = &raw.role_to_assume else {
        for (input, given) in role_inputs(raw) {
            if given {
                let role = diagnostics.spelling.name("role-to-assume");
                diagnostics.reject(input, format!("is given, but {role} is not"));
            }
        }
        return Ok(Identity {
            role: None,
            token_file_role,
            allowed_accounts,
        });
    };
    if !is_role(arn) {
        diagnostics.reject("role-to-assume", NOT_A_ROLE);
    }
    let source = token_source::choose(raw, environment, chaining, diagnostics)?;
    let role = Role {
        arn: arn.clone(),
        session_name,
        duration,
        source,
    };
    let is_allowed =
        allowed_accounts.is_empty() || allowed_accounts.iter().any(|id| id == role.account());
    if is_role(arn) && !is_allowed {
        return Err(Failure::new(
            Class::Credentials,
            format!(
                "the role is of the account {}, which is not in {}",
                role.account(),
                diagnostics.spelling.name("allowed-account-ids")
            ),
            "is it the role of another stage? Correct one of the two",
        ));
    }
    Ok(Identity {
        role: Some(Arc::new(role)),
        token_file_role,
        allowed_accounts,
    })
}

fn check_duration(raw: &RawInputs, diagnostics: &mut Diagnostics) -> u32 {
    match raw.role_duration_seconds.as_deref().map(str::parse) {
        None => DEFAULT_DURATION,
        Some(Ok(seconds)) if DURATIONS.contains(&seconds) => seconds,
        Some(_) => {
            diagnostics.reject(
                "role-duration-seconds",
                "must be a number from 900 to 43200",
            );
            DEFAULT_DURATION
        }
    }
}

fn check_session_name(
    raw: &RawInputs,
    environment: &Environment,
    diagnostics: &mut Diagnostics,
) -> String {
    match &raw.role_session_name {
        Some(name) if session::is_name(name) => name.clone(),
        Some(_) => {
            diagnostics.reject(
                "role-session-name",
                "must have 2 to 64 letters, digits or characters of `_=,.@+-`",
            );
            String::new()
        }
        None => session::default_name(environment),
    }
}

fn check_external_id(raw: &RawInputs, diagnostics: &mut Diagnostics) {
    if let Some(id) = &raw.role_external_id
        && !((2..=1_224).contains(&id.len())
            && id
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"_+=,.@:/-".contains(&b)))
    {
        diagnostics.reject(
            "role-external-id",
            "must have 2 to 1224 letters, digits or characters of `_+=,.@:/-`",
        );
    }
}

fn check_accounts(raw: &RawInputs, diagnostics: &mut Diagnostics) -> Vec<String> {
    let Some(text) = raw.allowed_account_ids.as_deref() else {
        return Vec::new();
    };
    let ids: Vec<_> = items(text).map(str::to_owned).collect();
    let is_account = |id: &String| id.len() == 12 && id.bytes().all(|b| b.is_ascii_digit());
    // An empty list of accounts would allow every account.
    if ids.is_empty() || !ids.iter().all(is_account) {
        diagnostics.reject(
            "allowed-account-ids",
            "must be account ids of twelve digits, with commas between them",
        );
    }
    ids
}

#[cfg(test)]
mod tests;
