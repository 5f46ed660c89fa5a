//! The shapes of identifiers: KMS keys, role ARNs, names of sessions. Whether a thing exists is for AWS to say.

use crate::environment::Environment;

/// Limit of AWS, in characters.
const MAX_KMS_KEY: usize = 2_048;

/// Why a text is rejected that is not the id of a KMS key.
pub(crate) const NOT_A_KMS_KEY: &str =
    "must be a key id, a key ARN, an alias (`alias/…`) or an alias ARN";

/// Whether a text can be a key id, a key ARN, an alias or an alias ARN.
pub(crate) fn is_kms_key(text: &str) -> bool {
    (1..=MAX_KMS_KEY).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}

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

/// Limits of STS for a session name, in characters.
const SESSION_LENGTH: std::ops::RangeInclusive<usize> = 2..=64;
const PREFIX: &str = "upsert-secret";

/// The variables that name the repository and the run, by CI system.
const RUN_VARIABLES: [(&str, &str); 2] = [
    ("GITHUB_REPOSITORY", "GITHUB_RUN_ID"),
    ("CI_PROJECT_PATH", "CI_PIPELINE_ID"),
];

/// Why a session name is rejected.
pub(crate) const NOT_A_SESSION_NAME: &str =
    "must have 2 to 64 letters, digits or characters of `_=,.@+-`";

/// Whether STS accepts a session name: `[\w+=,.@-]*`, 2 to 64 characters.
pub(crate) fn is_session_name(name: &str) -> bool {
    SESSION_LENGTH.contains(&name.len()) && name.bytes().all(is_allowed)
}

fn is_allowed(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_=,.@+-".contains(&byte)
}

/// `upsert-secret-acme-models-4711`; a long repository is cut, the run's id is not.
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

    proptest! {
        #[test]
        fn session_name_is_valid_for_any_repository(repository in "[^\0]+", run in "[^\0]+") {
            prop_assert!(is_session_name(&name(&repository, &run)));
        }
    }
}
