//! What an outcome records, and what follows from it.

use super::*;

fn version(id: &str) -> Change {
    Change::Version {
        id: id.to_owned(),
        label: CURRENT.to_owned(),
        keys: Vec::new(),
    }
}

#[test]
fn kind_follows_from_changes_and_preview() {
    let mut outcome = Outcome::default();
    assert_eq!(outcome.kind(), ChangeKind::Unchanged);
    assert!(!outcome.changed() && !outcome.restored());
    outcome.record(Change::Restored);
    assert_eq!(outcome.kind(), ChangeKind::Updated);
    assert!(outcome.changed() && outcome.restored());
    outcome.record(Change::Created {
        description: false,
        kms_key: false,
        tags: 0,
        replicas: 0,
        keys: Vec::new(),
    });
    assert_eq!(outcome.kind(), ChangeKind::Created);
    outcome.preview = Some(Preview {
        kind: ChangeKind::Unchanged,
        steps: Vec::new(),
    });
    assert_eq!(outcome.kind(), ChangeKind::Unchanged);
}

#[test]
fn changes_and_notices_are_recorded_once() {
    let mut outcome = Outcome::default();
    for _ in 0..2 {
        outcome.record(version("v1"));
        outcome.note(Level::Notice, "text");
    }
    outcome.note(Level::Warning, "text");
    assert_eq!((outcome.changes.len(), outcome.notices.len()), (1, 2));
}

#[test]
fn recorded_version_is_recognized() {
    let mut outcome = Outcome::default();
    outcome.record(Change::Description);
    assert!(!outcome.has_recorded("v1"));
    let id = || "v1".to_owned();
    let label = || CURRENT.to_owned();
    for change in [
        version("v1"),
        Change::Moved {
            id: id(),
            label: label(),
        },
        Change::Promoted(id()),
        Change::RolledBack(id()),
        Change::Superseded {
            ours: "v0".to_owned(),
            by: id(),
        },
    ] {
        let outcome = Outcome {
            changes: vec![change],
            ..Outcome::default()
        };
        assert!(outcome.has_recorded("v1"), "{:?}", outcome.changes);
        assert!(!outcome.has_recorded("v0"), "{:?}", outcome.changes);
    }
}

#[test]
fn created_version_is_recognized_once_confirmed() {
    let mut outcome = Outcome::default();
    outcome.record(Change::Created {
        description: false,
        kms_key: false,
        tags: 0,
        replicas: 0,
        keys: Vec::new(),
    });
    assert!(!outcome.has_recorded("v1"));
    outcome.version = Some(VersionRef {
        id: "v1".to_owned(),
        stages: Vec::new(),
    });
    assert!(outcome.has_recorded("v1"));
}

/// The labels before and after moves, as `v1: A B`.
fn moved(versions: &[(&str, &[&str])], moves: &[(&str, &str)]) -> (String, String) {
    let versions = versions.iter().map(|(id, labels)| {
        let labels = labels.iter().map(|label| (*label).to_owned()).collect();
        ((*id).to_owned(), labels)
    });
    let mut outcome = Outcome::default();
    outcome.record_labels(&versions.collect());
    for (label, to) in moves {
        outcome.record_label_move(label, to);
    }
    let text = |versions: &VersionLabels| {
        let versions = versions.iter();
        let versions = versions.map(|(id, labels)| format!("{id}: {}", labels.join(" ")));
        versions.collect::<Vec<_>>().join(", ")
    };
    let (before, after) = outcome.labels.unwrap();
    (text(&before), text(&after))
}

#[test]
fn label_move_moves_previous_along_with_current() {
    let versions: &[(&str, &[&str])] =
        &[("v1", &[PREVIOUS]), ("v2", &[CURRENT]), ("v3", &["blue"])];
    let before = "v1: AWSPREVIOUS, v2: AWSCURRENT, v3: blue";
    for (moves, after) in [
        (
            &[(CURRENT, "v3")][..],
            "v2: AWSPREVIOUS, v3: blue AWSCURRENT",
        ),
        (
            &[(CURRENT, "v1")],
            "v1: AWSCURRENT, v2: AWSPREVIOUS, v3: blue",
        ),
        (&[("blue", "v2")], "v1: AWSPREVIOUS, v2: AWSCURRENT blue"),
        (&[(CURRENT, "v2")], before),
        (
            &[("green", "v4")],
            "v1: AWSPREVIOUS, v2: AWSCURRENT, v3: blue, v4: green",
        ),
    ] {
        let wanted = (before.to_owned(), after.to_owned());
        assert_eq!(moved(versions, moves), wanted, "{moves:?}");
    }
    let first = moved(&[("v1", &["blue"])], &[(CURRENT, "v1")]);
    assert_eq!(first.1, "v1: blue AWSCURRENT");
}

#[test]
fn labels_are_recorded_before_first_move() {
    let mut outcome = Outcome::default();
    outcome.record_label_move(CURRENT, "v1");
    assert_eq!(outcome.labels, None);
    outcome.record_labels(&VersionLabels::new());
    outcome.record_label_move(CURRENT, "v1");
    let labels = outcome.labels.clone();
    outcome.record_labels(&VersionLabels::new());
    assert_eq!(outcome.labels, labels);
}

#[test]
fn result_words_never_change() {
    use ChangeKind::{Created, Unchanged, Updated};
    let words = [Created, Updated, Unchanged].map(ChangeKind::word);
    assert_eq!(words, ["created", "updated", "unchanged"]);
}

#[test]
fn change_is_one_line() {
    let created = |description, kms_key, tags, replicas| Change::Created {
        description,
        kms_key,
        tags,
        replicas,
        keys: Vec::new(),
    };
    let (id, label) = (|| "v1".to_owned(), || "blue".to_owned());
    let two = || vec!["a".to_owned(), "b".to_owned()];
    let set = |count: usize| Change::Version {
        id: id(),
        label: label(),
        keys: (0..count).map(|n| format!("a.{n}")).collect(),
    };
    let cases = [
        (created(false, false, 0, 0), "created the secret"),
        (created(false, false, 1, 0), "created the secret with 1 tag"),
        (
            created(true, true, 2, 1),
            "created the secret with a description, a KMS key, 2 tags and 1 replica",
        ),
        (
            created(true, false, 0, 2),
            "created the secret with a description and 2 replicas",
        ),
        (
            Change::Restored,
            "restored the secret, which was scheduled for deletion",
        ),
        (Change::Description, "wrote the description"),
        (
            Change::KmsKey("alias/a".to_owned()),
            "wrote the KMS key: alias/a",
        ),
        (
            Change::Created {
                description: false,
                kms_key: true,
                tags: 0,
                replicas: 0,
                keys: vec!["/a/b".to_owned()],
            },
            "created the secret with the key `/a/b` and a KMS key",
        ),
        (set(0), "wrote the value as version v1, now blue"),
        (set(1), "set the key `a.0` in version v1, now blue"),
        (set(2), "set the keys `a.0`, `a.1` in version v1, now blue"),
        (set(6), "set 6 keys in version v1, now blue"),
        (
            Change::Moved {
                id: id(),
                label: label(),
            },
            "moved blue to version v1, which holds the value",
        ),
        (
            Change::Labeled {
                id: id(),
                label: label(),
            },
            "added the label blue to version v1",
        ),
        (Change::Promoted(id()), "made version v1 AWSCURRENT"),
        (Change::RolledBack(id()), "made version v1 AWSCURRENT again"),
        (Change::Tagged(two()), "wrote tags: a, b"),
        (Change::Untagged(two()), "removed tags: a, b"),
        (Change::Replicated(two()), "replicated the secret to a, b"),
        (Change::Unreplicated(two()), "removed the replicas in a, b"),
        (Change::Policy, "wrote the resource policy"),
    ];
    for (change, line) in cases {
        assert_eq!(change.to_string(), line);
    }
}
