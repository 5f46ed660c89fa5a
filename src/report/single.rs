//! The presentation of a single secret as outputs, text, JSON and Markdown. Must not print.

use std::time::Duration;

use serde_json::{Value, json};
use upsert_secret_core::console;
use upsert_secret_core::failure::Failure;
use upsert_secret_core::notice::Level;
use upsert_secret_core::outcome::{Change, ChangeKind, Outcome};

use super::graph;
use super::markdown::{self, code, code_cell, failed_heading, notice_items, prose};
use super::parts::{plan_list, planned_steps, texts};
use crate::outputs::{Outputs, is_flat};
use crate::redact::Redactor;

/// All outputs after a success; the known ones after a failure.
pub(super) fn outputs(outcome: &Outcome, failed: bool) -> Outputs {
    let happened = !failed || !outcome.changes.is_empty();
    let word = |text: &str| happened.then(|| text.to_owned());
    let version = outcome.version.as_ref();
    let version_id = version.map(|version| version.id.clone());
    let stages = version.map(|version| version.stages.join(","));
    let all = [
        ("secret_id", outcome.arn.clone()),
        ("secret_name", outcome.name.clone()),
        ("secret_version_id", version_id),
        ("previous_version_id", outcome.moved_from.clone()),
        ("version_stages", stages),
        ("result", word(outcome.kind().word())),
        ("changed", word(&outcome.changed().to_string())),
        ("restored", word(&outcome.restored().to_string())),
        ("region", outcome.region.clone()),
    ];
    all.into_iter()
        .filter(|(_, value)| value.is_some() || !failed)
        .map(|(name, value)| (name, value.unwrap_or_default()))
        .collect()
}

/// Text for the log: a headline, one line per change, the IDs.
pub(super) fn text(outcome: &Outcome, failed: bool, took: Duration) -> String {
    let mut lines = Vec::new();
    if !failed {
        let colon = if outcome.preview.is_some() { ":" } else { "" };
        lines.push(format!(
            "{}{colon} {} in {} ({} ms)",
            result_words(outcome),
            outcome.name.as_deref().unwrap_or_default(),
            outcome.region.as_deref().unwrap_or_default(),
            took.as_millis()
        ));
    } else if !outcome.changes.is_empty() {
        lines.push("before it failed, this run".to_owned());
    }
    lines.extend(outcome.changes.iter().map(|change| format!("  {change}")));
    for step in planned_steps(outcome) {
        lines.push(format!("  would {}", step.what));
        lines.push(format!("    because: {}", step.why));
    }
    if let Some(arn) = &outcome.arn {
        lines.push(format!("  secret   {arn}"));
    }
    if let Some(version) = &outcome.version {
        let labels = version.stages.join(", ");
        lines.push(format!("  version  {} ({labels})", version.id));
    }
    lines.join("\n")
}

/// The outputs and changes as a JSON object.
pub(super) fn object(outcome: &Outcome, failed: bool, redactor: &Redactor) -> Value {
    let mut object = json!({ "changes": texts(&outcome.changes, redactor) });
    if outcome.preview.is_some() {
        object["plan"] = plan_list(outcome, redactor);
    }
    for (name, value) in outputs(outcome, failed) {
        if !is_flat(&value) {
            continue;
        }
        object[name] = match (name, value.as_str()) {
            ("changed" | "restored", flag) => json!(flag == "true"),
            ("version_stages", stages) => {
                let stages = stages.split(',').filter(|stage| !stage.is_empty());
                stages.collect()
            }
            (_, "") => Value::Null,
            (_, text) => json!(text),
        };
    }
    object
}

/// The job summary: names, IDs, result, duration and changes, never a value. After a failure, only what is known.
pub(super) fn markdown(
    outcome: &Outcome,
    notices: &[(Level, String)],
    failure: Option<&Failure>,
    took: Duration,
    redactor: &Redactor,
) -> String {
    let mut page = match failure {
        None => format!(
            "### {}: {}\n\n",
            heading(outcome),
            code(outcome.name.as_deref().unwrap_or_default(), redactor)
        ),
        Some(failure) => failed_heading(failure) + &markdown::failure(failure, redactor),
    };
    let version = outcome.version.as_ref();
    let labels = version.map(|version| version.stages.join(", "));
    let ids = [
        ("Secret", outcome.arn.as_deref()),
        ("Version", version.map(|version| version.id.as_str())),
        ("Staging labels", labels.as_deref()),
        ("Previous version", outcome.moved_from.as_deref()),
        ("Region", outcome.region.as_deref()),
    ];
    let mut rows = String::new();
    for (name, value) in ids {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            rows.push_str(&format!("| {name} | {} |\n", code_cell(value, redactor)));
        }
    }
    if let Some(url) = console_page(outcome, redactor) {
        rows.push_str(&format!("| AWS console | [open the secret]({url}) |\n"));
    }
    if failure.is_none() {
        rows.push_str(&format!("| Duration | {} ms |\n", took.as_millis()));
    }
    if !rows.is_empty() {
        page.push_str(&format!("| | |\n|---|---|\n{rows}\n"));
    }
    if let Some((before, after)) = &outcome.labels {
        page.push_str(&graph::label_moves(before, after, redactor));
    }
    for change in &outcome.changes {
        page.push_str(&format!("- {}\n", prose(&change.to_string(), redactor)));
    }
    for step in planned_steps(outcome) {
        page.push_str(&format!(
            "- would {} (because: {})\n",
            prose(&step.what, redactor),
            prose(&step.why, redactor)
        ));
    }
    page + &notice_items(notices, redactor) + "\n"
}

/// The AWS console page of an existing secret; `None` if the name contains a form of a secret, because a link with redacted
/// parts would be wrong.
fn console_page(outcome: &Outcome, redactor: &Redactor) -> Option<String> {
    outcome.arn.as_ref()?;
    let name = outcome.name.as_deref()?;
    let url = console::secret_page(outcome.region.as_deref()?, name)?;
    (!redactor.finds(name) && !redactor.finds(&url)).then_some(url)
}

/// The heading of the summary of a successful run.
fn heading(outcome: &Outcome) -> String {
    match result_words(outcome) {
        "promoted" => "Promoted".to_owned(),
        "rolled back" => "Rolled back".to_owned(),
        words => format!("Secret {words}"),
    }
}

/// The result in words, or the expected result for a plan.
fn result_words(outcome: &Outcome) -> &'static str {
    let moved = outcome.changes.iter().find_map(|change| match change {
        Change::Promoted(_) => Some("promoted"),
        Change::RolledBack(_) => Some("rolled back"),
        _ => None,
    });
    match (&outcome.preview, outcome.kind()) {
        (None, happened) => moved.unwrap_or(happened.word()),
        (Some(_), ChangeKind::Created) => "would be created",
        (Some(_), ChangeKind::Updated) => "would be updated",
        (Some(_), ChangeKind::Unchanged) => "would be unchanged",
    }
}
