//! Guarded writes, JSON keys and staging labels.

use super::*;
use crate::failure::Class;
use crate::labels::WriteLabel;
use crate::value::MAX_BYTES;

const V1: &str = "11111111-1111-8111-8111-111111111111";
const V2: &str = "22222222-2222-8222-8222-222222222222";

/// A secret with these versions and labels.
fn labeled(versions: &[(&str, &[&str])]) -> SecretMetadata {
    SecretMetadata {
        versions: versions
            .iter()
            .map(|(id, labels)| {
                let labels = labels.iter().map(|label| (*label).to_owned()).collect();
                ((*id).to_owned(), labels)
            })
            .collect(),
        ..secret()
    }
}

/// The private label of a run that ends at this time.
fn write_label(end: u64) -> String {
    WriteLabel::until(end, "33333333-3333-8333-8333-333333333333").label
}

#[test]
fn guard_rejects_unexpected_version() {
    let current = || labeled(&[(V2, &["AWSCURRENT"]), (V1, &["AWSPREVIOUS"])]);
    let swap = format!("swap over {V2}");
    let keep = format!("keep {V2}");
    check(
        vec![
            (
                &[("EXPECTED_VERSION_ID", V2)],
                described(current(), Some("old")),
                &swap,
            ),
            (
                &[("EXPECTED_VERSION_ID", V1)],
                described(current(), Some("old")),
                "exit 5",
            ),
            // Before the guard, so that a re-run recognizes its own version.
            (
                &[("EXPECTED_VERSION_ID", V1)],
                described(current(), Some("wanted")),
                &keep,
            ),
            (&[("EXPECTED_VERSION_ID", V2)], unread(current()), &swap),
            (&[("EXPECTED_VERSION_ID", V1)], unread(current()), "exit 5"),
            (&[("EXPECTED_VERSION_ID", V1)], Observed::Absent, "exit 5"),
            (
                &[("EXPECTED_VERSION_ID", V1)],
                described(labeled(&[]), None),
                "exit 5",
            ),
            (
                &[("EXPECTED_VERSION_ID", V1)],
                undescribed(value_view("old")),
                "exit 4",
            ),
            (
                &[
                    ("EXPECTED_VERSION_ID", V2),
                    ("DESCRIPTION", "d"),
                    ("TAGS", "a=b"),
                ],
                described(current(), Some("old")),
                &format!("update description, {swap}, tag a"),
            ),
            // A staged version is not swapped, but the guard applies.
            (
                &[("EXPECTED_VERSION_ID", V2), ("VERSION_STAGES", "blue")],
                described(current(), None),
                "put",
            ),
            (
                &[("EXPECTED_VERSION_ID", V1), ("VERSION_STAGES", "blue")],
                described(current(), None),
                "exit 5",
            ),
        ],
        &Attempt::default(),
    );
}

#[test]
fn unreadable_own_version_is_put_again() {
    let own = Attempt {
        own: Some(V2.to_owned()),
        ..Attempt::default()
    };
    let current = labeled(&[(V2, &["AWSCURRENT"]), (V1, &["AWSPREVIOUS"])]);
    check(
        vec![(
            &[("EXPECTED_VERSION_ID", V1)],
            unread(current),
            &format!("swap over {V1}"),
        )],
        &own,
    );
}

#[test]
fn json_key_is_set_in_stored_document() {
    let json = [("JSON_KEY", "b"), ("VALUE", "new")];
    let document = |observed: &Observed| {
        let plan = decide(&json, observed, &Attempt::default()).unwrap();
        let text = plan
            .document
            .map(|document| document.value().expose().to_vec());
        text.map(|text| String::from_utf8(text).unwrap())
    };
    let current = r#"{ "z": 1.0, "b": "old", "a": [1,2] }"#;
    assert_eq!(
        document(&described(secret(), Some(current))).as_deref(),
        Some(r#"{ "z": 1.0, "b": "new", "a": [1,2] }"#)
    );
    assert_eq!(
        document(&Observed::Absent).as_deref(),
        Some(r#"{"b":"new"}"#)
    );
    assert_eq!(
        document(&described(labeled(&[]), None)).as_deref(),
        Some(r#"{"b":"new"}"#)
    );
    check(
        vec![
            (&json, described(secret(), Some(current)), "swap over v1"),
            (
                &json,
                described(secret(), Some(r#"{"b":"new"}"#)),
                "keep v1",
            ),
            (&json, described(labeled(&[]), None), "swap"),
            (&json, Observed::Absent, "create"),
            (&json, described(secret(), Some("plain text")), "exit 6"),
            (&json, described(secret(), Some("[1]")), "exit 6"),
            (&json, unread(secret()), "exit 4"),
            (&json, undescribed(value_view("{}")), "exit 4"),
            (
                &[("JSON_KEY", "/b/c"), ("VALUE", "new")],
                described(secret(), Some(r#"{"b":"text"}"#)),
                "exit 6",
            ),
        ],
        &Attempt::default(),
    );
}

#[test]
fn full_document_is_explained() {
    let failure = |stored: &str| {
        let json = [("JSON_KEY", "/b/c"), ("VALUE", "new")];
        match decide(
            &json,
            &described(secret(), Some(stored)),
            &Attempt::default(),
        ) {
            Err(Rejected::Failure(failure)) => (failure.what, failure.why.unwrap_or_default()),
            _ => panic!("{stored} is rejected"),
        }
    };
    for (stored, what, why) in [
        (
            r#"{"b":"made up"}"#,
            "the JSON document of a has no object where the key needs one",
            "`/b` is a string, and only an object has keys",
        ),
        (
            r#"{"b":{},"b":{}}"#,
            "the JSON document of a has a key twice, and readers differ on which counts",
            "`/b` exists twice",
        ),
        (
            "\u{feff}{}",
            "the JSON document of a begins with a byte order mark",
            "its current value begins with a byte order mark (U+FEFF), which JSON does not allow",
        ),
        (
            "made up",
            "a does not hold a JSON object, so no key can be set in it",
            "its current value is not JSON",
        ),
    ] {
        assert_eq!(failure(stored), (what.to_owned(), why.to_owned()));
    }
}

#[test]
fn expected_version_of_absent_secret_conflicts() {
    let rejected = decide(
        &[("EXPECTED_VERSION_ID", V1)],
        &Observed::Absent,
        &Attempt::default(),
    );
    let Err(Rejected::Failure(failure)) = rejected else {
        panic!("it is rejected");
    };
    assert_eq!(failure.class, Class::Conflict);
    let wanted = format!("a does not exist, but its version {V1} is expected to be current");
    assert_eq!(failure.what, wanted);
}

#[test]
fn document_over_the_size_limit_is_rejected() {
    let rest = r#"{"a":"","b":"new"}"#.len();
    for (size, wanted) in [(MAX_BYTES, "swap over v1"), (MAX_BYTES + 1, "exit 8")] {
        let stored = format!(r#"{{"a":"{}"}}"#, "x".repeat(size - rest));
        check(
            vec![(
                &[("JSON_KEY", "b"), ("VALUE", "new")],
                described(secret(), Some(&stored)),
                wanted,
            )],
            &Attempt::default(),
        );
    }
}

#[test]
fn document_is_compared_but_never_shown() {
    let document = |value: &str| {
        let plan = decide(
            &[("JSON_KEY", "b"), ("VALUE", value)],
            &Observed::Absent,
            &Attempt::default(),
        );
        plan.unwrap().document.unwrap()
    };
    assert!(document("made-up-1") == document("made-up-1"));
    assert!(document("made-up-1") != document("made-up-2"));
    assert_eq!(format!("{:?}", document("made-up-1")), "Document");
}

#[test]
fn json_key_in_binary_value_is_rejected() {
    let binary = SecretValue::stored(SecretBytes::new(b"{}".to_vec()), Kind::Binary);
    let observed = Observed::Present(Box::new(Present {
        value: Some(binary),
        ..present(secret(), None)
    }));
    check(
        vec![(&[("JSON_KEY", "b")], observed, "exit 6")],
        &Attempt::default(),
    );
}

#[test]
fn rival_label_is_awaited_or_swept() {
    let guard: &[(&str, &str)] = &[("EXPECTED_VERSION_ID", V1)];
    let with = |label: &str| {
        described(
            labeled(&[(V1, &["AWSCURRENT"]), (V2, &[label])]),
            Some("old"),
        )
    };
    let swap = format!("swap over {V1}");
    let cases = [
        (write_label(NOW + 60), "yield".to_owned()),
        (write_label(NOW), "yield".to_owned()),
        (write_label(NOW - 120), format!("sweep 1, {swap}")),
        (write_label(NOW + 86_400), swap.clone()),
        ("candidate".to_owned(), swap.clone()),
    ];
    for (label, wanted) in cases {
        check(vec![(guard, with(&label), &wanted)], &Attempt::default());
    }
    // An unguarded write neither waits nor removes labels.
    check(
        vec![
            (&[], with(&write_label(NOW + 60)), &format!("put over {V1}")),
            (
                &[],
                with(&write_label(NOW - 120)),
                &format!("put over {V1}"),
            ),
        ],
        &Attempt::default(),
    );
    // A label that persists belongs to a killed run.
    let label = write_label(NOW + 60);
    for (sightings, wanted) in [(4, "yield"), (5, &swap)] {
        let attempt = Attempt {
            rivals: BTreeMap::from([(sighting(&label, V2), sightings)]),
            ..Attempt::default()
        };
        check(vec![(guard, with(&label), wanted)], &attempt);
    }
    // The run's own label does not count as another run.
    let own = Attempt {
        write_label: Some(WriteLabel {
            label: label.clone(),
            on: Some(V2.to_owned()),
        }),
        ..Attempt::default()
    };
    check(vec![(guard, with(&label), &swap)], &own);
    // A value that is already stored does not require waiting.
    check(
        vec![(
            guard,
            described(
                labeled(&[(V1, &["AWSCURRENT"]), (V2, &[&label])]),
                Some("wanted"),
            ),
            &format!("keep {V1}"),
        )],
        &Attempt::default(),
    );
}

#[test]
fn created_version_gets_remaining_labels() {
    let created = Attempt {
        sent: vec![V1.to_owned()],
        ..Attempt::default()
    };
    let stages: &[(&str, &str)] = &[("VERSION_STAGES", "blue,green")];
    let label_both = format!("label blue, label green, keep {V1}");
    let label_blue = format!("label blue, keep {V1}");
    check(
        vec![
            (
                stages,
                described(labeled(&[(V1, &["AWSCURRENT"])]), None),
                &label_both,
            ),
            (
                stages,
                described(labeled(&[(V1, &["AWSCURRENT", "green"])]), None),
                &label_blue,
            ),
        ],
        &created,
    );
}

#[test]
fn labels_move_to_version_with_value() {
    let current = || labeled(&[(V1, &["AWSCURRENT"]), (V2, &["blue"])]);
    let blue: &[(&str, &str)] = &[("VERSION_STAGES", "blue")];
    let both: &[(&str, &str)] = &[("VERSION_STAGES", "blue,AWSCURRENT")];
    let two: &[(&str, &str)] = &[("VERSION_STAGES", "blue, green")];
    check(
        vec![
            (
                blue,
                described(current(), Some("wanted")),
                &format!("keep {V2}"),
            ),
            (
                blue,
                described(current(), Some("old")),
                &format!("put over {V2}"),
            ),
            (
                blue,
                described(labeled(&[(V1, &["AWSCURRENT"])]), None),
                "put",
            ),
            (blue, Observed::Absent, "create, label blue"),
            (blue, undescribed(value_view("old")), "exit 4"),
            (
                two,
                described(current(), Some("wanted")),
                &format!("label green, keep {V2}"),
            ),
            (
                both,
                described(labeled(&[(V1, &["AWSCURRENT", "blue"])]), Some("wanted")),
                &format!("keep {V1}"),
            ),
            (
                two,
                described(current(), Some("old")),
                &format!("put over {V2}, label green"),
            ),
            (
                both,
                described(current(), Some("wanted")),
                &format!("label blue from {V2}, keep {V1}"),
            ),
            (
                both,
                described(current(), Some("old")),
                &format!("put over {V1}, label blue from {V2}"),
            ),
        ],
        &Attempt::default(),
    );
}

#[test]
fn guarded_write_precedes_other_labels_not_wait() {
    let guard: &[(&str, &str)] = &[
        ("EXPECTED_VERSION_ID", V1),
        ("VERSION_STAGES", "AWSCURRENT,blue"),
    ];
    let rival = write_label(NOW + 60);
    let held =
        |labels: &[&str]| described(labeled(&[(V1, &["AWSCURRENT"]), (V2, labels)]), Some("old"));
    check(
        vec![
            (
                guard,
                held(&["blue"]),
                &format!("swap over {V1}, label blue from {V2}"),
            ),
            (guard, held(&["blue", &rival]), "yield"),
        ],
        &Attempt::default(),
    );
}

#[test]
fn sightings_count_for_one_label_on_one_version() {
    let guard: &[(&str, &str)] = &[("EXPECTED_VERSION_ID", V1)];
    let label = write_label(NOW + 60);
    for (seen_label, seen_on) in [(&label, V1), (&write_label(NOW + 61), V2)] {
        let attempt = Attempt {
            rivals: BTreeMap::from([(sighting(seen_label, seen_on), 5)]),
            ..Attempt::default()
        };
        let observed = described(
            labeled(&[(V1, &["AWSCURRENT"]), (V2, &[&label])]),
            Some("old"),
        );
        check(vec![(guard, observed, "yield")], &attempt);
    }
}
