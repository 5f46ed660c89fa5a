//! Whether two ways to name a KMS key name the same one. The default key has four names, a key and
//! an alias two each; an alias and a key cannot be told apart without asking KMS.

/// Result of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Same,
    Different,
    Unknown,
}

enum Key<'a> {
    Default,
    Alias(&'a str),
    Id(&'a str),
}

/// DescribeSecret leaves the key out where it is AWS's own (API reference, DescribeSecret).
pub(super) fn compare(wanted: &str, present: Option<&str>) -> Comparison {
    if let Some(present) = present
        && wanted.starts_with("arn:")
        && present.starts_with("arn:")
        && is_alias(wanted) == is_alias(present)
    {
        // An alias or a multi-region key of the same name exists in other accounts and regions too.
        return if wanted == present {
            Comparison::Same
        } else {
            Comparison::Different
        };
    }
    match (key(wanted), key(present.unwrap_or_default())) {
        (Key::Default, Key::Default) => Comparison::Same,
        (Key::Alias(a), Key::Alias(b)) | (Key::Id(a), Key::Id(b)) if a == b => Comparison::Same,
        (Key::Alias(_), Key::Id(_)) | (Key::Id(_), Key::Alias(_)) => Comparison::Unknown,
        _ => Comparison::Different,
    }
}

/// Whether a name is one of AWS's own key's.
#[must_use]
pub fn is_default_key(name: &str) -> bool {
    matches!(key(name), Key::Default)
}

fn is_alias(arn: &str) -> bool {
    arn.contains(":alias/")
}

fn key(name: &str) -> Key<'_> {
    // "arn:aws:kms:eu-west-1:111122223333:alias/models" names what "alias/models" names.
    let local = if name.starts_with("arn:") {
        name.splitn(6, ':').nth(5).unwrap_or(name)
    } else {
        name
    };
    match local.strip_prefix("alias/") {
        Some("aws/secretsmanager") => Key::Default,
        Some(alias) => Key::Alias(alias),
        None if local.is_empty() => Key::Default,
        None => Key::Id(local.strip_prefix("key/").unwrap_or(local)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_key_has_many_names() {
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
                Some("arn:aws:kms:eu-west-1:444455556666:alias/models"),
                Different,
            ),
            (
                "arn:aws:kms:eu-west-1:111122223333:key/mrk-1",
                Some("arn:aws:kms:eu-west-2:111122223333:key/mrk-1"),
                Different,
            ),
        ];
        for (wanted, present, result) in cases {
            assert_eq!(compare(wanted, present), result, "{wanted} {present:?}");
        }
    }
}
