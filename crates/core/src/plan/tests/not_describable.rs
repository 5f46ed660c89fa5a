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
                "exit 4",
            ),
            (&[("IF_EXISTS", "skip")], nothing(), "exit 4"),
            (&[("COMPARE", "always")], nothing(), "exit 4"),
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
