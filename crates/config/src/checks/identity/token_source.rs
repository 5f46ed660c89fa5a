//! What STS is given in exchange for a role: which token or which credentials, and where they are.

use http::Uri;

use upsert_secret_core::connection::{Role, TokenRequest, TokenSource};
use upsert_secret_core::failure::{Class, Failure};
use upsert_secret_core::url::is_loopback;
use upsert_secret_core::value::SecretBytes;

use super::role_arn::is_role;
use super::session;
use crate::ci;
use crate::diagnostics::Diagnostics;
use crate::environment::{Environment, bytes};
use crate::inputs::RawInputs;

/// What AWS's own OIDC guides tell people to put into the trust policy.
pub(crate) const DEFAULT_AUDIENCE: &str = "sts.amazonaws.com";
/// Limit of STS for a token, in characters.
const MAX_TOKEN: usize = 20_000;

/// The first source that the inputs and the CI system offer: a named token, GitHub's own, the credentials of the chain.
pub(super) fn choose(
    raw: &RawInputs,
    environment: &Environment,
    chaining: bool,
    diagnostics: &mut Diagnostics,
    warnings: &mut Vec<String>,
) -> Result<TokenSource, Failure> {
    let spelling = diagnostics.spelling;
    let unused = |input: &str, why: &str, warnings: &mut Vec<String>| {
        warnings.push(format!("{} is not used: {why}", spelling.name(input)));
    };
    if raw.web_identity_token_env.is_some() || ci::is_github(environment) && !chaining {
        if raw.role_external_id.is_some() {
            diagnostics.reject(
                "role-external-id",
                "cannot be shown together with an OIDC token; only AssumeRole takes it (`role-chaining: true`)",
            );
        }
    } else if raw.audience.is_some() {
        unused("audience", "no OIDC token is asked for", warnings);
    }
    if let Some(name) = &raw.web_identity_token_env {
        if chaining {
            unused("role-chaining", "an OIDC token is given", warnings);
        }
        if raw.audience.is_some() {
            unused("audience", "the token has one already", warnings);
        }
        return token(name, environment, &spelling.name("web-identity-token-env"))
            .map(TokenSource::Token);
    }
    if ci::is_github(environment) && !chaining {
        return token_request(raw, environment).map(TokenSource::Github);
    }
    Ok(TokenSource::Credentials {
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
            && (uri.scheme_str() == Some("https") || is_loopback(&uri))
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

/// The role of `AWS_WEB_IDENTITY_TOKEN_FILE`, as every AWS tool reads it.
pub(super) fn token_file_role(
    environment: &Environment,
    session_name: &str,
    duration: u32,
    warnings: &mut Vec<String>,
) -> Option<Role> {
    let file = environment.text("AWS_WEB_IDENTITY_TOKEN_FILE")?;
    let Some(arn) = environment.text("AWS_ROLE_ARN").map(str::trim) else {
        warnings.push(
            "AWS_WEB_IDENTITY_TOKEN_FILE is set without AWS_ROLE_ARN, and so is not used"
                .to_owned(),
        );
        return None;
    };
    if !is_role(arn) {
        warnings.push(
            "AWS_ROLE_ARN is not the ARN of a role, and so AWS_WEB_IDENTITY_TOKEN_FILE is not used"
                .to_owned(),
        );
        return None;
    }
    let named = environment.text("AWS_ROLE_SESSION_NAME").map(str::trim);
    if named.is_some_and(|name| !session::is_name(name)) {
        warnings.push(
            "AWS_ROLE_SESSION_NAME is not used: it must have 2 to 64 letters, digits or characters of `_=,.@+-`".to_owned(),
        );
    }
    Some(Role {
        arn: arn.to_owned(),
        session_name: named
            .filter(|name| session::is_name(name))
            .unwrap_or(session_name)
            .to_owned(),
        duration,
        source: TokenSource::TokenFile(file.to_owned()),
    })
}
