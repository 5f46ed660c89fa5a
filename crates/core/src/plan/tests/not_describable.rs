//! Writes without DescribeSecret.

use super::*;

#[test]
fn denied_describe_writes_without_comparing() {
    let nothing = || undescribed(ValueView::Unread(Some(denied("GetSecretValue"))));
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
                "create or ()",
            ),
            (&[("IF_EXISTS", "skip")], nothing(), "create or ()"),
            (&[("COMPARE", "always")], nothing(), "create or ()"),
            (&[], undescribed(ValueView::NoValue), "create or (put)"),
            (
                &[("IF_EXISTS", "skip"), ("TAGS", "k=v")],
                undescribed(ValueView::NoValue),
                "create or ()",
            ),
            (&[], undescribed(value_view("wanted")), "keep v1"),
            (&[], undescribed(value_view("other")), "put over v1"),
            (
                &[("DESCRIPTION", "d")],
                undescribed(value_view("wanted")),
                "update description, keep v1",
            ),
            (
                &[("IF_EXISTS", "skip")],
                undescribed(value_view("other")),
                "keep v1",
            ),
            (
                &[],
                undescribed(ValueView::Deleted(denied("GetSecretValue"))),
                "exit 6",
            ),
            (
                &[("ON_SCHEDULED_DELETION", "restore")],
                undescribed(ValueView::Deleted(denied("GetSecretValue"))),
                "restore",
            ),
        ],
        &Attempt::default(),
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
        restoration: Restoration::Accepted,
        ..seen_deleted
    };
    check(
        vec![
            (restore, nothing(), "put"),
            (
                restore,
                undescribed(ValueView::Deleted(denied("GetSecretValue"))),
                "wait",
            ),
            (restore, undescribed(value_view("other")), "put over v1"),
        ],
        &restored,
    );
}

/// With attribute-based access control, a missing secret cannot be described. The run creates it, but does not write to an
/// existing secret.
#[test]
fn unseen_secret_is_created_or_left_alone() {
    let unread = || undescribed(ValueView::Unread(Some(denied("GetSecretValue"))));
    let absent = || undescribed(ValueView::NoValue);
    let readable = || undescribed(value_view("{}"));
    let deleted = || undescribed(ValueView::Deleted(denied("GetSecretValue")));
    let exists = Attempt {
        name_taken: true,
        ..Attempt::default()
    };
    let mut created = Attempt::default();
    let request = request(&[]);
    created.outcome.record_created(&request, "v1");
    let restore = ("ON_SCHEDULED_DELETION", "restore");
    /// The inputs, the steps after CreateSecret, and whether existing secrets are left unchanged.
    type Case<'a> = (&'a [(&'a str, &'a str)], &'a str, bool);
    let cases: &[Case<'_>] = &[
        (&[("IF_EXISTS", "skip")], "", true),
        (&[("IF_EXISTS", "skip"), ("TAGS", "k=v")], "", true),
        (&[("IF_EXISTS", "skip"), ("COMPARE", "never")], "", true),
        (&[("JSON_KEY", "k")], "", false),
        (&[("COMPARE", "always")], "", false),
        (&[("TAGS", "k=v"), ("TAG_POLICY", "replace")], "", false),
        (&[("VERSION_STAGES", "blue")], ", label blue", false),
        (
            &[("VERSION_STAGES", "AWSCURRENT,blue")],
            ", label blue",
            false,
        ),
        (
            &[("REPLICA_REGIONS", "eu-west-2")],
            ", await eu-west-2",
            false,
        ),
    ];
    for (inputs, then, leaves_alone) in cases {
        let create = format!("create or (){then}");
        let existing = if *leaves_alone { "" } else { "exit 4, exists" };
        let rest = format!("{then}, keep v1");
        let rest = rest.trim_start_matches(", ");
        let name_is_arn: Vec<_> = inputs.iter().copied().chain([("NAME", ARN_NAME)]).collect();
        let restores: Vec<_> = inputs.iter().copied().chain([restore]).collect();
        let always = inputs.contains(&("COMPARE", "always"));
        let is_skip = *leaves_alone;
        for (inputs, observed, attempt, wanted) in [
            (*inputs, unread(), &Attempt::default(), create.as_str()),
            (inputs, unread(), &exists, existing),
            (&name_is_arn, unread(), &Attempt::default(), "exit 4"),
            (inputs, deleted(), &Attempt::default(), "exit 6"),
            (
                &restores,
                deleted(),
                &Attempt::default(),
                // A value that cannot be read is not what `compare: always` compares here.
                if is_skip || always {
                    "restore"
                } else {
                    "exit 4"
                },
            ),
        ] {
            assert_eq!(steps(inputs, &observed, attempt), wanted, "{inputs:?}");
        }
        if !is_skip {
            assert_eq!(steps(inputs, &unread(), &created), rest, "{inputs:?}");
        }
        if !is_skip && !always {
            assert_eq!(steps(inputs, &absent(), &Attempt::default()), create);
            assert_eq!(steps(inputs, &absent(), &exists), existing);
            assert_eq!(steps(inputs, &readable(), &Attempt::default()), "exit 4");
        }
    }
    // The secret must already exist.
    let expected: &[_] = &[(
        "EXPECTED_VERSION_ID",
        "11111111-1111-8111-8111-111111111111",
    )];
    assert_eq!(steps(expected, &unread(), &Attempt::default()), "exit 4");
    // Nothing else is requested for a secret that has a value.
    let skip: &[_] = &[("IF_EXISTS", "skip"), ("REPLICA_REGIONS", "eu-west-2")];
    assert_eq!(steps(skip, &readable(), &Attempt::default()), "keep v1");
}

#[test]
fn creation_is_certain_only_without_a_value() {
    let vacant = |observed: &Observed| match &decide(&[], observed, &Attempt::default())
        .unwrap()
        .steps[..]
    {
        [Step::Create { vacant, .. }] => *vacant,
        steps => panic!("{steps:?}"),
    };
    assert!(vacant(&Observed::Absent));
    assert!(vacant(&undescribed(ValueView::NoValue)));
    assert!(!vacant(&undescribed(ValueView::Unread(None))));
}
