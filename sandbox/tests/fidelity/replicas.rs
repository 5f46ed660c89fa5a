//! Conditions of replicas.

use serde_json::{Value, json};

use crate::run::{Case, Run, case, ok, refused, same, token};

const REPLICATE: &str = "ReplicateSecretToRegions";
const SAME_REGION: (&str, &str) = ("InvalidParameterException", "Invalid replica region.");
const IS_REPLICA: (&str, &str) = (
    "InvalidParameterException",
    "Operation not permitted on a replica secret. Call must be made in primary secret's region.",
);

fn to(run: &Run<'_>, region: &str) -> Value {
    json!({"SecretId": run.name, "AddReplicaRegions": [{"Region": region}]})
}

/// The status of the only replica.
fn status(answer: &Value) -> Value {
    answer["ReplicationStatus"][0]["Status"].clone()
}

pub(crate) const CASES: &[Case] = &[
    case(
        "X01",
        "R",
        "to its own region: InvalidParameterException",
        |run| {
            run.create()?;
            run.refused(REPLICATE, &to(run, &run.client.region), SAME_REGION)
        },
    ),
    case(
        "X01b",
        "R",
        "created with its own region as a replica: the same",
        |run| {
            let mut input =
                json!({"Name": run.name, "SecretString": "v1", "ClientRequestToken": token(1)});
            input["AddReplicaRegions"] = json!([{"Region": run.client.region}]);
            run.refused("CreateSecret", &input, SAME_REGION)
        },
    ),
    case(
        "X02",
        "D",
        "InProgress, later InSync; the replica can be read, its ARN differs in the region only",
        |run| {
            let made = run.create()?;
            let answer = run.ok(REPLICATE, &to(run, "us-west-2"))?;
            same("Status", &status(&answer), &json!("InProgress"))?;
            same("Status later", &status(&run.describe()?), &json!("InSync"))?;
            let got = ok(&run.west, "GetSecretValue", &run.id())?;
            same("SecretString", &got["SecretString"], &json!("v1"))?;
            same("VersionId", &got["VersionId"], &json!(token(1)))?;
            let arn = made["ARN"].as_str().unwrap_or_default();
            let moved = arn.replace(&run.client.region, "us-west-2");
            same("ARN", &got["ARN"], &json!(moved))?;
            let shown = ok(&run.west, "DescribeSecret", &run.id())?;
            same(
                "PrimaryRegion",
                &shown["PrimaryRegion"],
                &json!(run.client.region),
            )
        },
    ),
    case("X02b", "D", "the replica follows a new version", |run| {
        run.create()?;
        run.ok(REPLICATE, &to(run, "us-west-2"))?;
        run.put(2)?;
        let got = ok(&run.west, "GetSecretValue", &run.id())?;
        same("SecretString", &got["SecretString"], &json!("v2"))?;
        same("VersionId", &got["VersionId"], &json!(token(2)))
    }),
    case(
        "X03",
        "R",
        "a write to a replica: InvalidParameterException",
        |run| {
            run.create()?;
            run.ok(REPLICATE, &to(run, "us-west-2"))?;
            for operation in ["UpdateSecret", "PutSecretValue"] {
                refused(&run.west, operation, &run.version(2), IS_REPLICA)?;
            }
            let tag = json!({"SecretId": run.name, "Tags": [{"Key": "k", "Value": "v"}]});
            refused(&run.west, "TagResource", &tag, IS_REPLICA)
        },
    ),
    case(
        "X04",
        "D",
        "the name exists there: a success that says Failed and why",
        |run| {
            run.create()?;
            let other =
                json!({"Name": run.name, "SecretString": "theirs", "ClientRequestToken": token(5)});
            ok(&run.west, "CreateSecret", &other)?;
            let answer = run.ok(REPLICATE, &to(run, "us-west-2"))?;
            let shown = run.describe()?;
            same("Status later", &status(&shown), &json!("Failed"))?;
            let failed = if status(&answer) == "Failed" {
                &answer
            } else {
                &shown
            };
            let message = failed["ReplicationStatus"][0]["StatusMessage"].is_string();
            same("a StatusMessage", &message, &true)?;
            let got = ok(&run.west, "GetSecretValue", &run.id())?;
            same("SecretString", &got["SecretString"], &json!("theirs"))
        },
    ),
    case(
        "X06",
        "D",
        "deleting a primary that has replicas: 400",
        |run| {
            run.create()?;
            run.ok(REPLICATE, &to(run, "us-west-2"))?;
            run.refused_somehow("DeleteSecret", &run.id())?;
            run.value("v1")
        },
    ),
];
