//! `role-to-assume` and related inputs: the role, how to assume it, and the allowed accounts. Must not assume a role, or
//! include a token or key in a message.

use std::sync::Arc;

use upsert_secret_core::connection::{Identity, Role};
use upsert_secret_core::failure::{Class, Failure};

use super::shapes::{self, NOT_A_ROLE, is_role};
use crate::diagnostics::Diagnostics;
use crate::environment::Environment;
use crate::inputs::{RawInputs, items, number_or};

mod token_source;

pub(crate) use token_source::DEFAULT_AUDIENCE;

/// STS limits for the duration of a role session, in seconds.
const DURATIONS: std::ops::RangeInclusive<u32> = 900..=43_200;
/// The shortest duration: most runs take minutes, and a longer run refreshes its credentials.
const DEFAULT_DURATION: u32 = 900;

/// The inputs that need `role-to-assume`.
const ROLE_INPUTS: [&str; 6] = [
    "role-session-name",
    "role-external-id",
    "role-duration-seconds",
    "role-chaining",
    "audience",
    "web-identity-token-env",
];

/// Checks the role and the allowed accounts.
///
/// # Errors
/// There are no usable credentials: no OIDC token for the role, or the role belongs to an account that is not allowed.
pub(crate) fn check(
    raw: &RawInputs,
    environment: &Environment,
    diagnostics: &mut Diagnostics,
) -> Result<Identity, Failure> {
    let chaining = diagnostics.choice("role-chaining", raw.role_chaining.as_deref());
    let duration = raw.role_duration_seconds.as_deref();
    let duration = number_or(DEFAULT_DURATION, duration, DURATIONS);
    let duration = diagnostics
        .accept("role-duration-seconds", duration)
        .unwrap_or_default();
    let mut session_name = match &raw.role_session_name {
        Some(name) => name.clone(),
        None => shapes::default_session_name(environment),
    };
    if !shapes::is_session_name(&session_name) {
        diagnostics.reject("role-session-name", shapes::NOT_A_SESSION_NAME);
        session_name.clear();
    }
    check_external_id(raw, diagnostics);
    let allowed_accounts = check_accounts(raw, diagnostics);
    let token_file_role =
        token_source::token_file_role(environment, &session_name, duration, diagnostics)
            .map(Arc::new);
    let mut identity = Identity {
        role: None,
        token_file_role,
        allowed_accounts,
    };
    let Some(arn) = &raw.role_to_assume else {
        let given: Vec<_> = raw.given().iter().map(|input| input.name).collect();
        for input in ROLE_INPUTS
            .into_iter()
            .filter(|input| given.contains(input))
        {
            let role = diagnostics.spelling.name("role-to-assume");
            diagnostics.reject(input, format!("is given, but {role} is not"));
        }
        return Ok(identity);
    };
    if !is_role(arn) {
        diagnostics.reject("role-to-assume", NOT_A_ROLE);
    }
    let role = Role {
        arn: arn.clone(),
        session_name,
        duration,
        source: token_source::choose(raw, environment, chaining, diagnostics)?,
    };
    let (account, allowed) = (role.account(), &identity.allowed_accounts);
    if is_role(arn) && !allowed.is_empty() && !allowed.iter().any(|id| id == account) {
        let input = diagnostics.spelling.name("allowed-account-ids");
        return Err(Failure::new(
            Class::Credentials,
            format!("the role belongs to the account {account}, which is not in {input}"),
            "correct the one that belongs to another environment",
        ));
    }
    identity.role = Some(Arc::new(role));
    Ok(identity)
}

fn check_external_id(raw: &RawInputs, diagnostics: &mut Diagnostics) {
    let is_allowed = |b: u8| b.is_ascii_alphanumeric() || b"_+=,.@:/-".contains(&b);
    if let Some(id) = &raw.role_external_id
        && !((2..=1_224).contains(&id.len()) && id.bytes().all(is_allowed))
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
            "must be 12-digit account IDs, separated by commas",
        );
    }
    ids
}

#[cfg(test)]
mod tests;
