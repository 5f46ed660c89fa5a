//! Conditions of CreateSecret, and of the IDs that find a secret.

use serde_json::{Value, json};

use crate::run::{
    BAD_NAME, BOTH_VALUES, Case, NO_SECRET, Outcome, Run, TOO_LONG, case, same, token,
};

fn input(run: &Run<'_>, extra: &[(&str, Value)]) -> Value {
    let mut input = json!({"Name": run.name, "SecretString": "v1", "ClientRequestToken": token(1)});
    for (key, value) in extra {
        input[*key] = value.clone();
    }
    input
}

fn many_tags(count: usize) -> Value {
    (0..count)
        .map(|n| json!({"Key": format!("k{n}"), "Value": "v"}))
        .collect()
}

/// The request fails and creates nothing.
fn never_made(run: &Run<'_>, extra: &[(&str, Value)]) -> Outcome {
    run.fails("CreateSecret", &input(run, extra))?;
    let after = run.send("DescribeSecret", &run.id())?;
    same(
        "DescribeSecret afterwards",
        &after.code().as_str(),
        &NO_SECRET.0,
    )
}

pub(crate) const CASES: &[Case] = &[
    case(
        "C01",
        "VL VM",
        "new: VersionId is the token, the ARN ends in six more characters, AWSCURRENT",
        |run| {
            let made = run.create()?;
            same("VersionId", &made["VersionId"], &json!(token(1)))?;
            same("Name", &made["Name"], &json!(run.name))?;
            let arn = made["ARN"].as_str().unwrap_or_default();
            let (start, suffix) = arn.rsplit_once('-').unwrap_or_default();
            same(
                "the name in the ARN",
                &start.ends_with(&format!(":secret:{}", run.name)),
                &true,
            )?;
            let six = suffix.len() == 6 && suffix.chars().all(|c| c.is_ascii_alphanumeric());
            same("six characters", &six, &true)?;
            run.labeled(&[(1, &["AWSCURRENT"])])
        },
    ),
    case(
        "C02",
        "VL VM",
        "name exists, other token: ResourceExistsException, even with the same value",
        |run| {
            run.create()?;
            let text = format!(
                "The operation failed because the secret {} already exists.",
                run.name
            );
            let again = input(run, &[("ClientRequestToken", json!(token(2)))]);
            run.fails_with("CreateSecret", &again, ("ResourceExistsException", &text))?;
            run.labeled(&[(1, &["AWSCURRENT"])])
        },
    ),
    case(
        "C03",
        "VM",
        "same token, same value: the same answer again",
        |run| {
            let first = run.create()?;
            let second = run.create()?;
            same("ARN", &second["ARN"], &first["ARN"])?;
            same("VersionId", &second["VersionId"], &first["VersionId"])?;
            run.labeled(&[(1, &["AWSCURRENT"])])
        },
    ),
    case(
        "C04",
        "VM",
        "same token, other value: ResourceExistsException, the token is in use",
        |run| {
            let arn = run.create()?["ARN"].as_str().unwrap_or_default().to_owned();
            let text = format!(
                "You can't use ClientRequestToken {} because that value is already in use for a version of secret {arn}.",
                token(1)
            );
            let again = input(run, &[("SecretString", json!("other"))]);
            run.fails_with("CreateSecret", &again, ("ResourceExistsException", &text))?;
            run.value("v1")
        },
    ),
    case(
        "C05",
        "VL",
        "name scheduled for deletion: InvalidRequestException",
        |run| {
            run.create_deleted()?;
            let text = "You can't create this secret because a secret with this name is already scheduled for deletion.";
            let again = input(run, &[("ClientRequestToken", json!(token(2)))]);
            run.fails_with("CreateSecret", &again, ("InvalidRequestException", text))
        },
    ),
    case(
        "C06",
        "VL",
        "without a value: no VersionId; DescribeSecret shows no labels, tags or description",
        |run| {
            let bare = json!({"Name": run.name, "ClientRequestToken": token(1)});
            let made = run.ok("CreateSecret", &bare)?;
            same("VersionId", &made["VersionId"], &Value::Null)?;
            let shown = run.describe()?;
            for absent in [
                "VersionIdsToStages",
                "Tags",
                "Description",
                "KmsKeyId",
                "DeletedDate",
            ] {
                same(absent, &shown[absent], &Value::Null)?;
            }
            Ok(())
        },
    ),
    case(
        "C07",
        "R",
        "string and binary: InvalidParameterException",
        |run| {
            let both = input(run, &[("SecretBinary", json!("djE="))]);
            run.fails_with("CreateSecret", &both, BOTH_VALUES)
        },
    ),
    case(
        "C08",
        "VL",
        "invalid name: ValidationException with a lower-case message",
        |run| {
            for bad in ["Inv Name", "Inv*Name", "Inv?Name", "Inv\\Name"] {
                let create = input(run, &[("Name", json!(bad))]);
                run.fails_with("CreateSecret", &create, BAD_NAME)?;
                let raw = run.send("CreateSecret", &create)?.json();
                same("message", &raw["message"], &json!(BAD_NAME.1))?;
                same("Message", &raw.get("Message"), &None)?;
            }
            Ok(())
        },
    ),
    case(
        "C08b",
        "VL",
        "invalid SecretId: the same for every operation that takes one",
        |run| {
            let with = |extra: Value| {
                let mut input = json!({"SecretId": "Inv Name"});
                for (key, value) in extra.as_object().into_iter().flatten() {
                    input[key] = value.clone();
                }
                input
            };
            for (operation, extra) in [
                ("GetSecretValue", json!({})),
                ("DescribeSecret", json!({})),
                (
                    "PutSecretValue",
                    json!({"SecretString": "v", "ClientRequestToken": token(1)}),
                ),
                (
                    "UpdateSecret",
                    json!({"SecretString": "v", "ClientRequestToken": token(1)}),
                ),
                ("TagResource", json!({"Tags": [{"Key": "k", "Value": "v"}]})),
                ("UntagResource", json!({"TagKeys": ["k"]})),
                ("DeleteSecret", json!({})),
                ("ListSecretVersionIds", json!({})),
            ] {
                run.fails_with(operation, &with(extra), BAD_NAME)?;
            }
            Ok(())
        },
    ),
    case(
        "C10",
        "VL",
        "a name that ends like an ARN: found by name and full ARN, not by ARN without suffix",
        |run| {
            let name = format!("{}-a1b2c3", run.name);
            let made = run.ok("CreateSecret", &input(run, &[("Name", json!(name))]))?;
            let arn = made["ARN"].as_str().unwrap_or_default();
            run.ok("GetSecretValue", &json!({"SecretId": name}))?;
            run.ok("GetSecretValue", &json!({"SecretId": arn}))?;
            let partial = arn.rsplit_once('-').unwrap_or_default().0;
            run.fails_with_code("GetSecretValue", &json!({"SecretId": partial}), NO_SECRET.0)
        },
    ),
    case(
        "C10b",
        "D",
        "an ordinary name: the ARN without suffix finds it",
        |run| {
            let made = run.create()?;
            let arn = made["ARN"].as_str().unwrap_or_default();
            let partial = arn.rsplit_once('-').unwrap_or_default().0;
            let got = run.ok("GetSecretValue", &json!({"SecretId": partial}))?;
            same("ARN", &got["ARN"], &made["ARN"])
        },
    ),
    case(
        "C10c",
        "D",
        "name and suffix without the rest of the ARN: ResourceNotFoundException",
        |run| {
            let made = run.create()?;
            let arn = made["ARN"].as_str().unwrap_or_default();
            let suffixed = arn.split_once(":secret:").unwrap_or_default().1;
            run.fails_with("GetSecretValue", &json!({"SecretId": suffixed}), NO_SECRET)
        },
    ),
    case("C12", "R", "65,537 bytes: ValidationException", |run| {
        let long = input(run, &[("SecretString", json!("x".repeat(65_537)))]);
        run.fails_with("CreateSecret", &long, TOO_LONG)
    }),
    case("C13", "D", "65,536 bytes are accepted", |run| {
        let long = "x".repeat(65_536);
        run.ok(
            "CreateSecret",
            &input(run, &[("SecretString", json!(long))]),
        )?;
        run.value(&long)
    }),
    case(
        "C15",
        "D",
        "a token under 32 or over 64 characters: 400",
        |run| {
            never_made(run, &[("ClientRequestToken", json!("short"))])?;
            never_made(run, &[("ClientRequestToken", json!("x".repeat(65)))])
        },
    ),
    case("C16", "D", "51 tags: 400", |run| {
        never_made(run, &[("Tags", many_tags(51))])
    }),
    case(
        "C17",
        "D",
        "a tag key that starts with aws: is reserved: 400",
        |run| never_made(run, &[("Tags", json!([{"Key": "aws:foo", "Value": "v"}]))]),
    ),
    case("C18", "D", "a name of 513 characters: 400", |run| {
        run.fails(
            "CreateSecret",
            &input(run, &[("Name", json!("x".repeat(513)))]),
        )
    }),
    case(
        "C19",
        "D",
        "a description of 2,049 characters: 400",
        |run| never_made(run, &[("Description", json!("x".repeat(2049)))]),
    ),
    case("C20", "D", "a KMS alias that does not exist: 400", |run| {
        never_made(run, &[("KmsKeyId", json!("alias/fidelity-none"))])
    }),
];
