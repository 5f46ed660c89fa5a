//! JSON and Markdown that both presentations share. Text in Markdown is escaped, so that it cannot become markup.

use serde_json::{Value, json};
use upsert_secret_core::failure::Failure;
use upsert_secret_core::notice::Level;
use upsert_secret_core::outcome::{Outcome, PlannedStep};

use crate::redact::Redactor;

/// Redacted texts as a JSON array.
pub(super) fn texts(all: impl IntoIterator<Item = impl ToString>, redactor: &Redactor) -> Value {
    let all = all.into_iter();
    all.map(|text| redactor.clean(&text.to_string())).collect()
}

/// The object `error`.
pub(super) fn error_object(failure: &Failure, redactor: &Redactor) -> Value {
    let clean = |text: &str| redactor.clean(text);
    json!({
        "exit_code": failure.class.exit_code(),
        "class": failure.class.name(),
        "what": clean(&failure.what),
        "why": failure.why.as_deref().map(clean),
        "next": clean(&failure.next),
        "aws": failure.aws.as_deref().map(clean),
    })
}

/// The steps of a plan; none if the run was not a plan.
pub(super) fn planned_steps(outcome: &Outcome) -> impl Iterator<Item = &PlannedStep> {
    let preview = outcome.preview.iter();
    preview.flat_map(|preview| &preview.steps)
}

/// The JSON array `plan`.
pub(super) fn plan_list(outcome: &Outcome, redactor: &Redactor) -> Value {
    planned_steps(outcome)
        .map(|step| json!({"what": redactor.clean(&step.what), "why": redactor.clean(&step.why)}))
        .collect()
}

/// The heading of the summary of a failed run.
pub(super) fn failed_heading(failure: &Failure) -> String {
    format!(
        "### upsert-secret failed: {} (exit {})\n\n",
        failure.class.name(),
        failure.class.exit_code()
    )
}

/// A failure as a fenced block, which its text cannot close.
pub(super) fn failure_block(failure: &Failure, redactor: &Redactor) -> String {
    let text = redactor.clean(&failure.to_string());
    format!("```text\n{}\n```\n\n", text.replace("```", "'''"))
}

/// Notices as list items.
pub(super) fn notice_items(notices: &[(Level, String)], redactor: &Redactor) -> String {
    let item = |(level, text): &(Level, String)| {
        let text = prose(text, redactor);
        format!("- {}: {text}\n", level.word())
    };
    notices.iter().map(item).collect()
}

/// Text as a code span in a table cell.
pub(super) fn code(text: &str, redactor: &Redactor) -> String {
    let text = redactor.clean_line(text);
    format!("`{}`", text.replace('`', "'").replace('|', "\\|"))
}

/// Text without markup, except for code spans.
pub(super) fn prose(text: &str, redactor: &Redactor) -> String {
    redactor
        .clean_line(text)
        .replace('\\', "\\\\")
        .replace(['<', '>'], " ")
        .replace('|', "\\|")
        .replace('[', "\\[")
        .replace('!', "\\!")
}
