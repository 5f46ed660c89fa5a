//! Conditions of the reads.

use serde_json::json;

use crate::run::{Case, MARKED, NO_SECRET, case, same, token};

const GET: &str = "GetSecretValue";
const NOT_FOUND: &str = "ResourceNotFoundException";

pub(crate) const CASES: &[Case] = &[
    case(
        "G01",
        "VL",
        "get, missing: ResourceNotFoundException",
        |run| run.refused(GET, &run.id(), NO_SECRET),
    ),
    case("G01b", "VL~", "describe, missing: the same", |run| {
        run.refused("DescribeSecret", &run.id(), NO_SECRET)
    }),
    case("G01c", "VL", "list versions, missing: the same", |run| {
        run.refused("ListSecretVersionIds", &run.id(), NO_SECRET)
    }),
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
            run.refused(GET, &input, (NOT_FOUND, &text))
        },
    ),
    case(
        "G03",
        "VL",
        "a label nobody holds: ResourceNotFoundException",
        |run| {
            run.create()?;
            let text = "Secrets Manager can't find the specified secret value for staging label: AWSPENDING";
            let input = json!({"SecretId": run.name, "VersionStage": "AWSPENDING"});
            run.refused(GET, &input, (NOT_FOUND, text))
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
            run.refused(GET, &input, ("InvalidRequestException", text))
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
            run.refused(GET, &run.id(), (NOT_FOUND, text))
        },
    ),
    case(
        "G06",
        "VL~ R",
        "scheduled for deletion: InvalidRequestException",
        |run| {
            run.create_deleted()?;
            run.refused(GET, &run.id(), MARKED)
        },
    ),
    case(
        "G07",
        "D",
        "a version without labels can be read by its id",
        |run| {
            run.create()?;
            run.put(2)?;
            run.put(3)?;
            let got = run.ok(GET, &json!({"SecretId": run.name, "VersionId": token(1)}))?;
            same("SecretString", &got["SecretString"], &json!("v1"))
        },
    ),
];
