//! Explanations of missing, invalid and rejected credentials, and of invalid settings. A token may be described by its
//! claims, never quoted.

use serde_json::json;

use upsert_secret_core::claims::Claims;
use upsert_secret_core::failure::{Class, Failure};

use crate::error::ErrorKind;
use crate::fault::RoleFault;

/// Explains an error of the credentials or the configuration.
pub(super) fn explain(kind: &ErrorKind) -> Failure {
    match kind {
        ErrorKind::NoCredentials => Failure::new(
            Class::Credentials,
            "no AWS credentials were found",
            "in GitHub Actions give the job `permissions: id-token: write` and this step `role-to-assume`;\n\
             in GitLab give it `id_tokens`, and name the token in `web-identity-token-env` (the component does);\n\
             elsewhere set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN for temporary keys)",
        )
        .because(
            "looked at the environment (AWS_ACCESS_KEY_ID …), the shared configuration files, AWS_WEB_IDENTITY_TOKEN_FILE, \
             the container's and the instance's metadata services",
        ),
        ErrorKind::InvalidCredentials => Failure::new(
            Class::Credentials,
            "AWS credentials are configured but could not be loaded",
            "check the profile, role or token file that they come from; profiles with SSO, `credential_process` or `aws login` are not read:\n\
             export their keys first, with `aws configure export-credentials --format env`",
        ),
        ErrorKind::IdTokenRejected { status, message } => id_token_rejected(*status, message),
        ErrorKind::IdTokenUnreadable => Failure::new(
            Class::Unavailable,
            "GitHub's answer to the request for an OIDC token could not be read",
            "run again; if it goes on, look for a proxy that changes answers, and at githubstatus.com",
        ),
        ErrorKind::TokenFile => Failure::new(
            Class::Credentials,
            "AWS_WEB_IDENTITY_TOKEN_FILE names no file that holds a token",
            "check that the file is there, readable, and holds one token and nothing else",
        ),
        ErrorKind::AccountNotAllowed { account } => Failure::new(
            Class::Credentials,
            format!("the credentials are of the account {account}, which is not in `allowed-account-ids`"),
            "are they of another stage? Nothing was read or written",
        ),
        ErrorKind::Roots(why) => Failure::new(
            Class::Input,
            why.clone(),
            "correct the input; nothing was sent to AWS",
        ),
        ErrorKind::Setting { key, why } => Failure::new(
            Class::Input,
            format!("{key} {why}"),
            "correct it in the profile of the shared configuration files, or in the AWS_… variable of that name",
        ),
        ErrorKind::NoRegion => Failure::new(
            Class::Input,
            "no AWS region is configured",
            "set the input `aws-region`, or AWS_REGION, or a region in the profile",
        ),
        _ => Failure::new(
            Class::Input,
            "the request could not be made from the AWS configuration",
            "check endpoint_url, region and the other settings of the profile and of the AWS_… variables",
        ),
    }
}

fn id_token_rejected(status: u16, message: &str) -> Failure {
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
    Failure {
        why: (!message.is_empty()).then(|| format!("GitHub says: {message}")),
        ..Failure::new(class, what, next)
    }
}

pub(super) fn explain_role_fault(fault: &RoleFault) -> Failure {
    let (role, code) = (&fault.role, fault.code.as_str());
    let refused = format!("STS does not give this job the role {role}");
    let failure = match (code, &fault.claims) {
        ("AccessDenied" | "AccessDeniedException", Some(claims)) => {
            Failure::new(Class::Credentials, refused, trust_policy_advice(claims))
        }
        ("AccessDenied" | "AccessDeniedException", None) => Failure::new(
            Class::Credentials,
            refused,
            "the role's trust policy must allow sts:AssumeRole to the caller that AWS names, with `role-external-id` if it asks for one;\n\
             and the caller's own policy must allow sts:AssumeRole on the role",
        ),
        ("ExpiredTokenException" | "ExpiredToken", Some(_)) => Failure::new(
            Class::Credentials,
            "the OIDC token has expired",
            "such tokens live for some minutes: run this step sooner after the job got its token, or get a new one",
        ),
        ("InvalidIdentityToken", Some(claims)) => Failure::new(
            Class::Credentials,
            "STS does not accept the OIDC token",
            provider_advice(claims),
        ),
        ("IDPCommunicationError", _) => Failure::new(
            Class::Unavailable,
            "STS could not reach the provider of the OIDC token",
            "run again; if it goes on, look whether the provider's keys (jwks_uri) can be reached from the internet",
        ),
        ("IDPRejectedClaim", Some(claims)) => Failure::new(
            Class::Credentials,
            "the provider of the OIDC token rejects it",
            provider_advice(claims),
        ),
        ("RegionDisabledException", _) => Failure::new(
            Class::Credentials,
            "STS is not switched on for this region in the account",
            "switch the region on in the account's settings, or use another one",
        ),
        ("ValidationError" | "ValidationException", _) => Failure::new(
            Class::Input,
            format!("STS does not accept the request for the role {role}"),
            "correct the input that AWS names; `role-duration-seconds` must not be above the role's own maximum, nor above 3600 where one role assumes another",
        ),
        (
            "UnrecognizedClientException"
            | "InvalidClientTokenId"
            | "MissingAuthenticationToken"
            | "MissingAuthenticationTokenException",
            _,
        ) => Failure::new(
            Class::Credentials,
            "AWS does not know the credentials that the role is to be assumed with",
            "check AWS_ACCESS_KEY_ID and AWS_SESSION_TOKEN: deleted, of another partition, or a temporary key without its token?",
        ),
        ("SignatureDoesNotMatch" | "InvalidSignatureException" | "IncompleteSignature", _) => {
            Failure::new(
                Class::Credentials,
                "AWS does not accept the signature",
                "check AWS_SECRET_ACCESS_KEY (cut short? a character too many?) and this machine's clock",
            )
        }
        ("ExpiredToken" | "ExpiredTokenException" | "RequestExpired", None) => Failure::new(
            Class::Credentials,
            "the credentials that the role is to be assumed with have expired",
            "get new ones right before this step",
        ),
        _ if fault.status >= 500
            || code.contains("Throttling")
            || code == "RequestLimitExceeded" =>
        {
            Failure::new(
                Class::Unavailable,
                "STS could not serve the request for the role",
                "run again; see the AWS health page if it goes on",
            )
        }
        _ => Failure::new(
            Class::Credentials,
            format!("STS answered the request for the role {role} with {code}"),
            "look the code up in the STS API reference",
        ),
    };
    let says = (!fault.message.is_empty()).then(|| format!("AWS says: {}", fault.message));
    let why: Vec<_> = says
        .into_iter()
        .chain(fault.claims.as_ref().map(list_claims))
        .collect();
    Failure {
        why: (!why.is_empty()).then(|| why.join("\n")),
        ..failure
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
