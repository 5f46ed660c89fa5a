//! `promote` and `rollback` of one secret, from its inputs. Whether the version exists is for a later step.

use upsert_secret_core::request::{Direction, LabelMove, VersionSelector};
use upsert_secret_core::target::Target;

use crate::checks::labels;
use crate::diagnostics::Diagnostics;
use crate::inputs::RawInputs;

/// The staging label of the version to promote, unless an input names one.
const DEFAULT_STAGE: &str = "candidate";

/// Checks the inputs of `promote`. The result is valid only if no problem was added.
pub(crate) fn check_promote(
    raw: &RawInputs,
    target: Option<Target>,
    diagnostics: &mut Diagnostics,
) -> LabelMove {
    let direction = Direction::Promote(check_selector(raw, diagnostics));
    check(raw, target, "promote", direction, diagnostics)
}

/// Checks the inputs of `rollback`. The result is valid only if no problem was added.
pub(crate) fn check_rollback(
    raw: &RawInputs,
    target: Option<Target>,
    diagnostics: &mut Diagnostics,
) -> LabelMove {
    for (input, given) in [("stage", &raw.stage), ("version-id", &raw.version_id)] {
        if given.is_some() {
            diagnostics.reject(
                input,
                "is for the command `promote`; `rollback` always goes to AWSPREVIOUS's version",
            );
        }
    }
    check(raw, target, "rollback", Direction::Rollback, diagnostics)
}

fn check(
    raw: &RawInputs,
    target: Option<Target>,
    command: &str,
    direction: Direction,
    diagnostics: &mut Diagnostics,
) -> LabelMove {
    for input in raw.given() {
        if !input.scope.label_move {
            diagnostics.warn(format!(
                "{} says nothing to `{command}`, which writes no value and no metadata: it is ignored",
                diagnostics.spelling.name(input.name)
            ));
        }
    }
    LabelMove {
        target: target.unwrap_or_default(),
        direction,
        expected: labels::check_version_id(
            "expected-version-id",
            raw.expected_version_id.as_deref(),
            diagnostics,
        ),
        on_rotation: diagnostics.choice("on-rotation", raw.on_rotation.as_deref()),
    }
}

fn check_selector(raw: &RawInputs, diagnostics: &mut Diagnostics) -> VersionSelector {
    match (raw.stage.as_deref(), raw.version_id.as_deref()) {
        (Some(_), Some(_)) => {
            diagnostics.reject(
                "version-id",
                "and `stage` are both given: one of them says which version",
            );
            VersionSelector::Stage(DEFAULT_STAGE.to_owned())
        }
        (None, version_id @ Some(_)) => VersionSelector::Version(
            labels::check_version_id("version-id", version_id, diagnostics).unwrap_or_default(),
        ),
        (Some(stage), None) => VersionSelector::Stage(labels::check_stage(stage, diagnostics)),
        (None, None) => VersionSelector::Stage(DEFAULT_STAGE.to_owned()),
    }
}
