//! Conditions of PutSecretValue, and the quotas of versions and labels.

use std::time::Duration;

use serde_json::{Value, json};

use crate::run::{
    BOTH_VALUES, Case, MARKED, NO_SECRET, NO_VALUE, TOO_LONG, case, same, sandbox_case, token,
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

pub(crate) const CASES: &[Case] = &[
    case(
        "P01",
        "VL~",
        "missing secret: ResourceNotFoundException",
        |run| run.fails_with("PutSecretValue", &run.version(1), NO_SECRET),
    ),
    case(
        "P02",
        "VL~ R",
        "scheduled for deletion: InvalidRequestException, unchanged",
        |run| {
            run.create_deleted()?;
            run.fails_with("PutSecretValue", &run.version(2), MARKED)?;
            run.labeled(&[(1, &["AWSCURRENT"])])
        },
    ),
    case(
        "P03",
        "VL",
        "default: AWSCURRENT moves, AWSPREVIOUS marks the old version",
        |run| {
            run.create()?;
            let put = run.put(2)?;
            same(
                "VersionStages",
                &put["VersionStages"],
                &json!(["AWSCURRENT"]),
            )?;
            run.labeled(&[(1, &["AWSPREVIOUS"]), (2, &["AWSCURRENT"])])
        },
    ),
    case(
        "P04",
        "VL",
        "default twice: the first version is listed only as deprecated, without VersionStages",
        |run| {
            run.create()?;
            run.put(2)?;
            run.put(3)?;
            run.labeled(&[(2, &["AWSPREVIOUS"]), (3, &["AWSCURRENT"])])?;
            let shown: Vec<String> = run.listed(false)?.into_keys().collect();
            same("the versions", &shown, &vec![token(2), token(3)])?;
            same(
                "the deprecated one",
                &run.listed(true)?.get(&token(1)),
                &Some(&None),
            )
        },
    ),
    case(
        "P05",
        "VM",
        "same token, same value: the same answer again",
        |run| {
            run.create()?;
            run.put(2)?;
            let again = run.put(2)?;
            same("VersionId", &again["VersionId"], &json!(token(2)))?;
            same(
                "VersionStages",
                &again["VersionStages"],
                &json!(["AWSCURRENT"]),
            )?;
            run.labeled(&[(1, &["AWSPREVIOUS"]), (2, &["AWSCURRENT"])])
        },
    ),
    case(
        "P05b",
        "D",
        "same token, same value, no longer current: ignored",
        |run| {
            run.create()?;
            run.put(2)?;
            run.put(3)?;
            let late = run.put(2)?;
            same("VersionId", &late["VersionId"], &json!(token(2)))?;
            run.labeled(&[(2, &["AWSPREVIOUS"]), (3, &["AWSCURRENT"])])
        },
    ),
    case(
        "P06",
        "VM",
        "same token, other value: ResourceExistsException",
        |run| {
            let arn = run.create()?["ARN"].as_str().unwrap_or_default().to_owned();
            let text = format!(
                "You can't use ClientRequestToken {} because that value is already in use for a version of secret {arn}.",
                token(1)
            );
            let mut other = run.version(1);
            other["SecretString"] = json!("other");
            run.fails_with("PutSecretValue", &other, ("ResourceExistsException", &text))?;
            run.value("v1")
        },
    ),
    case(
        "P07",
        "VL",
        "custom labels: answered sorted, AWSCURRENT does not move",
        |run| {
            run.create()?;
            let put = run.put_staged(2, &["B", "A"])?;
            same("VersionStages", &put["VersionStages"], &json!(["A", "B"]))?;
            run.labeled(&[(1, &["AWSCURRENT"]), (2, &["A", "B"])])
        },
    ),
    case(
        "P08",
        "VL",
        "the same custom labels again: they move, the version without labels is not listed",
        |run| {
            run.create()?;
            run.put_staged(2, &["one", "two"])?;
            run.put_staged(3, &["one", "two"])?;
            run.labeled(&[(1, &["AWSCURRENT"]), (3, &["one", "two"])])?;
            let shown: Vec<String> = run.listed(false)?.into_keys().collect();
            same("the versions", &shown, &vec![token(1), token(3)])
        },
    ),
    case(
        "P08b",
        "VL",
        "overlapping custom labels: only the shared one moves",
        |run| {
            run.create()?;
            run.put_staged(2, &["one", "two"])?;
            run.put_staged(3, &["two", "three"])?;
            run.labeled(&[(1, &["AWSCURRENT"]), (2, &["one"]), (3, &["three", "two"])])
        },
    ),
    case(
        "P09",
        "VL",
        "AWSPENDING stays on a version that UpdateSecretVersionStage makes current",
        |run| {
            run.create()?;
            run.put_staged(2, &["AWSPENDING"])?;
            run.move_stage("AWSCURRENT", Some(1), Some(2))?;
            run.labeled(&[(1, &["AWSPREVIOUS"]), (2, &["AWSCURRENT", "AWSPENDING"])])
        },
    ),
    case(
        "P10",
        "VL",
        "the next default put removes AWSPENDING",
        |run| {
            run.create()?;
            run.put_staged(2, &["AWSPENDING"])?;
            run.move_stage("AWSCURRENT", Some(1), Some(2))?;
            run.put(3)?;
            run.labeled(&[(2, &["AWSPREVIOUS"]), (3, &["AWSCURRENT"])])
        },
    ),
    case(
        "P10b",
        "VL",
        "AWSCURRENT and a custom label: AWSPREVIOUS marks the old version",
        |run| {
            run.create()?;
            run.put_staged(2, &["AWSCURRENT", "PUT0"])?;
            run.labeled(&[(1, &["AWSPREVIOUS"]), (2, &["AWSCURRENT", "PUT0"])])
        },
    ),
    case(
        "P10c",
        "VL",
        "UpdateSecretVersionStage leaves custom labels and AWSPENDING in place",
        |run| {
            run.create()?;
            run.put_staged(2, &["AWSCURRENT", "PUT0"])?;
            run.put_staged(3, &["AWSPENDING", "PUT1"])?;
            run.move_stage("AWSCURRENT", Some(2), Some(3))?;
            run.labeled(&[
                (2, &["AWSPREVIOUS", "PUT0"]),
                (3, &["AWSCURRENT", "AWSPENDING", "PUT1"]),
            ])?;
            let shown: Vec<String> = run.listed(false)?.into_keys().collect();
            same("the versions", &shown, &vec![token(2), token(3)])
        },
    ),
    case(
        "P11",
        "VL",
        "the first put to an empty secret: AWSCURRENT",
        |run| {
            run.ok(
                "CreateSecret",
                &json!({"Name": run.name, "ClientRequestToken": token(9)}),
            )?;
            run.put(1)?;
            run.labeled(&[(1, &["AWSCURRENT"])])
        },
    ),
    case(
        "P11b",
        "D",
        "the same if the request names only AWSPENDING",
        |run| {
            run.ok(
                "CreateSecret",
                &json!({"Name": run.name, "ClientRequestToken": token(9)}),
            )?;
            run.put_staged(1, &["AWSPENDING"])?;
            run.labeled(&[(1, &["AWSCURRENT", "AWSPENDING"])])
        },
    ),
    case(
        "P12",
        "R",
        "an empty SecretString: InvalidRequestException, unchanged",
        |run| {
            run.create()?;
            let input =
                json!({"SecretId": run.name, "SecretString": "", "ClientRequestToken": token(2)});
            run.fails_with("PutSecretValue", &input, NO_VALUE)?;
            run.value("v1")
        },
    ),
    case("P13", "R", "no value: the same", |run| {
        run.create()?;
        let input = json!({"SecretId": run.name, "ClientRequestToken": token(2)});
        run.fails_with("PutSecretValue", &input, NO_VALUE)
    }),
    case(
        "P14",
        "R",
        "string and binary: InvalidParameterException",
        |run| {
            run.create()?;
            let mut input = run.version(2);
            input["SecretBinary"] = json!("djI=");
            run.fails_with("PutSecretValue", &input, BOTH_VALUES)
        },
    ),
    case(
        "P15",
        "R",
        "65,537 bytes: ValidationException, unchanged",
        |run| {
            run.create()?;
            let mut input = run.version(2);
            input["SecretString"] = json!("x".repeat(65_537));
            run.fails_with("PutSecretValue", &input, TOO_LONG)?;
            run.value("v1")
        },
    ),
    case("P16", "D", "a short token: 400", |run| {
        run.create()?;
        let mut input = run.version(2);
        input["ClientRequestToken"] = json!("short");
        run.fails("PutSecretValue", &input)?;
        run.value("v1")
    }),
    case("P18", "D", "21 labels in one request: 400", |run| {
        run.create()?;
        let mut input = run.version(2);
        input["VersionStages"] = (0..21).map(|n| json!(format!("label-{n}"))).collect();
        run.fails("PutSecretValue", &input)?;
        run.labeled(&[(1, &["AWSCURRENT"])])
    }),
    case(
        "P19",
        "VL",
        "binary: returned unchanged, without SecretString",
        |run| {
            run.create()?;
            let input = json!({"SecretId": run.name, "SecretBinary": "AP+A/w==", "ClientRequestToken": token(2)});
            run.ok("PutSecretValue", &input)?;
            let got = run.ok("GetSecretValue", &run.id())?;
            same("SecretBinary", &got["SecretBinary"], &json!("AP+A/w=="))?;
            same("SecretString", &got.get("SecretString"), &None)
        },
    ),
    case(
        "V01",
        "D",
        "101 versions within a day: LimitExceededException",
        |run| {
            run.create()?;
            for n in 2..=100 {
                run.put(n)?;
            }
            run.fails_with_code(
                "PutSecretValue",
                &run.version(101),
                "LimitExceededException",
            )?;
            run.labeled(&[(99, &["AWSPREVIOUS"]), (100, &["AWSCURRENT"])])
        },
    ),
    sandbox_case(
        "V01b",
        "D",
        "after a day, the oldest versions without labels are removed",
        |run| {
            run.create()?;
            for n in 2..=100 {
                run.put(n)?;
            }
            run.sandbox().advance_clock(DAY + Duration::from_secs(60));
            run.put(101)?;
            let all = run.listed(true)?;
            same("how many there are", &all.len(), &100)?;
            same(
                "whether the oldest remains",
                &all.contains_key(&token(1)),
                &false,
            )?;
            let gone = json!({"SecretId": run.name, "VersionId": token(1)});
            run.fails_with_code("GetSecretValue", &gone, "ResourceNotFoundException")
        },
    ),
    sandbox_case(
        "V01c",
        "D",
        "the same for versions aged by the test",
        |run| {
            run.create()?;
            for n in 2..=100 {
                run.put(n)?;
            }
            run.arrange(|world| world.age_versions(&run.name, DAY));
            run.put(101)?;
            same("how many there are", &run.listed(true)?.len(), &100)
        },
    ),
    case(
        "V02",
        "D",
        "21 labels on the versions of a secret: LimitExceededException",
        |run| {
            run.create()?;
            let names: Vec<Value> = (0..19).map(|n| json!(format!("label-{n}"))).collect();
            let mut input = run.version(2);
            input["VersionStages"] = json!(names);
            run.ok("PutSecretValue", &input)?;
            let more = run.stage("one-more", None, Some(1));
            run.fails_with_code("UpdateSecretVersionStage", &more, "LimitExceededException")
        },
    ),
];
