//! The parts of an ARN, as STS reads it.

pub(super) struct Parts<'a> {
    pub(super) account: &'a str,
    pub(super) resource: &'a str,
}

/// `None` for what STS calls invalid: too few colons, no partition, no service or no resource.
pub(super) fn parts(arn: &str) -> Option<Parts<'_>> {
    let mut parts = arn.splitn(6, ':');
    let scheme = parts.next()?;
    let (partition, service) = (parts.next()?, parts.next()?);
    let (_region, account) = (parts.next()?, parts.next()?);
    let resource = parts.next()?;
    let complete =
        scheme == "arn" && !partition.is_empty() && !service.is_empty() && !resource.is_empty();
    complete.then_some(Parts { account, resource })
}

/// The last part of the path of a role's ARN.
pub(super) fn role_name(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or_default()
}
