//! The OIDC token or credentials that STS exchanges for a role. Must not request a token.

use http::Uri;
use upsert_secret_core::connection::{Role, TokenRequest, TokenSource};
use upsert_secret_core::failure::{Class, Failure};
use upsert_secret_core::url::{Endpoint, protection};
use upsert_secret_core::value::SecretBytes;

use crate::checks::shapes::{NOT_A_SESSION_NAME, is_role, is_session_name};
use crate::ci;
use crate::diagnostics::Diagnostics;
use crate::environment::Environment;
use crate::inputs::RawInputs;

/// The audience used in AWS's own guides for trust policies.
pub(crate) const DEFAULT_AUDIENCE: &str = "sts.amazonaws.com";
/// STS limit for a token, in characters.
const MAX_TOKEN: usize = 20_000;

/// The first source available from the inputs and the CI system: a named token, GitHub's token, the credentials of the chain.
pub(super) fn choose(
    raw: &RawInputs,
    environment: &Environment,
    chaining: bool,
    diagnostics: &mut Diagnostics,
) -> Result<TokenSource, Failure> {
    let requests_token = ci::is_github(environment) && !chaining;
    let mut warn_unused = |input, why| {
        let name = diagnostics.spelling.name(input);
        diagnostics.warn(format!("{name} is ignored: {why}"));
    };
    let has_token = raw.web_identity_token_env.is_some();
    if has_token && chaining {
        warn_unused("role-chaining", "an OIDC token is used");
    }
    if raw.audience.is_some() && has_token {
        warn_unused("audience", "the token already has one");
    } else if raw.audience.is_some() && !requests_token {
        warn_unused("audience", "no OIDC token is requested");
    }
    if raw.role_external_id.is_some() && (has_token || requests_token) {
        diagnostics.reject(
            "role-external-id",
            "cannot be used with an OIDC token; only AssumeRole accepts it (`role-chaining: true`)",
        );
    }
    match &raw.web_identity_token_env {
        Some(name) => {
            let input = diagnostics.spelling.name("web-identity-token-env");
            read_token(name, environment, &input).map(TokenSource::Token)
        }
        None if requests_token => token_request(raw, environment).map(TokenSource::Github),
        None => Ok(TokenSource::Credentials {
            external_id: raw.role_external_id.clone(),
        }),
    }
}

/// Reads the token from the variable `name`, trimming white space. `input` is the input that names the variable.
fn read_token(name: &str, environment: &Environment, input: &str) -> Result<SecretBytes, Failure> {
    let content = environment.secret(name);
    let token = content
        .as_ref()
        .map_or(&b""[..], |content| content.expose().trim_ascii());
    if token.is_empty() {
        // Show the name only if it is a variable that is set: a user may have given the token itself by mistake.
        let variable = if environment.raw(name).is_some() {
            format!("the variable {name}")
        } else {
            format!("the variable that {input} names")
        };
        return Err(Failure::new(
            Class::Credentials,
            format!("{variable} holds no OIDC token"),
            "in GitLab, declare it in the job: `id_tokens: { AWS_ID_TOKEN: { aud: sts.amazonaws.com } }`, \
             and give its name; other CI systems have a setting for it",
        ));
    }
    if token.len() > MAX_TOKEN || !token.iter().all(u8::is_ascii_graphic) {
        return Err(Failure::new(
            Class::Credentials,
            format!("the variable {name} does not hold an OIDC token"),
            "a token is one line of letters, digits, `-`, `_` and two dots",
        ));
    }
    Ok(SecretBytes::new(token.to_vec()))
}

/// The request for an OIDC token, which GitHub's runner offers to jobs with permission for it.
fn token_request(raw: &RawInputs, environment: &Environment) -> Result<TokenRequest, Failure> {
    let url = environment.text("ACTIONS_ID_TOKEN_REQUEST_URL");
    let bearer = environment.secret("ACTIONS_ID_TOKEN_REQUEST_TOKEN");
    let (Some(url), Some(bearer)) = (url, bearer) else {
        return Err(Failure::new(
            Class::Credentials,
            "GitHub issues no OIDC token to this job, so it cannot assume the role",
            "give the job `permissions: id-token: write` (a pull request from a fork cannot have it);\n\
             to assume the role with existing credentials, set `role-chaining: true`",
        ));
    };
    let is_safe = url.parse::<Uri>().ok().is_some_and(|uri| {
        let authority = uri.authority();
        authority.is_some_and(|authority| !authority.as_str().contains('@'))
            && protection(&uri) == Some(Endpoint::Protected)
    });
    if !is_safe || !bearer.expose().iter().all(u8::is_ascii_graphic) {
        return Err(Failure::new(
            Class::Credentials,
            "ACTIONS_ID_TOKEN_REQUEST_URL is not an https:// URL, or its token is not valid",
            "the runner sets both; do not set them in the workflow",
        ));
    }
    let audience = raw.audience.as_deref().unwrap_or(DEFAULT_AUDIENCE);
    Ok(TokenRequest {
        url: url.to_owned(),
        bearer,
        audience: audience.to_owned(),
    })
}

/// The role of `AWS_WEB_IDENTITY_TOKEN_FILE`, as every AWS tool reads it.
pub(super) fn token_file_role(
    environment: &Environment,
    session_name: &str,
    duration: u32,
    diagnostics: &mut Diagnostics,
) -> Option<Role> {
    let file = environment.text("AWS_WEB_IDENTITY_TOKEN_FILE")?;
    let Some(arn) = environment.text("AWS_ROLE_ARN").map(str::trim) else {
        diagnostics.warn("AWS_WEB_IDENTITY_TOKEN_FILE is ignored, because AWS_ROLE_ARN is not set");
        return None;
    };
    if !is_role(arn) {
        diagnostics.warn(
            "AWS_WEB_IDENTITY_TOKEN_FILE is ignored, because AWS_ROLE_ARN is not the ARN of a role",
        );
        return None;
    }
    let given_name = environment.text("AWS_ROLE_SESSION_NAME").map(str::trim);
    let own_name = given_name.filter(|name| is_session_name(name));
    if given_name.is_some() && own_name.is_none() {
        diagnostics.warn(format!(
            "AWS_ROLE_SESSION_NAME is ignored: it {NOT_A_SESSION_NAME}"
        ));
    }
    Some(Role {
        arn: arn.to_owned(),
        session_name: own_name.unwrap_or(session_name).to_owned(),
        duration,
        source: TokenSource::TokenFile(file.to_owned()),
    })
}
