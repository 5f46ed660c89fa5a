//! Explanations of missing, invalid and rejected credentials. A token may be described by its claims, never quoted.

use serde_json::json;

use upsert_secret_core::claims::Claims;
use upsert_secret_core::failure::{Class, Failure};

use crate::fault::RoleFault;

pub(super) fn none_found() -> Failure {
    Failure::new(
        Class::Credentials,
        "no AWS credentials were found",
        "in GitHub Actions give the job `permissions: id-token: write` and this step `role-to-assume`;\n\
         in GitLab give it `id_tokens`, and name the token in `web-identity-token-env` (the component does);\n\
         elsewhere set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN for temporary keys)",
    )
    .because(
        "looked at the environment (AWS_ACCESS_KEY_ID …), the shared configuration files, AWS_WEB_IDENTITY_TOKEN_FILE, \
         the container's and the instance's metadata services",
    )
}

pub(super) fn account_not_allowed(account: &str) -> Failure {
    Failure::new(
        Class::Credentials,
        format!(
            "the credentials are of the account {account}, which is not in `allowed-account-ids`"
        ),
        "are they of another stage? Nothing was read or written",
    )
}

pub(super) fn token_file_unusable() -> Failure {
    Failure::new(
        Class::Credentials,
        "AWS_WEB_IDENTITY_TOKEN_FILE names no file that holds a token",
        "check that the file is there, readable, and holds one token and nothing else",
    )
}

pub(super) fn not_loaded() -> Failure {
    Failure::new(
        Class::Credentials,
        "AWS credentials are configured but could not be loaded",
        "check the profile, role or token file that they come from; profiles with SSO, `credential_process` or `aws login` are not read:\n\
         export their keys first, with `aws configure export-credentials --format env`",
    )
}

pub(super) fn id_token_rejected(status: u16, message: &str) -> Failure {
    let (class, next) = match status {
        429 | 500..=599 => (
            Class::Unavailable,
            "run again later; githubstatus.com shows trouble of GitHub's",
        ),
        _ => (
            Class::Credentials,
            "check `permissions: id-token: write` of the job, and that the job is still running",
        ),
    };
    let what = format!("GitHub gave no OIDC token (HTTP {status})");
    let failure = Failure::new(class, what, next);
    if message.is_empty() {
        failure
    } else {
        failure.because(format!("GitHub says: {message}"))
    }
}

pub(super) fn explain_role_fault(fault: &RoleFault) -> Failure {
    let RoleFault {
        role,
        code,
        message,
        status,
        claims,
    } = fault;
    let refused = format!("STS does not give this job the role {role}");
    let (class, what, next) = match (code.as_str(), claims) {
        ("AccessDenied" | "AccessDeniedException", Some(claims)) => {
            (Class::Credentials, refused, trust_policy_advice(claims))
        }
        ("AccessDenied" | "AccessDeniedException", None) => (
            Class::Credentials,
            refused,
            "the role's trust policy must allow sts:AssumeRole to the caller that AWS names, with `role-external-id` if it asks for one;\n\
             and the caller's own policy must allow sts:AssumeRole on the role".to_owned(),
        ),
        ("ExpiredTokenException" | "ExpiredToken", Some(_)) => (
            Class::Credentials,
            "the OIDC token has expired".to_owned(),
            "such tokens live for some minutes: run this step sooner after the job got its token, or get a new one".to_owned(),
        ),
        ("InvalidIdentityToken", Some(claims)) => (
            Class::Credentials,
            "STS does not accept the OIDC token".to_owned(),
            provider_advice(claims),
        ),
        ("IDPCommunicationError", _) => (
            Class::Unavailable,
            "STS could not reach the provider of the OIDC token".to_owned(),
            "run again; if it goes on, look whether the provider's keys (jwks_uri) can be reached from the internet".to_owned(),
        ),
        ("IDPRejectedClaim", Some(claims)) => (
            Class::Credentials,
            "the provider of the OIDC token rejects it".to_owned(),
            provider_advice(claims),
        ),
        ("RegionDisabledException", _) => (
            Class::Credentials,
            "STS is not switched on for this region in the account".to_owned(),
            "switch the region on in the account's settings, or use another one".to_owned(),
        ),
        ("ValidationError" | "ValidationException", _) => (
            Class::Input,
            format!("STS does not accept the request for the role {role}"),
            "correct the input that AWS names; `role-duration-seconds` must not be above the role's own maximum, nor above 3600 where one role assumes another".to_owned(),
        ),
        ("UnrecognizedClientException" | "InvalidClientTokenId" | "MissingAuthenticationToken" | "MissingAuthenticationTokenException", _) => (
            Class::Credentials,
            "AWS does not know the credentials that the role is to be assumed with".to_owned(),
            "check AWS_ACCESS_KEY_ID and AWS_SESSION_TOKEN: deleted, of another partition, or a temporary key without its token?".to_owned(),
        ),
        ("SignatureDoesNotMatch" | "InvalidSignatureException" | "IncompleteSignature", _) => (
            Class::Credentials,
            "AWS does not accept the signature".to_owned(),
            "check AWS_SECRET_ACCESS_KEY (cut short? a character too many?) and this machine's clock".to_owned(),
        ),
        ("ExpiredToken" | "ExpiredTokenException" | "RequestExpired", None) => (
            Class::Credentials,
            "the credentials that the role is to be assumed with have expired".to_owned(),
            "get new ones right before this step".to_owned(),
        ),
        _ if *status >= 500 || code.contains("Throttling") || code == "RequestLimitExceeded" => (
            Class::Unavailable,
            "STS could not serve the request for the role".to_owned(),
            "run again; see the AWS health page if it goes on".to_owned(),
        ),
        _ => (
            Class::Credentials,
            format!("STS answered the request for the role {role} with {code}"),
            "look the code up in the STS API reference".to_owned(),
        ),
    };
    let mut why = Vec::new();
    if !message.is_empty() {
        why.push(format!("AWS says: {message}"));
    }
    if let Some(claims) = claims {
        why.push(list_claims(claims));
    }
    let failure = Failure::new(class, what, next);
    if why.is_empty() {
        failure
    } else {
        failure.because(why.join("\n"))
    }
}

/// The claims that a trust policy can check.
fn list_claims(claims: &Claims) -> String {
    let show = |claim: Option<&str>| claim.unwrap_or("(none)").to_owned();
    format!(
        "the token says: sub = {}\n                aud = {}\n                iss = {}",
        show(claims.sub.as_deref()),
        show(claims.audience()),
        show(claims.iss.as_deref()),
    )
}

/// A condition for the trust policy that these claims meet.
fn trust_policy_advice(claims: &Claims) -> String {
    let (Some(sub), Some(aud), Some(provider)) =
        (claims.sub.as_deref(), claims.audience(), claims.provider())
    else {
        return "compare the role's trust policy with the job's token".to_owned();
    };
    format!(
        "if this job shall have the role, its trust policy must allow sts:AssumeRoleWithWebIdentity to the provider {provider} under a condition that these claims meet, such as\n  \
         \"StringEquals\": {{\n    {}: {},\n    {}: {}\n  }}",
        json!(format!("{provider}:aud")),
        json!(aud),
        json!(format!("{provider}:sub")),
        json!(sub),
    )
}

fn provider_advice(claims: &Claims) -> String {
    let provider = claims.provider().unwrap_or("that issued the token");
    let audience = claims.audience().unwrap_or("of the token");
    format!(
        "check in IAM that the account of the role has the OpenID Connect provider {provider}, with the audience {audience}"
    )
}
