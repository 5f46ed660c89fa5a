//! What this run has written, or may have written, before it observes again.

use super::*;

#[test]
fn own_write_is_not_skipped() {
    let own_write = Attempt {
        sent: vec!["v1".to_owned()],
        ..Attempt::default()
    };
    check(
        vec![(
            &[("IF_EXISTS", "skip"), ("TAGS", "k=v")],
            described(secret(), None),
            "tag k, keep v1",
        )],
        &own_write,
    );
}

#[test]
fn later_write_is_not_reverted() {
    let overtaken = |by: &str| Attempt {
        overtaken: Some(by.to_owned()),
        ..Attempt::default()
    };
    // Another version is current. It stays, and only a version with the same value counts as success.
    check(
        vec![
            (&[], described(secret(), Some("other")), "exit 5"),
            (&[("COMPARE", "never")], described(secret(), None), "exit 5"),
            (&[], described(secret(), Some("wanted")), "keep v1"),
            (&[], Observed::Absent, "exit 5"),
            (&[], undescribed(value_view("other")), "exit 5"),
            (&[], undescribed(ValueView::Unread(None)), "exit 5"),
        ],
        &overtaken("ours"),
    );
    // This run's version is current again: it was moved back, or the response was late.
    check(
        vec![
            (
                &[("COMPARE", "never")],
                described(secret(), None),
                "keep v1",
            ),
            (
                &[("COMPARE", "never"), ("DESCRIPTION", "d")],
                described(secret(), None),
                "update description, keep v1",
            ),
        ],
        &overtaken("v1"),
    );
}

#[test]
fn created_version_is_kept_unread() {
    let created = Attempt {
        maybe_created: Some("v1".to_owned()),
        ..Attempt::default()
    };
    let json: &[(&str, &str)] = &[("JSON_KEY", "b")];
    let json_skip: &[(&str, &str)] = &[("JSON_KEY", "b"), ("IF_EXISTS", "skip")];
    check(
        vec![
            (json, unread(secret()), "keep v1"),
            (json_skip, described(secret(), None), "keep v1"),
            (
                &[("COMPARE", "never")],
                described(secret(), None),
                "keep v1",
            ),
            (&[("COMPARE", "always")], unread(secret()), "keep v1"),
            // An alias and a key cannot be compared.
            (
                &[("KMS_KEY_ID", "alias/models")],
                unread(SecretMetadata {
                    kms_key_id: Some("made-up-key".to_owned()),
                    ..secret()
                }),
                "keep v1",
            ),
            // A readable value is compared.
            (&[], described(secret(), Some("other")), "put over v1"),
        ],
        &created,
    );
    // A different version is not this run's own.
    let other = Attempt {
        maybe_created: Some("v9".to_owned()),
        ..Attempt::default()
    };
    check(vec![(json, unread(secret()), "exit 4")], &other);
}

#[test]
fn unread_swap_of_this_run_is_kept() {
    let guard: &[(&str, &str)] = &[("EXPECTED_VERSION_ID", "v0"), ("COMPARE", "never")];
    let written = Attempt {
        sent: vec!["v1".to_owned()],
        ..Attempt::default()
    };
    check(
        vec![(guard, described(secret(), None), "keep v1")],
        &written,
    );
    check(
        vec![(guard, described(secret(), None), "exit 5")],
        &Attempt::default(),
    );
}

#[test]
fn skip_writes_to_taken_name_by_swap_only() {
    let skip: &[(&str, &str)] = &[("IF_EXISTS", "skip")];
    let taken = Attempt {
        name_taken: true,
        ..Attempt::default()
    };
    check(
        vec![
            (skip, undescribed(ValueView::NoValue), "swap"),
            (skip, undescribed(value_view("other")), "keep v1"),
        ],
        &taken,
    );
}
