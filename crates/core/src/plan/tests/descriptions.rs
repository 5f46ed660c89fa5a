//! The descriptions by `plan`: each step, and the difference that causes it.

use super::super::*;
use super::{decide, denied, described, present, secret, undescribed, unread, value_view};
use crate::quote::ForeignText;
use crate::state::{PolicyView, Present, Replica, ReplicaStatus, SecretMetadata};
use crate::testing::request;
use crate::value::{Kind, SecretBytes, SecretValue};

/// The lines of a plan, as `what: why`.
fn lines(pairs: &[(&str, &str)], observed: &Observed) -> Vec<String> {
    let plan = decide(pairs, observed, &Attempt::default()).unwrap();
    let mut all = vec![("VALUE", "wanted")];
    all.extend(pairs);
    let steps = describe(&plan, &request(&all), observed).into_iter();
    steps
        .map(|step| format!("{}: {}", step.what, step.why))
        .collect()
}

/// Asserts the number of lines, and parts of each in their order.
fn check_lines(pairs: &[(&str, &str)], observed: &Observed, wanted: &[&[&str]]) {
    let lines = lines(pairs, observed);
    assert_eq!(lines.len(), wanted.len(), "{pairs:?} {lines:#?}");
    for (line, parts) in lines.iter().zip(wanted) {
        let mut rest = line.as_str();
        for part in *parts {
            let at = rest.find(part);
            let at = at.unwrap_or_else(|| panic!("{pairs:?}: no {part:?} in {line:?}"));
            rest = &rest[at + part.len()..];
        }
    }
}

fn labeled(versions: &[(&str, &[&str])]) -> SecretMetadata {
    let versions = versions.iter().map(|(id, labels)| {
        let labels = labels.iter().map(|label| (*label).to_owned()).collect();
        ((*id).to_owned(), labels)
    });
    SecretMetadata {
        versions: versions.collect(),
        ..secret()
    }
}

fn with_policy(policy: PolicyView) -> Observed {
    Observed::Present(Box::new(Present {
        policy,
        ..present(secret(), Some("wanted"))
    }))
}

#[test]
fn write_of_value_is_explained() {
    let current: &[(&str, &[&str])] = &[("v1", &["AWSCURRENT"]), ("v2", &["blue"])];
    let blue: &[(&str, &str)] = &[("VERSION_STAGES", "blue")];
    let guard: &[(&str, &str)] = &[("EXPECTED_VERSION_ID", "v1")];
    check_lines(&[], &described(secret(), Some("wanted")), &[]);
    check_lines(
        &[],
        &described(secret(), Some("other")),
        &[&[
            "new version, AWSCURRENT",
            "version v1, AWSCURRENT,",
            "another value",
        ]],
    );
    check_lines(
        &[("STORE_AS", "binary")],
        &described(secret(), Some("wanted")),
        &[&["new version", "version v1", "string", "binary"]],
    );
    check_lines(
        &[],
        &unread(secret()),
        &[&["new version", "version v1", "not compared"]],
    );
    check_lines(
        blue,
        &described(labeled(current), Some("other")),
        &[&["new version, blue", "version v2, blue,", "another value"]],
    );
    check_lines(
        blue,
        &described(secret(), None),
        &[&["new version, blue", "no version holds blue"]],
    );
    check_lines(
        &[],
        &undescribed(value_view("other")),
        &[&["new version", "version v1", "another value"]],
    );
    check_lines(
        guard,
        &described(secret(), Some("other")),
        &[&["new version, AWSCURRENT, unless", "version v1, AWSCURRENT,"]],
    );
}

#[test]
fn edit_of_json_names_the_keys() {
    let stored = described(secret(), Some(r#"{"a":1,"c":"wanted","d":2}"#));
    check_lines(
        &[("JSON_KEY", "/b/c")],
        &stored,
        &[&["new version, AWSCURRENT: add the key /b/c:", "version v1"]],
    );
    check_lines(
        &[("JSON_KEY", "b"), ("JSON_KEY", "c"), ("JSON_KEY", "d")],
        &stored,
        &[&[
            "new version, AWSCURRENT: add the key b; change the key d:",
            "version v1",
        ]],
    );
    check_lines(
        &[("JSON_KEY", "b")],
        &described(labeled(&[]), None),
        &[&["key b ", "no current version"]],
    );
}

#[test]
fn composed_document_names_its_keys() {
    let wanted: &[(&str, &str)] = &[
        ("VALUE", r#"{"a":"new","b":"x","c":{"d":1}}"#),
        ("COMPOSED", "a,b,/c/d"),
    ];
    let labels: &[(&str, &[&str])] = &[("v1", &["AWSCURRENT"]), ("v2", &["blue"])];
    let stored = r#"{"b":"x","a":"old-value","hidden":{"hidden":1},"c":{"hidden":1}}"#;
    check_lines(
        wanted,
        &described(secret(), Some(stored)),
        &[&[
            "write the document as a new version, AWSCURRENT: add the key /c/d; change the key a; remove 2 other keys:",
            "version v1, AWSCURRENT, holds another document",
        ]],
    );
    for pairs in [
        [wanted, &[("VERSION_STAGES", "blue")]].concat(),
        [wanted, &[("EXPECTED_VERSION_ID", "v1")]].concat(),
    ] {
        check_lines(
            &pairs,
            &described(labeled(labels), Some("{}")),
            &[&[
                "the document as a new version",
                ": add the keys a, b, /c/d:",
            ]],
        );
    }
    // Nothing to compare with, or not a document.
    for observed in [
        described(secret(), Some("made-up words")),
        described(labeled(&[]), None),
        unread(secret()),
    ] {
        check_lines(wanted, &observed, &[&["write the value as a new version"]]);
    }
    let binary = SecretValue::stored(SecretBytes::new(b"{}".to_vec()), Kind::Binary);
    check_lines(
        wanted,
        &Observed::Present(Box::new(Present {
            value: Some(binary),
            ..present(secret(), None)
        })),
        &[&["write the value as a new version", "string", "binary"]],
    );
    check_lines(
        wanted,
        &Observed::Absent,
        &[&["create the secret with the keys a, b, /c/d:"]],
    );
    check_lines(
        wanted,
        &described(secret(), Some(r#"{"c":{"d":1},"b":"x","a":"new"}"#)),
        &[],
    );
}

#[test]
fn long_list_of_keys_is_cut() {
    let keys: Vec<_> = (0..25).map(|n| format!("k{n}")).collect();
    let keys = keys.join(",");
    check_lines(
        &[("VALUE", "{}"), ("COMPOSED", &keys)],
        &Observed::Absent,
        &[&["keys k0, ", ", k19 and 5 more:"]],
    );
}

#[test]
fn creation_lists_what_the_secret_gets() {
    check_lines(
        &[],
        &Observed::Absent,
        &[&["create the secret with the value: ", "does not exist"]],
    );
    check_lines(
        &[
            ("DESCRIPTION", "d"),
            ("KMS_KEY_ID", "alias/models"),
            ("TAGS", "a=b,c=d"),
            ("REPLICA_REGIONS", "eu-west-2,us-east-1"),
            ("VERSION_STAGES", "AWSCURRENT,blue"),
        ],
        &Observed::Absent,
        &[
            &[
                "create",
                "description",
                "alias/models",
                "2 tags",
                "eu-west-2, us-east-1",
            ],
            &["label blue", "the new version", "no version holds it"],
            &["wait", "eu-west-2, us-east-1"],
        ],
    );
    check_lines(
        &[("DESCRIPTION", "d"), ("TAGS", "a=b")],
        &undescribed(ValueView::Unread(None)),
        &[
            &["create", "if it does not exist"],
            &["description `d`", "if it exists", "cannot be read"],
            &["new version", "if it exists", "cannot be read"],
            &["tag a=b", "if it exists", "cannot be read"],
        ],
    );
}

#[test]
fn metadata_is_shown_beside_its_current_state() {
    let tagged = SecretMetadata {
        description: Some("old".to_owned()),
        tags: [("team", "ml"), ("extra", "x")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into(),
        ..secret()
    };
    check_lines(
        &[
            ("DESCRIPTION", "new"),
            ("KMS_KEY_ID", "alias/models"),
            ("TAGS", "a=b,team=ops"),
            ("TAG_POLICY", "replace"),
        ],
        &described(tagged, Some("wanted")),
        &[
            &["description `new`", "`old`"],
            &["KMS key `alias/models`", "`alias/aws/secretsmanager`"],
            &["tag a=b", "none"],
            &["tag team=ops", "`ml`"],
            &["remove the tags extra", "`tag-policy`"],
        ],
    );
    let keyed = SecretMetadata {
        kms_key_id: Some("alias/other".to_owned()),
        ..secret()
    };
    check_lines(
        &[("KMS_KEY_ID", "alias/models")],
        &described(keyed, Some("wanted")),
        &[&["KMS key `alias/models`", "`alias/other`"]],
    );
    let bare = SecretMetadata {
        kms_key_id: Some("alias/models".to_owned()),
        ..secret()
    };
    let arn = "arn:aws:kms:eu-west-1:111122223333:alias/models";
    check_lines(
        &[("KMS_KEY_ID", arn)],
        &described(bare, Some("wanted")),
        &[&[
            "KMS key `arn:",
            "`alias/models`, which callers in other accounts",
        ]],
    );
    check_lines(
        &[("DESCRIPTION", "new")],
        &described(secret(), Some("wanted")),
        &[&["description `new`", "none"]],
    );
}

#[test]
fn replication_is_explained_by_region() {
    let replica = |region: &str, status| Replica {
        region: region.to_owned(),
        kms_key_id: None,
        status,
    };
    let replicated = SecretMetadata {
        replicas: vec![
            replica(
                "eu-west-2",
                ReplicaStatus::Failed(ForeignText::new("made up")),
            ),
            replica("eu-west-3", ReplicaStatus::InSync),
            replica("eu-north-1", ReplicaStatus::InSync),
        ],
        ..secret()
    };
    check_lines(
        &[
            ("REPLICA_REGIONS", "eu-west-2,eu-west-3=1234abcd,us-east-1"),
            ("REPLICA_POLICY", "replace"),
        ],
        &described(replicated, Some("wanted")),
        &[
            &[
                "remove the replicas in eu-west-3, eu-north-1",
                "`replica-policy`",
            ],
            &["to eu-west-2", "failed: made up"],
            &["to eu-west-3", "KMS key"],
            &["to us-east-1", "no replica"],
            &["wait", "eu-west-2, eu-west-3, us-east-1", "not in sync"],
        ],
    );
}

#[test]
fn policy_is_explained_by_the_attached_one() {
    let given: &[(&str, &str)] = &[("RESOURCE_POLICY", "{}")];
    let other = || Some(r#"{"Statement":[]}"#.to_owned());
    for (policy, why) in [
        (PolicyView::Known(None), "none is attached"),
        (PolicyView::Known(other()), "a different one is attached"),
        (
            PolicyView::Denied(denied("GetResourcePolicy")),
            "cannot be read",
        ),
    ] {
        let wanted: &[&[&str]] = &[&["validate"], &["write the resource policy", why]];
        check_lines(given, &with_policy(policy), wanted);
    }
    check_lines(
        given,
        &Observed::Absent,
        &[&["validate"], &["create"], &["write the resource policy"]],
    );
}

#[test]
fn labels_and_restores_are_explained() {
    let deleted = SecretMetadata {
        deleted: true,
        ..secret()
    };
    check_lines(
        &[("ON_SCHEDULED_DELETION", "restore")],
        &described(deleted, None),
        &[&["restore", "scheduled for deletion"]],
    );
    let staged = labeled(&[("v1", &["AWSCURRENT"]), ("v2", &["blue"])]);
    check_lines(
        &[("VERSION_STAGES", "AWSCURRENT,blue")],
        &described(staged, Some("wanted")),
        &[&["label blue", "version v1", "version v2 holds it"]],
    );
    let killed = labeled(&[
        ("v1", &["AWSCURRENT"]),
        (
            "v2",
            &["upsert-secret-until-1-00000000-0000-8000-8000-000000000000"],
        ),
    ]);
    check_lines(
        &[("EXPECTED_VERSION_ID", "v1")],
        &described(killed, Some("other")),
        &[
            &["1 private label", "killed"],
            &["new version", "version v1"],
        ],
    );
}
