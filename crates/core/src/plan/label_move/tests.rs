//! Tables of label moves: inputs, versions with their labels, and the decision in short form.

use std::collections::BTreeMap;

use super::*;
use crate::failure::Class;
use crate::labels::WriteLabel;
use crate::testing::label_move;

const V1: &str = "11111111-1111-8111-8111-111111111111";
const V2: &str = "22222222-2222-8222-8222-222222222222";
const V3: &str = "33333333-3333-8333-8333-333333333333";

type Case<'a> = (Inputs<'a>, Versions<'a>, &'a str);
type Inputs<'a> = &'a [(&'a str, &'a str)];
type Versions<'a> = &'a [(&'a str, &'a [&'a str])];

/// The decision about versions of which V1 is the oldest.
fn decided(promote: bool, pairs: Inputs<'_>, versions: Versions<'_>) -> String {
    decided_of(promote, pairs, &secret(versions))
}

fn secret(versions: Versions<'_>) -> SecretMetadata {
    let versions: BTreeMap<_, _> = versions
        .iter()
        .map(|(id, labels)| {
            let labels = labels.iter().map(|label| (*label).to_owned()).collect();
            ((*id).to_owned(), labels)
        })
        .collect();
    SecretMetadata {
        name: "a".to_owned(),
        versions,
        ..SecretMetadata::default()
    }
}

fn decided_of(promote: bool, pairs: Inputs<'_>, secret: &SecretMetadata) -> String {
    let listed = [(V1, 1.0), (V2, 2.0), (V3, 3.0)].map(|(id, created)| VersionInfo {
        id: id.to_owned(),
        created: Some(created),
        labels: Vec::new(),
    });
    let word = |id: &str| match id {
        V1 => "v1",
        V2 => "v2",
        _ => "v3",
    };
    match decide_label_move(&label_move(promote, pairs), secret, &listed, "eu-west-1") {
        Ok(Decision::Keep(id, _)) => format!("keep {}", word(&id)),
        Ok(Decision::Move { from, to, warning }) => {
            assert_eq!(warning, None);
            format!("{} to {}", from.as_deref().map_or("none", word), word(&to))
        }
        Err(failure) => format!("exit {}", failure.class.exit_code()),
    }
}

#[test]
fn promote_moves_current_to_selected_version() {
    let staged: Versions<'_> = &[
        (V1, &["AWSPREVIOUS"]),
        (V2, &["AWSCURRENT"]),
        (V3, &["candidate", "blue"]),
    ];
    let done: Versions<'_> = &[(V2, &["AWSPREVIOUS"]), (V3, &["AWSCURRENT", "candidate"])];
    let cases: &[Case<'_>] = &[
        (&[], staged, "v2 to v3"),
        (&[("STAGE", "blue")], staged, "v2 to v3"),
        (&[("STAGE", "green")], staged, "exit 6"),
        (&[("VERSION_ID", V1)], staged, "v2 to v1"),
        (&[("VERSION_ID", V2)], staged, "keep v2"),
        (&[("EXPECTED_VERSION_ID", V2)], staged, "v2 to v3"),
        (&[("EXPECTED_VERSION_ID", V1)], staged, "exit 5"),
        // Already current: the guard does not apply.
        (&[], done, "keep v3"),
        (&[("EXPECTED_VERSION_ID", V2)], done, "keep v3"),
        (&[], &[(V1, &["AWSCURRENT"])], "exit 6"),
        (&[], &[(V1, &["candidate"])], "none to v1"),
        (&[], &[], "exit 6"),
        // The version of a rotation is not promoted.
        (
            &[],
            &[(V1, &["AWSCURRENT"]), (V2, &["AWSPENDING", "candidate"])],
            "exit 6",
        ),
        (
            &[],
            &[
                (V1, &["AWSCURRENT"]),
                (V2, &["AWSPENDING"]),
                (V3, &["candidate"]),
            ],
            "v1 to v3",
        ),
    ];
    for (pairs, versions, wanted) in cases {
        assert_eq!(
            decided(true, pairs, versions),
            *wanted,
            "{pairs:?} {versions:?}"
        );
    }
}

#[test]
fn missing_label_hides_private_labels() {
    let private = WriteLabel::until(1, V1).label;
    let label_move = label_move(true, &[("STAGE", "green")]);
    let why = |versions: Versions<'_>| {
        let decision = decide_label_move(&label_move, &secret(versions), &[], "eu-west-1");
        decision.unwrap_err().why.unwrap()
    };
    let labels = why(&[(V1, &["AWSCURRENT", &private]), (V2, &["blue"])]);
    assert!(labels.contains("AWSCURRENT, blue"), "{labels}");
    assert!(!labels.contains(&private), "{labels}");
    assert_eq!(why(&[]), "no version of it has a label");
    let only_private = why(&[(V1, &[&private])]);
    assert!(only_private.contains("private ones"), "{only_private}");
    assert!(!only_private.contains(&private), "{only_private}");
}

#[test]
fn rollback_moves_to_older_version_only() {
    let before: Versions<'_> = &[(V1, &["AWSPREVIOUS"]), (V2, &["AWSCURRENT"])];
    let after: Versions<'_> = &[(V1, &["AWSCURRENT"]), (V2, &["AWSPREVIOUS"])];
    let cases: &[Case<'_>] = &[
        (&[], before, "v2 to v1"),
        (&[], after, "keep v1"),
        (&[("EXPECTED_VERSION_ID", V2)], before, "v2 to v1"),
        (&[("EXPECTED_VERSION_ID", V2)], after, "keep v1"),
        (&[("EXPECTED_VERSION_ID", V3)], before, "exit 5"),
        (&[("EXPECTED_VERSION_ID", V3)], after, "exit 5"),
        // A move from v1 to v2 would not be a rollback.
        (&[("EXPECTED_VERSION_ID", V1)], after, "keep v1"),
        (&[], &[(V1, &["AWSCURRENT"])], "exit 6"),
        (&[], &[], "exit 6"),
    ];
    for (pairs, versions, wanted) in cases {
        assert_eq!(
            decided(false, pairs, versions),
            *wanted,
            "{pairs:?} {versions:?}"
        );
    }
}

#[test]
fn list_of_another_moment_does_not_agree() {
    let secret = secret(&[(V1, &["AWSPREVIOUS"]), (V2, &["AWSCURRENT", "blue"])]);
    let listed = |versions: Versions<'_>| -> Vec<VersionInfo> {
        let versions = versions.iter().map(|(id, labels)| VersionInfo {
            id: (*id).to_owned(),
            created: None,
            labels: labels.iter().map(|label| (*label).to_owned()).collect(),
        });
        versions.collect()
    };
    let cases: [(Versions<'_>, bool); 5] = [
        (&[(V2, &["AWSCURRENT"]), (V1, &["AWSPREVIOUS"])], true),
        (
            &[(V3, &[]), (V2, &["AWSCURRENT"]), (V1, &["AWSPREVIOUS"])],
            true,
        ),
        (&[(V2, &["AWSCURRENT"])], false),
        (&[(V2, &["AWSPREVIOUS"]), (V3, &["AWSCURRENT"])], false),
        (&[(V1, &["AWSCURRENT"]), (V2, &["AWSPREVIOUS"])], false),
    ];
    for (versions, wanted) in cases {
        assert_eq!(agrees(&secret, &listed(versions)), wanted, "{versions:?}");
    }
}

#[test]
fn rollback_of_equal_ages_follows_the_labels() {
    let secret = secret(&[(V1, &["AWSPREVIOUS"]), (V2, &["AWSCURRENT"])]);
    /// Whether AWSCURRENT moves to V1, and whether with a warning; or the class of the failure.
    type Wanted = Result<bool, Class>;
    let cases: [(Option<f64>, Inputs<'_>, Wanted); 6] = [
        (Some(1.0), &[], Ok(true)),
        (Some(1.0), &[("EXPECTED_VERSION_ID", V2)], Ok(false)),
        (
            Some(1.0),
            &[("EXPECTED_VERSION_ID", V3)],
            Err(Class::Conflict),
        ),
        (None, &[], Err(Class::Refused)),
        (None, &[("EXPECTED_VERSION_ID", V2)], Ok(false)),
        (None, &[("EXPECTED_VERSION_ID", V3)], Err(Class::Conflict)),
    ];
    for (created, inputs, wanted) in cases {
        let listed = [V1, V2].map(|id| VersionInfo {
            id: id.to_owned(),
            created,
            labels: Vec::new(),
        });
        let decided = decide_label_move(&label_move(false, inputs), &secret, &listed, "eu-west-1");
        let moved = decided.map(|decision| match decision {
            Decision::Move { from, to, warning } => {
                assert_eq!((from.as_deref(), to.as_str()), (Some(V2), V1));
                warning.is_some()
            }
            Decision::Keep(..) => panic!("{decision:?}"),
        });
        let moved = moved.map_err(|failure| failure.class);
        assert_eq!(moved, wanted, "{created:?} {inputs:?}");
    }
}

#[test]
fn guarded_rollback_of_equal_ages_is_done_once() {
    let secret = secret(&[(V1, &["AWSCURRENT"]), (V2, &["AWSPREVIOUS"])]);
    let listed = [V1, V2].map(|id| VersionInfo {
        id: id.to_owned(),
        created: Some(1.0),
        labels: Vec::new(),
    });
    let again = label_move(false, &[("EXPECTED_VERSION_ID", V2)]);
    let decided = decide_label_move(&again, &secret, &listed, "eu-west-1");
    assert!(matches!(decided, Ok(Decision::Keep(id, _)) if id == V1));
}

#[test]
fn forbidden_state_rejects_move_but_not_keep() {
    let staged = secret(&[(V1, &["AWSCURRENT"]), (V2, &["candidate"])]);
    let states: [(&str, SecretMetadata); 4] = [
        (
            "deleted",
            SecretMetadata {
                deleted: true,
                ..staged.clone()
            },
        ),
        (
            "owned",
            SecretMetadata {
                owning_service: Some("rds".to_owned()),
                ..staged.clone()
            },
        ),
        (
            "replica",
            SecretMetadata {
                primary_region: Some("us-east-1".to_owned()),
                ..staged.clone()
            },
        ),
        (
            "rotated",
            SecretMetadata {
                rotation_enabled: true,
                ..staged.clone()
            },
        ),
    ];
    for (what, secret) in states {
        assert_eq!(decided_of(true, &[], &secret), "exit 6", "{what}");
    }
    let rotated = SecretMetadata {
        rotation_enabled: true,
        ..staged
    };
    assert_eq!(
        decided_of(true, &[("ON_ROTATION", "allow")], &rotated),
        "v1 to v2"
    );
    assert_eq!(decided_of(true, &[("VERSION_ID", V1)], &rotated), "keep v1");
}

#[test]
fn undo_moves_back_only_from_the_release() {
    let secret = |current: &str| SecretMetadata {
        name: "a".to_owned(),
        versions: [(current.to_owned(), vec![CURRENT.to_owned()])].into(),
        ..SecretMetadata::default()
    };
    let request = LabelMove {
        direction: Direction::Undo {
            from: "released".to_owned(),
            to: "before".to_owned(),
        },
        ..label_move(true, &[])
    };
    let decide = |secret: &SecretMetadata| {
        decide_label_move(&request, secret, &[], "eu-west-1").map_err(|failure| {
            assert_eq!(failure.class, Class::Conflict);
            failure.why.unwrap_or_default()
        })
    };
    let moved = Decision::Move {
        from: Some("released".to_owned()),
        to: "before".to_owned(),
        warning: None,
    };
    assert_eq!(decide(&secret("released")), Ok(moved));
    let kept = Decision::Keep("before".to_owned(), None);
    assert_eq!(decide(&secret("before")), Ok(kept));
    for (current, holder) in [
        (Some("later"), "version later,"),
        (None, "no version is current,"),
    ] {
        let secret = current.map_or_else(SecretMetadata::default, secret);
        let why = decide(&secret).unwrap_err();
        assert!(why.contains(holder), "{why}");
    }
}

#[test]
fn labels_are_shown_as_people_name_them() {
    let secret = |label: &str| secret(&[(V1, &["AWSCURRENT"]), (V2, &[label])]);
    for (label, wanted) in [
        ("blue", "its labels are AWSCURRENT, blue"),
        ("release-42", "its labels are AWSCURRENT, release-42"),
        ("eG9sbmJoa3hraHF1eHN4ZWdiag", "its labels are AWSCURRENT, …"),
    ] {
        assert_eq!(labels_text(&secret(label)), wanted);
    }
}
