//! Owns the operations of STS. It must not know how they travel.

use std::time::{Duration, UNIX_EPOCH};

use serde_json::{Value, json};

use super::{
    Ask, Authenticated,
    jwt::Token,
    members::{EXTERNAL_ID, Members, ROLE_ARN, SESSION_NAME, WEB_TOKEN},
    role::{Role, Trusted},
    roles,
};
use sandbox_model::{Caller, Decision, ServiceError};

use crate::errors;

/// The longest session that one session can get from another role.
const CHAINED: Duration = Duration::from_secs(3600);

/// Needs no permission, as on AWS.
pub(crate) fn get_caller_identity(ask: &mut Ask<'_>) -> Result<Value, ServiceError> {
    let signer = signed(ask)?;
    Ok(json!({
        "Arn": signer.caller.arn(),
        "UserId": signer.user_id,
        "Account": signer.caller.account(),
    }))
}

pub(crate) fn assume_role(ask: &mut Ask<'_>) -> Result<Value, ServiceError> {
    let caller = &signed(ask)?.caller;
    let mut members = Members::of(ask);
    let arn = members.required("RoleArn", &ROLE_ARN);
    let name = members.required("RoleSessionName", &SESSION_NAME);
    let external_id = members.optional("ExternalId", &EXTERNAL_ID);
    let seconds = members.duration();
    let known = [
        "RoleArn",
        "RoleSessionName",
        "ExternalId",
        "DurationSeconds",
    ];
    members.unmodelled(&known)?;
    members.checked()?;
    account_of(&arn)?;
    let denied = || {
        let text = format!(
            "User: {} is not authorized to perform: sts:AssumeRole on resource: {arn}",
            caller.arn()
        );
        ServiceError::new(403, "AccessDenied", text)
    };
    let role = ask.identity.roles.get(&arn).ok_or_else(denied)?;
    if !may_assume(caller, role, external_id.as_deref()) {
        return Err(denied());
    }
    let duration = Duration::from_secs(seconds);
    check_duration(role, duration, caller.role().is_some())?;
    Ok(ask.identity.mint(&arn, &name, duration, ask.now).shown())
}

pub(crate) fn assume_role_with_web_identity(ask: &mut Ask<'_>) -> Result<Value, ServiceError> {
    let mut members = Members::of(ask);
    let arn = members.required("RoleArn", &ROLE_ARN);
    let name = members.required("RoleSessionName", &SESSION_NAME);
    let token = members.required("WebIdentityToken", &WEB_TOKEN);
    let seconds = members.duration();
    let known = [
        "RoleArn",
        "RoleSessionName",
        "WebIdentityToken",
        "DurationSeconds",
    ];
    members.unmodelled(&known)?;
    members.checked()?;
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
    let wanted = ask.identity.roles.audiences(account, issuer);
    let wanted = wanted.ok_or_else(|| {
        errors::invalid_token(format!(
            "No OpenIDConnect provider found in your account for {url}"
        ))
    })?;
    verify(ask, &token, issuer)?;
    let audiences = token.audiences();
    let audience = audiences.iter().find(|audience| wanted.contains(audience));
    let audience = audience.ok_or_else(|| errors::invalid_token("Incorrect token audience"))?;
    let denied = errors::untrusted_token;
    let role = ask.identity.roles.get(&arn).ok_or_else(denied)?;
    if !role.trusts_token(issuer, &audiences, &subject) {
        return Err(denied());
    }
    let duration = Duration::from_secs(seconds);
    check_duration(role, duration, false)?;
    let mut answer = ask.identity.mint(&arn, &name, duration, ask.now).shown();
    answer["Audience"] = json!(audience);
    answer["Provider"] = json!(format!("arn:aws:iam::{account}:oidc-provider/{issuer}"));
    answer["SubjectFromWebIdentityToken"] = json!(subject);
    Ok(answer)
}

fn signed<'a>(ask: &Ask<'a>) -> Result<&'a Authenticated, ServiceError> {
    ask.caller.ok_or_else(errors::unknown_client)
}

/// The account in an ARN, if STS takes it for one.
fn account_of(arn: &str) -> Result<&str, ServiceError> {
    let parts = roles::parts(arn).map(|parts| parts.account);
    parts.ok_or_else(|| errors::validation(format!("{arn} is invalid")))
}

/// A trust by name is enough within one account; one by account, or from another account, needs the caller's
/// own policy too. An explicit denial there always counts.
fn may_assume(caller: &Caller, role: &Role, external_id: Option<&str>) -> bool {
    let trusted = role.trusts_caller(caller, external_id);
    let decision = caller.decide("sts:AssumeRole", &role.arn);
    match trusted {
        None => false,
        Some(Trusted::ByName) if caller.account() == role.account() => {
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

/// Whether the issuer signed the token, and it is still good.
fn verify(ask: &Ask<'_>, token: &Token<'_>, issuer: &str) -> Result<(), ServiceError> {
    let key = ask.identity.issuers.key(issuer);
    // An issuer that the sandbox does not play cannot be asked for its keys.
    let key = key.ok_or_else(errors::no_verification_key)?;
    if !key.made(token) {
        // The words were not recorded.
        return Err(errors::invalid_token("The token's signature is invalid"));
    }
    let now = ask
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
