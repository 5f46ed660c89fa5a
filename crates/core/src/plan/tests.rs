//! Decisions, one table for each family. A state is written as a few words; the plan as its steps.

use std::collections::BTreeMap;

use super::*;
use crate::error::{ErrorKind, StoreError};
use crate::state::{NotDescribable, PolicyView, Present, SecretMetadata, ValueView};
use crate::testing::request;
use crate::value::{Kind, SecretBytes, SecretValue};

const REGION: &str = "eu-west-1";

fn value(text: &str) -> SecretValue {
    SecretValue::stored(SecretBytes::new(text.as_bytes().to_vec()), Kind::String)
}

fn denied(operation: &'static str) -> StoreError {
    StoreError::new(
        operation,
        ErrorKind::Service {
            code: "AccessDeniedException".to_owned(),
            message: String::new(),
            status: 400,
        },
    )
}

/// A secret whose AWSCURRENT is on `v1`.
fn secret() -> SecretMetadata {
    SecretMetadata {
        arn: "arn:aws:secretsmanager:eu-west-1:111122223333:secret:a-AbCdEf".to_owned(),
        name: "a".to_owned(),
        versions: BTreeMap::from([("v1".to_owned(), vec!["AWSCURRENT".to_owned()])]),
        ..SecretMetadata::default()
    }
}

fn seen(secret: SecretMetadata, text: Option<&str>) -> Observed {
    Observed::Present(Box::new(Present {
        secret,
        value: text.map(value),
        unread: None,
        policy: PolicyView::NotRequested,
        at: NOW,
    }))
}

fn blind(glimpse: ValueView) -> Observed {
    Observed::NotDescribable(Box::new(NotDescribable {
        denied: denied("DescribeSecret"),
        value: glimpse,
        policy: PolicyView::NotRequested,
    }))
}

fn glimpsed(text: &str) -> ValueView {
    ValueView::Value(Box::new(SecretVersion {
        arn: secret().arn,
        name: "a".to_owned(),
        version_id: "v1".to_owned(),
        stages: vec!["AWSCURRENT".to_owned()],
        value: value(text),
    }))
}

fn decide(pairs: &[(&str, &str)], observed: &Observed, done: &Attempt) -> Result<Plan, Rejected> {
    let mut all = vec![("NAME", "a"), ("VALUE", "wanted")];
    all.retain(|(key, _)| !pairs.iter().any(|(other, _)| other == key));
    all.extend(pairs);
    plan(&request(&all), observed, done, REGION)
}

/// The steps as text, `keep v1` for what stays.
fn steps(pairs: &[(&str, &str)], observed: &Observed, done: &Attempt) -> String {
    match decide(pairs, observed, done) {
        Ok(plan) => {
            let mut words: Vec<String> = plan.steps.iter().map(word).collect();
            words.extend(plan.keep.map(|kept| format!("keep {}", kept.id)));
            words.join(", ")
        }
        Err(Rejected::Failure(failure)) => format!("exit {}", failure.class.exit_code()),
        Err(Rejected::Denied(_)) => "exit 4".to_owned(),
    }
}

/// Seconds since 1970, when the secret was looked at.
const NOW: u64 = 1_800_000_000;

fn word(step: &Step) -> String {
    match step {
        Step::Create {
            otherwise: None, ..
        } => "create".to_owned(),
        Step::Create {
            otherwise: Some(others),
            ..
        } => {
            let others: Vec<_> = others.iter().map(word).collect();
            format!("create or ({})", others.join(", "))
        }
        Step::Restore => "restore".to_owned(),
        Step::Wait => "wait".to_owned(),
        Step::Update {
            description,
            kms_key,
        } => format!(
            "update{}{}",
            if *description { " description" } else { "" },
            if *kms_key { " key" } else { "" }
        ),
        Step::Yield => "yield".to_owned(),
        Step::Swap { base: None } => "swap".to_owned(),
        Step::Swap { base: Some(base) } => format!("swap over {base}"),
        Step::Label { label, from: None } => format!("label {label}"),
        Step::Label {
            label,
            from: Some(from),
        } => format!("label {label} from {from}"),
        Step::Sweep(labels) => format!("sweep {}", labels.len()),
        Step::Put { base: None } => "put".to_owned(),
        Step::Put { base: Some(base) } => format!("put over {base}"),
        Step::Unreplicate(regions) => format!("unreplicate {}", regions.join("+")),
        Step::Replicate(regions) => {
            format!(
                "replicate {}",
                regions.keys().cloned().collect::<Vec<_>>().join("+")
            )
        }
        Step::AwaitReplicas(regions) => format!("await {}", regions.join("+")),
        Step::CheckPolicy => "check policy".to_owned(),
        Step::SetPolicy => "set policy".to_owned(),
        Step::Untag(keys) => format!("untag {}", keys.join("+")),
        Step::Tag(tags) => format!("tag {}", tags.keys().cloned().collect::<Vec<_>>().join("+")),
    }
}

type Case<'a> = (&'a [(&'a str, &'a str)], Observed, &'a str);

fn check(cases: Vec<Case<'_>>, done: &Attempt) {
    for (number, (pairs, observed, wanted)) in cases.into_iter().enumerate() {
        assert_eq!(
            steps(pairs, &observed, done),
            wanted,
            "case {number}: {pairs:?}"
        );
    }
}

const ARN_NAME: &str = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:a-AbCdEf";

#[test]
fn a_value_is_written_where_it_differs_and_only_there() {
    let no_version = SecretMetadata {
        versions: BTreeMap::new(),
        ..secret()
    };
    let staged = SecretMetadata {
        versions: BTreeMap::from([("v9".to_owned(), vec!["AWSPENDING".to_owned()])]),
        ..secret()
    };
    check(
        vec![
            (&[], Observed::Absent, "create"),
            (&[("NAME", ARN_NAME)], Observed::Absent, "exit 6"),
            (&[], seen(secret(), Some("wanted")), "keep v1"),
            (&[], seen(secret(), Some("other")), "put over v1"),
            (&[("COMPARE", "never")], seen(secret(), None), "put over v1"),
            (
                &[("STORE_AS", "binary")],
                seen(secret(), Some("wanted")),
                "put over v1",
            ),
            (&[], seen(no_version.clone(), None), "put"),
            (&[], seen(staged, None), "put"),
            (&[("IF_EXISTS", "skip")], seen(no_version, None), "put"),
            (
                &[("IF_EXISTS", "skip"), ("DESCRIPTION", "d"), ("TAGS", "k=v")],
                seen(secret(), None),
                "keep v1",
            ),
        ],
        &Attempt::default(),
    );
}

#[test]
fn a_denied_read_is_written_over_unless_comparing_was_asked_for() {
    let unread = || {
        Observed::Present(Box::new(Present {
            secret: secret(),
            value: None,
            unread: Some(denied("GetSecretValue")),
            policy: PolicyView::NotRequested,
            at: NOW,
        }))
    };
    check(
        vec![
            (&[], unread(), "put over v1"),
            (&[("COMPARE", "always")], unread(), "exit 4"),
        ],
        &Attempt::default(),
    );
}

#[test]
fn states_that_must_not_be_written() {
    let rotating = || SecretMetadata {
        rotation_enabled: true,
        ..secret()
    };
    let managed = || SecretMetadata {
        owning_service: Some("rds".to_owned()),
        ..secret()
    };
    let of_primary = |region: &str| SecretMetadata {
        primary_region: Some(region.to_owned()),
        ..secret()
    };
    let deleted = || SecretMetadata {
        deleted: true,
        ..secret()
    };
    const RESTORE: &[(&str, &str)] = &[("ON_SCHEDULED_DELETION", "restore")];
    check(
        vec![
            (&[], seen(rotating(), Some("other")), "exit 6"),
            (&[], seen(rotating(), Some("wanted")), "exit 6"),
            (
                &[("ON_ROTATION", "allow")],
                seen(rotating(), Some("other")),
                "put over v1",
            ),
            (&[("IF_EXISTS", "skip")], seen(rotating(), None), "keep v1"),
            (&[], seen(managed(), Some("other")), "exit 6"),
            (&[], seen(of_primary("us-east-1"), Some("other")), "exit 6"),
            (&[], seen(of_primary(REGION), Some("other")), "put over v1"),
            (&[], seen(deleted(), None), "exit 6"),
            (&[("IF_EXISTS", "skip")], seen(deleted(), None), "exit 6"),
            (RESTORE, seen(deleted(), None), "restore"),
            (
                &[("IF_EXISTS", "skip"), ("ON_SCHEDULED_DELETION", "restore")],
                seen(
                    SecretMetadata {
                        owning_service: Some("rds".to_owned()),
                        ..deleted()
                    },
                    None,
                ),
                "exit 6",
            ),
            (
                RESTORE,
                seen(
                    SecretMetadata {
                        rotation_enabled: true,
                        ..deleted()
                    },
                    None,
                ),
                "exit 6",
            ),
        ],
        &Attempt::default(),
    );
    let restored = Attempt {
        restore_sent: true,
        ..Attempt::default()
    };
    check(
        vec![
            (RESTORE, seen(deleted(), None), "wait"),
            (RESTORE, seen(secret(), Some("wanted")), "keep v1"),
        ],
        &restored,
    );
}

#[test]
fn without_describe_it_goes_blind_and_says_so() {
    let nothing = || blind(ValueView::Unread(Some(denied("GetSecretValue"))));
    check(
        vec![
            (&[], nothing(), "create or (put)"),
            (&[("NAME", ARN_NAME)], nothing(), "put"),
            (
                &[("DESCRIPTION", "d"), ("TAGS", "k=v")],
                nothing(),
                "create or (update description, put, tag k)",
            ),
            (
                &[("TAGS", "k=v"), ("TAG_POLICY", "replace")],
                nothing(),
                "exit 4",
            ),
            (&[("IF_EXISTS", "skip")], nothing(), "exit 4"),
            (&[("COMPARE", "always")], nothing(), "exit 4"),
            (&[], blind(ValueView::NoValue), "create or (put)"),
            (
                &[("IF_EXISTS", "skip")],
                blind(ValueView::NoValue),
                "create or (put)",
            ),
            (&[], blind(glimpsed("wanted")), "keep v1"),
            (&[], blind(glimpsed("other")), "put over v1"),
            (
                &[("DESCRIPTION", "d")],
                blind(glimpsed("wanted")),
                "update description, keep v1",
            ),
            (
                &[("IF_EXISTS", "skip")],
                blind(glimpsed("other")),
                "keep v1",
            ),
            (
                &[],
                blind(ValueView::Deleted(denied("GetSecretValue"))),
                "exit 6",
            ),
            (
                &[("ON_SCHEDULED_DELETION", "restore")],
                blind(ValueView::Deleted(denied("GetSecretValue"))),
                "restore",
            ),
        ],
        &Attempt::default(),
    );
    let Ok(plan) = decide(&[], &nothing(), &Attempt::default()) else {
        panic!("a plan");
    };
    assert!(
        plan.notices
            .iter()
            .any(|(_, text)| text.contains("were not checked"))
    );

    let seen_deleted = Attempt {
        deletion_seen: true,
        ..Attempt::default()
    };
    let restore: &[_] = &[("ON_SCHEDULED_DELETION", "restore")];
    check(
        vec![(&[], nothing(), "exit 6"), (restore, nothing(), "restore")],
        &seen_deleted,
    );
    let restored = Attempt {
        restore_sent: true,
        ..seen_deleted
    };
    check(
        vec![
            (restore, nothing(), "put"),
            (
                restore,
                blind(ValueView::Deleted(denied("GetSecretValue"))),
                "wait",
            ),
            (restore, blind(glimpsed("other")), "put over v1"),
        ],
        &restored,
    );
}

#[test]
fn what_this_run_wrote_itself_is_no_reason_to_skip() {
    let wrote = Attempt {
        sent: vec!["v1".to_owned()],
        ..Attempt::default()
    };
    check(
        vec![(
            &[("IF_EXISTS", "skip"), ("TAGS", "k=v")],
            seen(secret(), None),
            "put over v1, tag k",
        )],
        &wrote,
    );
}

#[test]
fn a_later_writer_is_not_undone() {
    let overtaken = |by: &str| Attempt {
        overtaken: Some(by.to_owned()),
        ..Attempt::default()
    };
    // Somebody else's version is current: theirs stands, unless it holds the same value.
    check(
        vec![
            (&[], seen(secret(), Some("other")), "exit 5"),
            (&[("COMPARE", "never")], seen(secret(), None), "exit 5"),
            (&[], seen(secret(), Some("wanted")), "keep v1"),
            (&[], Observed::Absent, "exit 5"),
            (&[], blind(glimpsed("other")), "exit 5"),
            (&[], blind(ValueView::Unread(None)), "exit 5"),
        ],
        &overtaken("ours"),
    );
    // Ours is current after all: somebody moved it back, or the answer was late.
    check(
        vec![
            (&[("COMPARE", "never")], seen(secret(), None), "keep v1"),
            (
                &[("COMPARE", "never"), ("DESCRIPTION", "d")],
                seen(secret(), None),
                "update description, keep v1",
            ),
        ],
        &overtaken("v1"),
    );
}

mod guarded;
mod metadata;
