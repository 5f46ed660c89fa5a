//! A run of many secrets as outputs, text, JSON and Markdown. Prints nothing; what it makes goes through `redact`.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{Output, error_object, output};
use crate::batch::{Board, Fate, Row, Totals};
use crate::failure::Failure;
use crate::outcome::Change;
use crate::platform::{Outputs, is_flat};
use crate::redact::Redactor;
use crate::request::CURRENT;

mod page;

/// Outputs that a manifest adds.
pub const MANY: [Output; 7] = [
    output(
        "created",
        "With `manifest`: how many secrets were created; in a `plan`, would be.",
    ),
    output("updated", "With `manifest`: how many were updated."),
    output(
        "unchanged",
        "With `manifest`: how many were as they shall be.",
    ),
    output("failed", "With `manifest`: how many failed."),
    output(
        "not_tried",
        "With `manifest`: how many were not looked at, because the run ended before.",
    ),
    output(
        "results",
        "With `manifest`, on GitHub: results and ids by name, as one line of JSON; left out above 256 KiB.",
    ),
    output(
        "report_path",
        "With `manifest`, on GitHub: the path of a JSON file with all of it, for later steps of the same job.",
    ),
];

/// The most that `results` has, in bytes; all outputs of a job may have 1 MB.
const MAX_RESULTS: usize = 256 * 1024;
/// Lines of text; what is more is in the report.
const MAX_LINES: usize = 100;
/// Failures that are told whole.
const MAX_FAILURES: usize = 10;

/// Everything that is known at the end of a run of many secrets.
pub struct Many<'a> {
    /// What came of each.
    pub board: &'a Board,
    /// Why the run failed, if it did.
    pub failure: Option<&'a Failure>,
    /// The whole run.
    pub took: Duration,
}

/// The failure of a run in which some secrets failed.
#[must_use]
pub fn failure(board: &Board) -> Option<Failure> {
    if let Some(whole) = board.whole() {
        return Some(whole);
    }
    let class = board.gravest()?;
    let totals = board.totals();
    // Unless AWS's words say so themselves, nobody would think of it.
    let none = if board.together && totals.created + totals.updated == 0 {
        ", so none was made current"
    } else {
        ""
    };
    Some(board.read(|rows| {
        let failed: Vec<(&str, &Failure)> = rows
            .iter()
            .filter_map(|row| Some((row.name.as_str(), row.more.as_ref()?.failure.as_ref()?)))
            .collect();
        if let [(name, only)] = failed[..] {
            return Failure {
                what: format!("{}{none}", with_name(name, &only.what)),
                ..only.clone()
            };
        }
        let mut why: Vec<String> = failed
            .iter()
            .take(MAX_FAILURES)
            .map(|(name, failure)| told(name, failure))
            .collect();
        if failed.len() > MAX_FAILURES {
            why.push(format!(
                "and {} more, which the report names",
                failed.len() - MAX_FAILURES
            ));
        }
        Failure::new(
            class,
            format!("{} of {} secrets failed{none}", totals.failed, totals.all),
            "mend that, and run again: what has been done is found and left alone",
        )
        .because(why.join("\n"))
    }))
}

/// What happened, and to which secret, where the words do not say so themselves.
fn with_name(name: &str, what: &str) -> String {
    let says = what
        .split(|c: char| c.is_whitespace() || c == ',' || c == ':')
        .any(|word| word == name);
    if says {
        what.to_owned()
    } else {
        format!("{name}: {what}")
    }
}

fn told(name: &str, failure: &Failure) -> String {
    let what = with_name(name, &failure.what);
    let mut text = format!("{what} ({})", failure.class.name());
    for line in failure.why.iter().flat_map(|why| why.lines()) {
        text.push_str(&format!("\n  {line}"));
    }
    for line in failure.next.lines() {
        text.push_str(&format!("\n  next: {line}"));
    }
    text
}

impl Many<'_> {
    /// What happened in a word.
    fn result(totals: Totals) -> Fate {
        match (totals.created, totals.updated) {
            (0, 0) => Fate::Unchanged,
            (_, 0) => Fate::Created,
            _ => Fate::Updated,
        }
    }

    /// Outputs: all totals, whatever happened.
    #[must_use]
    pub fn outputs(&self) -> Outputs {
        let totals = self.board.totals();
        let result = Self::result(totals);
        // Where some failed and nothing changed there is no word for it: `unchanged` would be taken for "all is well".
        let told = result != Fate::Unchanged || totals.failed + totals.not_tried == 0;
        let word = |text: &str| if told { text } else { "" }.to_owned();
        let changed = if result == Fate::Unchanged {
            "false"
        } else {
            "true"
        };
        let mut outputs: Outputs = vec![
            ("result", word(result.word())),
            ("changed", word(changed)),
            ("created", totals.created.to_string()),
            ("updated", totals.updated.to_string()),
            ("unchanged", totals.unchanged.to_string()),
            ("failed", totals.failed.to_string()),
            ("not_tried", totals.not_tried.to_string()),
        ];
        if let Some(region) = self.board.region.borrow().clone() {
            outputs.push(("region", region));
        }
        outputs
    }

    /// The output `results`: ids by name, in one line; `None` where that would be too long.
    #[must_use]
    pub fn results(&self) -> Option<String> {
        let mut all = Map::new();
        let mut length = 2;
        self.board.read(|rows| {
            for row in rows {
                let one = Value::Object(ids(row));
                length += one.to_string().len() + row.name.len() + 4;
                if length > MAX_RESULTS {
                    return None;
                }
                all.insert(row.name.clone(), one);
            }
            Some(Value::Object(all).to_string())
        })
    }

    /// What a person reads: how many ended how, and a line for each that changed.
    #[must_use]
    pub fn text(&self) -> String {
        let mut lines = vec![format!("{} ({})", self.heading(), time(self.took))];
        self.board.read(|rows| {
            let changed: Vec<&Row> = rows
                .iter()
                .filter(|row| matches!(row.fate, Fate::Created | Fate::Updated))
                .collect();
            for row in changed.iter().take(MAX_LINES) {
                lines.push(format!(
                    "  {:<9}{}{}",
                    row.fate.word(),
                    row.name,
                    version(row)
                ));
                let more = row.more.iter();
                for planned in more.clone().flat_map(|more| &more.planned) {
                    lines.push(format!(
                        "    would {} (because: {})",
                        planned.what, planned.why
                    ));
                }
                for change in more
                    .flat_map(|more| &more.changes)
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

    fn heading(&self) -> String {
        let totals = self.board.totals();
        let mut parts = Vec::new();
        for (number, fate) in [
            (totals.created, Fate::Created),
            (totals.updated, Fate::Updated),
            (totals.unchanged, Fate::Unchanged),
            (totals.failed, Fate::Failed),
            (totals.not_tried, Fate::NotTried),
        ] {
            if number > 0 {
                parts.push(format!("{number} {}", words(fate, self.board.preview)));
            }
        }
        let region = self.board.region.borrow().clone();
        let region = region.map_or_else(String::new, |region| format!(" in {region}"));
        let secrets = if totals.all == 1 { "secret" } else { "secrets" };
        format!("{} {secrets}{region}: {}", totals.all, parts.join(", "))
    }

    /// One object: totals, and every secret by name.
    #[must_use]
    pub fn json(&self, redactor: &Redactor) -> String {
        let clean = |text: &str| redactor.clean(text);
        let mut object = Map::new();
        let totals = self.board.totals();
        let result = Self::result(totals);
        object.insert("result".to_owned(), json!(result.word()));
        object.insert("changed".to_owned(), json!(result != Fate::Unchanged));
        object.insert("region".to_owned(), json!(*self.board.region.borrow()));
        for (name, number) in [
            ("created", totals.created),
            ("updated", totals.updated),
            ("unchanged", totals.unchanged),
            ("failed", totals.failed),
            ("not_tried", totals.not_tried),
        ] {
            object.insert(name.to_owned(), json!(number));
        }
        let secrets: Map<String, Value> = self.board.read(|rows| {
            rows.iter()
                .map(|row| {
                    let mut one = ids(row);
                    if let Some(more) = &row.more {
                        let changes: Vec<_> =
                            more.changes.iter().map(|change| clean(&change.to_string())).collect();
                        one.insert("changes".to_owned(), json!(changes));
                        one.insert("restored".to_owned(), json!(more.restored));
                        if self.board.preview {
                            let planned: Vec<_> = more
                                .planned
                                .iter()
                                .map(|step| json!({"what": clean(&step.what), "why": clean(&step.why)}))
                                .collect();
                            one.insert("plan".to_owned(), json!(planned));
                        }
                        if let Some(failure) = &more.failure {
                            one.insert("error".to_owned(), error_object(failure, redactor));
                        }
                    }
                    (clean(&row.name), Value::Object(one))
                })
                .collect()
        });
        object.insert("secrets".to_owned(), Value::Object(secrets));
        let notices = self.board.notices();
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
fn words(fate: Fate, preview: bool) -> &'static str {
    match (fate, preview) {
        (Fate::Created, true) => "to be created",
        (Fate::Updated, true) => "to be updated",
        (Fate::NotTried, _) => "not tried",
        _ => fate.word(),
    }
}

fn version(row: &Row) -> String {
    row.version_id
        .as_deref()
        .map_or_else(String::new, |id| format!("  version {id}"))
}

/// What stands for a secret in `results` and in reports. Ids that are none of AWS's stay away, as from outputs.
fn ids(row: &Row) -> Map<String, Value> {
    let mut one = Map::new();
    one.insert("result".to_owned(), json!(row.fate.word()));
    let previous = row.more.as_ref().and_then(|more| more.previous.as_deref());
    for (name, value) in [
        ("secret_id", row.arn.as_deref()),
        ("secret_version_id", row.version_id.as_deref()),
        ("previous_version_id", previous),
    ] {
        if let Some(value) = value.filter(|value| is_flat(value)) {
            one.insert(name.to_owned(), json!(value));
        }
    }
    one
}

fn time(took: Duration) -> String {
    if took < Duration::from_secs(10) {
        format!("{} ms", took.as_millis())
    } else {
        format!("{} s", took.as_secs())
    }
}
