//! Conditions of GetSecretValue, DescribeSecret and ListSecretVersionIds.

use std::time::Duration;

use serde_json::{Value, json};

use crate::run::{Case, MARKED, NO_SECRET, case, same, sandbox_case, token};

const GET: &str = "GetSecretValue";
const LIST: &str = "ListSecretVersionIds";
const INVALID_TOKEN: &str = "InvalidNextTokenException";
const NOT_FOUND: &str = "ResourceNotFoundException";

pub(crate) const CASES: &[Case] = &[
    case(
        "G01",
        "VL",
        "get, missing: ResourceNotFoundException",
        |run| run.fails_with(GET, &run.id(), NO_SECRET),
    ),
    case("G01b", "VL~", "describe, missing: the same", |run| {
        run.fails_with("DescribeSecret", &run.id(), NO_SECRET)
    }),
    case("G01c", "VL", "list versions, missing: the same", |run| {
        run.fails_with("ListSecretVersionIds", &run.id(), NO_SECRET)
    }),
    sandbox_case(
        "G01d",
        "D",
        "list versions: pages of MaxResults, 1 to 100, each version once",
        |run| {
            run.create()?;
            for n in 2..=5 {
                run.put(n)?;
            }
            let mut input = json!({"SecretId": run.name, "IncludeDeprecated": true});
            for (size, pages) in [(2, 3), (5, 1), (100, 1)] {
                input["MaxResults"] = json!(size);
                let (mut ids, mut requests) = (Vec::new(), 0);
                loop {
                    let answer = run.ok(LIST, &input)?;
                    requests += 1;
                    let versions = answer["Versions"].as_array().cloned();
                    ids.extend(
                        versions
                            .unwrap_or_default()
                            .into_iter()
                            .map(|v| v["VersionId"].clone()),
                    );
                    match answer.get("NextToken") {
                        Some(next) => input["NextToken"] = next.clone(),
                        None => break,
                    }
                }
                input["NextToken"] = json!(null);
                let want: Vec<_> = (1..=5).map(|n| json!(token(n))).collect();
                same("the versions", &ids, &want)?;
                same("the pages", &requests, &pages)?;
            }
            for size in [0, -1, 101] {
                input["MaxResults"] = json!(size);
                run.fails_with_code(LIST, &input, "ValidationException")?;
            }
            Ok(())
        },
    ),
    sandbox_case(
        "G01e",
        "D",
        "list versions: an invalid token, or one of another list: InvalidNextTokenException",
        |run| {
            run.create()?;
            run.put(2)?;
            let first = json!({"SecretId": run.name, "MaxResults": 1});
            let next = run.ok(LIST, &first)?["NextToken"].clone();
            for token in [json!("1"), json!("not-a-token"), json!("////")] {
                let input = json!({"SecretId": run.name, "NextToken": token});
                run.fails_with_code(LIST, &input, INVALID_TOKEN)?;
            }
            run.arrange(|world| drop(world.create("other", "v1")));
            let other = json!({"SecretId": "other", "NextToken": next});
            run.fails_with_code(LIST, &other, INVALID_TOKEN)?;
            let all = json!({"SecretId": run.name, "NextToken": next, "IncludeDeprecated": true});
            run.fails_with_code(LIST, &all, INVALID_TOKEN)
        },
    ),
    sandbox_case(
        "G01f",
        "D",
        "list versions: dates and keys, as get shows them",
        |run| {
            run.create()?;
            run.arrange(|world| world.age_versions(&run.name, Duration::from_secs(1000)));
            run.put(2)?;
            let old = json!({"SecretId": run.name, "VersionId": token(1)});
            let got = run.ok(GET, &old)?;
            let shown = run.ok(LIST, &run.id())?;
            let versions = &shown["Versions"];
            same(
                "CreatedDate",
                &versions[0]["CreatedDate"],
                &got["CreatedDate"],
            )?;
            let date = |value: &Value| value["CreatedDate"].as_f64().unwrap_or_default();
            let apart = date(&versions[1]) - date(&versions[0]);
            same("that they are apart", &(apart >= 1000.0), &true)?;
            same(
                "LastAccessedDate",
                &versions[0]["LastAccessedDate"].is_f64(),
                &true,
            )?;
            same(
                "LastAccessedDate",
                &versions[1].get("LastAccessedDate"),
                &None,
            )?;
            let key = json!(["DefaultEncryptionKey"]);
            same("KmsKeyIds", &versions[0]["KmsKeyIds"], &key)?;
            let secret = run.describe()?["CreatedDate"].as_f64().unwrap_or_default();
            let younger = secret - date(&versions[0]);
            same("that the secret keeps its date", &(younger >= 999.0), &true)
        },
    ),
    case(
        "G02",
        "VL",
        "an unknown VersionId: ResourceNotFoundException",
        |run| {
            run.create()?;
            let text = format!(
                "Secrets Manager can't find the specified secret value for VersionId: {}",
                token(9)
            );
            let input = json!({"SecretId": run.name, "VersionId": token(9)});
            run.fails_with(GET, &input, (NOT_FOUND, &text))
        },
    ),
    case(
        "G03",
        "VL",
        "a label that no version has: ResourceNotFoundException",
        |run| {
            run.create()?;
            let text = "Secrets Manager can't find the specified secret value for staging label: AWSPENDING";
            let input = json!({"SecretId": run.name, "VersionStage": "AWSPENDING"});
            run.fails_with(GET, &input, (NOT_FOUND, text))
        },
    ),
    case(
        "G04",
        "VL",
        "VersionId and VersionStage disagree: InvalidRequestException",
        |run| {
            run.create()?;
            run.put(2)?;
            let text =
                "You provided a VersionStage that is not associated to the provided VersionId.";
            let input =
                json!({"SecretId": run.name, "VersionId": token(1), "VersionStage": "AWSCURRENT"});
            run.fails_with(GET, &input, ("InvalidRequestException", text))
        },
    ),
    case(
        "G05",
        "VL",
        "a secret without a value: ResourceNotFoundException that names AWSCURRENT",
        |run| {
            run.ok(
                "CreateSecret",
                &json!({"Name": run.name, "ClientRequestToken": token(1)}),
            )?;
            let text = "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT";
            run.fails_with(GET, &run.id(), (NOT_FOUND, text))
        },
    ),
    case(
        "G06",
        "VL~ R",
        "scheduled for deletion: InvalidRequestException",
        |run| {
            run.create_deleted()?;
            run.fails_with(GET, &run.id(), MARKED)
        },
    ),
    case(
        "G07",
        "D",
        "a version without labels can be read by its ID",
        |run| {
            run.create()?;
            run.put(2)?;
            run.put(3)?;
            let got = run.ok(GET, &json!({"SecretId": run.name, "VersionId": token(1)}))?;
            same("SecretString", &got["SecretString"], &json!("v1"))
        },
    ),
];
