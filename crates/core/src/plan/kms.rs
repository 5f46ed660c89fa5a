//! Whether two names refer to the same KMS key. The default key has four names; any other key or alias has two: a bare name and
//! an ARN. AWS resolves a bare name in the caller's account. Must not call KMS, so it cannot tell whether an alias and a key ID
//! refer to the same key.

/// The alias of the AWS managed key, which Secrets Manager uses by default.
pub(super) const DEFAULT_KEY: &str = "alias/aws/secretsmanager";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Same,
    /// The stored name is bare and the given one is an ARN. Callers in the secret's account get the same key, but all others
    /// get a missing key until the ARN is stored (hashicorp/terraform-provider-aws#30272).
    SameHere,
    Different,
    Unknown,
}

/// Compares a given name with the one that DescribeSecret returns: `None` for the default key (API reference,
/// "DescribeSecret"). `secret` is the ARN of the secret or replica, whose account and region are used to resolve bare names.
pub(super) fn compare(given: &str, present: Option<&str>, secret: &str) -> Comparison {
    let present = present.unwrap_or_default();
    let names = [local_name(given), local_name(present)];
    let [is_given_alias, is_present_alias] = names.map(|name| name.starts_with("alias/"));
    let are_alike = is_given_alias == is_present_alias;
    let homes = [home(given), home(present)];
    // The same alias or multi-Region key can exist in other accounts and regions.
    let here = home(secret);
    let are_apart = match homes {
        [Some(given), Some(present)] => given != present,
        [Some(arn), None] | [None, Some(arn)] => here.is_some_and(|here| here != arn),
        [None, None] => false,
    };
    if given == present {
        Comparison::Same
    } else if are_apart {
        Comparison::Different
    } else if names[0] == names[1] {
        let is_cure = homes[0].is_some() && homes[1].is_none() && names[0] != DEFAULT_KEY;
        if is_cure {
            Comparison::SameHere
        } else {
            Comparison::Same
        }
    } else if are_alike || names.contains(&DEFAULT_KEY) {
        Comparison::Different
    } else {
        Comparison::Unknown
    }
}

/// Partition, region and account of an ARN; `None` for a bare name.
fn home(name: &str) -> Option<[&str; 3]> {
    let mut parts = name.strip_prefix("arn:")?.split(':');
    let partition = parts.next()?;
    let _service = parts.next()?;
    Some([partition, parts.next()?, parts.next()?])
}

/// Whether a name refers to the AWS managed key.
pub fn is_default_key(name: &str) -> bool {
    local_name(name) == DEFAULT_KEY
}

/// The part of a name that is the same in all forms: a key ID, or an alias with its prefix.
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

    const HERE: &str = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:a-AbCdEf";

    #[test]
    fn notations_of_one_key_are_equal() {
        use Comparison::{Different, Same, SameHere, Unknown};
        let arn = |place: &str, local: &str| format!("arn:aws:kms:{place}:{local}");
        let alias = arn("eu-west-1:111122223333", "alias/models");
        let key = arn("eu-west-1:111122223333", "key/1234abcd");
        let default = arn("eu-west-1:111122223333", DEFAULT_KEY);
        let other_account = "eu-west-1:444455556666";
        let other_region = "us-east-1:111122223333";
        let (their_alias, far_alias) = (
            arn(other_account, "alias/models"),
            arn(other_region, "alias/models"),
        );
        let (their_key, far_key) = (
            arn(other_account, "key/1234abcd"),
            arn(other_region, "key/1234abcd"),
        );
        let their_default = arn(other_account, DEFAULT_KEY);
        let cases: &[(&str, Option<&str>, Comparison)] = &[
            (DEFAULT_KEY, None, Same),
            (&default, Some(""), Same),
            (&default, Some(DEFAULT_KEY), Same),
            (&their_default, None, Different),
            ("alias/models", Some("alias/models"), Same),
            ("alias/models", Some(&alias), Same),
            ("1234abcd", Some(&key), Same),
            (&alias, Some("alias/models"), SameHere),
            (&key, Some("1234abcd"), SameHere),
            ("alias/models", Some(&their_alias), Different),
            ("alias/models", Some(&far_alias), Different),
            ("1234abcd", Some(&their_key), Different),
            ("1234abcd", Some(&far_key), Different),
            (&their_alias, Some("alias/models"), Different),
            (&far_alias, Some("alias/models"), Different),
            (&their_key, Some("1234abcd"), Different),
            (&far_key, Some("1234abcd"), Different),
            (&their_key, Some("alias/models"), Different),
            ("alias/models", Some("alias/other"), Different),
            ("1234abcd", None, Different),
            (DEFAULT_KEY, Some("1234abcd"), Different),
            ("alias/models", None, Different),
            ("alias/models", Some("1234abcd"), Unknown),
            (&alias, Some(&key), Unknown),
            (&alias, Some("1234abcd"), Unknown),
            (&alias, Some(&their_key), Different),
            (&alias, Some(&their_alias), Different),
            (&key, Some(&far_key), Different),
        ];
        for (given, present, wanted) in cases {
            let compared = compare(given, *present, HERE);
            assert_eq!(compared, *wanted, "{given} {present:?}");
        }
    }

    #[test]
    fn default_key_is_recognized() {
        let arn = format!("arn:aws:kms:eu-west-1:111122223333:{DEFAULT_KEY}");
        assert!(is_default_key(DEFAULT_KEY) && is_default_key(&arn));
        assert!(!is_default_key("alias/models") && !is_default_key("1234abcd"));
    }
}
