//! Conditions of STS: AssumeRole, AssumeRoleWithWebIdentity and GetCallerIdentity.

use std::time::Duration;

use sandbox::{Role, Trust, client::Reply};

use crate::run::{Case, Outcome, Run, case, same, sandbox_case};

const ROLE: &str = "arn:aws:iam::111122223333:role/fidelity";
const WEB_IDENTITY: &str = "AssumeRoleWithWebIdentity";

fn assume(run: &Run<'_>, more: &[(&str, &str)]) -> Result<Reply, String> {
    run.add_role(Role::new(ROLE).trust(Trust::account("111122223333")));
    let mut parameters = vec![("RoleArn", ROLE), ("RoleSessionName", "recorded")];
    parameters.retain(|(name, _)| !more.iter().any(|(given, _)| given == name));
    parameters.extend(more);
    let reply = run.client.sts_with("AssumeRole", &parameters);
    reply.map_err(|error| format!("no answer: {error}"))
}

fn by_token(run: &Run<'_>, token: &str) -> Result<Reply, String> {
    run.add_role(Role::new(ROLE).trust(Trust::github("repo:acme/app:*")));
    let parameters = [
        ("RoleArn", ROLE),
        ("RoleSessionName", "recorded"),
        ("WebIdentityToken", token),
    ];
    let reply = run.client.sts_unsigned(WEB_IDENTITY, &parameters);
    reply.map_err(|error| format!("no answer: {error}"))
}

fn github_token(run: &Run<'_>, sub: &str, audience: &str) -> String {
    let issuer = "https://token.actions.githubusercontent.com";
    let lifetime = Duration::from_secs(300);
    run.sandbox().id_token(issuer, sub, audience, lifetime)
}

fn fails_with(reply: &Reply, status: u16, code: &str, message: &str) -> Outcome {
    same(
        "the answer",
        &(reply.status, reply.code(), reply.message()),
        &(status, code.to_owned(), message.to_owned()),
    )
}

/// The response has this code, which was recorded or is documented; its message was not.
fn fails_with_code(reply: &Reply, status: u16, code: &str) -> Outcome {
    same(
        "the answer",
        &(reply.status, reply.code()),
        &(status, code.to_owned()),
    )
}

fn violation(value: &str, member: &str, rule: &str) -> String {
    format!(
        "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member must {rule}"
    )
}

pub(crate) const CASES: &[Case] = &[
    case(
        "A02",
        "VL",
        "AssumeRole: an ASIA key, and an assumed role named after role and session",
        |run| {
            let reply = assume(run, &[])?;
            same("the status", &reply.status, &200)?;
            let key = reply.element("AccessKeyId");
            same(
                "the key",
                &(&key[..key.len().min(4)], key.len()),
                &("ASIA", 20),
            )?;
            same(
                "the assumed role",
                &reply.element("Arn").as_str(),
                &"arn:aws:sts::111122223333:assumed-role/fidelity/recorded",
            )?;
            let id = reply.element("AssumedRoleId");
            same(
                "the id",
                &(id.starts_with("AROA"), id.ends_with(":recorded")),
                &(true, true),
            )
        },
    ),
    case(
        "A02b",
        "VL D",
        "GetCallerIdentity with a session: the assumed role and its ID",
        |run| {
            let reply = assume(run, &[])?;
            let identity = run.client.with_session(&reply).sts("GetCallerIdentity");
            let identity = identity.map_err(|error| error.to_string())?;
            same("Arn", &identity.element("Arn"), &reply.element("Arn"))?;
            same(
                "Account",
                &identity.element("Account").as_str(),
                &"111122223333",
            )?;
            same(
                "UserId",
                &identity.element("UserId"),
                &reply.element("AssumedRoleId"),
            )
        },
    ),
    case(
        "A02c",
        "VL",
        "an incomplete role ARN: ValidationError that quotes it",
        |run| {
            for arn in [
                "nothing-valid-in-here",
                "arn::b:::something/test-role",
                "arn:a::::something/test-role",
                "arn:a:::something/test-role",
                "arn:a:a::aaaaaaaaaa:",
            ] {
                let reply = assume(run, &[("RoleArn", arn)])?;
                fails_with(&reply, 400, "ValidationError", &format!("{arn} is invalid"))?;
            }
            Ok(())
        },
    ),
    case(
        "A02d",
        "D R",
        "a missing role: AccessDenied, as for one that does not trust the caller",
        |run| {
            let arn = "arn:aws:iam::111122223333:role/absent";
            fails_with_code(&assume(run, &[("RoleArn", arn)])?, 403, "AccessDenied")
        },
    ),
    case(
        "A03",
        "D",
        "AssumeRole for 60 seconds: ValidationError",
        |run| {
            let reply = assume(run, &[("DurationSeconds", "60")])?;
            let rule = "have value greater than or equal to 900";
            fails_with(
                &reply,
                400,
                "ValidationError",
                &violation("60", "durationSeconds", rule),
            )
        },
    ),
    case(
        "A03b",
        "R",
        "longer than the role allows: ValidationError that names MaxSessionDuration",
        |run| {
            let reply = assume(run, &[("DurationSeconds", "43200")])?;
            let text =
                "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.";
            fails_with(&reply, 400, "ValidationError", text)
        },
    ),
    case(
        "A04",
        "VL",
        "a session name with an invalid character: ValidationError with the pattern",
        |run| {
            for name in ["Session1:2", "a b"] {
                let reply = assume(run, &[("RoleSessionName", name)])?;
                let rule = r"satisfy regular expression pattern: [\w+=,.@-]*";
                fails_with(
                    &reply,
                    400,
                    "ValidationError",
                    &violation(name, "roleSessionName", rule),
                )?;
            }
            Ok(())
        },
    ),
    case(
        "A04b",
        "VL",
        "a session name of 65 characters: ValidationError",
        |run| {
            let name = "s".repeat(65);
            let reply = assume(run, &[("RoleSessionName", &name)])?;
            let rule = "have length less than or equal to 64";
            fails_with(
                &reply,
                400,
                "ValidationError",
                &violation(&name, "roleSessionName", rule),
            )
        },
    ),
    case(
        "A05",
        "D",
        "AssumeRoleWithWebIdentity with an invalid token: InvalidIdentityToken",
        |run| fails_with_code(&by_token(run, "junk")?, 400, "InvalidIdentityToken"),
    ),
    sandbox_case(
        "A05b",
        "R",
        "a token of an issuer without a provider: InvalidIdentityToken that names it",
        |run| {
            let issuer = "https://ci.example.com";
            let hour = Duration::from_secs(3600);
            let token =
                run.sandbox()
                    .id_token(issuer, "repo:acme/app:x", "sts.amazonaws.com", hour);
            let text = format!("No OpenIDConnect provider found in your account for {issuer}");
            fails_with(&by_token(run, &token)?, 400, "InvalidIdentityToken", &text)
        },
    ),
    sandbox_case(
        "A05c",
        "R",
        "a token for another audience: InvalidIdentityToken",
        |run| {
            let token = github_token(run, "repo:acme/app:x", "https://github.com/acme");
            let text = "Incorrect token audience";
            fails_with(&by_token(run, &token)?, 400, "InvalidIdentityToken", text)
        },
    ),
    sandbox_case(
        "A05d",
        "R",
        "a subject the role does not trust: AccessDenied, status 403",
        |run| {
            let token = github_token(run, "repo:other/app:x", "sts.amazonaws.com");
            let text = "Not authorized to perform sts:AssumeRoleWithWebIdentity";
            fails_with(&by_token(run, &token)?, 403, "AccessDenied", text)
        },
    ),
    sandbox_case(
        "A05e",
        "R",
        "an expired token: ExpiredTokenException, status 400",
        |run| {
            let token = github_token(run, "repo:acme/app:x", "sts.amazonaws.com");
            same("the status before", &by_token(run, &token)?.status, &200)?;
            run.sandbox().advance_clock(Duration::from_secs(301));
            fails_with_code(&by_token(run, &token)?, 400, "ExpiredTokenException")
        },
    ),
];
