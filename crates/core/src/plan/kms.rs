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

/// The part of a name that is the same in all notations.
#[derive(PartialEq)]
enum KeyName<'a> {
    Default,
    Alias(&'a str),
    Id(&'a str),
}

/// Compares a given name with the one that DescribeSecret shows: `None` for the default key (API reference,
/// "DescribeSecret").
pub(super) fn compare(given: &str, present: Option<&str>) -> Comparison {
    if let Some(present) = present
        && given.starts_with("arn:")
        && present.starts_with("arn:")
        && is_alias(given) == is_alias(present)
    {
        // The same alias or multi-Region key can exist in other accounts and regions.
        return if given == present {
            Comparison::Same
        } else {
            Comparison::Different
        };
    }
    match (parse(given), parse(present.unwrap_or_default())) {
        (given, present) if given == present => Comparison::Same,
        (KeyName::Alias(_), KeyName::Id(_)) | (KeyName::Id(_), KeyName::Alias(_)) => {
            Comparison::Unknown
        }
        _ => Comparison::Different,
    }
}

/// Whether a name means the AWS managed key.
pub fn is_default_key(name: &str) -> bool {
    matches!(parse(name), KeyName::Default)
}

fn is_alias(arn: &str) -> bool {
    arn.contains(":alias/")
}

fn parse(name: &str) -> KeyName<'_> {
    let local = if name.starts_with("arn:") {
        name.splitn(6, ':').nth(5).unwrap_or(name)
    } else {
        name
    };
    match local.strip_prefix("alias/") {
        Some(_) if local == DEFAULT_KEY => KeyName::Default,
        Some(alias) => KeyName::Alias(alias),
        None if local.is_empty() => KeyName::Default,
        None => KeyName::Id(local.strip_prefix("key/").unwrap_or(local)),
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
