//! A run from the environment to the exit code; the line of the crate's documentation, spelt out.

use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use crate::aws::Gate;
use crate::batch::{Board, Meter};
use crate::cli::{self, Command, Format, Line, Words};
use crate::failure::{Class, Failure};
use crate::iam;
use crate::inputs::{self, Environment, RawInputs};
use crate::outcome::Outcome;
use crate::platform::{self, Platform};
use crate::progress::Progress;
use crate::redact::{Door, Level};
use crate::request::{self, Secrecy};

mod drive;
mod job;
mod tell;

use drive::{Scene, drive, drive_many};
use job::Task;

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
    let words = match cli::parse(words) {
        Ok(Line::Run(words)) => words,
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
        format: words.format,
        platform: None,
        outcome: Outcome::default(),
        board: None,
        document: None,
    };
    // An SDK panic becomes a clean failure that still reports what is known.
    let ended = catch_unwind(AssertUnwindSafe(|| run.go(words))).unwrap_or_else(|_| Err(bug()));
    catch_unwind(AssertUnwindSafe(|| run.report(ended))).unwrap_or(Class::Bug.exit_code())
}

fn hide(raw: &RawInputs, environment: &Environment, door: &Door) {
    if let Some(value) = &raw.value {
        door.hide(value.expose());
    }
    if let Some(key) = &raw.version_id_key {
        door.hide(key.expose());
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
    /// Of a manifest, what came of each secret.
    board: Option<Board>,
    /// What `iam-policy` prints.
    document: Option<String>,
}

impl Run {
    fn go(&mut self, words: Words) -> Result<(), Failure> {
        let (mut raw, known) = inputs::read(&self.environment);
        hide(&raw, &self.environment, &self.door);
        // Before anything can fail: lines of an earlier call must not stand for this one.
        let opened = Platform::open(&self.environment, raw.output_file.as_deref())
            .map(|platform| self.platform.insert(platform));
        known?;
        // What was typed for this call is nearer than what the environment has for all of them.
        raw.manifest = words.manifest.or(raw.manifest);
        let given = raw.command.as_deref().map(cli::command).transpose()?;
        let (asked, about) = job::commands(words.command, given);
        let platform = opened?;
        if asked == Command::IamPolicy {
            return self.grant(about, raw);
        }
        let from_action = raw.from_action;
        let task = Task::check(about, raw, &self.environment, &self.door)?;
        let preview = asked == Command::Plan;
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
        let reach = task.reach();
        let mut gate = Gate::new(Arc::clone(&self.door), reach.settings.trace);
        if let Task::Many(batch) = &task {
            gate = gate.paced(batch.rate);
        }
        let scene = Scene {
            platform,
            gate: Arc::new(gate),
            progress: Progress::new(Arc::clone(&self.door)),
            preview,
            left: reach.timeout.saturating_sub(self.started.elapsed()),
        };
        let ended = match task {
            Task::One(one) => {
                for doubt in one.doubts() {
                    self.outcome.note(Level::Warning, doubt.clone());
                }
                runtime.block_on(drive(&one, &scene, &mut self.outcome))
            }
            Task::Many(batch) => {
                let names = batch.drafts.iter().map(|draft| draft.id().to_owned());
                let meter = Meter::new(Arc::clone(&self.door), batch.drafts.len());
                let board =
                    self.board
                        .insert(Board::new(names, meter, preview, batch.all_or_nothing));
                for doubt in &batch.doubts {
                    board.note(Level::Warning, doubt.clone());
                }
                let hide = |bytes: &[u8]| self.door.hide(bytes);
                let mask = job::masker(&self.environment, from_action, &self.door);
                let secrecy = Secrecy {
                    hide: &hide,
                    mask: &mask,
                };
                runtime.block_on(drive_many(*batch, &scene, &secrecy, board))
            }
        };
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
}
