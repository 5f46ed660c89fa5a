//! Explains missing, invalid and rejected credentials, and invalid settings. May describe a token by its claims, but must never
//! quote it.

use serde_json::json;
use upsert_secret_core::quote::ForeignText;

use upsert_secret_core::claims::Claims;
use upsert_secret_core::connection::CiSystem;
use upsert_secret_core::failure::{Class, Failure};

use super::foreign;
use super::network::MORE_THREADS;
use super::profile;
use super::services;
use crate::error::ErrorKind;
use crate::fault::RoleFault;

/// Explains an error of the credentials or the configuration.
pub(super) fn explain(kind: &ErrorKind, ci: CiSystem) -> Failure {
    match kind {
        ErrorKind::NoCredentials => no_credentials(ci),
        ErrorKind::InstanceMetadata(fault) => services::explain_instance(fault, no_credentials(ci)),
        ErrorKind::CredentialService(fault) => services::explain_container(fault),
        ErrorKind::NoThread => Failure::new(
            Class::Unavailable,
            "cannot start a thread to read the token file",
            MORE_THREADS,
        ),
        ErrorKind::InvalidCredentials => Failure::new(
            Class::Credentials,
            "AWS credentials are configured but could not be loaded",
            "check the profile, role or token file that they come from; profiles with SSO, `credential_process` or `aws login` are not read:\n\
             export their keys first, with `aws configure export-credentials --format env`",
        ),
        ErrorKind::IdTokenRejected { status, message } => id_token_rejected(*status, message),
        ErrorKind::NotGithub { host, status } => foreign::explain_not_github(host, *status),
        ErrorKind::TokenFile => Failure::new(
            Class::Credentials,
            "AWS_WEB_IDENTITY_TOKEN_FILE does not name a readable file with a token",
            "check that the file exists, is readable, and holds one token and nothing else",
        ),
        ErrorKind::AccountNotAllowed { account } => Failure::new(
            Class::Credentials,
            format!(
                "the credentials belong to the account {account}, which is not in `allowed-account-ids`"
            ),
            "use the credentials of the right environment, or correct `allowed-account-ids`; nothing was \
             read or written",
        ),
        ErrorKind::SharedFile(why) => profile::explain_unusable_file(why),
        ErrorKind::MissingProfile(missing) => profile::explain_missing(missing),
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
            "the AWS configuration is not valid",
            "check endpoint_url, region and the other settings of the profile and of the AWS_… variables",
        ),
    }
}

fn no_credentials(ci: CiSystem) -> Failure {
    Failure::new(
        Class::Credentials,
        "no AWS credentials were found",
        match ci {
            CiSystem::Github => {
                "give the job `permissions: id-token: write` and this step `role-to-assume`; or pass AWS_ACCESS_KEY_ID and \
                 AWS_SECRET_ACCESS_KEY to this step in `env`"
            }
            CiSystem::Gitlab => {
                "declare `id_tokens` in the job, set `role-to-assume`, and name the token's variable in \
                 `web-identity-token-env` (the component sets it); or define AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY as CI/CD variables"
            }
            _ => {
                "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN for temporary keys)"
            }
        },
    )
    .because(
        "searched: the environment (AWS_ACCESS_KEY_ID …), the shared configuration files, AWS_WEB_IDENTITY_TOKEN_FILE, \
         the container's and the instance's metadata services",
    )
}

fn id_token_rejected(status: u16, message: &ForeignText) -> Failure {
    let (class, next) = match status {
        429 | 500..=599 => (
            Class::Unavailable,
            "run again later; githubstatus.com shows outages",
        ),
        _ => (
            Class::Credentials,
            "check that the job has `permissions: id-token: write` and is still running",
        ),
    };
    let what = format!("GitHub issued no OIDC token (HTTP {status})");
    Failure {
        why: (!message.is_empty()).then(|| format!("GitHub answered: {}", message.quote(&[]))),
        ..Failure::new(class, what, next)
    }
}

pub(super) fn explain_role_fault(fault: &RoleFault) -> Failure {
    let (role, code) = (&fault.role, fault.code.as_str());
    let refused = format!("STS refused to let this job assume the role {role}");
    let failure = match (code, &fault.claims) {
        ("AccessDenied" | "AccessDeniedException", Some(claims)) => {
            Failure::new(Class::Credentials, refused, trust_policy_advice(claims))
        }
        ("AccessDenied" | "AccessDeniedException", None) => Failure::new(
            Class::Credentials,
            refused,
            "the role's trust policy must allow sts:AssumeRole to the caller that AWS names, with `role-external-id` if the policy requires one;\n\
             and the caller's own policy must allow sts:AssumeRole on the role",
        ),
        ("ExpiredTokenException" | "ExpiredToken", Some(_)) => Failure::new(
            Class::Credentials,
            "the OIDC token has expired",
            "OIDC tokens are valid for a few minutes: run this step sooner after the job gets its token, \
             or request a new one",
        ),
        ("InvalidIdentityToken", Some(claims)) if *claims == Claims::default() => Failure::new(
            Class::Credentials,
            "the OIDC token is not a JSON Web Token (JWT)",
            "pass the ID token that the CI system issues for the job: three parts of letters and digits with dots in between. \
             An access token, an API key or a path is not one",
        ),
        ("InvalidIdentityToken", Some(claims)) => Failure::new(
            Class::Credentials,
            "STS rejected the OIDC token",
            provider_advice(claims),
        ),
        ("IDPCommunicationError", _) => Failure::new(
            Class::Unavailable,
            "STS could not reach the OIDC provider",
            "run again; if it keeps failing, check that the provider's keys (jwks_uri) can be reached from the internet",
        ),
        ("IDPRejectedClaim", Some(claims)) => Failure::new(
            Class::Credentials,
            "the OIDC provider rejected the token",
            provider_advice(claims),
        ),
        ("RegionDisabledException", _) => Failure::new(
            Class::Credentials,
            "STS is not enabled in this region for the account",
            "enable the region in the account's settings, or use another one",
        ),
        ("ValidationError" | "ValidationException", _) => Failure::new(
            Class::Input,
            format!("STS rejected the request for the role {role}"),
            "correct the input that AWS names; `role-duration-seconds` must not exceed the role's own maximum, nor 3600 where one role assumes another",
        ),
        (
            "UnrecognizedClientException"
            | "InvalidClientTokenId"
            | "MissingAuthenticationToken"
            | "MissingAuthenticationTokenException",
            _,
        ) => Failure::new(
            Class::Credentials,
            "AWS does not recognize the credentials that assume the role",
            "check AWS_ACCESS_KEY_ID and AWS_SESSION_TOKEN: is the key deleted, of another partition, or temporary and without its token?",
        ),
        ("SignatureDoesNotMatch" | "InvalidSignatureException" | "IncompleteSignature", _) => {
            Failure::new(
                Class::Credentials,
                "AWS rejected the signature of the credentials that assume the role",
                "check AWS_SECRET_ACCESS_KEY: is a character missing, or one too many?",
            )
        }
        ("ExpiredToken" | "ExpiredTokenException" | "RequestExpired", None) => Failure::new(
            Class::Credentials,
            "the credentials that assume the role have expired",
            "get new ones right before this step",
        ),
        _ if fault.status >= 500
            || code.contains("Throttling")
            || code == "RequestLimitExceeded" =>
        {
            Failure::new(
                Class::Unavailable,
                "STS could not serve the request for the role",
                "run again; if it keeps failing, see the AWS Health Dashboard",
            )
        }
        _ => Failure::new(
            Class::Credentials,
            format!("STS rejected the request for the role {role} with {code}"),
            "look the code up in the STS API reference",
        ),
    };
    let says = (!fault.message.is_empty())
        .then(|| format!("AWS answered: {}", fault.message.quote(&[&fault.role])));
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
        "claims of the token: sub = {}\n                     aud = {}\n                     iss = {}",
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
        "if this job is to assume the role, its trust policy must allow sts:AssumeRoleWithWebIdentity to the provider {provider} under a condition that these claims meet, such as\n  \
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
