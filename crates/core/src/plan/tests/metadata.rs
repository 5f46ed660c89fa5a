//! Description, key, tags, replicas, resource policy.

use std::collections::BTreeMap;

use super::super::*;
use super::{check, denied, described, present, secret, steps, value_view};
use crate::outcome::Change;
use crate::quote::ForeignText;
use crate::state::{NotDescribable, PolicyView, Present, Replica, ReplicaStatus, SecretMetadata};

#[test]
fn metadata_is_written_if_it_differs() {
    let tagged = || SecretMetadata {
        description: Some("d".to_owned()),
        kms_key_id: Some("alias/models".to_owned()),
        tags: BTreeMap::from([
            ("team".to_owned(), "ml".to_owned()),
            ("old".to_owned(), "x".to_owned()),
            ("aws:cloudformation:stack-id".to_owned(), "y".to_owned()),
        ]),
        ..secret()
    };
    let same = || described(tagged(), Some("wanted"));
    let other = || described(tagged(), Some("other"));
    check(
        vec![
            (&[("DESCRIPTION", "d")], same(), "keep v1"),
            (
                &[("DESCRIPTION", "e")],
                same(),
                "update description, keep v1",
            ),
            (&[("KMS_KEY_ID", "alias/models")], same(), "keep v1"),
            (
                &[("KMS_KEY_ID", "alias/other")],
                same(),
                "update key, keep v1",
            ),
            (
                &[("KMS_KEY_ID", "alias/aws/secretsmanager")],
                described(secret(), Some("wanted")),
                "keep v1",
            ),
            (&[("TAGS", "team=ml")], same(), "keep v1"),
            (&[("TAGS", "team=ops")], same(), "tag team, keep v1"),
            (
                &[("TAGS", "team=ml"), ("TAG_POLICY", "replace")],
                same(),
                "untag old, keep v1",
            ),
            (
                &[
                    ("DESCRIPTION", "e"),
                    ("KMS_KEY_ID", "alias/other"),
                    ("TAGS", "team=ops"),
                    ("TAG_POLICY", "replace"),
                ],
                other(),
                "update description key, put over v1, tag team, untag old",
            ),
            (&[("TAGS", "team=ops")], other(), "put over v1, tag team"),
        ],
        &Attempt::default(),
    );
}

#[test]
fn tags_are_added_before_others_are_removed() {
    let numbered = |count: usize| {
        let mut tags = BTreeMap::from([("aws:of-aws".to_owned(), "x".to_owned())]);
        tags.extend((0..count).map(|number| (format!("k{number:02}"), "x".to_owned())));
        let secret = SecretMetadata { tags, ..secret() };
        described(secret, Some("wanted"))
    };
    let keys = |numbers: std::ops::Range<usize>| {
        let keys = numbers.map(|number| format!("k{number:02}"));
        keys.collect::<Vec<_>>().join("+")
    };
    // The quota is 50 tags, excluding AWS tags.
    for (stored, wanted) in [
        (1, "tag team+x, untag k00, keep v1".to_owned()),
        (48, format!("tag team+x, untag {}, keep v1", keys(0..48))),
        (
            49,
            format!("untag k00, tag team+x, untag {}, keep v1", keys(1..49)),
        ),
        (
            50,
            format!("untag k00+k01, tag team+x, untag {}, keep v1", keys(2..50)),
        ),
    ] {
        let inputs = [("TAGS", "team=ops\nx=y"), ("TAG_POLICY", "replace")];
        let steps = steps(&inputs, &numbered(stored), &Attempt::default());
        assert_eq!(steps, wanted);
    }
    let all: String = (0..50).map(|number| format!("new{number}=x\n")).collect();
    let inputs = [("TAGS", all.as_str()), ("TAG_POLICY", "replace")];
    let steps = steps(&inputs, &numbered(50), &Attempt::default());
    assert!(
        steps.starts_with(&format!("untag {}, tag new0+", keys(0..50)))
            && steps.ends_with("keep v1"),
        "{steps}"
    );
}

fn replica(region: &str, key: Option<&str>, status: ReplicaStatus) -> Replica {
    Replica {
        region: region.to_owned(),
        kms_key_id: key.map(str::to_owned),
        status,
    }
}

/// A secret that holds the value and has replicas in London and in Paris.
fn replicated(london: ReplicaStatus, key: Option<&str>) -> Observed {
    let replicas = vec![
        replica("eu-west-2", key, london),
        replica("eu-west-3", None, ReplicaStatus::InSync),
    ];
    let secret = SecretMetadata {
        replicas,
        ..secret()
    };
    described(secret, Some("wanted"))
}

#[test]
fn replicas_are_removed_only_on_request() {
    use ReplicaStatus::{Failed, InProgress, InSync};
    let failed = || Failed(ForeignText::new("made up"));
    let london = ("REPLICA_REGIONS", "eu-west-2");
    let keyed = ("REPLICA_REGIONS", "eu-west-2=1234abcd");
    let aliased = ("REPLICA_REGIONS", "eu-west-2=alias/models eu-west-3");
    let replace = ("REPLICA_POLICY", "replace");
    check(
        vec![
            (
                &[("REPLICA_REGIONS", "us-east-1,eu-west-2")],
                described(secret(), Some("wanted")),
                "replicate eu-west-2+us-east-1, await eu-west-2+us-east-1, keep v1",
            ),
            (&[london], replicated(InSync, None), "keep v1"),
            (
                &[london],
                replicated(InProgress, None),
                "await eu-west-2, keep v1",
            ),
            (
                &[london],
                replicated(failed(), None),
                "replicate eu-west-2, await eu-west-2, keep v1",
            ),
            (
                &[london, replace],
                replicated(InSync, None),
                "unreplicate eu-west-3, keep v1",
            ),
            (
                &[("REPLICA_REGIONS", "none"), replace],
                replicated(InSync, None),
                "unreplicate eu-west-2+eu-west-3, keep v1",
            ),
            (&[keyed], replicated(InSync, Some("1234abcd")), "keep v1"),
            // Without a key in the request, any key is accepted.
            (&[london], replicated(InSync, Some("1234abcd")), "keep v1"),
            (&[keyed], replicated(InSync, None), "exit 6"),
            (
                &[("REPLICA_REGIONS", "eu-west-2=1234abcd,eu-west-3"), replace],
                replicated(InSync, None),
                "unreplicate eu-west-2, replicate eu-west-2, await eu-west-2, keep v1",
            ),
            // A replica whose key may be the same is not removed.
            (
                &[aliased, replace],
                replicated(InSync, Some("1234abcd")),
                "keep v1",
            ),
            (&[london], Observed::Absent, "create, await eu-west-2"),
            (
                &[london],
                super::undescribed(value_view("wanted")),
                "exit 4",
            ),
        ],
        &Attempt::default(),
    );
    let tried = Attempt {
        replicating: vec!["eu-west-2".to_owned()],
        ..Attempt::default()
    };
    check(
        vec![(
            &[london],
            replicated(failed(), None),
            "await eu-west-2, keep v1",
        )],
        &tried,
    );
}

#[test]
fn policy_is_validated_and_written_if_it_differs() {
    let attached = |policy: PolicyView, text: &str| {
        Observed::Present(Box::new(Present {
            policy,
            ..present(secret(), Some(text))
        }))
    };
    let undescribed = |policy| {
        Observed::NotDescribable(Box::new(NotDescribable {
            denied: denied("DescribeSecret"),
            value: value_view("wanted"),
            policy,
        }))
    };
    let given = ("RESOURCE_POLICY", r#"{"Statement":[{"Action":["a:B"]}]}"#);
    let same = || PolicyView::Known(Some(r#"{"Statement":{"Action":"A:b"}}"#.to_owned()));
    let other = || PolicyView::Known(Some(r#"{"Statement":[]}"#.to_owned()));
    check(
        vec![
            (&[], attached(other(), "wanted"), "keep v1"),
            (&[given], attached(same(), "wanted"), "keep v1"),
            (
                &[given],
                attached(other(), "wanted"),
                "check policy, set policy, keep v1",
            ),
            (
                &[given],
                attached(PolicyView::Known(None), "wanted"),
                "check policy, set policy, keep v1",
            ),
            (
                &[given, ("TAGS", "k=v"), ("DESCRIPTION", "d")],
                attached(other(), "old"),
                "check policy, update description, put over v1, tag k, set policy",
            ),
            (
                &[given],
                attached(PolicyView::Denied(denied("GetResourcePolicy")), "wanted"),
                "check policy, set policy, keep v1",
            ),
            (
                &[given],
                Observed::Absent,
                "check policy unnamed, create, set policy",
            ),
            (
                &[given, ("VERSION_STAGES", "AWSCURRENT,blue")],
                Observed::Absent,
                "check policy unnamed, create, label blue, set policy",
            ),
            (
                &[given, ("ON_SCHEDULED_DELETION", "restore")],
                described(
                    SecretMetadata {
                        deleted: true,
                        ..secret()
                    },
                    None,
                ),
                "check policy unnamed, restore",
            ),
            (
                &[given],
                super::undescribed(ValueView::NoValue),
                "check policy either way, create or (put), set policy",
            ),
            (
                &[given],
                super::undescribed(ValueView::Unread(None)),
                "check policy either way, create or (put), set policy",
            ),
            (
                &[given, ("NAME", super::ARN_NAME)],
                super::undescribed(ValueView::Unread(None)),
                "check policy, put, set policy",
            ),
            (&[given], undescribed(same()), "keep v1"),
            (
                &[given],
                undescribed(other()),
                "check policy, set policy, keep v1",
            ),
        ],
        &Attempt::default(),
    );
}

/// The stored key, the requested one, and the plans of runs that have not written it, or have.
#[test]
fn key_arn_is_stored_once_over_its_bare_id() {
    const ARN: &str = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd";
    let stored = |key: &str| {
        let secret = SecretMetadata {
            kms_key_id: Some(key.to_owned()),
            ..secret()
        };
        described(secret, Some("wanted"))
    };
    let given: &[(&str, &str)] = &[("KMS_KEY_ID", ARN)];
    check(
        vec![
            (given, stored("1234abcd"), "update key, keep v1"),
            (given, stored(ARN), "keep v1"),
        ],
        &Attempt::default(),
    );
    let mut written = Attempt::default();
    written.outcome.record(Change::KmsKey(ARN.to_owned()));
    check(vec![(given, stored("1234abcd"), "keep v1")], &written);
}

#[test]
fn replica_key_is_compared_in_its_own_region() {
    let london = |account: &str| format!("arn:aws:kms:eu-west-2:{account}:key/1234abcd");
    let here = format!("eu-west-2={}", london("111122223333"));
    let there = format!("eu-west-2={}", london("444455556666"));
    let stored = || replicated(ReplicaStatus::InSync, Some("1234abcd"));
    check(
        vec![
            (&[("REPLICA_REGIONS", &here)], stored(), "keep v1"),
            (&[("REPLICA_REGIONS", &there)], stored(), "exit 6"),
        ],
        &Attempt::default(),
    );
}

#[test]
fn late_rejection_by_aws_is_anticipated() {
    let mut full = secret();
    full.tags = (0..49)
        .map(|number| (format!("tag-{number}"), "x".to_owned()))
        .chain([("aws:stack".to_owned(), "x".to_owned())])
        .collect();
    let full = || described(full.clone(), Some("other"));
    check(
        vec![
            (&[("TAGS", "a=x")], full(), "put over v1, tag a"),
            (
                &[("TAGS", "a=x tag-1=y")],
                full(),
                "put over v1, tag a+tag-1",
            ),
            (&[("TAGS", "a=x b=x")], full(), "exit 8"),
            (&[("REPLICA_REGIONS", "eu-west-1")], full(), "exit 2"),
            (&[("REPLICA_REGIONS", "cn-north-1")], full(), "exit 2"),
            (
                &[("REPLICA_REGIONS", "eu-west-1")],
                Observed::Absent,
                "exit 2",
            ),
        ],
        &Attempt::default(),
    );
}
