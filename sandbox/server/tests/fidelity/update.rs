//! Conditions of UpdateSecret.

use serde_json::{Value, json};

use crate::run::{Case, MARKED, NO_SECRET, case, same, token};

pub(crate) const CASES: &[Case] = &[
    case(
        "U01",
        "VL",
        "only a description: no VersionId, no new version",
        |run| {
            run.create()?;
            let input = json!({"SecretId": run.name, "Description": "words", "ClientRequestToken": token(2)});
            let answer = run.ok("UpdateSecret", &input)?;
            same("VersionId", &answer["VersionId"], &Value::Null)?;
            same(
                "Description",
                &run.describe()?["Description"],
                &json!("words"),
            )?;
            run.labeled(&[(1, &["AWSCURRENT"])])
        },
    ),
    case(
        "U02",
        "VL",
        "a value: a new version; description and tags are kept",
        |run| {
            let mut input =
                json!({"Name": run.name, "SecretString": "v1", "ClientRequestToken": token(1)});
            input["Description"] = json!("words");
            input["Tags"] = json!([{"Key": "k", "Value": "v"}]);
            run.ok("CreateSecret", &input)?;
            let answer = run.ok("UpdateSecret", &run.version(2))?;
            same("VersionId", &answer["VersionId"], &json!(token(2)))?;
            let shown = run.describe()?;
            same("Description", &shown["Description"], &json!("words"))?;
            same("Tags", &shown["Tags"], &json!([{"Key": "k", "Value": "v"}]))?;
            run.labeled(&[(1, &["AWSPREVIOUS"]), (2, &["AWSCURRENT"])])
        },
    ),
    case(
        "U02b",
        "VL",
        "no members: a success that changes nothing",
        |run| {
            run.create()?;
            let input = json!({"SecretId": run.name, "ClientRequestToken": token(2)});
            let answer = run.ok("UpdateSecret", &input)?;
            same("VersionId", &answer["VersionId"], &Value::Null)?;
            run.labeled(&[(1, &["AWSCURRENT"])])
        },
    ),
    case(
        "U03",
        "VM",
        "same token, same value: the same VersionId again",
        |run| {
            run.create()?;
            run.ok("UpdateSecret", &run.version(2))?;
            let again = run.ok("UpdateSecret", &run.version(2))?;
            same("VersionId", &again["VersionId"], &json!(token(2)))?;
            run.labeled(&[(1, &["AWSPREVIOUS"]), (2, &["AWSCURRENT"])])
        },
    ),
    case(
        "U04",
        "VM",
        "same token, other value: ResourceExistsException, nothing changes",
        |run| {
            let arn = run.create()?["ARN"].as_str().unwrap_or_default().to_owned();
            let text = format!(
                "You can't use ClientRequestToken {} because that value is already in use for a version of secret {arn}.",
                token(1)
            );
            let mut other = run.version(1);
            other["SecretString"] = json!("other");
            run.fails_with("UpdateSecret", &other, ("ResourceExistsException", &text))?;
            run.value("v1")
        },
    ),
    case("U05", "VL~", "missing: ResourceNotFoundException", |run| {
        run.fails_with("UpdateSecret", &run.version(1), NO_SECRET)
    }),
    case(
        "U06",
        "VL~ R",
        "scheduled for deletion: InvalidRequestException",
        |run| {
            run.create_deleted()?;
            run.fails_with("UpdateSecret", &run.version(2), MARKED)
        },
    ),
    case(
        "U07",
        "D",
        "a KmsKeyId: shown, without a new version",
        |run| {
            run.arrange(|world| world.add_kms_key("alias/fidelity"));
            run.create()?;
            let input = json!({"SecretId": run.name, "KmsKeyId": "alias/fidelity", "ClientRequestToken": token(2)});
            let answer = run.ok("UpdateSecret", &input)?;
            same("VersionId", &answer["VersionId"], &Value::Null)?;
            same(
                "KmsKeyId",
                &run.describe()?["KmsKeyId"],
                &json!("alias/fidelity"),
            )?;
            run.labeled(&[(1, &["AWSCURRENT"])])
        },
    ),
];
