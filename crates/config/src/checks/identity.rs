//! `role-to-assume` and its companions: the role, how it is assumed, and the accounts that are allowed. What can be
//! rejected without a request is rejected here. No token or key is ever in a message.

use std::sync::Arc;

use upsert_secret_core::connection::{Identity, Role};
use upsert_secret_core::failure::{Class, Failure};

use crate::environment::Environment;
use crate::inputs::RawInputs;
use crate::problems::Problems;

mod role_arn;
mod session;
mod token_source;

pub(crate) use role_arn::{NOT_A_ROLE, is_role};
pub(crate) use token_source::DEFAULT_AUDIENCE;

/// Shortest and longest session that STS gives, in seconds.
const DURATIONS: std::ops::RangeInclusive<u32> = 900..=43_200;
/// A run lasts minutes, and a longer one gets new credentials: the shortest session will do.
const DEFAULT_DURATION: u32 = 900;

/// Inputs that have no effect without `role-to-assume`.
fn dependent(raw: &RawInputs) -> [(&'static str, bool); 6] {
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

pub(crate) fn check(
    raw: &RawInputs,
    environment: &Environment,
    problems: &mut Problems,
    warnings: &mut Vec<String>,
) -> Result<Identity, Failure> {
    let chaining = problems.choice("role-chaining", raw.role_chaining.as_deref());
    let duration = match raw.role_duration_seconds.as_deref().map(str::parse) {
        None => DEFAULT_DURATION,
        Some(Ok(seconds)) if DURATIONS.contains(&seconds) => seconds,
        Some(_) => {
            problems.add(
                "role-duration-seconds",
                "must be a number from 900 to 43200",
            );
            DEFAULT_DURATION
        }
    };
    let session_name = match &raw.role_session_name {
        Some(name) if session::is_name(name) => name.clone(),
        Some(_) => {
            problems.add(
                "role-session-name",
                "must have 2 to 64 letters, digits or characters of `_=,.@+-`",
            );
            String::new()
        }
        None => session::default(environment),
    };
    if let Some(id) = &raw.role_external_id
        && !((2..=1_224).contains(&id.len())
            && id
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"_+=,.@:/-".contains(&b)))
    {
        problems.add(
            "role-external-id",
            "must have 2 to 1224 letters, digits or characters of `_+=,.@:/-`",
        );
    }
    let allowed_accounts = accounts(raw, problems);
    let token_file_role =
        token_source::token_file_role(environment, &session_name, duration, warnings).map(Arc::new);
    let Some(arn) = &raw.role_to_assume else {
        for (input, given) in dependent(raw) {
            if given {
                let role = problems.spelling.name("role-to-assume");
                problems.add(input, format!("is given, but {role} is not"));
            }
        }
        return Ok(Identity {
            role: None,
            token_file_role,
            allowed_accounts,
        });
    };
    if !is_role(arn) {
        problems.add("role-to-assume", NOT_A_ROLE);
    }
    let source = token_source::choose(raw, environment, chaining, problems, warnings)?;
    let role = Role {
        arn: arn.clone(),
        session_name,
        duration,
        source,
    };
    let allowed =
        allowed_accounts.is_empty() || allowed_accounts.iter().any(|id| id == role.account());
    if is_role(arn) && !allowed {
        return Err(Failure::new(
            Class::Credentials,
            format!(
                "the role is of the account {}, which is not in {}",
                role.account(),
                problems.spelling.name("allowed-account-ids")
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

fn accounts(raw: &RawInputs, problems: &mut Problems) -> Vec<String> {
    let Some(text) = raw.allowed_account_ids.as_deref() else {
        return Vec::new();
    };
    let ids: Vec<_> = text
        .split(|c: char| c == ',' || c.is_whitespace())
        .filter(|id| !id.is_empty())
        .map(str::to_owned)
        .collect();
    let wrong = |id: &String| id.len() != 12 || !id.bytes().all(|b| b.is_ascii_digit());
    // A list of nothing must not allow everything.
    if ids.is_empty() || ids.iter().any(wrong) {
        problems.add(
            "allowed-account-ids",
            "must be account ids of twelve digits, with commas between them",
        );
    }
    ids
}

#[cfg(test)]
mod tests;
