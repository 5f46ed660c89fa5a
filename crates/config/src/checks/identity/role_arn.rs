//! The shape of a role's ARN. Whether the role exists is for AWS to say.

/// Why an input is rejected that is not the ARN of a role.
pub(crate) const NOT_A_ROLE: &str =
    "must be the ARN of a role: `arn:aws:iam::111122223333:role/NAME`";

/// Whether a text is `arn:PARTITION:iam::ACCOUNT:role/PATH/NAME`, 20 to 2,048 characters.
pub(crate) fn is_role(arn: &str) -> bool {
    let parts: Vec<_> = arn.splitn(6, ':').collect();
    let [prefix, partition, service, region, account, resource] = parts[..] else {
        return false;
    };
    let name = resource.strip_prefix("role/").unwrap_or_default();
    prefix == "arn"
        && (partition == "aws" || partition.starts_with("aws-"))
        && service == "iam"
        && region.is_empty()
        && account.len() == 12
        && account.bytes().all(|b| b.is_ascii_digit())
        && !name.is_empty()
        && (20..=2_048).contains(&arn.len())
        && arn.bytes().all(|b| b.is_ascii_graphic())
}
