//! Conditions of DeleteSecret and RestoreSecret.

use std::time::Duration;

use serde_json::{Value, json};

use crate::run::{Case, NO_SECRET, case, same, sandbox_case, token};

const DELETE: &str = "DeleteSecret";

pub(crate) const CASES: &[Case] = &[
    case(
        "R01",
        "VL",
        "restore: the value and the labels are unchanged",
        |run| {
            run.create()?;
            run.put(2)?;
            run.ok(DELETE, &run.id())?;
            run.ok("RestoreSecret", &run.id())?;
            run.value("v2")?;
            same("DeletedDate", &run.describe()?["DeletedDate"], &Value::Null)?;
            run.labeled(&[(1, &["AWSPREVIOUS"]), (2, &["AWSCURRENT"])])
        },
    ),
    case(
        "R03",
        "VL~",
        "restore, missing: ResourceNotFoundException",
        |run| run.fails_with("RestoreSecret", &run.id(), NO_SECRET),
    ),
    case(
        "D01",
        "VL",
        "forced, missing: a success as if it existed",
        |run| {
            let input = json!({"SecretId": run.name, "ForceDeleteWithoutRecovery": true});
            let answer = run.ok(DELETE, &input)?;
            same("Name", &answer["Name"], &json!(run.name))
        },
    ),
    case("D01b", "VL~", "missing: ResourceNotFoundException", |run| {
        run.fails_with(DELETE, &run.id(), NO_SECRET)
    }),
    case("D03", "VL", "forced, already scheduled: a success", |run| {
        run.create_deleted()?;
        let input = json!({"SecretId": run.name, "ForceDeleteWithoutRecovery": true});
        run.ok(DELETE, &input).map(drop)
    }),
    case(
        "D04",
        "VL",
        "scheduled: can be described and listed, with DeletedDate and labels",
        |run| {
            run.create_deleted()?;
            same(
                "DeletedDate",
                &run.describe()?["DeletedDate"].is_number(),
                &true,
            )?;
            run.labeled(&[(1, &["AWSCURRENT"])])?;
            same("the versions", &run.listed(false)?.len(), &1)
        },
    ),
    case(
        "D05",
        "D",
        "a window of 3 days: InvalidParameterException",
        |run| {
            run.create()?;
            let input = json!({"SecretId": run.name, "RecoveryWindowInDays": 3});
            run.fails_with_code(DELETE, &input, "InvalidParameterException")?;
            run.value("v1")
        },
    ),
    case(
        "D06",
        "D",
        "forced with a window: InvalidParameterException",
        |run| {
            run.create()?;
            let input = json!({"SecretId": run.name, "RecoveryWindowInDays": 7, "ForceDeleteWithoutRecovery": true});
            run.fails_with_code(DELETE, &input, "InvalidParameterException")?;
            run.value("v1")
        },
    ),
    case(
        "D07",
        "VL~ R",
        "recreated right after a forced deletion: InvalidRequestException for some seconds",
        |run| {
            run.create()?;
            let input = json!({"SecretId": run.name, "ForceDeleteWithoutRecovery": true});
            run.ok(DELETE, &input)?;
            let again =
                json!({"Name": run.name, "SecretString": "v2", "ClientRequestToken": token(2)});
            run.fails_with_code("CreateSecret", &again, "InvalidRequestException")
        },
    ),
    sandbox_case(
        "D07b",
        "VL~ R",
        "recreated some seconds later: a success with a new suffix",
        |run| {
            let first = run.create()?;
            let input = json!({"SecretId": run.name, "ForceDeleteWithoutRecovery": true});
            run.ok(DELETE, &input)?;
            run.sandbox().advance_clock(Duration::from_secs(10));
            let second = run.create()?;
            same(
                "the ARN is the old one",
                &(second["ARN"] == first["ARN"]),
                &false,
            )
        },
    ),
    sandbox_case(
        "D08",
        "D",
        "the name is free after the recovery window, not before",
        |run| {
            let day = Duration::from_secs(24 * 60 * 60);
            run.create()?;
            run.ok(
                DELETE,
                &json!({"SecretId": run.name, "RecoveryWindowInDays": 7}),
            )?;
            run.sandbox().advance_clock(day * 6);
            same(
                "DeletedDate",
                &run.describe()?["DeletedDate"].is_number(),
                &true,
            )?;
            run.sandbox().advance_clock(day + Duration::from_secs(60));
            run.fails_with("DescribeSecret", &run.id(), NO_SECRET)?;
            run.create().map(drop)
        },
    ),
];
