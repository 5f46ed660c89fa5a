//! `promote` and `rollback` of one secret, from its inputs.

use upsert_secret_core::request::{Direction, LabelMove, VersionSelector};
use upsert_secret_core::target::Target;

use crate::checks::labels;
use crate::diagnostics::Diagnostics;
use crate::inputs::RawInputs;

/// The label of `promote` where none is given.
const CANDIDATE: &str = "candidate";

/// Checks everything that is about the move itself. `promote` is the command; otherwise it is `rollback`. What it
/// returns is of use only where no problem was added.
pub(crate) fn check(
    promote: bool,
    raw: &RawInputs,
    target: Option<Target>,
    diagnostics: &mut Diagnostics,
    warnings: &mut Vec<String>,
) -> LabelMove {
    let direction = if promote {
        Direction::Promote(selector(raw, diagnostics))
    } else {
        for (input, given) in [("stage", &raw.stage), ("version-id", &raw.version_id)] {
            if given.is_some() {
                diagnostics.reject(
                    input,
                    "is for the command `promote`; `rollback` always goes to AWSPREVIOUS's version",
                );
            }
        }
        Direction::Rollback
    };
    let word = if promote { "promote" } else { "rollback" };
    for input in raw.given() {
        if !input.scope.label_move {
            warnings.push(format!(
                "{} says nothing to `{word}`, which writes no value and no metadata: it is ignored",
                diagnostics.spelling.name(input.name)
            ));
        }
    }
    LabelMove {
        target: target.unwrap_or_default(),
        direction,
        expected: labels::version_id(
            "expected-version-id",
            raw.expected_version_id.as_deref(),
            diagnostics,
        ),
        on_rotation: diagnostics.choice("on-rotation", raw.on_rotation.as_deref()),
    }
}

fn selector(raw: &RawInputs, diagnostics: &mut Diagnostics) -> VersionSelector {
    match (&raw.stage, &raw.version_id) {
        (Some(_), Some(_)) => {
            diagnostics.reject(
                "version-id",
                "and `stage` are both given: one of them says which version",
            );
            VersionSelector::Stage(CANDIDATE.to_owned())
        }
        (None, Some(_)) => VersionSelector::Version(
            labels::version_id("version-id", raw.version_id.as_deref(), diagnostics)
                .unwrap_or_default(),
        ),
        (stage, None) => VersionSelector::Stage(stage.as_deref().map_or_else(
            || CANDIDATE.to_owned(),
            |stage| labels::one(stage, diagnostics),
        )),
    }
}
