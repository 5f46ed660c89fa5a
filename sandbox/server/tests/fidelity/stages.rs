//! Conditions of UpdateSecretVersionStage.

use serde_json::json;

use crate::run::{Case, MARKED, Outcome, Run, case, same, token};

const MOVE: &str = "UpdateSecretVersionStage";

/// Creates two versions, of which the second is current.
fn two(run: &Run<'_>) -> Outcome {
    run.create()?;
    run.put(2).map(drop)
}

fn untouched(run: &Run<'_>) -> Outcome {
    run.labeled(&[(1, &["AWSPREVIOUS"]), (2, &["AWSCURRENT"])])
}

pub(crate) const CASES: &[Case] = &[
    case(
        "S01",
        "VM",
        "AWSCURRENT without RemoveFromVersionId: InvalidParameterException",
        |run| {
            two(run)?;
            let text = format!(
                "The parameter RemoveFromVersionId can't be empty. Staging label AWSCURRENT is currently attached to version {}, so you must explicitly reference that version in RemoveFromVersionId.",
                token(2)
            );
            let input = run.stage("AWSCURRENT", None, Some(1));
            run.fails_with(MOVE, &input, ("InvalidParameterException", &text))?;
            untouched(run)
        },
    ),
    case(
        "S02",
        "D",
        "RemoveFromVersionId does not have the label: 400, unchanged",
        |run| {
            two(run)?;
            run.fails(MOVE, &run.stage("AWSCURRENT", Some(1), Some(1)))?;
            untouched(run)
        },
    ),
    case(
        "S02b",
        "D",
        "RemoveFromVersionId is unknown: 400, unchanged",
        |run| {
            two(run)?;
            run.fails(MOVE, &run.stage("AWSCURRENT", Some(9), Some(1)))?;
            untouched(run)
        },
    ),
    case(
        "S03",
        "R",
        "AWSCURRENT can't be removed: InvalidParameterException",
        |run| {
            two(run)?;
            let text = "You can only move staging label AWSCURRENT to a different secret version. It can't be completely removed.";
            let input = run.stage("AWSCURRENT", Some(2), None);
            run.fails_with(MOVE, &input, ("InvalidParameterException", text))?;
            untouched(run)
        },
    ),
    case(
        "S04",
        "D",
        "a label that no version has is attached",
        |run| {
            two(run)?;
            run.move_stage("custom", None, Some(1))?;
            run.labeled(&[(1, &["AWSPREVIOUS", "custom"]), (2, &["AWSCURRENT"])])
        },
    ),
    case(
        "S05",
        "D",
        "an attached custom label without RemoveFromVersionId: 400, it stays",
        |run| {
            two(run)?;
            run.move_stage("custom", None, Some(1))?;
            run.fails(MOVE, &run.stage("custom", None, Some(2)))?;
            run.labeled(&[(1, &["AWSPREVIOUS", "custom"]), (2, &["AWSCURRENT"])])
        },
    ),
    case(
        "S05b",
        "D",
        "an attached custom label with RemoveFromVersionId moves",
        |run| {
            two(run)?;
            run.move_stage("custom", None, Some(1))?;
            run.move_stage("custom", Some(1), Some(2))?;
            run.labeled(&[(1, &["AWSPREVIOUS"]), (2, &["AWSCURRENT", "custom"])])
        },
    ),
    case(
        "S06",
        "D",
        "MoveToVersionId is unknown: an error, unchanged",
        |run| {
            two(run)?;
            run.fails(MOVE, &run.stage("AWSCURRENT", Some(2), Some(9)))?;
            untouched(run)
        },
    ),
    case(
        "S07",
        "VL~ D",
        "rollback: AWSCURRENT back to the previous version, AWSPREVIOUS to the other",
        |run| {
            two(run)?;
            run.move_stage("AWSCURRENT", Some(2), Some(1))?;
            run.value("v1")?;
            run.labeled(&[(1, &["AWSCURRENT"]), (2, &["AWSPREVIOUS"])])
        },
    ),
    case(
        "S08",
        "VL",
        "removing a custom label leaves AWSPREVIOUS alone",
        |run| {
            two(run)?;
            run.move_stage("custom", None, Some(1))?;
            run.move_stage("custom", Some(1), None)?;
            untouched(run)
        },
    ),
    case(
        "S09",
        "D",
        "a version without labels can be made current",
        |run| {
            two(run)?;
            run.put(3)?;
            run.move_stage("AWSCURRENT", Some(3), Some(1))?;
            run.value("v1")?;
            run.labeled(&[(1, &["AWSCURRENT"]), (3, &["AWSPREVIOUS"])])
        },
    ),
    case(
        "S11",
        "R",
        "scheduled for deletion: InvalidRequestException",
        |run| {
            two(run)?;
            run.ok("DeleteSecret", &json!({"SecretId": run.name}))?;
            run.fails_with(MOVE, &run.stage("AWSCURRENT", Some(2), Some(1)), MARKED)?;
            same(
                "DeletedDate",
                &run.describe()?["DeletedDate"].is_f64(),
                &true,
            )?;
            untouched(run)
        },
    ),
];
