//! The formats of the ARNs that the model creates or parses.

/// The ARN of a secret.
pub(crate) fn secret(account: &str, region: &str, name: &str, suffix: &str) -> String {
    format!("arn:aws:secretsmanager:{region}:{account}:secret:{name}-{suffix}")
}

/// The part of a secret's ARN after `:secret:`.
pub(crate) fn partial_name(id: &str) -> Option<&str> {
    let resource = id.strip_prefix("arn:")?;
    resource.split_once(":secret:").map(|(_, name)| name)
}

/// The role that a session's ARN belongs to.
pub(crate) fn role_of_session(arn: &str) -> Option<String> {
    let (account, session) = arn
        .strip_prefix("arn:aws:sts::")?
        .split_once(":assumed-role/")?;
    let (role, _) = session.split_once('/')?;
    Some(format!("arn:aws:iam::{account}:role/{role}"))
}
