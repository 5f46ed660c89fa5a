//! What an observation shows about changes, other runs and versions, apart from the plan.

use super::super::*;
use super::{NOW, denied, present, secret};
use crate::labels::WriteLabel;
use crate::outcome::Change;
use crate::state::{PolicyView, Present, Replica, ReplicaStatus, SecretMetadata, VersionInfo};
use crate::testing::request;

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn labeled(versions: &[(&str, &[&str])]) -> SecretMetadata {
    let versions = versions.iter();
    SecretMetadata {
        versions: versions
            .map(|(id, labels)| ((*id).to_owned(), owned(labels)))
            .collect(),
        ..secret()
    }
}

#[test]
fn observation_shows_change_that_was_asked_for() {
    let secret = SecretMetadata {
        description: Some("d".to_owned()),
        kms_key_id: Some("alias/models".to_owned()),
        tags: [("a", "1"), ("b", "2")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into(),
        replicas: vec![Replica {
            region: "eu-west-2".to_owned(),
            kms_key_id: None,
            status: ReplicaStatus::InSync,
        }],
        ..labeled(&[("v1", &["AWSCURRENT"]), ("v2", &["blue"])])
    };
    let observed = |policy| Present {
        policy,
        ..present(secret.clone(), None)
    };
    let known = |text: &str| PolicyView::Known(Some(text.to_owned()));
    let key = |name: &str| Change::KmsKey(name.to_owned());
    let tagged = |keys: &[&str]| Change::Tagged(owned(keys));
    let untagged = |keys: &[&str]| Change::Untagged(owned(keys));
    let unreplicated = |regions: &[&str]| Change::Unreplicated(owned(regions));
    let labeled = |id: &str| Change::Labeled {
        id: id.to_owned(),
        label: "blue".to_owned(),
    };
    type Case<'a> = (&'a [(&'a str, &'a str)], Change, bool);
    let cases: Vec<Case<'_>> = vec![
        (&[("DESCRIPTION", "d")], Change::Description, true),
        (&[("DESCRIPTION", "e")], Change::Description, false),
        (&[], key("alias/models"), true),
        (&[], key("alias/other"), false),
        (&[], key("1234abcd"), false),
        (&[("TAGS", "a=1,b=2")], tagged(&["a", "b"]), true),
        (&[("TAGS", "a=1,b=3")], tagged(&["a", "b"]), false),
        (&[("TAGS", "a=1")], tagged(&["a", "b"]), false),
        (&[("TAGS", "a=1,c=2")], tagged(&["c"]), false),
        (&[], tagged(&["c"]), false),
        (&[], untagged(&["c"]), true),
        (&[], untagged(&["a", "c"]), false),
        (&[], unreplicated(&["eu-west-3"]), true),
        (&[], unreplicated(&["eu-west-2", "eu-west-3"]), false),
        (&[], labeled("v2"), true),
        (&[], labeled("v1"), false),
        (&[], Change::Restored, false),
    ];
    for (pairs, change, wanted) in cases {
        let shown = shows_change(
            &change,
            &request(pairs),
            &observed(PolicyView::NotRequested),
        );
        assert_eq!(shown, wanted, "{change:?} {pairs:?}");
    }
    let given = request(&[("RESOURCE_POLICY", r#"{"Statement":{"Action":"a:B"}}"#)]);
    for (policy, wanted) in [
        (known(r#"{"Statement":[{"Action":["A:b"]}]}"#), true),
        (known(r#"{"Statement":[]}"#), false),
        (PolicyView::Known(None), false),
        (PolicyView::Denied(denied("GetResourcePolicy")), false),
    ] {
        let observed = observed(policy);
        let shown = shows_change(&Change::Policy, &given, &observed);
        assert_eq!(shown, wanted, "{:?}", observed.policy);
    }
}

#[test]
fn full_labels_wait_for_rivals_or_expiry() {
    let label = WriteLabel::until(NOW + 60, "33333333-3333-8333-8333-333333333333").label;
    let seen = Attempt {
        rivals: [(sighting(&label, "v2"), 5)].into(),
        ..Attempt::default()
    };
    let with = |labels: usize, private: bool| {
        let others: Vec<_> = (0..labels).map(|number| number.to_string()).collect();
        let mut labels: Vec<&str> = others.iter().map(String::as_str).collect();
        labels.extend(private.then_some(&*label));
        labeled(&[("v2", &labels)])
    };
    for (labels, private, attempt, wanted) in [
        (1, true, &Attempt::default(), true),
        (1, false, &Attempt::default(), false),
        (20, false, &Attempt::default(), false),
        // A label that persists belongs to a killed run, and is removed only if room is needed.
        (18, true, &seen, false),
        (19, true, &seen, true),
        (20, true, &seen, true),
    ] {
        let freed = frees_labels(&with(labels, private), attempt, NOW);
        assert_eq!(freed, wanted, "{labels} {private} {:?}", attempt.rivals);
    }
}

#[test]
fn list_agrees_if_it_shows_the_same_holders() {
    let secret = labeled(&[("v1", &["AWSPREVIOUS", "blue"]), ("v2", &["AWSCURRENT"])]);
    let first = labeled(&[("v1", &["AWSCURRENT"])]);
    type Case<'a> = (&'a SecretMetadata, &'a [(&'a str, &'a [&'a str])], bool);
    let cases: [Case<'_>; 8] = [
        (
            &secret,
            &[("v1", &["AWSPREVIOUS"]), ("v2", &["AWSCURRENT"])],
            true,
        ),
        // Other labels do not affect a rollback.
        (
            &secret,
            &[
                ("v0", &["blue"]),
                ("v1", &["AWSPREVIOUS"]),
                ("v2", &["AWSCURRENT", "green"]),
            ],
            true,
        ),
        (
            &secret,
            &[("v1", &["AWSCURRENT"]), ("v2", &["AWSPREVIOUS"])],
            false,
        ),
        (&secret, &[("v2", &["AWSCURRENT"])], false),
        (
            &secret,
            &[
                ("v1", &["AWSPREVIOUS"]),
                ("v2", &["AWSCURRENT"]),
                ("v3", &["AWSCURRENT"]),
            ],
            false,
        ),
        (&secret, &[], false),
        (&first, &[("v1", &["AWSCURRENT"])], true),
        (
            &first,
            &[("v0", &["AWSPREVIOUS"]), ("v1", &["AWSCURRENT"])],
            false,
        ),
    ];
    for (secret, listed, wanted) in cases {
        let versions = listed.iter().map(|(id, labels)| VersionInfo {
            id: (*id).to_owned(),
            created: None,
            labels: owned(labels),
        });
        let versions: Vec<_> = versions.collect();
        assert_eq!(agrees(secret, &versions), wanted, "{listed:?}");
    }
}
