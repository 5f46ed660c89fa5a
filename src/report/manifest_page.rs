//! The job summary of a run over a manifest: a table, cut where the platform would take no more of it.

use super::manifest::{MAX_LINES, ManifestReport, planned_steps, time, words};
use super::markup::{block, code, prose};
use crate::redact::Redactor;
use crate::run_report::TargetReport;

impl ManifestReport<'_> {
    /// The job summary, of at most `room` bytes: a table, what changed first.
    pub(super) fn markdown(&self, redactor: &Redactor, room: usize) -> String {
        let mut page = match self.failure {
            None => format!("### {}\n\n", prose(&redactor.clean_line(&self.heading()))),
            Some(failure) => format!(
                "### upsert-secret failed: {} (exit {})\n\n{}\n\n{}",
                failure.class.name(),
                failure.class.exit_code(),
                prose(&redactor.clean_line(&self.heading())),
                block(&redactor.clean(&failure.to_string()))
            ),
        };
        let mut notices = String::new();
        for (level, text) in self.run.notices().iter().take(MAX_LINES) {
            notices.push_str(&format!(
                "- {}: {}\n",
                level.word(),
                prose(&redactor.clean_line(text))
            ));
        }
        notices.push_str(&format!("\nTime: {}\n\n", time(self.took)));
        page.push_str("| secret | result | version | what |\n|---|---|---|---|\n");
        // Room for the line that says what is not shown.
        let room = room.saturating_sub(page.len() + notices.len() + 200);
        let mut table = String::new();
        self.run.read(|targets| {
            let mut order: Vec<&TargetReport> = targets.iter().collect();
            order.sort_by_key(|target| target.status);
            for (shown, target) in order.iter().enumerate() {
                let line = self.line(target, redactor);
                if table.len() + line.len() > room {
                    table.push_str(&format!(
                        "\n{} more secrets are not shown: a summary has 1 MiB at most. `report_path` has all of them.\n",
                        order.len() - shown
                    ));
                    break;
                }
                table.push_str(&line);
            }
        });
        page + &table + "\n" + &notices
    }

    fn line(&self, target: &TargetReport, redactor: &Redactor) -> String {
        let cell = |text: &str| code(&redactor.clean_line(text));
        let mut what = Vec::new();
        if let Some(details) = &target.details {
            what.extend(details.outcome.changes.iter().map(ToString::to_string));
            what.extend(
                planned_steps(details)
                    .map(|step| format!("would {} (because: {})", step.what, step.why)),
            );
            what.extend(details.failure.iter().map(|failure| failure.what.clone()));
        }
        let what: Vec<_> = what
            .iter()
            .map(|text| prose(&redactor.clean_line(text)))
            .collect();
        format!(
            "| {} | {} | {} | {} |\n",
            cell(&target.name),
            words(target.status, self.run.kind.plan_only),
            target.version_id.as_deref().map_or_else(String::new, cell),
            what.join("<br>")
        )
    }
}
