//! Secrets by name or full ARN. Checks their syntax, not whether a secret exists.

use crate::region::is_region;

/// The maximum length of a name in characters (API model, `NameType`).
const MAX_NAME: usize = 512;
/// To form the ARN, Secrets Manager appends a hyphen and six random characters to the name.
const SUFFIX: usize = 7;

/// A secret, as given in the input.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// The name or ARN, as given and as sent.
    pub id: String,
    /// The name; for an ARN, the name without the ARN's suffix.
    pub name: String,
    /// Region and account of an ARN.
    arn: Option<(String, String)>,
}

impl Target {
    /// Parses a name or a full ARN.
    ///
    /// # Errors
    /// The syntax is invalid. The text completes a sentence that starts with the input's name.
    pub fn parse(id: &str) -> Result<Self, String> {
        let (name, arn) = if id.starts_with("arn:") {
            let (name, region, account) = parse_arn(id).ok_or(NOT_AN_ARN)?;
            (name, Some((region.to_owned(), account.to_owned())))
        } else if id.chars().count() <= MAX_NAME && is_name(id) {
            (id, None)
        } else {
            return Err(format!(
                "must have 1 to {MAX_NAME} characters, only letters, digits and `/_+=.@-`"
            ));
        };
        Ok(Self {
            id: id.to_owned(),
            name: name.to_owned(),
            arn,
        })
    }

    /// Whether it was given by its ARN, so it cannot be created.
    pub fn is_arn(&self) -> bool {
        self.arn.is_some()
    }

    /// The part of a name before a hyphen and six characters, if the name ends like an ARN; `None` for other names, and for an
    /// ARN.
    pub fn unsuffixed(&self) -> Option<&str> {
        if self.is_arn() {
            return None;
        }
        split_suffix(&self.name).filter(|name| !name.is_empty())
    }

    /// The account of an ARN.
    pub fn account(&self) -> Option<&str> {
        self.arn.as_ref().map(|(_, account)| account.as_str())
    }

    /// The region of an ARN.
    pub fn region(&self) -> Option<&str> {
        self.arn.as_ref().map(|(region, _)| region.as_str())
    }
}

const NOT_AN_ARN: &str = "must be a full ARN with its six-character suffix, \
     such as `arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/key-AbCdEf`, or a name";

/// Name, region and account of a full ARN.
fn parse_arn(arn: &str) -> Option<(&str, &str, &str)> {
    let parts: Vec<&str> = arn.splitn(7, ':').collect();
    let [
        _,
        partition,
        "secretsmanager",
        region,
        account,
        "secret",
        rest,
    ] = parts[..]
    else {
        return None;
    };
    // An ARN without its suffix is ambiguous, because a name can end like a suffix.
    let name = split_suffix(rest)?;
    let is_account = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
    let is_valid = partition.starts_with("aws") && is_region(region) && is_account && is_name(name);
    is_valid.then_some((name, region, account))
}

/// The part of a text before a hyphen and six alphanumeric characters, if it ends in them.
fn split_suffix(text: &str) -> Option<&str> {
    let (name, suffix) = text.split_at_checked(text.len().checked_sub(SUFFIX)?)?;
    let random = suffix.strip_prefix('-')?;
    let is_suffix = random.bytes().all(|b| b.is_ascii_alphanumeric());
    is_suffix.then_some(name)
}

/// `!` occurs in the names of secrets that other AWS services manage. Such secrets exist, and are rejected by their state.
fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"/_+=.@-!".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arn_is_split_into_name_account_and_region() {
        let arn = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/key-AbCdEf";
        let target = Target::parse(arn).unwrap();
        assert_eq!((&*target.id, &*target.name), (arn, "prod/key"));
        assert_eq!(target.account(), Some("111122223333"));
        assert_eq!(target.region(), Some("eu-west-1"));
        assert!(target.is_arn());
    }

    #[test]
    fn name_has_no_account_and_no_region() {
        let target = Target::parse("prod/key-AbCdEf").unwrap();
        assert_eq!(target.name, "prod/key-AbCdEf");
        assert_eq!((target.account(), target.region()), (None, None));
        assert!(!target.is_arn());
    }

    #[test]
    fn only_a_name_can_end_like_an_arn() {
        for (id, wanted) in [
            ("prod/key-AbCdEf", Some("prod/key")),
            ("prod/key-000000", Some("prod/key")),
            ("prod/key", None),
            ("prod/key-AbCdE", None),
            ("prod/key-AbCdEfg", None),
            ("prod/key-AbC_Ef", None),
            ("prod/keyxAbCdEf", None),
            ("-AbCdEf", None),
            (
                "arn:aws:secretsmanager:eu-west-1:111122223333:secret:key-AbCdEf-AbCdEf",
                None,
            ),
        ] {
            assert_eq!(Target::parse(id).unwrap().unsuffixed(), wanted, "{id}");
        }
    }

    #[test]
    fn invalid_name_or_arn_is_rejected() {
        let longest = "x".repeat(512);
        for text in ["a", "rds!a/_+=.@-1", &longest] {
            assert!(Target::parse(text).is_ok(), "{text}");
        }
        let too_long = "x".repeat(513);
        for text in [
            "",
            "a b",
            "a:b",
            "\u{e4}",
            &too_long,
            "arn:aws:secretsmanager:eu-west-1:111122223333:secret:key",
            "arn:aws:secretsmanager:eu-west-1:111122223333:secret:key-AbCd!f",
            "arn:aws:secretsmanager:eu-west-1:111122223333:secret:keyxAbCdEf",
            "arn:aws:secretsmanager:eu-west-1:111122223333:secret:-AbCdEf",
            "arn:aws:secretsmanager:eu-west-1:11112222333:secret:key-AbCdEf",
            "arn:aws:secretsmanager:eu-west-1:11112222333x:secret:key-AbCdEf",
            "arn:aws:secretsmanager:EU:111122223333:secret:key-AbCdEf",
            "arn:x:secretsmanager:eu-west-1:111122223333:secret:key-AbCdEf",
            "arn:aws:ssm:eu-west-1:111122223333:secret:key-AbCdEf",
            "arn:aws:secretsmanager:eu-west-1:111122223333:key-AbCdEf",
        ] {
            assert!(Target::parse(text).is_err(), "{text}");
        }
    }
}
