//! What a run tells at its end: outputs, text, summary, JSON, and the exit code. Owns the order; the words are
//! `report`'s, the places `platform`'s.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;

use super::Run;
use crate::batch::Board;
use crate::cli::Format;
use crate::failure::Failure;
use crate::platform;
use crate::redact::Level;
use crate::report::Report;
use crate::report::many::Many;

/// Notices that are told one by one: a runner shows ten of each kind for a step.
const MAX_NOTICES: usize = 20;

impl Run {
    /// Prints the documents.
    fn hand_over(&self, document: &str) -> u8 {
        for (level, text) in &self.outcome.notices {
            self.door.announce(*level, text);
        }
        // Line by line: the whole may be longer than any text that is worth printing to people.
        let clean = self.door.ask(|redactor| {
            let lines = document.lines().map(|line| redactor.clean(line));
            lines.collect::<Vec<_>>().join("\n")
        });
        self.print(&clean)
            .map_or_else(|failure| failure.class.exit_code(), |()| 0)
    }

    pub(super) fn report(&mut self, ended: Result<(), Failure>) -> u8 {
        if let Some(document) = self.document.take() {
            return self.hand_over(&document);
        }
        if let Some(board) = self.board.take() {
            return self.report_many(&board, ended);
        }
        let mut ended = ended;
        let took = self.started.elapsed();
        let door = Arc::clone(&self.door);
        if let Some(platform) = &mut self.platform {
            let outputs = Report {
                outcome: &self.outcome,
                failure: ended.as_ref().err(),
                took,
            }
            .outputs();
            // JSON is the one object on standard output then.
            let print = self.format == Format::Text;
            if let Err(unwritable) = platform.write_outputs(&outputs, &door, print) {
                ended = ended.and(Err(unwritable));
            }
        }
        let report = Report {
            outcome: &self.outcome,
            failure: ended.as_ref().err(),
            took,
        };
        for (level, text) in &self.outcome.notices {
            door.announce(*level, text);
        }
        self.conclude(&report.text(), &ended, took);
        if let Some(platform) = &self.platform {
            platform.write_summary(&door.ask(|redactor| report.markdown(redactor)), &door);
        }
        if self.format == Format::Json {
            let object = door.ask(|redactor| report.json(redactor));
            ended = ended.and(self.print(&object));
        }
        ended.map_or_else(|failure| failure.class.exit_code(), |()| 0)
    }

    /// The same for the secrets of a manifest.
    fn report_many(&mut self, board: &Board, ended: Result<(), Failure>) -> u8 {
        let mut ended = ended;
        let took = self.started.elapsed();
        let door = Arc::clone(&self.door);
        let on_github = platform::is_github(&self.environment);
        if let Some(platform) = &mut self.platform {
            let many = Many {
                board,
                failure: ended.as_ref().err(),
                took,
            };
            let mut outputs = many.outputs();
            if on_github {
                match many.results() {
                    Some(results) => outputs.push(("results", results)),
                    None => board.note(
                        Level::Notice,
                        "the output `results` is left out: it would have more than 256 KiB; `report_path` has all of it",
                    ),
                }
                let report = door.ask(|redactor| many.json(redactor));
                if let Some(path) = platform.write_report(&report, &door) {
                    outputs.push(("report_path", path));
                }
            }
            let print = self.format == Format::Text;
            if let Err(unwritable) = platform.write_outputs(&outputs, &door, print) {
                ended = ended.and(Err(unwritable));
            }
        }
        let many = Many {
            board,
            failure: ended.as_ref().err(),
            took,
        };
        let notices = board.notices();
        for (level, text) in notices.iter().take(MAX_NOTICES) {
            door.announce(*level, text);
        }
        if notices.len() > MAX_NOTICES {
            let more = notices.len() - MAX_NOTICES;
            door.announce(
                Level::Notice,
                &format!("and {more} more notices, which the report has"),
            );
        }
        self.conclude(&many.text(), &ended, took);
        if let Some(platform) = &self.platform {
            let room = platform.summary_room();
            let page = door.ask(|redactor| many.markdown(redactor, room));
            platform.write_summary(&page, &door);
        }
        if self.format == Format::Json {
            let object = door.ask(|redactor| many.json(redactor));
            ended = ended.and(self.print(&object));
        }
        ended.map_or_else(|failure| failure.class.exit_code(), |()| 0)
    }

    fn conclude(&self, text: &str, ended: &Result<(), Failure>, took: Duration) {
        if !text.is_empty() {
            match ended {
                Ok(()) => self.door.conclude(text, took),
                Err(_) => self.door.say(text),
            }
        }
        if let Err(failure) = ended {
            self.door.announce(
                Level::Error,
                &format!(
                    "{failure}\n  exit: {} ({})",
                    failure.class.exit_code(),
                    failure.class.name()
                ),
            );
        }
    }

    fn print(&self, object: &str) -> Result<(), Failure> {
        self.door
            .object(object)
            .context("cannot write to standard output")
            .map_err(|error| {
                let failure = platform::unwritable(&error);
                self.door.announce(Level::Error, &failure.to_string());
                failure
            })
    }
}
