//! How AWS's logs call a run: a name that leads back to the repository and the run.

use crate::environment::Environment;

/// Limits of STS, in characters.
const LENGTH: std::ops::RangeInclusive<usize> = 2..=64;
const PREFIX: &str = "upsert-secret";

/// Which variables name the repository and the run, by CI system.
const PLACES: [(&str, &str); 2] = [
    ("GITHUB_REPOSITORY", "GITHUB_RUN_ID"),
    ("CI_PROJECT_PATH", "CI_PIPELINE_ID"),
];

/// Whether STS takes it: `[\w+=,.@-]*`, 2 to 64 characters.
pub(super) fn is_name(name: &str) -> bool {
    LENGTH.contains(&name.len()) && name.bytes().all(is_allowed)
}

fn is_allowed(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_=,.@+-".contains(&byte)
}

/// `upsert-secret-acme-models-4711`; the run's id stays whole when there is not room for all.
pub(super) fn default(environment: &Environment) -> String {
    let place = PLACES.into_iter().find_map(|(repository, run)| {
        Some((environment.text(repository)?, environment.text(run)?))
    });
    let Some((repository, run)) = place else {
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

    fn of(repository: &str, run: &str) -> String {
        default(&Environment::from_pairs([
            ("GITHUB_REPOSITORY".into(), repository.into()),
            ("GITHUB_RUN_ID".into(), run.into()),
        ]))
    }

    #[test]
    fn it_leads_back_to_the_run() {
        assert_eq!(of("acme/models", "4711"), "upsert-secret-acme-models-4711");
        assert_eq!(
            of(
                "acme/models-with-a-very-long-name-that-goes-on-and-on",
                "12345678901"
            ),
            "upsert-secret-acme-models-with-a-very-long-name-that-12345678901"
        );
        assert_eq!(default(&Environment::from_pairs([])), "upsert-secret");
    }

    proptest! {
        #[test]
        fn sts_takes_it_whatever_the_repository_is_called(repository in "[^\0]+", run in "[^\0]+") {
            prop_assert!(is_name(&of(&repository, &run)));
        }
    }
}
