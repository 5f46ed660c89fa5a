//! The name of a role's session in AWS's logs: it identifies the repository and the run. Makes names that STS accepts.

use crate::environment::Environment;

/// Limits of STS for a session name, in characters.
const LENGTH: std::ops::RangeInclusive<usize> = 2..=64;
const PREFIX: &str = "upsert-secret";

/// The variables that name the repository and the run, by CI system.
const RUN_VARIABLES: [(&str, &str); 2] = [
    ("GITHUB_REPOSITORY", "GITHUB_RUN_ID"),
    ("CI_PROJECT_PATH", "CI_PIPELINE_ID"),
];

/// Whether STS accepts a session name: `[\w+=,.@-]*`, 2 to 64 characters.
pub(super) fn is_name(name: &str) -> bool {
    LENGTH.contains(&name.len()) && name.bytes().all(is_allowed)
}

fn is_allowed(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_=,.@+-".contains(&byte)
}

/// `upsert-secret-acme-models-4711`; a long repository is cut, the run's id is not.
pub(super) fn default_name(environment: &Environment) -> String {
    let names = RUN_VARIABLES.into_iter().find_map(|(repository, run)| {
        Some((environment.text(repository)?, environment.text(run)?))
    });
    let Some((repository, run)) = names else {
        return PREFIX.to_owned();
    };
    let clean = |text: &str| -> String {
        text.bytes()
            .map(|byte| {
                if is_allowed(byte) {
                    char::from(byte)
                } else {
                    '-'
                }
            })
            .collect()
    };
    let run: String = clean(run).chars().take(20).collect();
    let room = LENGTH.end() - PREFIX.len() - run.len() - 2;
    let repository: String = clean(repository).chars().take(room).collect();
    format!("{PREFIX}-{repository}-{run}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn name(repository: &str, run: &str) -> String {
        default_name(&Environment::from_pairs([
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
        assert_eq!(default_name(&Environment::from_pairs([])), "upsert-secret");
    }

    proptest! {
        #[test]
        fn session_name_is_valid_for_any_repository(repository in "[^\0]+", run in "[^\0]+") {
            prop_assert!(is_name(&name(&repository, &run)));
        }
    }
}
