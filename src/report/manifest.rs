//! The presentation of a manifest run as outputs, text, JSON and Markdown. The job summary is a table, cut at the limit of the
//! platform. Prints nothing.

use std::time::Duration;

use serde_json::{Map, Value, json};
use upsert_secret_core::failure::Failure;
use upsert_secret_core::labels::CURRENT;
use upsert_secret_core::outcome::{Change, ChangeKind, PlannedStep};

use super::parts::{
    code, error_object, failed_heading, failure_block, notice_items, plan_list, planned_steps,
    prose, texts,
};
use crate::outputs::{Outputs, is_flat};
use crate::redact::Redactor;
use crate::run_report::{RunReport, Status, TargetReport};

/// The maximum size of `results` in bytes; all outputs of a job together may have 1 MB.
const MAX_RESULTS: usize = 256 * 1024;
/// The maximum number of lines of text, and of notices. The report has all of them.
const MAX_LINES: usize = 100;

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

/// Whether the result is left empty: secrets failed and nothing changed. `unchanged` would be mistaken for a success.
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

/// The output `results`: ids by name, in one line; `None` if that would be too long.
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

/// Text for the log: counts, and a line for each secret that changed.
pub(super) fn text(run: &RunReport, took: Duration) -> String {
    let mut lines = vec![format!("{} ({})", heading(run), time(took))];
    let targets = run.targets();
    let changed: Vec<_> = targets.iter().filter(|it| it.has_changed()).collect();
    for target in changed.iter().take(MAX_LINES) {
        let version = target.version_id.as_deref();
        let version = version.map_or_else(String::new, |id| format!("  version {id}"));
        lines.push(format!(
            "  {:<9}{}{version}",
            target.status.word(),
            target.name
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
    format!("{all} {secrets}{region}: {}", counts.join(", "))
}

/// The counts and every secret by name as a JSON object.
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
        (redactor.clean(&target.name), one)
    });
    object["secrets"] = secrets.collect();
    object
}

/// The job summary, of at most `room` bytes: a table with failures first, then changes.
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
            let block = failure_block(failure, redactor);
            format!("{}{heading}\n\n{block}", failed_heading(failure))
        }
    };
    page.push_str("| secret | result | version | what |\n|---|---|---|---|\n");
    let mut notices = run.notices();
    notices.truncate(MAX_LINES);
    let mut notices = notice_items(&notices, redactor);
    notices.push_str(&format!("\nTime: {}\n\n", time(took)));
    // Room for the line about the secrets that are not shown.
    let room = room.saturating_sub(page.len() + notices.len() + 200);
    let mut table = String::new();
    let targets = run.targets();
    let mut order: Vec<&TargetReport> = targets.iter().collect();
    order.sort_by_key(|target| target.status);
    for (shown, target) in order.iter().enumerate() {
        let row = row(target, run.kind.plan_only, redactor);
        if table.len() + row.len() > room {
            table.push_str(&format!(
                "\n{} more secrets are not shown: a summary has 1 MiB at most. `report_path` has all of them.\n",
                order.len() - shown
            ));
            break;
        }
        table.push_str(&row);
    }
    page + &table + "\n" + &notices
}

fn row(target: &TargetReport, plan_only: bool, redactor: &Redactor) -> String {
    let mut what = Vec::new();
    if let Some(details) = &target.details {
        what.extend(details.outcome.changes.iter().map(ToString::to_string));
        what.extend(planned_steps(&details.outcome).map(planned_text));
        what.extend(details.failure.iter().map(|failure| failure.what.clone()));
    }
    let what: Vec<_> = what.iter().map(|text| prose(text, redactor)).collect();
    let version = target.version_id.as_deref();
    format!(
        "| {} | {} | {} | {} |\n",
        code(&target.name, redactor),
        status_text(target.status, plan_only),
        version.map_or_else(String::new, |id| code(id, redactor)),
        what.join("<br>")
    )
}

fn planned_text(step: &PlannedStep) -> String {
    format!("would {} (because: {})", step.what, step.why)
}

/// Whether a change adds to the status and version that precede it.
fn adds_detail(change: &Change) -> bool {
    match change {
        Change::Created {
            description,
            kms_key,
            tags,
            replicas,
        } => *description || *kms_key || *tags > 0 || *replicas > 0,
        Change::Version { label, .. } => label != CURRENT,
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

/// The status and ids of a secret. As in outputs, a text that cannot be an id of AWS is left out.
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
