//! JSON shared by both presentations. All text in it is redacted.

use serde_json::{Value, json};
use upsert_secret_core::failure::Failure;
use upsert_secret_core::outcome::{Outcome, PlannedStep};

use crate::redact::Redactor;

/// Redacts a text for JSON. Returns an empty text if escaping completes a form of a secret.
fn clean(text: &str, redactor: &Redactor) -> String {
    let cleaned = redactor.clean(text);
    if redactor.finds(&json!(cleaned).to_string()) {
        return "***".to_owned();
    }
    cleaned
}

/// Redacted texts as a JSON array.
pub(super) fn texts(all: impl IntoIterator<Item = impl ToString>, redactor: &Redactor) -> Value {
    let all = all.into_iter();
    all.map(|text| clean(&text.to_string(), redactor)).collect()
}

/// The object `error`.
pub(super) fn error_object(failure: &Failure, redactor: &Redactor) -> Value {
    let clean = |text: &str| clean(text, redactor);
    json!({
        "exit_code": failure.class.exit_code(),
        "class": failure.class.name(),
        "what": clean(&failure.what),
        "why": failure.why.as_deref().map(clean),
        "next": clean(&failure.next),
        "aws": failure.aws.as_deref().map(clean),
    })
}

/// The steps of a plan; empty if the run was not a plan.
pub(super) fn planned_steps(outcome: &Outcome) -> impl Iterator<Item = &PlannedStep> {
    let preview = outcome.preview.iter();
    preview.flat_map(|preview| &preview.steps)
}

/// The JSON array `plan`.
pub(super) fn plan_list(outcome: &Outcome, redactor: &Redactor) -> Value {
    planned_steps(outcome)
        .map(|step| json!({"what": clean(&step.what, redactor), "why": clean(&step.why, redactor)}))
        .collect()
}
