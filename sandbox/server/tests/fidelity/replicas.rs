//! Conditions of replicas.

use serde_json::{Value, json};

use crate::run::{Case, NO_SECRET, Outcome, Run, case, fails_with, ok, same, sandbox_case, token};

pub(crate) const REPLICATE: &str = "ReplicateSecretToRegions";
const SAME_REGION: (&str, &str) = ("InvalidParameterException", "Invalid replica region.");
pub(crate) const IS_REPLICA: (&str, &str) = (
    "InvalidParameterException",
    "Operation not permitted on a replica secret. Call must be made in primary secret's region.",
);

pub(crate) fn to(run: &Run<'_>, region: &str) -> Value {
    json!({"SecretId": run.name, "AddReplicaRegions": [{"Region": region}]})
}

/// Waits as a client does, until the primary no longer reports InProgress.
pub(crate) fn settled(run: &Run<'_>) -> Result<Value, String> {
    for _ in 0..100 {
        let shown = run.describe()?;
        if status(&shown) != "InProgress" {
            return Ok(shown);
        }
    }
    Err("replication does not end".to_owned())
}

/// Replicates to us-west-2 and waits.
pub(crate) fn replicated(run: &Run<'_>) -> Outcome {
    run.ok(REPLICATE, &to(run, "us-west-2"))?;
    let shown = settled(run)?;
    same("Status later", &status(&shown), &json!("InSync"))
}

/// The status of the only replica.
pub(crate) fn status(answer: &Value) -> Value {
    answer["ReplicationStatus"][0]["Status"].clone()
}

pub(crate) const CASES: &[Case] = &[
    case(
        "X01",
        "R",
        "to its own region: InvalidParameterException",
        |run| {
            run.create()?;
            run.fails_with(REPLICATE, &to(run, &run.client.region), SAME_REGION)
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
            run.fails_with("CreateSecret", &input, SAME_REGION)
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
            let later = settled(run)?;
            same("Status later", &status(&later), &json!("InSync"))?;
            let region = &later["ReplicationStatus"][0]["Region"];
            same("Region", region, &json!("us-west-2"))?;
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
        replicated(run)?;
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
            replicated(run)?;
            for operation in ["UpdateSecret", "PutSecretValue"] {
                fails_with(&run.west, operation, &run.version(2), IS_REPLICA)?;
            }
            let tag = json!({"SecretId": run.name, "Tags": [{"Key": "k", "Value": "v"}]});
            fails_with(&run.west, "TagResource", &tag, IS_REPLICA)
        },
    ),
    case(
        "X04",
        "D",
        "the name exists there: a success with status Failed and the reason",
        |run| {
            run.create()?;
            let other = json!({"Name": run.name, "SecretString": "foreign", "ClientRequestToken": token(5)});
            ok(&run.west, "CreateSecret", &other)?;
            let answer = run.ok(REPLICATE, &to(run, "us-west-2"))?;
            let shown = settled(run)?;
            same("Status later", &status(&shown), &json!("Failed"))?;
            let failed = if status(&answer) == "Failed" {
                &answer
            } else {
                &shown
            };
            let message = failed["ReplicationStatus"][0]["StatusMessage"].is_string();
            same("a StatusMessage", &message, &true)?;
            let got = ok(&run.west, "GetSecretValue", &run.id())?;
            same("SecretString", &got["SecretString"], &json!("foreign"))
        },
    ),
    sandbox_case(
        "X02c",
        "D; timing not recorded",
        "InProgress for as many DescribeSecret calls as set, not readable before InSync",
        |run| {
            for (describes, name) in [(0, "x/0"), (1, "x/1"), (3, "x/3")] {
                let id = json!({"SecretId": name});
                if describes != 1 {
                    run.arrange(|world| world.replicas_settle_after(describes));
                }
                run.arrange(|world| drop(world.create(name, "v1")));
                let input =
                    json!({"SecretId": name, "AddReplicaRegions": [{"Region": "us-west-2"}]});
                run.ok(REPLICATE, &input)?;
                for _ in 0..describes {
                    let shown = run.ok("DescribeSecret", &id)?;
                    same("Status", &status(&shown), &json!("InProgress"))?;
                    fails_with(&run.west, "GetSecretValue", &id, NO_SECRET)?;
                }
                let shown = run.ok("DescribeSecret", &id)?;
                same("Status", &status(&shown), &json!("InSync"))?;
                ok(&run.west, "GetSecretValue", &id)?;
                run.arrange(|world| world.replicas_settle_after(1));
            }
            Ok(())
        },
    ),
    sandbox_case(
        "X02d",
        "D",
        "created with replicas: own keys, LastAccessedDate once read there, metadata follows",
        |run| {
            run.arrange(|world| world.add_kms_key_in("us-west-2", "alias/west"));
            let mut input =
                json!({"Name": run.name, "SecretString": "v1", "ClientRequestToken": token(1)});
            input["AddReplicaRegions"] = json!([
                {"Region": "us-west-2", "KmsKeyId": "alias/west"},
                {"Region": "eu-north-1"},
            ]);
            let made = run.ok("CreateSecret", &input)?;
            same("Status", &status(&made), &json!("InProgress"))?;
            settled(run)?;
            ok(&run.west, "GetSecretValue", &run.id())?;
            let shown = run.describe()?;
            let west = &shown["ReplicationStatus"][0];
            same("KmsKeyId", &west["KmsKeyId"], &json!("alias/west"))?;
            same("StatusMessage", &west.get("StatusMessage"), &None)?;
            same(
                "LastAccessedDate",
                &west["LastAccessedDate"].is_f64(),
                &true,
            )?;
            let north = &shown["ReplicationStatus"][1];
            let key = json!("alias/aws/secretsmanager");
            same("KmsKeyId", &north["KmsKeyId"], &key)?;
            same("LastAccessedDate", &north.get("LastAccessedDate"), &None)?;
            same(
                "PrimaryRegion",
                &shown["PrimaryRegion"],
                &json!(run.client.region),
            )?;
            let mut update = run.id();
            update["Description"] = json!("new");
            update["ClientRequestToken"] = json!(token(2));
            run.ok("UpdateSecret", &update)?;
            let there = ok(&run.west, "DescribeSecret", &run.id())?;
            same("Description", &there["Description"], &json!("new"))?;
            same("KmsKeyId", &there["KmsKeyId"], &json!("alias/west"))?;
            let view = run.sandbox().with(|world| world.secret(&run.name));
            let replicas = view.map(|secret| secret.replicas).unwrap_or_default();
            let seen: Vec<_> = replicas
                .iter()
                .map(|r| (r.region.as_str(), r.status))
                .collect();
            let want = vec![("us-west-2", "InSync"), ("eu-north-1", "InSync")];
            same("the replicas in the state", &seen, &want)
        },
    ),
    sandbox_case(
        "X04b",
        "D",
        "the name exists there, ForceOverwriteReplicaSecret: overwritten, also after a failure",
        |run| {
            run.create()?;
            let other = json!({"Name": run.name, "SecretString": "foreign", "ClientRequestToken": token(5)});
            ok(&run.west, "CreateSecret", &other)?;
            let mut input = to(run, "us-west-2");
            run.ok(REPLICATE, &input)?;
            same("Status", &status(&settled(run)?), &json!("Failed"))?;
            input["ForceOverwriteReplicaSecret"] = json!(true);
            run.ok(REPLICATE, &input)?;
            let shown = settled(run)?;
            same("Status later", &status(&shown), &json!("InSync"))?;
            let count = shown["ReplicationStatus"].as_array().map(Vec::len);
            same("how many replicas there are", &count, &Some(1))?;
            let got = ok(&run.west, "GetSecretValue", &run.id())?;
            same("SecretString", &got["SecretString"], &json!("v1"))
        },
    ),
    sandbox_case(
        "X04c",
        "D",
        "created with a replica whose name exists there, ForceOverwriteReplicaSecret: the same",
        |run| {
            let mut input =
                json!({"Name": run.name, "SecretString": "v1", "ClientRequestToken": token(1)});
            ok(&run.west, "CreateSecret", &input)?;
            input["AddReplicaRegions"] = json!([{"Region": "us-west-2"}]);
            input["ForceOverwriteReplicaSecret"] = json!(true);
            run.ok("CreateSecret", &input)?;
            same("Status later", &status(&settled(run)?), &json!("InSync"))
        },
    ),
    sandbox_case(
        "X05",
        "D",
        "unknown key, disabled key, region not enabled: Failed with the reason",
        |run| {
            run.create()?;
            run.arrange(|world| {
                world.add_kms_key_in("eu-north-1", "alias/off");
                world.disable_kms_key_in("eu-north-1", "alias/off");
                world.disable_region("ap-east-1");
            });
            let mut input = run.id();
            input["AddReplicaRegions"] = json!([
                {"Region": "us-west-2", "KmsKeyId": "alias/none"},
                {"Region": "eu-north-1", "KmsKeyId": "alias/off"},
                {"Region": "ap-east-1"},
                {"Region": "us-east-1"},
            ]);
            run.ok(REPLICATE, &input)?;
            let shown = settled(run)?;
            for (n, said, word) in [
                (0, "Failed", "find the KMS key"),
                (1, "Failed", "disabled"),
                (2, "Failed", "not enabled"),
                (3, "InSync", ""),
            ] {
                let item = &shown["ReplicationStatus"][n];
                same("Status", &item["Status"], &json!(said))?;
                let why = item["StatusMessage"].as_str().unwrap_or_default();
                same(
                    &format!("that it says why: {why}"),
                    &why.contains(word),
                    &true,
                )?;
            }
            fails_with(&run.west, "GetSecretValue", &run.id(), NO_SECRET)?;
            // With the key in place, a retry succeeds.
            run.arrange(|world| world.add_kms_key_in("us-west-2", "alias/none"));
            input["AddReplicaRegions"] = json!([{"Region": "us-west-2", "KmsKeyId": "alias/none"}]);
            run.ok(REPLICATE, &input)?;
            settled(run)?;
            run.describe()?;
            ok(&run.west, "GetSecretValue", &run.id()).map(drop)
        },
    ),
    sandbox_case(
        "X08",
        "D; duplicate region not recorded",
        "an invalid region, a region twice, or none: 400",
        |run| {
            run.create()?;
            for regions in [
                json!([]),
                json!([{"Region": "Europe"}]),
                json!([{"Region": "us-west-"}]),
                json!([{}]),
                json!(["us-west-2"]),
                json!([{"Region": "us-west-2"}, {"Region": "us-west-2"}]),
            ] {
                let mut input = run.id();
                input["AddReplicaRegions"] = regions;
                run.fails(REPLICATE, &input)?;
            }
            same(
                "ReplicationStatus",
                &run.describe()?.get("ReplicationStatus"),
                &None,
            )
        },
    ),
];
