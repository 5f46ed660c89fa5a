//! Who we are to AWS: the role to assume and the way to it, and the accounts that are allowed. What
//! can be refused without asking anybody is refused here. No token or key is ever in a message.

use http::Uri;

use super::{Class, Failure, Problems};
use crate::inputs::{Environment, RawInputs, bytes};
use crate::platform;
use crate::value::SecretBytes;

mod session;

/// Shortest and longest session that STS gives, in seconds.
const DURATIONS: std::ops::RangeInclusive<u32> = 900..=43_200;
/// A run lasts minutes, and a longer one gets new credentials: the shortest session will do.
const DEFAULT_DURATION: u32 = 900;
/// What AWS's own OIDC guides tell people to put into the trust policy.
const DEFAULT_AUDIENCE: &str = "sts.amazonaws.com";
/// Limit of STS for a token, in characters.
const MAX_TOKEN: usize = 20_000;

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
    let of_token_file = of_token_file(environment, &session_name, duration, doubts);
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
        problems.add(
            "role-to-assume",
            "must be the ARN of a role: `arn:aws:iam::111122223333:role/NAME`",
        );
    }
    let via = via(raw, environment, chaining, problems, doubts)?;
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

/// The first way that the inputs and the platform open: a token that was named, GitHub's own, the
/// credentials at hand.
fn via(
    raw: &RawInputs,
    environment: &Environment,
    chaining: bool,
    problems: &mut Problems,
    doubts: &mut Vec<String>,
) -> Result<Via, Failure> {
    let spelling = problems.spelling;
    let unused = |input: &str, why: &str, doubts: &mut Vec<String>| {
        doubts.push(format!("{} is not used: {why}", spelling.name(input)));
    };
    if raw.web_identity_token_env.is_some() || platform::is_github(environment) && !chaining {
        if raw.role_external_id.is_some() {
            problems.add(
                "role-external-id",
                "cannot be shown together with an OIDC token; only AssumeRole takes it (`role-chaining: true`)",
            );
        }
    } else if raw.audience.is_some() {
        unused("audience", "no OIDC token is asked for", doubts);
    }
    if let Some(name) = &raw.web_identity_token_env {
        if chaining {
            unused("role-chaining", "an OIDC token is given", doubts);
        }
        if raw.audience.is_some() {
            unused("audience", "the token has one already", doubts);
        }
        return token(name, environment, &spelling.name("web-identity-token-env")).map(Via::Token);
    }
    if platform::is_github(environment) && !chaining {
        return token_request(raw, environment).map(Via::Github);
    }
    Ok(Via::Credentials {
        external_id: raw.role_external_id.clone(),
    })
}

/// The token in the variable `name`, without white space around it.
fn token(name: &str, environment: &Environment, input: &str) -> Result<SecretBytes, Failure> {
    let found = environment.raw(name).map(bytes);
    let token = found
        .as_ref()
        .map_or(&b""[..], |found| found.expose().trim_ascii());
    if token.is_empty() {
        // Named only where the variable is there: somebody may have passed the token for its name.
        let variable = if found.is_some() {
            format!("the variable {name}")
        } else {
            format!("the variable that {input} names")
        };
        return Err(Failure::new(
            Class::Credentials,
            format!("{variable} holds no OIDC token"),
            "in GitLab declare it in the job: `id_tokens: { AWS_ID_TOKEN: { aud: https://gitlab.example.com } }`, \
             and give its name; other systems have a switch for it",
        ));
    }
    if token.len() > MAX_TOKEN || !token.iter().all(u8::is_ascii_graphic) {
        return Err(Failure::new(
            Class::Credentials,
            format!("what the variable {name} holds is no OIDC token"),
            "a token is one line of letters, digits, `-`, `_` and two dots",
        ));
    }
    Ok(SecretBytes::new(token.to_vec()))
}

fn token_request(raw: &RawInputs, environment: &Environment) -> Result<TokenRequest, Failure> {
    let url = environment.text("ACTIONS_ID_TOKEN_REQUEST_URL");
    let bearer = environment.raw("ACTIONS_ID_TOKEN_REQUEST_TOKEN").map(bytes);
    let (Some(url), Some(bearer)) = (url, bearer.filter(|token| !token.expose().is_empty())) else {
        return Err(Failure::new(
            Class::Credentials,
            "GitHub gives this job no OIDC token, so it cannot assume the role",
            "give the job `permissions: id-token: write` (a pull request from a fork cannot have it);\n\
             to assume the role with credentials that are there already, set `role-chaining: true`",
        ));
    };
    let safe = url.parse::<Uri>().ok().is_some_and(|uri| {
        let authority = uri.authority();
        authority.is_some_and(|authority| !authority.as_str().contains('@'))
            && (uri.scheme_str() == Some("https") || super::is_near(&uri))
    });
    if !safe || !bearer.expose().iter().all(u8::is_ascii_graphic) {
        return Err(Failure::new(
            Class::Credentials,
            "ACTIONS_ID_TOKEN_REQUEST_URL is not an https:// address, or its token cannot be one",
            "the runner sets both; do not set them in the workflow",
        ));
    }
    Ok(TokenRequest {
        url: url.to_owned(),
        bearer,
        audience: raw
            .audience
            .clone()
            .unwrap_or_else(|| DEFAULT_AUDIENCE.to_owned()),
    })
}

fn of_token_file(
    environment: &Environment,
    session_name: &str,
    duration: u32,
    doubts: &mut Vec<String>,
) -> Option<Role> {
    let file = environment.text("AWS_WEB_IDENTITY_TOKEN_FILE")?;
    let Some(arn) = environment.text("AWS_ROLE_ARN").map(str::trim) else {
        doubts.push(
            "AWS_WEB_IDENTITY_TOKEN_FILE is set without AWS_ROLE_ARN, and so is not used"
                .to_owned(),
        );
        return None;
    };
    let named = environment.text("AWS_ROLE_SESSION_NAME").map(str::trim);
    Some(Role {
        arn: arn.to_owned(),
        session_name: named
            .filter(|name| session::is_name(name))
            .unwrap_or(session_name)
            .to_owned(),
        duration,
        via: Via::TokenFile(file.to_owned()),
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
fn is_role(arn: &str) -> bool {
    let parts: Vec<_> = arn.splitn(6, ':').collect();
    let [prefix, partition, service, region, account, resource] = parts[..] else {
        return false;
    };
    let name = resource.strip_prefix("role/").unwrap_or_default();
    prefix == "arn"
        && partition.starts_with("aws")
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
