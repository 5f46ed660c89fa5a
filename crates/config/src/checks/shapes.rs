//! The formats of identifiers: KMS keys, role ARNs, role session names. AWS decides whether they exist.

use upsert_secret_core::region::is_region;

use crate::environment::Environment;

/// AWS limit, in characters.
const MAX_KMS_KEY: usize = 2_048;
/// KMS limit for an alias, in characters, including its prefix (API model; CreateAlias).
const MAX_ALIAS: usize = 256;

/// The reason for rejecting a text that is not a KMS key ID.
pub(crate) const NOT_A_KMS_KEY: &str =
    "must be a key ID, a key ARN, an alias (`alias/…`) or an alias ARN";

/// Checks a key ID, a key ARN, an alias or an alias ARN for a secret or replica in `region`, if known: AWS accepts only keys in
/// that region.
///
/// # Errors
/// The reason it is rejected. The text follows the input's name.
pub(crate) fn check_kms_key(text: &str, region: Option<&str>) -> Result<(), String> {
    let Some(arn) = text.strip_prefix("arn:") else {
        let is_name = is_kms_alias(text) || is_key_id(text);
        return is_name.then_some(()).ok_or(NOT_A_KMS_KEY.to_owned());
    };
    let parts: Vec<_> = arn.splitn(5, ':').collect();
    let [partition, "kms", of_key, account, resource] = parts[..] else {
        return Err(NOT_A_KMS_KEY.to_owned());
    };
    let id = resource.strip_prefix("key/").unwrap_or_default();
    let is_resource = is_kms_alias(resource) || !id.is_empty();
    let is_valid = (partition == "aws" || partition.starts_with("aws-"))
        && is_region(of_key)
        && is_account(account)
        && is_resource
        && text.len() <= MAX_KMS_KEY
        && text.bytes().all(|b| b.is_ascii_graphic());
    if !is_valid {
        return Err(NOT_A_KMS_KEY.to_owned());
    }
    match region {
        Some(region) if region != of_key => Err(format!(
            "is a KMS key of {of_key}, and only keys of {region} can encrypt a secret there"
        )),
        _ => Ok(()),
    }
}

fn is_kms_alias(text: &str) -> bool {
    let name = text.strip_prefix("alias/").unwrap_or_default();
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"/_-".contains(&byte);
    !name.is_empty() && text.len() <= MAX_ALIAS && name.bytes().all(allowed)
}

/// Whether a text consists of the characters of a UUID, with the prefix `mrk-` for a multi-Region key.
fn is_key_id(text: &str) -> bool {
    let digits = text.strip_prefix("mrk-").unwrap_or(text);
    let is_digit = |byte: u8| byte.is_ascii_hexdigit();
    digits.len() <= MAX_KMS_KEY
        && digits.bytes().any(is_digit)
        && digits.bytes().all(|byte| is_digit(byte) || byte == b'-')
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The reason for rejecting an input that is not a role ARN.
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
        && is_account(account)
        && !name.is_empty()
        && (20..=2_048).contains(&arn.len())
        && arn.bytes().all(|b| b.is_ascii_graphic())
}

/// STS limits for a session name, in characters.
const SESSION_LENGTH: std::ops::RangeInclusive<usize> = 2..=64;
const PREFIX: &str = "upsert-secret";

/// The variables that name the repository and the run, by CI system.
const RUN_VARIABLES: [(&str, &str); 2] = [
    ("GITHUB_REPOSITORY", "GITHUB_RUN_ID"),
    ("CI_PROJECT_PATH", "CI_PIPELINE_ID"),
];

/// The reason for rejecting a session name.
pub(crate) const NOT_A_SESSION_NAME: &str =
    "must have 2 to 64 letters, digits or characters of `_=,.@+-`";

/// Whether STS accepts a session name: `[\w+=,.@-]*`, 2 to 64 characters.
pub(crate) fn is_session_name(name: &str) -> bool {
    SESSION_LENGTH.contains(&name.len()) && name.bytes().all(is_allowed)
}

fn is_allowed(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_=,.@+-".contains(&byte)
}

/// `upsert-secret-acme-models-4711`; a long repository name is truncated, but not the run ID.
pub(crate) fn default_session_name(environment: &Environment) -> String {
    let text = |name| environment.text(name);
    let names = RUN_VARIABLES.map(|(repository, run)| text(repository).zip(text(run)));
    let Some((repository, run)) = names.into_iter().flatten().next() else {
        return PREFIX.to_owned();
    };
    let allowed = |byte| if is_allowed(byte) { byte } else { b'-' };
    let clean = |text: &str, length| -> String {
        let bytes = text.bytes().map(allowed).map(char::from);
        bytes.take(length).collect()
    };
    let run = clean(run, 20);
    let room = SESSION_LENGTH.end() - PREFIX.len() - run.len() - 2;
    let repository = clean(repository, room);
    format!("{PREFIX}-{repository}-{run}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn name(repository: &str, run: &str) -> String {
        default_session_name(&Environment::from_pairs([
            ("GITHUB_REPOSITORY".into(), repository.into()),
            ("GITHUB_RUN_ID".into(), run.into()),
        ]))
    }

    #[test]
    fn session_name_identifies_run() {
        assert_eq!(
            name("acme/models", "4711"),
            "upsert-secret-acme-models-4711"
        );
        assert_eq!(
            name(
                "acme/models-with-a-very-long-name-that-goes-on-and-on",
                "12345678901"
            ),
            "upsert-secret-acme-models-with-a-very-long-name-that-12345678901"
        );
        assert_eq!(
            default_session_name(&Environment::from_pairs([])),
            "upsert-secret"
        );
    }

    #[test]
    fn kms_key_needs_known_shape_and_same_region() {
        let id = "1234abcd-12ab-34cd-56ef-1234567890ab";
        let multi = "mrk-1234abcd12ab34cd56ef1234567890ab";
        let key = format!("arn:aws:kms:eu-west-1:111122223333:key/{id}");
        let alias = "arn:aws-cn:kms:eu-west-1:111122223333:alias/models";
        let longest = format!("alias/{}", "a".repeat(250));
        for text in [
            id,
            multi,
            &key,
            alias,
            "1234abcd",
            "alias/aws/secretsmanager",
            &longest,
        ] {
            assert_eq!(check_kms_key(text, Some("eu-west-1")), Ok(()), "{text}");
            assert_eq!(check_kms_key(text, None), Ok(()), "{text}");
        }
        let too_long = format!("{longest}a");
        for text in [
            "",
            "my key",
            "models",
            "alias/",
            "alias/my key",
            "alias:models",
            "Alias/models",
            "key/1234abcd",
            "mrk-",
            "--",
            "arn:aws:kms:eu-west-1:111122223333:1234abcd",
            "arn:aws:kms:eu-west-1:111122223333:key/",
            "arn:aws:kms:eu-west-1:1111:key/1234abcd",
            "arn:aws:kms:EU:111122223333:key/1234abcd",
            "arn:aws:iam::111122223333:role/models",
            "arn:aws:s3:::models",
            &too_long,
        ] {
            let checked = check_kms_key(text, Some("eu-west-1"));
            assert_eq!(checked, Err(NOT_A_KMS_KEY.to_owned()), "{text}");
        }
        let far = check_kms_key(&key, Some("us-east-1")).unwrap_err();
        assert!(
            far.contains("is a KMS key of eu-west-1, and only keys of us-east-1"),
            "{far}"
        );
    }

    proptest! {
        #[test]
        fn session_name_is_valid_for_any_repository(repository in "[^\0]+", run in "[^\0]+") {
            prop_assert!(is_session_name(&name(&repository, &run)));
        }
    }
}
