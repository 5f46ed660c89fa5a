//! Whether two names mean the same KMS key. The default key has four names, any other key or alias two. It makes no call to
//! KMS, so it cannot tell whether an alias and a key id mean the same key.

/// The alias of the AWS managed key, which Secrets Manager uses by default.
pub(super) const DEFAULT_KEY: &str = "alias/aws/secretsmanager";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Same,
    Different,
    Unknown,
}

/// Compares a given name with the one that DescribeSecret shows: `None` for the default key (API reference,
/// "DescribeSecret").
pub(super) fn compare(given: &str, present: Option<&str>) -> Comparison {
    let present = present.unwrap_or_default();
    let names = [local_name(given), local_name(present)];
    let [is_given_alias, is_present_alias] = names.map(|name| name.starts_with("alias/"));
    let are_alike = is_given_alias == is_present_alias;
    // The same alias or multi-Region key can exist in other accounts and regions, which only ARNs tell apart.
    let are_arns = given.starts_with("arn:") && present.starts_with("arn:");
    if given == present || names[0] == names[1] && !(are_arns && are_alike) {
        Comparison::Same
    } else if are_alike || names.contains(&DEFAULT_KEY) {
        Comparison::Different
    } else {
        Comparison::Unknown
    }
}

/// Whether a name means the AWS managed key.
pub fn is_default_key(name: &str) -> bool {
    local_name(name) == DEFAULT_KEY
}

/// The part of a name that is the same in all notations: an id or an alias with its prefix.
fn local_name(name: &str) -> &str {
    let local = if name.starts_with("arn:") {
        name.splitn(6, ':').nth(5).unwrap_or(name)
    } else {
        name
    };
    match local {
        "" => DEFAULT_KEY,
        _ => local.strip_prefix("key/").unwrap_or(local),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notations_of_one_key_are_equal() {
        use Comparison::{Different, Same, Unknown};
        let cases = [
            ("alias/aws/secretsmanager", None, Same),
            (
                "arn:aws:kms:eu-west-1:111122223333:alias/aws/secretsmanager",
                Some(""),
                Same,
            ),
            (
                "alias/models",
                Some("arn:aws:kms:eu-west-1:111122223333:alias/models"),
                Same,
            ),
            (
                "1234abcd",
                Some("arn:aws:kms:eu-west-1:111122223333:key/1234abcd"),
                Same,
            ),
            ("alias/models", Some("alias/other"), Different),
            ("1234abcd", None, Different),
            ("alias/aws/secretsmanager", Some("1234abcd"), Different),
            ("alias/models", None, Different),
            ("alias/models", Some("1234abcd"), Unknown),
            (
                "arn:aws:kms:eu-west-1:111122223333:alias/models",
                Some("arn:aws:kms:eu-west-1:111122223333:key/1234abcd"),
                Unknown,
            ),
            (
                "arn:aws:kms:eu-west-1:111122223333:alias/models",
                Some("arn:aws:kms:eu-west-1:444455556666:alias/models"),
                Different,
            ),
            (
                "arn:aws:kms:eu-west-1:111122223333:key/mrk-1",
                Some("arn:aws:kms:eu-west-2:111122223333:key/mrk-1"),
                Different,
            ),
        ];
        for (given, present, wanted) in cases {
            assert_eq!(compare(given, present), wanted, "{given} {present:?}");
        }
    }

    #[test]
    fn default_key_is_recognized() {
        let arn = format!("arn:aws:kms:eu-west-1:111122223333:{DEFAULT_KEY}");
        assert!(is_default_key(DEFAULT_KEY) && is_default_key(&arn));
        assert!(!is_default_key("alias/models") && !is_default_key("1234abcd"));
    }
}
