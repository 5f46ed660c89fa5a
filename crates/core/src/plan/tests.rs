//! Tables of decisions: inputs, an observed state, and the plan in short form.

use crate::quote::ForeignText;
use std::collections::BTreeMap;

use super::*;
use crate::attempt::Restoration;
use crate::error::{ErrorKind, StoreError};
use crate::outcome::VersionRef;
use crate::state::{
    NotDescribable, PolicyView, Present, Replica, ReplicaStatus, SecretMetadata, ValueView,
};
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
            message: ForeignText::default(),
            status: 400,
        },
    )
}

/// A secret whose version `v1` is current.
fn secret() -> SecretMetadata {
    SecretMetadata {
        arn: "arn:aws:secretsmanager:eu-west-1:111122223333:secret:a-AbCdEf".to_owned(),
        name: "a".to_owned(),
        versions: BTreeMap::from([("v1".to_owned(), vec!["AWSCURRENT".to_owned()])]),
        ..SecretMetadata::default()
    }
}

fn present(secret: SecretMetadata, text: Option<&str>) -> Present {
    Present {
        secret,
        value: text.map(value),
        unread: None,
        current: None,
        policy: PolicyView::NotRequested,
        at: NOW,
    }
}

fn described(secret: SecretMetadata, text: Option<&str>) -> Observed {
    Observed::Present(Box::new(present(secret, text)))
}

/// A secret whose value cannot be read.
fn unread(secret: SecretMetadata) -> Observed {
    Observed::Present(Box::new(Present {
        unread: Some(denied("GetSecretValue")),
        ..present(secret, None)
    }))
}

fn undescribed(view: ValueView) -> Observed {
    Observed::NotDescribable(Box::new(NotDescribable {
        denied: denied("DescribeSecret"),
        value: view,
        policy: PolicyView::NotRequested,
    }))
}

fn value_view(text: &str) -> ValueView {
    ValueView::Value(Box::new(SecretVersion {
        arn: secret().arn,
        name: "a".to_owned(),
        version_id: "v1".to_owned(),
        stages: vec!["AWSCURRENT".to_owned()],
        value: value(text),
    }))
}

fn decide(
    pairs: &[(&str, &str)],
    observed: &Observed,
    attempt: &Attempt,
) -> Result<Plan, Rejected> {
    let mut all = vec![("NAME", "a"), ("VALUE", "wanted")];
    all.retain(|(key, _)| !pairs.iter().any(|(other, _)| other == key));
    all.extend(pairs);
    plan(&request(&all), observed, attempt, REGION)
}

/// The steps as text, including `keep v1` for a version that is kept.
fn steps(pairs: &[(&str, &str)], observed: &Observed, attempt: &Attempt) -> String {
    match decide(pairs, observed, attempt) {
        Ok(plan) => {
            let mut words: Vec<String> = plan.steps.iter().map(word).collect();
            words.extend(plan.keep.map(|kept| format!("keep {}", kept.id)));
            words.join(", ")
        }
        Err(Rejected::Failure(failure)) => format!("exit {}", failure.class.exit_code()),
        Err(Rejected::Denied(_)) => "exit 4".to_owned(),
        Err(Rejected::Unseen(_)) => "exit 4, exists".to_owned(),
    }
}

/// The time of the observation, in seconds since 1970.
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
        Step::CheckPolicy(Nameable::Yes) => "check policy".to_owned(),
        Step::CheckPolicy(Nameable::No) => "check policy unnamed".to_owned(),
        Step::CheckPolicy(Nameable::Unknown) => "check policy either way".to_owned(),
        Step::SetPolicy => "set policy".to_owned(),
        Step::Untag(keys) => format!("untag {}", keys.join("+")),
        Step::Tag(tags) => format!("tag {}", tags.keys().cloned().collect::<Vec<_>>().join("+")),
    }
}

type Case<'a> = (&'a [(&'a str, &'a str)], Observed, &'a str);

fn check(cases: Vec<Case<'_>>, attempt: &Attempt) {
    for (number, (pairs, observed, wanted)) in cases.into_iter().enumerate() {
        assert_eq!(
            steps(pairs, &observed, attempt),
            wanted,
            "case {number}: {pairs:?}"
        );
    }
}

const ARN_NAME: &str = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:a-AbCdEf";

#[test]
fn value_is_written_if_it_differs() {
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
            (&[], described(secret(), Some("wanted")), "keep v1"),
            (&[], described(secret(), Some("other")), "put over v1"),
            (
                &[("COMPARE", "never")],
                described(secret(), None),
                "put over v1",
            ),
            (
                &[("STORE_AS", "binary")],
                described(secret(), Some("wanted")),
                "put over v1",
            ),
            (&[], described(no_version.clone(), None), "put"),
            (&[], described(staged, None), "put"),
            (
                &[("IF_EXISTS", "skip")],
                described(no_version, None),
                "swap",
            ),
            (
                &[("IF_EXISTS", "skip"), ("DESCRIPTION", "d"), ("TAGS", "k=v")],
                described(secret(), None),
                "keep v1",
            ),
        ],
        &Attempt::default(),
    );
}

#[test]
fn denied_read_is_fatal_only_with_compare_always() {
    check(
        vec![
            (&[], unread(secret()), "put over v1"),
            (&[("COMPARE", "always")], unread(secret()), "exit 4"),
        ],
        &Attempt::default(),
    );
}

#[test]
fn forbidden_state_without_write_is_noticed() {
    let rotating = SecretMetadata {
        rotation_enabled: true,
        ..secret()
    };
    let notices = |pairs: &[(&str, &str)]| {
        let observed = described(rotating.clone(), Some("wanted"));
        let plan = decide(pairs, &observed, &Attempt::default()).unwrap();
        let texts = plan.notices.into_iter().map(|(_, text)| text);
        texts.collect::<Vec<_>>().join("; ")
    };
    let text = notices(&[]);
    assert!(
        text.contains("has rotation enabled") && text.contains("nothing had to be written"),
        "{text}"
    );
    assert_eq!(notices(&[("ON_ROTATION", "allow")]), "");
    let skipped = notices(&[("IF_EXISTS", "skip")]);
    assert!(!skipped.contains("rotation"), "{skipped}");
}

#[test]
fn forbidden_state_is_rejected() {
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
            (&[], described(rotating(), Some("other")), "exit 6"),
            (&[], described(rotating(), Some("wanted")), "keep v1"),
            (&[], described(managed(), Some("wanted")), "keep v1"),
            (
                &[],
                described(of_primary("us-east-1"), Some("wanted")),
                "keep v1",
            ),
            (
                &[("DESCRIPTION", "another")],
                described(rotating(), Some("wanted")),
                "exit 6",
            ),
            (
                &[("ON_ROTATION", "allow")],
                described(rotating(), Some("other")),
                "put over v1",
            ),
            (
                &[("IF_EXISTS", "skip")],
                described(rotating(), None),
                "keep v1",
            ),
            (&[], described(managed(), Some("other")), "exit 6"),
            (
                &[],
                described(of_primary("us-east-1"), Some("other")),
                "exit 6",
            ),
            (
                &[],
                described(of_primary(REGION), Some("other")),
                "put over v1",
            ),
            (&[], described(deleted(), None), "exit 6"),
            (
                &[("IF_EXISTS", "skip")],
                described(deleted(), None),
                "exit 6",
            ),
            (RESTORE, described(deleted(), None), "restore"),
            (
                &[("IF_EXISTS", "skip"), ("ON_SCHEDULED_DELETION", "restore")],
                described(
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
                described(
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
    for (restoration, wanted) in [
        (Restoration::NotSent, "restore"),
        // Repeating RestoreSecret is harmless, and a lost one has no effect.
        (Restoration::Unanswered, "restore"),
        (Restoration::Accepted, "wait"),
        // Another writer scheduled the deletion again.
        (Restoration::Shown, "exit 6"),
    ] {
        let restored = Attempt {
            restoration,
            ..Attempt::default()
        };
        check(
            vec![
                (RESTORE, described(deleted(), None), wanted),
                (RESTORE, described(secret(), Some("wanted")), "keep v1"),
            ],
            &restored,
        );
    }
}

mod descriptions;
mod guarded;
mod metadata;
mod not_describable;
mod notices;
mod observations;
mod own_writes;
mod settled;
mod staged;
mod steps;
