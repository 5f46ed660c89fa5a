//! The operations of STS. Independent of wire formats.

use std::time::{Duration, UNIX_EPOCH};

use sandbox_model::{Caller, Decision, ServiceError};
use serde_json::{Value, json};

use crate::{
    errors,
    identity::{
        arn,
        call::{Authenticated, IdentityCall},
        jwt::Token,
        parameters::{EXTERNAL_ID, Parameters, ROLE_ARN, SESSION_NAME, WEB_TOKEN},
        registry::IssuedSession,
        role::{Role, TrustMatch},
    },
    time,
};
/// The longest session when a session assumes another role (role chaining).
const CHAINED: Duration = Duration::from_secs(3600);

/// Requires no permission, as on AWS.
pub(crate) fn get_caller_identity(call: &mut IdentityCall<'_>) -> Result<Value, ServiceError> {
    let signer = signer(call)?;
    Ok(json!({
        "Arn": signer.caller.arn(),
        "UserId": signer.user_id,
        "Account": signer.caller.account(),
    }))
}

pub(crate) fn assume_role(call: &mut IdentityCall<'_>) -> Result<Value, ServiceError> {
    let caller = &signer(call)?.caller;
    let mut parameters = Parameters::new(call);
    let arn = parameters.required("RoleArn", &ROLE_ARN);
    let name = parameters.required("RoleSessionName", &SESSION_NAME);
    let external_id = parameters.optional("ExternalId", &EXTERNAL_ID);
    let seconds = parameters.duration();
    let known = [
        "RoleArn",
        "RoleSessionName",
        "ExternalId",
        "DurationSeconds",
    ];
    parameters.reject_unmodeled(&known)?;
    parameters.finish()?;
    account_of(&arn)?;
    let denied = || {
        let text = format!(
            "User: {} is not authorized to perform: sts:AssumeRole on resource: {arn}",
            caller.arn()
        );
        ServiceError::new(403, "AccessDenied", text)
    };
    let role = call.registry.roles.get(&arn).ok_or_else(denied)?;
    if !may_assume(caller, role, external_id.as_deref()) {
        return Err(denied());
    }
    let duration = Duration::from_secs(seconds);
    check_duration(role, duration, caller.role().is_some())?;
    Ok(session_answer(
        &call.registry.issue_session(&arn, &name, duration, call.now),
    ))
}

pub(crate) fn assume_role_with_web_identity(
    call: &mut IdentityCall<'_>,
) -> Result<Value, ServiceError> {
    let mut parameters = Parameters::new(call);
    let arn = parameters.required("RoleArn", &ROLE_ARN);
    let name = parameters.required("RoleSessionName", &SESSION_NAME);
    let token = parameters.required("WebIdentityToken", &WEB_TOKEN);
    let seconds = parameters.duration();
    let known = [
        "RoleArn",
        "RoleSessionName",
        "WebIdentityToken",
        "DurationSeconds",
    ];
    parameters.reject_unmodeled(&known)?;
    parameters.finish()?;
    let account = account_of(&arn)?;
    let token = Token::parse(&token).ok_or_else(|| {
        errors::invalid_token(
            "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)",
        )
    })?;
    let claim = |name: &str| {
        let missing = || errors::invalid_token(format!("Missing a required claim: {name}"));
        token.text(name).map(str::to_owned).ok_or_else(missing)
    };
    let (url, subject) = (claim("iss")?, claim("sub")?);
    let issuer = url.trim_start_matches("https://");
    let wanted = call.registry.roles.audiences(account, issuer);
    let wanted = wanted.ok_or_else(|| {
        errors::invalid_token(format!(
            "No OpenIDConnect provider found in your account for {url}"
        ))
    })?;
    verify(call, &token, issuer)?;
    let audiences = token.audiences();
    let audience = audiences.iter().find(|audience| wanted.contains(audience));
    let audience = audience.ok_or_else(|| errors::invalid_token("Incorrect token audience"))?;
    let denied = errors::untrusted_token;
    let role = call.registry.roles.get(&arn).ok_or_else(denied)?;
    if !role.trusts_token(issuer, &audiences, &subject) {
        return Err(denied());
    }
    let duration = Duration::from_secs(seconds);
    check_duration(role, duration, false)?;
    let mut answer = session_answer(&call.registry.issue_session(&arn, &name, duration, call.now));
    answer["Audience"] = json!(audience);
    answer["Provider"] = json!(format!("arn:aws:iam::{account}:oidc-provider/{issuer}"));
    answer["SubjectFromWebIdentityToken"] = json!(subject);
    Ok(answer)
}

/// The fields that the responses of both ways to assume a role share.
fn session_answer(issued: &IssuedSession) -> Value {
    json!({
        "AssumedRoleUser": {
            "Arn": issued.key.user_arn,
            "AssumedRoleId": issued.session.user_id,
        },
        "Credentials": {
            "AccessKeyId": issued.key.id,
            "SecretAccessKey": issued.key.secret,
            "SessionToken": issued.key.session_token,
            "Expiration": time::iso8601(issued.expires),
        },
    })
}

fn signer<'a>(call: &IdentityCall<'a>) -> Result<&'a Authenticated, ServiceError> {
    call.signer.ok_or_else(errors::unknown_client)
}

/// The account ID in an ARN, or the error of STS for an invalid ARN.
fn account_of(arn: &str) -> Result<&str, ServiceError> {
    let parts = arn::parts(arn).map(|parts| parts.account);
    parts.ok_or_else(|| errors::validation(format!("{arn} is invalid")))
}

/// Trust in the caller itself is enough within one account. Trust in its account, or from another account, also
/// needs the caller's own policy. An explicit deny in that policy always wins.
fn may_assume(caller: &Caller, role: &Role, external_id: Option<&str>) -> bool {
    let trusted = role.trusts_caller(caller, external_id);
    let decision = caller.decide("sts:AssumeRole", &role.arn);
    match trusted {
        None => false,
        Some(TrustMatch::Principal) if caller.account() == role.account() => {
            decision != Decision::ExplicitDeny
        }
        Some(_) => decision == Decision::Allowed,
    }
}

fn check_duration(role: &Role, duration: Duration, chained: bool) -> Result<(), ServiceError> {
    let text = if chained && duration > CHAINED {
        "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."
    } else if duration > role.max_session {
        "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
    } else {
        return Ok(());
    };
    Err(errors::validation(text))
}

/// Checks that the issuer signed the token and that it has not expired.
fn verify(call: &IdentityCall<'_>, token: &Token<'_>, issuer: &str) -> Result<(), ServiceError> {
    let key = call.registry.issuers.key(issuer);
    // The keys of an issuer that the sandbox does not act as cannot be retrieved.
    let key = key.ok_or_else(errors::no_verification_key)?;
    if !key.has_signed(token) {
        // The message was not recorded.
        return Err(errors::invalid_token("The token's signature is invalid"));
    }
    let now = call
        .now
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs();
    let expires = token.number("exp").unwrap_or(0);
    if expires <= now {
        let text = format!(
            "Token expired: current date/time {now} must be before the expiration date/time {expires}"
        );
        return Err(ServiceError::new(400, "ExpiredTokenException", text));
    }
    Ok(())
}
