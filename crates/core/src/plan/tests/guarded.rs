//! Guards, JSON keys and staging labels.

use super::*;

const V1: &str = "11111111-1111-8111-8111-111111111111";
const V2: &str = "22222222-2222-8222-8222-222222222222";

/// A secret with these versions and labels.
fn labelled(versions: &[(&str, &[&str])]) -> SecretMetadata {
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

fn unreadable(secret: SecretMetadata) -> Observed {
    Observed::Present(Box::new(Present {
        secret,
        value: None,
        unread: Some(denied("GetSecretValue")),
        policy: PolicyView::NotRequested,
        at: NOW,
    }))
}

fn lease_of(end: u64) -> String {
    format!("upsert-secret-until-{end}-33333333-3333-8333-8333-333333333333")
}

#[test]
fn a_guard_lets_only_the_expected_version_be_replaced() {
    let current = || labelled(&[(V2, &["AWSCURRENT"]), (V1, &["AWSPREVIOUS"])]);
    let swap = format!("swap over {V2}");
    let keep = format!("keep {V2}");
    check(
        vec![
            (
                &[("EXPECTED_VERSION_ID", V2)],
                seen(current(), Some("old")),
                &swap,
            ),
            (
                &[("EXPECTED_VERSION_ID", V1)],
                seen(current(), Some("old")),
                "exit 5",
            ),
            // Before the guard: a re-run finds its own work.
            (
                &[("EXPECTED_VERSION_ID", V1)],
                seen(current(), Some("wanted")),
                &keep,
            ),
            (&[("EXPECTED_VERSION_ID", V2)], unreadable(current()), &swap),
            (
                &[("EXPECTED_VERSION_ID", V1)],
                unreadable(current()),
                "exit 5",
            ),
            (&[("EXPECTED_VERSION_ID", V1)], Observed::Absent, "exit 5"),
            (
                &[("EXPECTED_VERSION_ID", V1)],
                seen(labelled(&[]), None),
                "exit 5",
            ),
            (
                &[("EXPECTED_VERSION_ID", V1)],
                blind(glimpsed("old")),
                "exit 4",
            ),
            (
                &[
                    ("EXPECTED_VERSION_ID", V2),
                    ("DESCRIPTION", "d"),
                    ("TAGS", "a=b"),
                ],
                seen(current(), Some("old")),
                &format!("update description, {swap}, tag a"),
            ),
            // Beside the current version nothing is swapped, but the guard holds.
            (
                &[("EXPECTED_VERSION_ID", V2), ("VERSION_STAGES", "blue")],
                seen(current(), None),
                "put",
            ),
            (
                &[("EXPECTED_VERSION_ID", V1), ("VERSION_STAGES", "blue")],
                seen(current(), None),
                "exit 5",
            ),
        ],
        &Attempt::default(),
    );
}

#[test]
fn what_cannot_be_read_but_may_be_our_own_work_is_compared_by_aws() {
    let own = Attempt {
        own: Some(V2.to_owned()),
        ..Attempt::default()
    };
    let current = labelled(&[(V2, &["AWSCURRENT"]), (V1, &["AWSPREVIOUS"])]);
    check(
        vec![(
            &[("EXPECTED_VERSION_ID", V1)],
            unreadable(current),
            &format!("swap over {V1}"),
        )],
        &own,
    );
}

#[test]
fn one_key_is_set_and_everything_else_stays() {
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
        document(&seen(secret(), Some(current))).as_deref(),
        Some(r#"{ "z": 1.0, "b": "new", "a": [1,2] }"#)
    );
    assert_eq!(
        document(&Observed::Absent).as_deref(),
        Some(r#"{"b":"new"}"#)
    );
    assert_eq!(
        document(&seen(labelled(&[]), None)).as_deref(),
        Some(r#"{"b":"new"}"#)
    );
    check(
        vec![
            (&json, seen(secret(), Some(current)), "swap over v1"),
            (&json, seen(secret(), Some(r#"{"b":"new"}"#)), "keep v1"),
            (&json, seen(labelled(&[]), None), "swap"),
            (&json, Observed::Absent, "create"),
            (&json, seen(secret(), Some("plain text")), "exit 6"),
            (&json, seen(secret(), Some("[1]")), "exit 6"),
            (&json, unreadable(secret()), "exit 4"),
            (&json, blind(glimpsed("{}")), "exit 4"),
            (
                &[("JSON_KEY", "/b/c"), ("VALUE", "new")],
                seen(secret(), Some(r#"{"b":"text"}"#)),
                "exit 6",
            ),
        ],
        &Attempt::default(),
    );
}

#[test]
fn a_document_that_would_be_too_large_is_refused() {
    let full = format!(r#"{{"a":"{}"}}"#, "x".repeat(65_520));
    check(
        vec![(
            &[("JSON_KEY", "b"), ("VALUE", "12345678")],
            seen(secret(), Some(&full)),
            "exit 8",
        )],
        &Attempt::default(),
    );
}

#[test]
fn a_binary_value_has_no_keys() {
    let observed = Observed::Present(Box::new(Present {
        secret: secret(),
        value: Some(SecretValue::stored(
            SecretBytes::new(b"{}".to_vec()),
            Kind::Binary,
        )),
        unread: None,
        policy: PolicyView::NotRequested,
        at: NOW,
    }));
    check(
        vec![(&[("JSON_KEY", "b")], observed, "exit 6")],
        &Attempt::default(),
    );
}

#[test]
fn another_runs_private_label_is_waited_for_or_swept() {
    let guard: &[(&str, &str)] = &[("EXPECTED_VERSION_ID", V1)];
    let with = |label: &str| {
        seen(
            labelled(&[(V1, &["AWSCURRENT"]), (V2, &[label])]),
            Some("old"),
        )
    };
    let swap = format!("swap over {V1}");
    let cases = [
        (lease_of(NOW + 60), "yield".to_owned()),
        (lease_of(NOW), "yield".to_owned()),
        (lease_of(NOW - 120), format!("sweep 1, {swap}")),
        (lease_of(NOW + 86_400), swap.clone()),
        ("candidate".to_owned(), swap.clone()),
    ];
    for (label, wanted) in cases {
        check(vec![(guard, with(&label), &wanted)], &Attempt::default());
    }
    // An unguarded write needs no turn, and touches nobody's label.
    check(
        vec![
            (&[], with(&lease_of(NOW + 60)), &format!("put over {V1}")),
            (&[], with(&lease_of(NOW - 120)), &format!("put over {V1}")),
        ],
        &Attempt::default(),
    );
    // The same label again and again is of a run that was killed; and one's own is no rival.
    let label = lease_of(NOW + 60);
    let dead = Attempt {
        rivals: BTreeMap::from([(format!("{label} {V2}"), 5)]),
        ..Attempt::default()
    };
    check(vec![(guard, with(&label), &swap)], &dead);
    let own = Attempt {
        write_label: Some(crate::labels::WriteLabel {
            label: label.clone(),
            on: Some(V2.to_owned()),
        }),
        ..Attempt::default()
    };
    check(vec![(guard, with(&label), &swap)], &own);
    // What is there already is found before anybody is waited for.
    check(
        vec![(
            guard,
            seen(
                labelled(&[(V1, &["AWSCURRENT"]), (V2, &[&label])]),
                Some("wanted"),
            ),
            &format!("keep {V1}"),
        )],
        &Attempt::default(),
    );
}

#[test]
fn labels_are_given_to_the_version_that_holds_the_value() {
    let current = || labelled(&[(V1, &["AWSCURRENT"]), (V2, &["blue"])]);
    let blue: &[(&str, &str)] = &[("VERSION_STAGES", "blue")];
    let both: &[(&str, &str)] = &[("VERSION_STAGES", "blue,AWSCURRENT")];
    let two: &[(&str, &str)] = &[("VERSION_STAGES", "blue, green")];
    check(
        vec![
            (blue, seen(current(), Some("wanted")), &format!("keep {V2}")),
            (
                blue,
                seen(current(), Some("old")),
                &format!("put over {V2}"),
            ),
            (blue, seen(labelled(&[(V1, &["AWSCURRENT"])]), None), "put"),
            (blue, Observed::Absent, "create, label blue"),
            (blue, blind(glimpsed("old")), "exit 4"),
            (
                two,
                seen(current(), Some("wanted")),
                &format!("label green, keep {V2}"),
            ),
            (
                two,
                seen(current(), Some("old")),
                &format!("put over {V2}, label green"),
            ),
            (
                both,
                seen(current(), Some("wanted")),
                &format!("label blue from {V2}, keep {V1}"),
            ),
            (
                both,
                seen(current(), Some("old")),
                &format!("put over {V1}, label blue from {V2}"),
            ),
        ],
        &Attempt::default(),
    );
}

#[test]
fn a_first_version_becomes_current_and_a_rotation_is_left_alone_and_both_are_told() {
    let notices = |pairs: &[(&str, &str)], observed: &Observed| {
        decide(pairs, observed, &Attempt::default())
            .unwrap()
            .notices
            .into_iter()
            .map(|(_, text)| text)
            .collect::<Vec<_>>()
            .join("; ")
    };
    let blue: &[(&str, &str)] = &[("VERSION_STAGES", "blue")];
    for observed in [Observed::Absent, seen(labelled(&[]), None)] {
        assert!(notices(blue, &observed).contains("the first one current as well"));
    }
    let rotating = labelled(&[(V1, &["AWSCURRENT"]), (V2, &["AWSPENDING"])]);
    for pairs in [blue, &[], &[("EXPECTED_VERSION_ID", V1)]] {
        let text = notices(
            pairs,
            &seen(rotating.clone(), Some("old").filter(|_| pairs != blue)),
        );
        assert!(
            text.contains("AWSPENDING is on version"),
            "{pairs:?}: {text}"
        );
    }
}
