//! Description, key, tags, replicas, resource policy.

use std::collections::BTreeMap;

use super::super::*;
use super::{check, denied, described, present, secret, value_view};
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
                "update description key, put over v1, untag old, tag team",
            ),
            (&[("TAGS", "team=ops")], other(), "put over v1, tag team"),
        ],
        &Attempt::default(),
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
    let failed = || Failed("made up".to_owned());
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
            // Without a key in the request, any key is right.
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
                "create, check policy, set policy",
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
