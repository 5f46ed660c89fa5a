//! The permissions that a run needs, and how they are packed into policies.

use std::collections::BTreeSet;

use super::*;
use crate::testing::{label_move, request};

mod packing;

const REGION: &str = "eu-west-1";
const ACCOUNT: &str = "111122223333";
const SECRETS: &str = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:";
const ARN: &str = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:a-AbCdEf";

type Inputs<'a> = &'a [(&'a str, &'a str)];

fn printed(run: PolicyRun) -> Value {
    documents(&PolicyRequest {
        run,
        region: REGION.to_owned(),
        account: Some(ACCOUNT.to_owned()),
        trust: None,
        notes: Vec::new(),
    })
}

fn upsert(pairs: Inputs<'_>) -> Value {
    printed(PolicyRun::Upsert(Box::new(request(pairs))))["policy"].take()
}

fn manifest(secrets: &[Inputs<'_>], sources: &[(&str, Option<&str>)]) -> Value {
    let sources = sources
        .iter()
        .map(|(id, region)| (Target::parse(id).unwrap(), region.map(str::to_owned)));
    printed(PolicyRun::Manifest(
        secrets.iter().map(|pairs| request(pairs)).collect(),
        sources.collect(),
    ))
}

fn statements(policy: &Value) -> &[Value] {
    policy["Statement"].as_array().unwrap()
}

fn sids(policy: &Value) -> Vec<&str> {
    let statements = statements(policy).iter();
    statements.map(|one| one["Sid"].as_str().unwrap()).collect()
}

fn statement<'a>(policy: &'a Value, sid: &str) -> &'a Value {
    let found = statements(policy).iter().find(|one| one["Sid"] == sid);
    found.unwrap_or_else(|| panic!("{sid}: {policy:#}"))
}

fn texts(list: &Value) -> Vec<&str> {
    let items = list.as_array().unwrap().iter();
    items.map(|item| item.as_str().unwrap()).collect()
}

/// The actions of a statement, without their service.
fn actions(policy: &Value, sid: &str) -> String {
    let actions = texts(&statement(policy, sid)["Action"]).into_iter();
    let names: Vec<_> = actions
        .map(|action| action.split_once(':').unwrap().1)
        .collect();
    names.join(" ")
}

#[test]
fn reads_follow_from_inputs() {
    let cases: &[(Inputs<'_>, &str)] = &[
        (&[], "DescribeSecret GetSecretValue"),
        (&[("COMPARE", "never")], "DescribeSecret"),
        (&[("IF_EXISTS", "skip")], "DescribeSecret"),
        (
            &[("COMPARE", "never"), ("RESOURCE_POLICY", "{}")],
            "DescribeSecret GetResourcePolicy",
        ),
    ];
    for (pairs, wanted) in cases {
        assert_eq!(actions(&upsert(pairs), "ReadSecret"), *wanted, "{pairs:?}");
    }
}

#[test]
fn policy_of_new_secret_is_validated_without_it() {
    let given = ("RESOURCE_POLICY", "{}");
    let validate = |policy: &Value| {
        let statements = policy["Statement"].as_array().unwrap().iter();
        let found = statements.filter(|statement| statement["Sid"] == "ValidatePolicy");
        found.cloned().collect::<Vec<_>>()
    };
    let wanted = json!({
        "Sid": "ValidatePolicy", "Effect": "Allow", "Resource": ["*"],
        "Action": ["secretsmanager:ValidateResourcePolicy"],
    });
    assert_eq!(validate(&upsert(&[given])), [wanted]);
    // Nothing is created, or nothing is validated.
    assert!(validate(&upsert(&[given, ("NAME", ARN)])).is_empty());
    assert!(validate(&upsert(&[])).is_empty());
}

#[test]
fn writes_follow_from_inputs() {
    const REPLACE: (&str, &str) = ("TAG_POLICY", "replace");
    const REPLACE_REPLICAS: (&str, &str) = ("REPLICA_POLICY", "replace");
    let value = ["CreateSecret", "PutSecretValue", "UpdateSecretVersionStage"];
    // Permissions needed in addition to writing the value.
    let cases: &[(Inputs<'_>, &[&str])] = &[
        (&[], &[]),
        (&[("COMPARE", "never")], &[]),
        (&[("IF_EXISTS", "skip")], &[]),
        (&[("VERSION_STAGES", "blue,AWSCURRENT")], &[]),
        (&[("JSON_KEY", "b")], &[]),
        (&[("DESCRIPTION", "d")], &["UpdateSecret"]),
        (&[("KMS_KEY_ID", "alias/models")], &["UpdateSecret"]),
        // The secret may have a key other than the default one.
        (
            &[("KMS_KEY_ID", "alias/aws/secretsmanager")],
            &["UpdateSecret"],
        ),
        (&[("TAGS", "k=v")], &["TagResource"]),
        (
            &[("TAGS", "k=v"), REPLACE],
            &["TagResource", "UntagResource"],
        ),
        (
            &[("REPLICA_REGIONS", "eu-west-2")],
            &["ReplicateSecretToRegions"],
        ),
        (
            &[("REPLICA_REGIONS", "eu-west-2=1234abcd"), REPLACE_REPLICAS],
            &["RemoveRegionsFromReplication", "ReplicateSecretToRegions"],
        ),
        (
            &[("REPLICA_REGIONS", "none"), REPLACE_REPLICAS],
            &["RemoveRegionsFromReplication"],
        ),
        (
            &[("RESOURCE_POLICY", "{}")],
            &["PutResourcePolicy", "ValidateResourcePolicy"],
        ),
        (&[("ON_SCHEDULED_DELETION", "restore")], &["RestoreSecret"]),
    ];
    for (pairs, besides) in cases {
        let wanted: BTreeSet<_> = value.iter().chain(*besides).copied().collect();
        let policy = upsert(pairs);
        let actions: BTreeSet<_> = actions(&policy, "WriteSecret")
            .split(' ')
            .map(str::to_owned)
            .collect();
        assert!(actions.iter().eq(wanted), "{pairs:?} {actions:?}");
    }
    // An ARN or a version ID cannot refer to a secret that does not exist yet.
    for pair in [("NAME", ARN), ("EXPECTED_VERSION_ID", "v1")] {
        let policy = upsert(&[pair]);
        let wanted = "PutSecretValue UpdateSecretVersionStage";
        assert_eq!(actions(&policy, "WriteSecret"), wanted, "{pair:?}");
    }
}

#[test]
fn label_moves_need_no_value() {
    for (promote, reads) in [
        (true, "DescribeSecret"),
        (false, "DescribeSecret ListSecretVersionIds"),
    ] {
        let run = PolicyRun::Moves(vec![label_move(promote, &[])]);
        let policy = printed(run)["policy"].take();
        assert_eq!(sids(&policy), ["ReadSecret", "WriteSecret"]);
        assert_eq!(actions(&policy, "ReadSecret"), reads);
        assert_eq!(actions(&policy, "WriteSecret"), "UpdateSecretVersionStage");
    }
}

#[test]
fn secret_is_named_by_pattern_or_arn() {
    let policy = upsert(&[("NAME", "prod/a")]);
    let (exact, pattern) = (
        format!("{SECRETS}prod/a"),
        format!("{SECRETS}prod/a-??????"),
    );
    let resources = |sid| texts(&statement(&policy, sid)["Resource"]);
    // For a secret that does not exist, IAM evaluates reads without the characters that AWS appends.
    assert_eq!(resources("ReadSecret"), [&pattern, &exact]);
    assert_eq!(resources("WriteSecret"), [&pattern]);
    let policy = upsert(&[("NAME", ARN)]);
    for sid in ["ReadSecret", "WriteSecret"] {
        assert_eq!(texts(&statement(&policy, sid)["Resource"]), [ARN], "{sid}");
    }
    let unknown_account = documents(&PolicyRequest {
        run: PolicyRun::Upsert(Box::new(request(&[]))),
        region: "cn-north-1".to_owned(),
        account: None,
        trust: None,
        notes: Vec::new(),
    });
    assert_eq!(
        texts(&statement(&unknown_account["policy"], "WriteSecret")["Resource"]),
        ["arn:aws-cn:secretsmanager:cn-north-1:*:secret:a-??????"]
    );
}

#[test]
fn customer_managed_keys_are_usable() {
    let key = |name| upsert(&[("KMS_KEY_ID", name)]);
    let by_id = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd";
    let any = "arn:aws:kms:eu-west-1:111122223333:key/*";
    let alias = "arn:aws:kms:eu-west-1:111122223333:alias/models";
    for (name, resource, alias) in [
        ("1234abcd", by_id, None),
        (by_id, by_id, None),
        ("alias/models", any, Some("alias/models")),
        (alias, any, Some("alias/models")),
    ] {
        let mut condition =
            json!({"StringEquals": {"kms:ViaService": "secretsmanager.eu-west-1.amazonaws.com"}});
        if let Some(alias) = alias {
            condition["ForAnyValue:StringEquals"] = json!({"kms:ResourceAliases": alias});
        }
        let wanted = json!({
            "Sid": "UseKey",
            "Effect": "Allow",
            "Action": ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"],
            "Resource": resource,
            "Condition": condition,
        });
        assert_eq!(*statement(&key(name), "UseKey"), wanted, "{name}");
    }
    // AWS managed keys need no permission.
    let policy = key("alias/aws/secretsmanager");
    assert_eq!(sids(&policy), ["ReadSecret", "WriteSecret"]);
}

#[test]
fn keys_of_replicas_are_usable_in_their_region() {
    let policy = upsert(&[("REPLICA_REGIONS", "us-east-1=1234abcd,eu-west-2")]);
    assert_eq!(
        sids(&policy),
        ["ReadSecret", "WriteSecret", "UseKeyInUsEast1"]
    );
    let wanted = json!({
        "Sid": "UseKeyInUsEast1",
        "Effect": "Allow",
        "Action": ["kms:Encrypt", "kms:GenerateDataKey"],
        "Resource": "arn:aws:kms:us-east-1:111122223333:key/1234abcd",
        "Condition": {"StringEquals": {"kms:ViaService": "secretsmanager.us-east-1.amazonaws.com"}},
    });
    assert_eq!(*statement(&policy, "UseKeyInUsEast1"), wanted);
}

#[test]
fn request_without_write_needs_no_write_or_key() {
    let policy = upsert(&[
        ("IF_EXISTS", "skip"),
        ("EXPECTED_VERSION_ID", "v1"),
        ("KMS_KEY_ID", "1234abcd"),
        ("REPLICA_REGIONS", "us-east-1=1234abcd"),
    ]);
    assert_eq!(sids(&policy), ["ReadSecret"]);
}

#[test]
fn manifest_shares_statements() {
    let key = ("KMS_KEY_ID", "1234abcd");
    let documents = manifest(
        &[
            &[("NAME", "prod/a"), key],
            &[("NAME", "prod/b"), key],
            &[("NAME", "c"), ("COMPARE", "never")],
        ],
        &[
            ("source", None),
            ("elsewhere", Some("us-east-1")),
            (&ARN.replace(REGION, "eu-west-2"), None),
        ],
    );
    let policy = &documents["policy"];
    let lines: BTreeSet<String> = statements(policy)
        .iter()
        .map(|one| {
            let resources = match &one["Resource"] {
                Value::String(resource) => vec![resource.as_str()],
                list => texts(list),
            };
            format!("{} {}", one["Sid"].as_str().unwrap(), resources.join(" ")).replace(SECRETS, "")
        })
        .collect();
    let wanted = [
        "ReadSecret2 prod/a-?????? prod/a prod/b-?????? prod/b",
        "ReadSecret c-?????? c",
        "ReadSource source-?????? source",
        "ReadSource2 arn:aws:secretsmanager:eu-west-2:111122223333:secret:a-AbCdEf",
        "ReadSource3 arn:aws:secretsmanager:us-east-1:111122223333:secret:elsewhere-?????? \
         arn:aws:secretsmanager:us-east-1:111122223333:secret:elsewhere",
        "WriteSecret2 c-??????",
        "WriteSecret prod/a-?????? prod/b-??????",
        "ReadMany *",
        "UseKey arn:aws:kms:eu-west-1:111122223333:key/1234abcd",
    ];
    assert_eq!(lines, wanted.map(str::to_owned).into());
    assert_eq!(actions(policy, "ReadMany"), "BatchGetSecretValue");
    assert_eq!(actions(policy, "ReadSource"), "GetSecretValue");
    let unread = manifest(&[&[("COMPARE", "never")]], &[]);
    assert_eq!(sids(&unread["policy"]), ["ReadSecret", "WriteSecret"]);
}

#[test]
fn role_is_trusted_by_audience_and_subject() {
    let documents = documents(&PolicyRequest {
        run: PolicyRun::Upsert(Box::new(request(&[]))),
        region: "cn-north-1".to_owned(),
        account: Some(ACCOUNT.to_owned()),
        trust: Some(Trust {
            account: ACCOUNT.to_owned(),
            partition: "aws-cn".to_owned(),
            provider: "ci.example".to_owned(),
            audience: "made-up-audience".to_owned(),
            subject: "made-up-subject".to_owned(),
        }),
        notes: Vec::new(),
    });
    let wanted = json!([{
        "Sid": "AssumeRoleFromCI",
        "Effect": "Allow",
        "Principal": {"Federated": "arn:aws-cn:iam::111122223333:oidc-provider/ci.example"},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {
            "ci.example:aud": "made-up-audience",
            "ci.example:sub": "made-up-subject",
        }},
    }]);
    assert_eq!(documents["trust"]["Statement"], wanted);
    assert_eq!(
        printed(PolicyRun::Upsert(Box::new(request(&[])))).get("trust"),
        None
    );
}

#[test]
fn import_lists_all_and_reads_what_matches() {
    let import = |names: &[&str], policies| {
        printed(PolicyRun::Import {
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            policies,
        })
    };
    let policy = import(&["prod/*", "key"], true)["policy"].take();
    assert_eq!(sids(&policy), ["ListSecrets", "ReadSecret"]);
    assert_eq!(texts(&statement(&policy, "ListSecrets")["Resource"]), ["*"]);
    assert_eq!(
        actions(&policy, "ReadSecret"),
        "DescribeSecret GetResourcePolicy"
    );
    assert_eq!(
        texts(&statement(&policy, "ReadSecret")["Resource"]),
        [
            format!("{SECRETS}prod/*-??????"),
            format!("{SECRETS}key-??????")
        ]
    );
    let policy = import(&["*"], false)["policy"].take();
    assert_eq!(actions(&policy, "ReadSecret"), "DescribeSecret");
    let long = "x".repeat(500);
    let documents = import(&[long.as_str(); 30], false);
    let policies = documents["policies"].as_array().unwrap();
    assert!(
        policies
            .iter()
            .all(|policy| policy.to_string().len() <= 6_144)
    );
}
