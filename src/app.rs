//! A run from the environment to the exit code; the line of the crate's documentation, spelt out.

use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context as _;

use crate::aws::Gate;
use crate::cli::{self, Command, Format, Line};
use crate::failure::{Class, Failure};
use crate::iam;
use crate::inputs::{self, Environment, RawInputs};
use crate::outcome::Outcome;
use crate::platform::{self, Platform};
use crate::progress::Progress;
use crate::redact::{Door, Level};
use crate::report::Report;
use crate::request;

mod drive;
mod job;

use drive::{Scene, drive};
use job::{Job, Task};

/// Other people's secrets in the environment, hidden from our own text like the value.
const CREDENTIALS: &[&str] = &[
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
    "ACTIONS_RUNTIME_TOKEN",
    "GITHUB_TOKEN",
    "CI_JOB_TOKEN",
];

/// Runs, and returns the exit code.
pub fn run(words: impl IntoIterator<Item = OsString>) -> u8 {
    let started = Instant::now();
    let environment = Environment::of_process();
    let door = Arc::new(Door::new(
        platform::reader(&environment),
        platform::shows_colour(&environment),
    ));
    for name in CREDENTIALS {
        if let Some(secret) = environment.raw(name) {
            door.hide(secret.as_encoded_bytes());
        }
    }
    for secret in request::proxy_passwords(&environment) {
        door.hide_other(secret.expose());
    }
    let (command, format) = match cli::parse(words) {
        Ok(Line::Run(command, format)) => (command, format),
        Ok(Line::Page(page)) => {
            Door::page(&page);
            return 0;
        }
        Err(failure) => {
            // What was typed may be the value that is also in the environment.
            let (raw, _) = inputs::read(&environment);
            hide(&raw, &environment, &door);
            door.announce(Level::Error, &failure.to_string());
            return failure.class.exit_code();
        }
    };
    let mut run = Run {
        started,
        environment,
        door,
        format,
        platform: None,
        outcome: Outcome::default(),
        document: None,
    };
    // An SDK panic becomes a clean failure that still reports what is known.
    let ended = catch_unwind(AssertUnwindSafe(|| run.go(command))).unwrap_or_else(|_| Err(bug()));
    catch_unwind(AssertUnwindSafe(|| run.report(ended))).unwrap_or(Class::Bug.exit_code())
}

fn hide(raw: &RawInputs, environment: &Environment, door: &Door) {
    for secret in [&raw.value, &raw.version_id_key].into_iter().flatten() {
        door.hide(secret.expose());
    }
    // `iam-policy` never looks at the value, which may have got into a name all the same.
    for name in [&raw.web_identity_token_env, &raw.value_env]
        .into_iter()
        .flatten()
    {
        if let Some(secret) = environment.raw(name) {
            door.hide(inputs::bytes(secret).expose());
        }
    }
}

fn bug() -> Failure {
    Failure::new(
        Class::Bug,
        "upsert-secret has a bug",
        "please report the place named above, with the inputs but without the value; running again is safe",
    )
}

struct Run {
    started: Instant,
    environment: Environment,
    door: Arc<Door>,
    format: Format,
    platform: Option<Platform>,
    outcome: Outcome,
    /// What `iam-policy` prints.
    document: Option<String>,
}

impl Run {
    fn go(&mut self, command: Option<Command>) -> Result<(), Failure> {
        let (raw, known) = inputs::read(&self.environment);
        hide(&raw, &self.environment, &self.door);
        // Before anything can fail: lines of an earlier call must not stand for this one.
        let opened = Platform::open(&self.environment, raw.output_file.as_deref())
            .map(|platform| self.platform.insert(platform));
        known?;
        let given = raw.command.as_deref().map(cli::command).transpose()?;
        let (asked, about) = job::commands(command, given);
        let platform = opened?;
        if asked == Command::IamPolicy {
            return self.grant(about, raw);
        }
        let job = Job {
            task: Task::check(about, raw, &self.environment, &self.door)?,
            preview: asked == Command::Plan,
        };
        for doubt in job.doubts() {
            self.outcome.note(Level::Warning, doubt.clone());
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| {
                Failure::new(
                    Class::Unavailable,
                    "no event loop could be started",
                    "check the limits of the container (open files, seccomp)",
                )
                .because(error.kind().to_string())
            })?;
        let left = job.reach().timeout.saturating_sub(self.started.elapsed());
        let scene = Scene {
            platform,
            gate: Arc::new(Gate::new(
                Arc::clone(&self.door),
                job.reach().settings.trace,
            )),
            progress: Progress::new(Arc::clone(&self.door)),
        };
        let ended = runtime.block_on(drive(&job, &scene, left, &mut self.outcome));
        // A name look-up that hangs must not keep the process.
        runtime.shutdown_background();
        ended
    }

    /// `iam-policy`: the documents are all that comes of it.
    fn grant(&mut self, about: Command, raw: RawInputs) -> Result<(), Failure> {
        let grant = job::grant(about, raw, &self.environment)?;
        let documents = iam::documents(&grant)?;
        for note in grant.notes {
            self.outcome.note(Level::Notice, note);
        }
        self.document = Some(format!("{documents:#}"));
        Ok(())
    }

    /// Prints the documents.
    fn hand_over(&self, document: &str) -> u8 {
        for (level, text) in &self.outcome.notices {
            self.door.announce(*level, text);
        }
        let clean = self.door.ask(|redactor| redactor.clean(document));
        match self
            .door
            .object(&clean)
            .context("cannot write to standard output")
        {
            Ok(()) => 0,
            Err(error) => {
                let failure = platform::unwritable(&error);
                self.door.announce(Level::Error, &failure.to_string());
                failure.class.exit_code()
            }
        }
    }

    fn report(&mut self, ended: Result<(), Failure>) -> u8 {
        if let Some(document) = self.document.take() {
            return self.hand_over(&document);
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
        let text = report.text();
        if !text.is_empty() {
            match &ended {
                Ok(()) => door.conclude(&text, took),
                Err(_) => door.say(&text),
            }
        }
        if let Err(failure) = &ended {
            door.announce(
                Level::Error,
                &format!(
                    "{failure}\n  exit: {} ({})",
                    failure.class.exit_code(),
                    failure.class.name()
                ),
            );
        }
        if let Some(platform) = &self.platform {
            platform.write_summary(&door.ask(|redactor| report.markdown(redactor)), &door);
        }
        if self.format == Format::Json {
            let object = door.ask(|redactor| report.json(redactor));
            if let Err(error) = door
                .object(&object)
                .context("cannot write to standard output")
            {
                let failure = platform::unwritable(&error);
                door.announce(Level::Error, &failure.to_string());
                ended = ended.and(Err(failure));
            }
        }
        ended.map_or_else(|failure| failure.class.exit_code(), |()| 0)
    }
}
