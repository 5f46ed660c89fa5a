//! Conditions of the reads of many secrets at once. The errors of invalid requests were not recorded, so their rows
//! require only a 400.

use serde_json::{Value, json};

use crate::run::{Case, MARKED, NO_SECRET, Run, case, same, sandbox_case};

const BATCH: &str = "BatchGetSecretValue";
const LIST: &str = "ListSecrets";

/// Creates secrets whose names start with this run's, each with its own name as its value.
fn some(run: &Run<'_>, count: usize) -> Result<Vec<String>, String> {
    (0..count)
        .map(|n| {
            let name = format!("{}-{n:02}", run.name);
            let token = format!("{n:08}-0000-4000-8000-000000000000");
            let new = json!({"Name": name, "SecretString": name, "ClientRequestToken": token});
            run.ok("CreateSecret", &new).map(|_| name)
        })
        .collect()
}

fn names(list: &Value, of: &str) -> Vec<String> {
    let items = list[of].as_array().cloned().unwrap_or_default();
    let mut names: Vec<_> = items
        .iter()
        .map(|item| item["Name"].as_str().unwrap_or_default().to_owned())
        .collect();
    names.sort();
    names
}

/// A filter for the secrets of this run.
fn own(run: &Run<'_>) -> Value {
    json!([{"Key": "name", "Values": [run.name]}])
}

pub(crate) const CASES: &[Case] = &[
    case(
        "Q05",
        "D",
        "batch, 20 ids: their values, versions and labels",
        |run| {
            let ids = some(run, 20)?;
            let answer = run.ok(BATCH, &json!({"SecretIdList": ids}))?;
            same("the names", &names(&answer, "SecretValues"), &ids)?;
            let values = answer["SecretValues"]
                .as_array()
                .cloned()
                .unwrap_or_default();
            for value in values {
                same("the value", &value["SecretString"], &value["Name"])?;
                same(
                    "the labels",
                    &value["VersionStages"],
                    &json!(["AWSCURRENT"]),
                )?;
            }
            Ok(())
        },
    ),
    case(
        "Q06",
        "D",
        "batch, one missing: the others, and an error that names it",
        |run| {
            let mut ids = some(run, 1)?;
            let missing = format!("{}-missing", run.name);
            ids.push(missing.clone());
            let answer = run.ok(BATCH, &json!({"SecretIdList": ids}))?;
            same(
                "the names",
                &names(&answer, "SecretValues"),
                &ids[..1].to_vec(),
            )?;
            same("the id", &answer["Errors"][0]["SecretId"], &json!(missing))?;
            let (code, text) = NO_SECRET;
            same("the code", &answer["Errors"][0]["ErrorCode"], &json!(code))?;
            same("the text", &answer["Errors"][0]["Message"], &json!(text))
        },
    ),
    sandbox_case(
        "Q07",
        "D",
        "batch, scheduled for deletion or without a value: errors as of GetSecretValue",
        |run| {
            let ids = some(run, 1)?;
            run.ok("DeleteSecret", &json!({"SecretId": ids[0]}))?;
            let empty = format!("{}-empty", run.name);
            let token = "00000099-0000-4000-8000-000000000000";
            run.ok(
                "CreateSecret",
                &json!({"Name": empty, "ClientRequestToken": token}),
            )?;
            let answer = run.ok(BATCH, &json!({"SecretIdList": [ids[0], empty]}))?;
            same("the values", &answer["SecretValues"], &json!([]))?;
            let (code, text) = MARKED;
            same("the code", &answer["Errors"][0]["ErrorCode"], &json!(code))?;
            same("the text", &answer["Errors"][0]["Message"], &json!(text))?;
            let code = &answer["Errors"][1]["ErrorCode"];
            same("the code", code, &json!("ResourceNotFoundException"))
        },
    ),
    sandbox_case(
        "Q08",
        "D",
        "batch: ids and filters, neither, 21 ids, a page size with ids: 400",
        |run| {
            let many: Vec<_> = (0..21).map(|n| format!("{}-{n}", run.name)).collect();
            for input in [
                json!({"SecretIdList": [run.name], "Filters": own(run)}),
                json!({}),
                json!({"SecretIdList": many}),
                json!({"SecretIdList": []}),
                json!({"SecretIdList": [run.name], "MaxResults": 1}),
            ] {
                run.fails(BATCH, &input)?;
            }
            Ok(())
        },
    ),
    case("Q04", "D", "batch by filter: the matching secrets", |run| {
        let ids = some(run, 3)?;
        let answer = run.ok(BATCH, &json!({"Filters": own(run)}))?;
        same("the names", &names(&answer, "SecretValues"), &ids)
    }),
    sandbox_case(
        "Q09",
        "D",
        "batch by filter: pages of MaxResults, each secret once",
        |run| {
            let ids = some(run, 5)?;
            let mut input = json!({"Filters": own(run), "MaxResults": 2});
            let mut seen = Vec::new();
            loop {
                let answer = run.ok(BATCH, &input)?;
                seen.extend(names(&answer, "SecretValues"));
                match answer.get("NextToken").filter(|next| next.is_string()) {
                    Some(next) => input["NextToken"] = next.clone(),
                    None => break,
                }
            }
            same("the names", &seen, &ids)
        },
    ),
    case(
        "Q01",
        "D",
        "list: pages of MaxResults, each secret once",
        |run| {
            let ids = some(run, 5)?;
            let mut input = json!({"Filters": own(run), "MaxResults": 2});
            let mut seen = Vec::new();
            loop {
                let answer = run.ok(LIST, &input)?;
                seen.extend(names(&answer, "SecretList"));
                match answer.get("NextToken").filter(|next| next.is_string()) {
                    Some(next) => input["NextToken"] = next.clone(),
                    None => break,
                }
            }
            seen.sort();
            same("the names", &seen, &ids)
        },
    ),
    case(
        "Q02",
        "D",
        "list: no secrets scheduled for deletion, unless IncludePlannedDeletion",
        |run| {
            let ids = some(run, 2)?;
            run.ok("DeleteSecret", &json!({"SecretId": ids[0]}))?;
            let mut input = json!({"Filters": own(run)});
            let listed = names(&run.ok(LIST, &input)?, "SecretList");
            same("the names", &listed, &ids[1..].to_vec())?;
            input["IncludePlannedDeletion"] = json!(true);
            let listed = names(&run.ok(LIST, &input)?, "SecretList");
            same("the names", &listed, &ids)
        },
    ),
    case(
        "Q03",
        "D",
        "list: a bad NextToken: InvalidNextTokenException",
        |run| {
            let input = json!({"NextToken": "not-a-token"});
            run.fails_with_code(LIST, &input, "InvalidNextTokenException")
        },
    ),
    sandbox_case(
        "Q11",
        "D",
        "list: a replicated secret has its primary region, and no replication status",
        |run| {
            let ids = some(run, 1)?;
            let replica =
                json!({"SecretId": ids[0], "AddReplicaRegions": [{"Region": "us-west-2"}]});
            run.ok("ReplicateSecretToRegions", &replica)?;
            let answer = run.ok(LIST, &json!({"Filters": own(run)}))?;
            let entry = &answer["SecretList"][0];
            let region =
                run.ok("DescribeSecret", &json!({"SecretId": ids[0]}))?["PrimaryRegion"].take();
            same("the primary region", &entry["PrimaryRegion"], &region)?;
            same("the status", &entry["ReplicationStatus"], &Value::Null)
        },
    ),
    case("Q10", "D", "list: by tag key; `!` negates", |run| {
        let ids = some(run, 2)?;
        let tags = json!({"SecretId": ids[0], "Tags": [{"Key": "team", "Value": "ml"}]});
        run.ok("TagResource", &tags)?;
        let others = json!({"SecretId": ids[1], "Tags": [{"Key": "stage", "Value": "ml"}]});
        run.ok("TagResource", &others)?;
        let filters = own(run);
        for (value, wanted) in [("team", &ids[..1]), ("!team", &ids[1..])] {
            let both = json!([filters[0], {"Key": "tag-key", "Values": [value]}]);
            let listed = run.ok(LIST, &json!({"Filters": both}))?;
            same("the names", &names(&listed, "SecretList"), &wanted.to_vec())?;
        }
        Ok(())
    }),
];
