//! A run over a manifest as outputs, text and JSON.

use std::time::Duration;

use serde_json::{Map, Value, json};
use upsert_secret_core::failure::Failure;
use upsert_secret_core::labels::CURRENT;
use upsert_secret_core::outcome::{Change, PlannedStep};

use super::error::error_object;
use crate::outputs::{Outputs, is_flat};
use crate::redact::Redactor;
use crate::run_report::{Counts, Details, RunReport, Status, TargetReport};

/// The longest `results`, in bytes; all outputs of a job may have 1 MB.
const MAX_RESULTS: usize = 256 * 1024;
/// Lines of text and notices; what is more is in the report.
pub(super) const MAX_LINES: usize = 100;

/// Everything that is known at the end of a run over a manifest.
pub(crate) struct ManifestReport<'a> {
    /// The secrets.
    pub(super) run: &'a RunReport,
    /// Why the run failed, if it did.
    pub(super) failure: Option<&'a Failure>,
    /// How long the run took.
    pub(super) took: Duration,
}

impl ManifestReport<'_> {
    /// What happened in a word.
    fn result(counts: Counts) -> Status {
        match (counts.created, counts.updated) {
            (0, 0) => Status::Unchanged,
            (_, 0) => Status::Created,
            _ => Status::Updated,
        }
    }

    /// Outputs: all counts, whatever happened.
    pub(super) fn outputs(&self) -> Outputs {
        let counts = self.run.counts();
        let result = Self::result(counts);
        // Where some failed and nothing changed there is no word for it: `unchanged` would be taken for "all is well".
        let told = result != Status::Unchanged || counts.failed + counts.not_tried == 0;
        let word = |text: &str| if told { text } else { "" }.to_owned();
        let changed = if result == Status::Unchanged {
            "false"
        } else {
            "true"
        };
        let mut outputs: Outputs = vec![
            ("result", word(result.word())),
            ("changed", word(changed)),
            ("created", counts.created.to_string()),
            ("updated", counts.updated.to_string()),
            ("unchanged", counts.unchanged.to_string()),
            ("failed", counts.failed.to_string()),
            ("not_tried", counts.not_tried.to_string()),
        ];
        if let Some(region) = self.run.region.borrow().clone() {
            outputs.push(("region", region));
        }
        outputs
    }

    /// The output `results`: ids by name, in one line; `None` where that would be too long.
    pub(super) fn results(&self) -> Option<String> {
        let mut all = Map::new();
        let mut length = 2;
        self.run.read(|targets| {
            for target in targets {
                let one = Value::Object(ids(target));
                length += one.to_string().len() + target.name.len() + 4;
                if length > MAX_RESULTS {
                    return None;
                }
                all.insert(target.name.clone(), one);
            }
            Some(Value::Object(all).to_string())
        })
    }

    /// What a person reads: how many ended how, and a line for each that changed.
    pub(super) fn text(&self) -> String {
        let mut lines = vec![format!("{} ({})", self.heading(), time(self.took))];
        self.run.read(|targets| {
            let changed: Vec<&TargetReport> = targets
                .iter()
                .filter(|target| matches!(target.status, Status::Created | Status::Updated))
                .collect();
            for target in changed.iter().take(MAX_LINES) {
                lines.push(format!(
                    "  {:<9}{}{}",
                    target.status.word(),
                    target.name,
                    version(target)
                ));
                let more = target.details.iter();
                for planned in more.clone().flat_map(|more| planned_steps(more)) {
                    lines.push(format!(
                        "    would {} (because: {})",
                        planned.what, planned.why
                    ));
                }
                for change in more
                    .flat_map(|more| &more.outcome.changes)
                    .filter(|change| says_more(change))
                {
                    lines.push(format!("    {change}"));
                }
            }
            if changed.len() > MAX_LINES {
                lines.push(format!("  and {} more", changed.len() - MAX_LINES));
            }
        });
        lines.join("\n")
    }

    pub(super) fn heading(&self) -> String {
        let counts = self.run.counts();
        let mut parts = Vec::new();
        for (number, status) in [
            (counts.created, Status::Created),
            (counts.updated, Status::Updated),
            (counts.unchanged, Status::Unchanged),
            (counts.failed, Status::Failed),
            (counts.not_tried, Status::NotTried),
        ] {
            if number > 0 {
                parts.push(format!(
                    "{number} {}",
                    words(status, self.run.kind.plan_only)
                ));
            }
        }
        let region = self.run.region.borrow().clone();
        let region = region.map_or_else(String::new, |region| format!(" in {region}"));
        let secrets = if counts.all == 1 { "secret" } else { "secrets" };
        format!("{} {secrets}{region}: {}", counts.all, parts.join(", "))
    }

    /// One object: counts, and every secret by name.
    pub(super) fn json(&self, redactor: &Redactor) -> String {
        let clean = |text: &str| redactor.clean(text);
        let mut object = Map::new();
        let counts = self.run.counts();
        let result = Self::result(counts);
        object.insert("result".to_owned(), json!(result.word()));
        object.insert("changed".to_owned(), json!(result != Status::Unchanged));
        object.insert("region".to_owned(), json!(*self.run.region.borrow()));
        for (name, number) in [
            ("created", counts.created),
            ("updated", counts.updated),
            ("unchanged", counts.unchanged),
            ("failed", counts.failed),
            ("not_tried", counts.not_tried),
        ] {
            object.insert(name.to_owned(), json!(number));
        }
        let secrets: Map<String, Value> = self.run.read(|targets| {
            targets.iter()
                .map(|target| {
                    let mut one = ids(target);
                    if let Some(more) = &target.details {
                        let changes: Vec<_> =
                            more.outcome.changes.iter().map(|change| clean(&change.to_string())).collect();
                        one.insert("changes".to_owned(), json!(changes));
                        one.insert("restored".to_owned(), json!(more.outcome.restored()));
                        if self.run.kind.plan_only {
                            let planned: Vec<_> = planned_steps(more)
                                .map(|step| json!({"what": clean(&step.what), "why": clean(&step.why)}))
                                .collect();
                            one.insert("plan".to_owned(), json!(planned));
                        }
                        if let Some(failure) = &more.failure {
                            one.insert("error".to_owned(), error_object(failure, redactor));
                        }
                    }
                    (clean(&target.name), Value::Object(one))
                })
                .collect()
        });
        object.insert("secrets".to_owned(), Value::Object(secrets));
        let notices = self.run.notices();
        let notices: Vec<_> = notices.iter().map(|(_, text)| clean(text)).collect();
        object.insert("notices".to_owned(), json!(notices));
        object.insert(
            "milliseconds".to_owned(),
            json!(u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX)),
        );
        if let Some(failure) = self.failure {
            object.insert("error".to_owned(), error_object(failure, redactor));
        }
        Value::Object(object).to_string()
    }
}

/// Whether a change says more than the word and the version that stand before it.
fn says_more(change: &Change) -> bool {
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

/// What happened to so many, or would.
pub(super) fn words(status: Status, preview: bool) -> &'static str {
    match (status, preview) {
        (Status::Created, true) => "to be created",
        (Status::Updated, true) => "to be updated",
        (Status::NotTried, _) => "not tried",
        _ => status.word(),
    }
}

fn version(target: &TargetReport) -> String {
    target
        .version_id
        .as_deref()
        .map_or_else(String::new, |id| format!("  version {id}"))
}

/// What stands for a secret in `results` and in reports. Ids that are none of AWS's stay away, as from outputs.
fn ids(target: &TargetReport) -> Map<String, Value> {
    let mut one = Map::new();
    one.insert("result".to_owned(), json!(target.status.word()));
    let previous = target
        .details
        .as_ref()
        .and_then(|more| more.outcome.moved_from.as_deref());
    for (name, value) in [
        ("secret_id", target.arn.as_deref()),
        ("secret_version_id", target.version_id.as_deref()),
        ("previous_version_id", previous),
    ] {
        if let Some(value) = value.filter(|value| is_flat(value)) {
            one.insert(name.to_owned(), json!(value));
        }
    }
    one
}

pub(super) fn time(took: Duration) -> String {
    if took < Duration::from_secs(10) {
        format!("{} ms", took.as_millis())
    } else {
        format!("{} s", took.as_secs())
    }
}

/// The steps that a plan would take.
pub(super) fn planned_steps(details: &Details) -> impl Iterator<Item = &PlannedStep> {
    let preview = details.outcome.preview.iter();
    preview.flat_map(|preview| &preview.steps)
}
