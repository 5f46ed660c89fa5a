//! Who we are to AWS: the role to assume and the way to it, and the accounts that are allowed. What
//! can be refused without asking anybody is refused here. No token or key is ever in a message.

use super::Problems;
use crate::failure::{Class, Failure};
use crate::inputs::{Environment, RawInputs};
use crate::value::SecretBytes;

mod session;
mod way;

pub(super) use way::DEFAULT_AUDIENCE;

/// What is no role.
pub(super) const NO_ROLE: &str = "must be the ARN of a role: `arn:aws:iam::111122223333:role/NAME`";
/// Shortest and longest session that STS gives, in seconds.
const DURATIONS: std::ops::RangeInclusive<u32> = 900..=43_200;
/// A run lasts minutes, and a longer one gets new credentials: the shortest session will do.
const DEFAULT_DURATION: u32 = 900;

/// Who we are to AWS.
#[derive(Default)]
pub struct Identity {
    /// The role to assume; without one, whoever the chain finds.
    pub role: Option<Role>,
    /// The role of `AWS_WEB_IDENTITY_TOKEN_FILE` and `AWS_ROLE_ARN`: a place of the chain.
    pub of_token_file: Option<Role>,
    /// Accounts that the credentials may be of; empty where any may.
    pub allowed_accounts: Vec<String>,
}

/// A role, and the way to it.
pub struct Role {
    /// Its full ARN.
    pub arn: String,
    /// How AWS's logs will call this run; 2 to 64 characters.
    pub session_name: String,
    /// Seconds, 900 to 43,200.
    pub duration: u32,
    /// What STS is shown.
    pub via: Via,
}

/// What STS is shown for a role.
pub enum Via {
    /// An OIDC token that CI put into a variable.
    Token(SecretBytes),
    /// An OIDC token in a file, read each time it is needed: it is renewed there.
    TokenFile(String),
    /// An OIDC token that GitHub makes when it is asked.
    Github(TokenRequest),
    /// The credentials that the chain finds.
    Credentials {
        /// What the role's trust policy may ask for.
        external_id: Option<String>,
    },
}

/// How to ask GitHub for an OIDC token.
pub struct TokenRequest {
    /// `ACTIONS_ID_TOKEN_REQUEST_URL`; https, or on loopback.
    pub url: String,
    /// `ACTIONS_ID_TOKEN_REQUEST_TOKEN`
    pub bearer: SecretBytes,
    /// For whom the token shall be.
    pub audience: String,
}

impl Role {
    /// The account it is of: twelve digits.
    #[must_use]
    pub fn account(&self) -> &str {
        self.arn.split(':').nth(4).unwrap_or_default()
    }
}

/// Inputs that say nothing without `role-to-assume`.
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

pub(super) fn check(
    raw: &RawInputs,
    environment: &Environment,
    problems: &mut Problems,
    doubts: &mut Vec<String>,
) -> Result<Identity, Failure> {
    let chaining = problems.choice(
        "role-chaining",
        raw.role_chaining.as_deref(),
        &[("false", false), ("true", true)],
    );
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
    let of_token_file = way::of_token_file(environment, &session_name, duration, doubts);
    let Some(arn) = &raw.role_to_assume else {
        for (input, given) in dependent(raw) {
            if given {
                let role = problems.spelling.name("role-to-assume");
                problems.add(input, format!("is given, but {role} is not"));
            }
        }
        return Ok(Identity {
            role: None,
            of_token_file,
            allowed_accounts,
        });
    };
    if !is_role(arn) {
        problems.add("role-to-assume", NO_ROLE);
    }
    let via = way::of(raw, environment, chaining, problems, doubts)?;
    let role = Role {
        arn: arn.clone(),
        session_name,
        duration,
        via,
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
        role: Some(role),
        of_token_file,
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

/// `arn:PARTITION:iam::ACCOUNT:role/PATH/NAME`, 20 to 2,048 characters.
pub(super) fn is_role(arn: &str) -> bool {
    let parts: Vec<_> = arn.splitn(6, ':').collect();
    let [prefix, partition, service, region, account, resource] = parts[..] else {
        return false;
    };
    let name = resource.strip_prefix("role/").unwrap_or_default();
    prefix == "arn"
        && (partition == "aws" || partition.starts_with("aws-"))
        && service == "iam"
        && region.is_empty()
        && account.len() == 12
        && account.bytes().all(|b| b.is_ascii_digit())
        && !name.is_empty()
        && (20..=2_048).contains(&arn.len())
        && arn.bytes().all(|b| b.is_ascii_graphic())
}

#[cfg(test)]
mod tests;
