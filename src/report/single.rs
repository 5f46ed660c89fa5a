//! A run of one secret as outputs, text, JSON and Markdown.

use std::time::Duration;

use serde_json::{Map, Value, json};
use upsert_secret_core::failure::Failure;
use upsert_secret_core::notice::Level;
use upsert_secret_core::outcome::{ChangeKind, Outcome};

use super::error::error_object;
use super::graph;
use super::markup::{block, code, prose};
use crate::outputs::{Outputs, is_flat};
use crate::redact::Redactor;

/// Everything that is known at the end of a run of one secret.
pub(crate) struct SingleReport<'a> {
    /// What was found and done.
    pub(super) outcome: &'a Outcome,
    /// What people should know.
    pub(super) notices: Vec<(Level, String)>,
    /// Why the run failed, if it did.
    pub(super) failure: Option<&'a Failure>,
    /// How long the run took.
    pub(super) took: Duration,
}

impl SingleReport<'_> {
    /// Outputs: all of them after a success; after a failure what is known.
    pub(super) fn outputs(&self) -> Outputs {
        let outcome = self.outcome;
        let version = outcome.version.as_ref();
        let happened = self.failure.is_none() || !outcome.changes.is_empty();
        let word = |text: &str| happened.then(|| text.to_owned());
        let flag = |on: bool| word(if on { "true" } else { "false" });
        let all = [
            ("secret_id", outcome.arn.clone()),
            ("secret_name", outcome.name.clone()),
            (
                "secret_version_id",
                version.map(|version| version.id.clone()),
            ),
            ("previous_version_id", outcome.moved_from.clone()),
            (
                "version_stages",
                version.map(|version| version.stages.join(",")),
            ),
            ("result", word(outcome.kind().word())),
            ("changed", flag(outcome.changed())),
            ("restored", flag(outcome.restored())),
            ("region", outcome.region.clone()),
        ];
        all.into_iter()
            .filter_map(|(name, value)| match value {
                Some(value) => Some((name, value)),
                None if self.failure.is_none() => Some((name, String::new())),
                None => None,
            })
            .collect()
    }

    /// What a person reads: what happened, one line for each change, the ids.
    pub(super) fn text(&self) -> String {
        let outcome = self.outcome;
        let mut lines = Vec::new();
        if self.failure.is_none() {
            lines.push(format!(
                "{} {} in {} ({} ms)",
                heading(outcome),
                outcome.name.as_deref().unwrap_or_default(),
                outcome.region.as_deref().unwrap_or_default(),
                self.took.as_millis()
            ));
        } else if !outcome.changes.is_empty() {
            lines.push("before it failed, this run".to_owned());
        }
        lines.extend(outcome.changes.iter().map(|change| format!("  {change}")));
        for planned in outcome.preview.iter().flat_map(|preview| &preview.steps) {
            lines.push(format!("  would {}", planned.what));
            lines.push(format!("    because: {}", planned.why));
        }
        if let Some(arn) = &outcome.arn {
            lines.push(format!("  secret   {arn}"));
        }
        if let Some(version) = &outcome.version {
            lines.push(format!(
                "  version  {} ({})",
                version.id,
                version.stages.join(", ")
            ));
        }
        lines.join("\n")
    }

    /// One object: the outputs, what was changed, and the error if there is one.
    pub(super) fn json(&self, redactor: &Redactor) -> String {
        let mut object: Map<String, Value> = self
            .outputs()
            .into_iter()
            .filter(|(_, value)| is_flat(value))
            .map(|(name, value)| {
                let value = match (name, value.as_str()) {
                    ("changed" | "restored", flag) => json!(flag == "true"),
                    ("version_stages", stages) => {
                        json!(
                            stages
                                .split(',')
                                .filter(|stage| !stage.is_empty())
                                .collect::<Vec<_>>()
                        )
                    }
                    (_, "") => Value::Null,
                    (_, text) => json!(text),
                };
                (name.to_owned(), value)
            })
            .collect();
        let clean = |text: &str| redactor.clean(text);
        let changes: Vec<_> = self
            .outcome
            .changes
            .iter()
            .map(|change| clean(&change.to_string()))
            .collect();
        let notices: Vec<_> = self.notices.iter().map(|(_, text)| clean(text)).collect();
        object.insert("changes".to_owned(), json!(changes));
        if let Some(preview) = &self.outcome.preview {
            let planned: Vec<_> = preview
                .steps
                .iter()
                .map(|planned| json!({"what": clean(&planned.what), "why": clean(&planned.why)}))
                .collect();
            object.insert("plan".to_owned(), json!(planned));
        }
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

    /// The job summary: what changed, with names, ids, result and time; never a value.
    pub(super) fn markdown(&self, redactor: &Redactor) -> String {
        let outcome = self.outcome;
        let cell = |text: &str| code(&redactor.clean_line(text));
        let mut page = String::new();
        match self.failure {
            None => page.push_str(&format!(
                "### Secret {}: {}\n\n",
                heading(outcome),
                cell(outcome.name.as_deref().unwrap_or_default())
            )),
            Some(failure) => {
                page.push_str(&format!(
                    "### upsert-secret failed: {} (exit {})\n\n",
                    failure.class.name(),
                    failure.class.exit_code()
                ));
                page.push_str(&block(&redactor.clean(&failure.to_string())));
            }
        }
        let mut rows = vec![
            ("Secret", outcome.arn.clone()),
            (
                "Version",
                outcome.version.as_ref().map(|version| version.id.clone()),
            ),
            (
                "Labels",
                outcome
                    .version
                    .as_ref()
                    .map(|version| version.stages.join(", ")),
            ),
            ("Previous version", outcome.moved_from.clone()),
            ("Region", outcome.region.clone()),
        ];
        rows.retain(|(_, value)| value.as_ref().is_some_and(|value| !value.is_empty()));
        page.push_str("| | |\n|---|---|\n");
        for (name, value) in rows {
            page.push_str(&format!(
                "| {name} | {} |\n",
                cell(&value.unwrap_or_default())
            ));
        }
        page.push_str(&format!("| Time | {} ms |\n\n", self.took.as_millis()));
        if let Some((before, after)) = &outcome.labels {
            page.push_str(&graph::label_moves(before, after, redactor));
        }
        for change in &outcome.changes {
            page.push_str(&format!(
                "- {}\n",
                prose(&redactor.clean_line(&change.to_string()))
            ));
        }
        for planned in outcome.preview.iter().flat_map(|preview| &preview.steps) {
            page.push_str(&format!(
                "- would {} (because: {})\n",
                prose(&redactor.clean_line(&planned.what)),
                prose(&redactor.clean_line(&planned.why))
            ));
        }
        for (level, text) in &self.notices {
            page.push_str(&format!(
                "- {}: {}\n",
                level.word(),
                prose(&redactor.clean_line(text))
            ));
        }
        page.push('\n');
        page
    }
}

/// What happened, or would happen.
fn heading(outcome: &Outcome) -> &'static str {
    match (&outcome.preview, outcome.kind()) {
        (None, happened) => happened.word(),
        (Some(_), ChangeKind::Created) => "would be created:",
        (Some(_), ChangeKind::Updated) => "would be updated:",
        (Some(_), ChangeKind::Unchanged) => "would stay as it is:",
    }
}

#[cfg(test)]
mod tests;
