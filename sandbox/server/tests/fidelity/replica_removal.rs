//! Conditions of removing replicas, and of deleting replicated secrets.

use serde_json::json;

use crate::{
    replicas::{REPLICATE, replicated, to},
    run::{Case, NO_SECRET, case, fails_with, ok, same, sandbox_case, token},
};

pub(crate) const CASES: &[Case] = &[
    case(
        "X06",
        "D",
        "deleting a primary that has replicas: 400",
        |run| {
            run.create()?;
            run.ok(REPLICATE, &to(run, "us-west-2"))?;
            run.fails("DeleteSecret", &run.id())?;
            run.value("v1")
        },
    ),
    sandbox_case(
        "X06b",
        "D",
        "without replicas a primary can be deleted; an unrelated secret there stays",
        |run| {
            run.create()?;
            replicated(run)?;
            let mut north = run.west.clone();
            "eu-north-1".clone_into(&mut north.region);
            let other = json!({"Name": run.name, "SecretString": "foreign", "ClientRequestToken": token(5)});
            ok(&north, "CreateSecret", &other)?;
            run.ok(REPLICATE, &to(run, "eu-north-1"))?;
            let mut input = run.id();
            input["RemoveReplicaRegions"] = json!(["us-west-2", "eu-north-1"]);
            let answer = run.ok("RemoveRegionsFromReplication", &input)?;
            same(
                "ReplicationStatus",
                &answer["ReplicationStatus"],
                &json!([]),
            )?;
            fails_with(&run.west, "GetSecretValue", &run.id(), NO_SECRET)?;
            ok(&north, "GetSecretValue", &run.id())?;
            run.fails("RemoveRegionsFromReplication", &input)?;
            run.ok("DeleteSecret", &run.id()).map(drop)
        },
    ),
    sandbox_case(
        "X06c",
        "D",
        "the replica of another primary stays, too",
        |run| {
            let mut north = run.west.clone();
            "eu-north-1".clone_into(&mut north.region);
            let input = json!({"Name": run.name, "SecretString": "foreign", "ClientRequestToken": token(5)});
            ok(&north, "CreateSecret", &input)?;
            ok(&north, REPLICATE, &to(run, "us-west-2"))?;
            for _ in 0..2 {
                ok(&north, "DescribeSecret", &run.id())?;
            }
            run.create()?;
            run.ok(REPLICATE, &to(run, "us-west-2"))?;
            let mut input = run.id();
            input["RemoveReplicaRegions"] = json!(["us-west-2"]);
            run.ok("RemoveRegionsFromReplication", &input)?;
            let there = ok(&run.west, "DescribeSecret", &run.id())?;
            same(
                "PrimaryRegion",
                &there["PrimaryRegion"],
                &json!("eu-north-1"),
            )?;
            let got = ok(&run.west, "GetSecretValue", &run.id())?;
            same("SecretString", &got["SecretString"], &json!("foreign"))
        },
    ),
    sandbox_case(
        "X07",
        "D",
        "StopReplicationToReplica: the replica becomes a secret of its own, unchanged",
        |run| {
            run.create()?;
            run.fails("StopReplicationToReplica", &run.id())?;
            replicated(run)?;
            ok(&run.west, "StopReplicationToReplica", &run.id())?;
            run.put(2)?;
            let shown = run.describe()?;
            same("ReplicationStatus", &shown.get("ReplicationStatus"), &None)?;
            let got = ok(&run.west, "GetSecretValue", &run.id())?;
            same("SecretString", &got["SecretString"], &json!("v1"))?;
            ok(&run.west, "PutSecretValue", &run.version(3)).map(drop)
        },
    ),
];
