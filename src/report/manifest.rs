//! The presentation of a manifest run as outputs, text, JSON and Markdown. The job summary is a table, truncated at the
//! platform's limit. Must not print.

use std::time::Duration;

use serde_json::{Map, Value, json};
use upsert_secret_core::failure::Failure;
use upsert_secret_core::labels::CURRENT;
use upsert_secret_core::outcome::{Change, ChangeKind, PlannedStep};

use super::graph;
use super::markdown::{self, code_cell, failed_heading, notice_items, prose, prose_cell};
use super::parts::{error_object, plan_list, planned_steps, texts};
use crate::outputs::{Outputs, is_flat};
use crate::redact::Redactor;
use crate::run_report::{RunReport, Status, TargetReport};

/// The maximum size of `results` in bytes: enough for more than 1,000 secrets. All outputs of a job together are limited to 1
/// MB, in UTF-16.
const MAX_RESULTS: usize = 448 * 1024;
/// The maximum number of lines of text, and of notices. The report file is complete.
const MAX_LINES: usize = 100;
/// The maximum number of label graphs in a summary: more would hide the notices.
const MAX_GRAPHS: usize = 3;

/// The kind of change of the run as a whole.
fn kind(run: &RunReport) -> ChangeKind {
    let count = |kind| run.count(Status::Done(kind));
    let is_partial =
        |target: &TargetReport| target.status == Status::Failed && target.has_changed();
    let partial = run
        .targets()
        .iter()
        .filter(|target| is_partial(target))
        .count();
    match (
        count(ChangeKind::Created),
        count(ChangeKind::Updated) + partial,
    ) {
        (0, 0) => ChangeKind::Unchanged,
        (_, 0) => ChangeKind::Created,
        _ => ChangeKind::Updated,
    }
}

/// Whether the result is left empty because secrets failed and nothing changed. `unchanged` would be mistaken for a success.
fn is_unknown(run: &RunReport, kind: ChangeKind) -> bool {
    let unfinished = run.count(Status::Failed) + run.count(Status::NotTried);
    kind == ChangeKind::Unchanged && unfinished > 0
}

/// The outputs; the counts are always complete.
pub(super) fn outputs(run: &RunReport) -> Outputs {
    let kind = kind(run);
    let changed = kind != ChangeKind::Unchanged;
    let mut outputs = vec![
        ("result", kind.word().to_owned()),
        ("changed", changed.to_string()),
    ];
    if is_unknown(run, kind) {
        for (_, word) in &mut outputs {
            word.clear();
        }
    }
    outputs.extend(Status::ALL.map(|status| (status.word(), run.count(status).to_string())));
    outputs.extend(run.region.get().map(|region| ("region", region.clone())));
    outputs
}

/// The output `results`: IDs by name, on one line; `None` if it would be too long.
pub(super) fn results(run: &RunReport) -> Option<String> {
    let mut all = Map::new();
    let mut length = 2;
    for target in run.targets().iter() {
        let one = ids(target);
        length += one.to_string().len() + target.name.len() + 4;
        if length > MAX_RESULTS {
            return None;
        }
        all.insert(target.name.clone(), one);
    }
    Some(Value::Object(all).to_string())
}

/// Text for the log: counts, and a line for each changed secret.
pub(super) fn text(run: &RunReport, took: Duration, redactor: &Redactor) -> String {
    let mut lines = vec![format!("{} ({})", heading(run), time(took))];
    let targets = run.targets();
    let changed = targets.iter().enumerate();
    let changed: Vec<_> = changed.filter(|(_, it)| it.has_changed()).collect();
    let status = |target: &TargetReport| status_text(target.status, run.kind.plan_only);
    let width = if run.kind.plan_only { 15 } else { 9 };
    for (index, target) in changed.iter().take(MAX_LINES) {
        let version = target.version_id.as_deref();
        let version = version.map_or_else(String::new, |id| format!("  version {id}"));
        lines.push(format!(
            "  {:<width$}{}{}{version}",
            status(target),
            target.name,
            position(*index, target, redactor)
        ));
        if let Some(details) = &target.details {
            let planned = planned_steps(&details.outcome).map(planned_text);
            lines.extend(planned.map(|step| format!("    {step}")));
            let changes = details.outcome.changes.iter().filter(|it| adds_detail(it));
            lines.extend(changes.map(|change| format!("    {change}")));
        }
    }
    if changed.len() > MAX_LINES {
        lines.push(format!("  and {} more", changed.len() - MAX_LINES));
    }
    lines.join("\n")
}

/// The position of a secret in the list, if redaction changes its name and may make it equal to another name.
fn position(index: usize, target: &TargetReport, redactor: &Redactor) -> String {
    if redactor.clean_line(&target.name) == target.name {
        return String::new();
    }
    format!(" (no. {})", index + 1)
}

fn heading(run: &RunReport) -> String {
    let counts: Vec<_> = Status::ALL
        .into_iter()
        .map(|status| (run.count(status), status_text(status, run.kind.plan_only)))
        .filter(|(number, _)| *number > 0)
        .map(|(number, text)| format!("{number} {text}"))
        .collect();
    let region = run.region.get();
    let region = region.map_or_else(String::new, |region| format!(" in {region}"));
    let all = run.targets().len();
    let secrets = if all == 1 { "secret" } else { "secrets" };
    if counts.is_empty() {
        return format!("{all} {secrets}{region}");
    }
    format!("{all} {secrets}{region}: {}", counts.join(", "))
}

/// The counts and every secret by name as a JSON object. Names are as given, as in `results`: AWS shows them to everyone with
/// permission to list secrets, the ARNs contain them, and several secrets could have the same redacted name.
pub(super) fn object(run: &RunReport, redactor: &Redactor) -> Value {
    let kind = kind(run);
    let mut object = json!({
        "result": kind.word(),
        "changed": kind != ChangeKind::Unchanged,
        "region": run.region.get(),
    });
    if is_unknown(run, kind) {
        (object["result"], object["changed"]) = (Value::Null, Value::Null);
    }
    for status in Status::ALL {
        object[status.word()] = json!(run.count(status));
    }
    let targets = run.targets();
    let secrets = targets.iter().map(|target| {
        let mut one = ids(target);
        if let Some(details) = &target.details {
            let outcome = &details.outcome;
            one["changes"] = texts(&outcome.changes, redactor);
            one["restored"] = json!(outcome.restored());
            if run.kind.plan_only {
                one["plan"] = plan_list(outcome, redactor);
            }
            if let Some(failure) = &details.failure {
                one["error"] = error_object(failure, redactor);
            }
        }
        (target.name.clone(), one)
    });
    object["secrets"] = secrets.collect();
    object
}

/// The job summary, at most `room` bytes: a table with failures first, then changes.
pub(super) fn markdown(
    run: &RunReport,
    failure: Option<&Failure>,
    took: Duration,
    redactor: &Redactor,
    room: usize,
) -> String {
    let heading = prose(&heading(run), redactor);
    let mut page = match failure {
        None => format!("### {heading}\n\n"),
        Some(failure) => {
            let failure_text = markdown::failure(failure, redactor);
            format!("{}{heading}\n\n{failure_text}", failed_heading(failure))
        }
    };
    page.push_str("| Secret | Result | Version | Details |\n|---|---|---|---|\n");
    let mut notices = run.notices();
    notices.truncate(MAX_LINES);
    let mut notices = graphs(run, redactor) + &notice_items(&notices, redactor);
    notices.push_str(&format!("\nDuration: {}\n\n", time(took)));
    // Leaves room for the line about the secrets that are not shown.
    let room = room.saturating_sub(page.len() + notices.len() + 200);
    let mut table = String::new();
    let targets = run.targets();
    let mut order: Vec<(usize, &TargetReport)> = targets.iter().enumerate().collect();
    order.sort_by_key(|(_, target)| target.status);
    for (shown, (index, target)) in order.iter().enumerate() {
        let row = row(*index, target, run.kind.plan_only, redactor);
        if table.len() + row.len() > room {
            table.push_str(&format!(
                "\n{} more secrets are not shown: a summary has 1 MiB at most. The file `report_path` has all of them.\n",
                order.len() - shown
            ));
            break;
        }
        table.push_str(&row);
    }
    page + &table + "\n" + &notices
}

/// The label graphs of a run that moved labels of only a few secrets.
fn graphs(run: &RunReport, redactor: &Redactor) -> String {
    let targets = run.targets();
    let changed = targets.iter().filter(|target| target.has_changed());
    let graphs = changed.filter_map(|target| {
        let (before, after) = target.details.as_ref()?.outcome.labels.as_ref()?;
        let graph = graph::label_moves(before, after, redactor);
        let name = code_cell(&target.name, redactor);
        (!graph.is_empty()).then(|| format!("{name}\n\n{graph}"))
    });
    let graphs: Vec<_> = graphs.take(MAX_GRAPHS + 1).collect();
    if graphs.len() > MAX_GRAPHS {
        return String::new();
    }
    graphs.concat()
}

fn row(index: usize, target: &TargetReport, plan_only: bool, redactor: &Redactor) -> String {
    let mut what = Vec::new();
    if let Some(details) = &target.details {
        what.extend(details.outcome.changes.iter().map(ToString::to_string));
        what.extend(planned_steps(&details.outcome).map(planned_text));
        what.extend(details.failure.iter().map(|failure| failure.what.clone()));
    }
    let what: Vec<_> = what.iter().map(|text| prose_cell(text, redactor)).collect();
    let version = target.version_id.as_deref();
    format!(
        "| {}{} | {} | {} | {} |\n",
        code_cell(&target.name, redactor),
        position(index, target, redactor),
        status_text(target.status, plan_only),
        version.map_or_else(String::new, |id| code_cell(id, redactor)),
        what.join("<br>")
    )
}

fn planned_text(step: &PlannedStep) -> String {
    format!("would {} (because: {})", step.what, step.why)
}

/// Whether a change adds details to the status and version shown before it.
fn adds_detail(change: &Change) -> bool {
    match change {
        Change::Created {
            description,
            kms_key,
            tags,
            replicas,
            keys,
        } => *description || *kms_key || *tags > 0 || *replicas > 0 || !keys.is_empty(),
        Change::Version { label, keys, .. } => label != CURRENT || !keys.is_empty(),
        _ => true,
    }
}

/// The status in a sentence.
fn status_text(status: Status, plan_only: bool) -> &'static str {
    match (status, plan_only) {
        (Status::Done(ChangeKind::Created), true) => "to be created",
        (Status::Done(ChangeKind::Updated), true) => "to be updated",
        (Status::NotTried, _) => "not tried",
        _ => status.word(),
    }
}

/// The status and IDs of a secret. As in outputs, a text that cannot be an AWS ID is left out.
fn ids(target: &TargetReport) -> Value {
    let mut ids = json!({ "result": target.status.word() });
    let details = target.details.as_ref();
    let previous = details.and_then(|details| details.outcome.moved_from.as_deref());
    for (name, id) in [
        ("secret_id", target.arn.as_deref()),
        ("secret_version_id", target.version_id.as_deref()),
        ("previous_version_id", previous),
    ] {
        if let Some(id) = id.filter(|id| is_flat(id)) {
            ids[name] = json!(id);
        }
    }
    ids
}

fn time(took: Duration) -> String {
    if took < Duration::from_secs(10) {
        format!("{} ms", took.as_millis())
    } else {
        format!("{} s", took.as_secs())
    }
}
