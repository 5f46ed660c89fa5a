//! The part of a run that needs a network: within the time limit, until a signal, and tidied up after
//! either. Owns when a run is cut short; what it does is the work of other rooms.

use std::cell::OnceCell;
use std::sync::Arc;
use std::time::Duration;

use super::job::{Job, Task};
use crate::apply::{cleanup, subject};
use crate::aws::{self, Gate, SecretsManager};
use crate::failure::{Class, Failure};
use crate::outcome::Outcome;
use crate::platform::Platform;
use crate::preview::{preview, preview_shift};
use crate::progress::Progress;
use crate::redact::Level;
use crate::shift::shift;
use crate::upsert::upsert;

/// How long an answer that is under way at a signal is waited for: GitHub sends SIGTERM 7.5 seconds
/// after SIGINT and kills 2.5 seconds later.
const GRACE: Duration = Duration::from_secs(3);

/// What a run has around it.
pub(super) struct Scene<'a> {
    pub(super) platform: &'a Platform,
    pub(super) gate: Arc<Gate>,
    pub(super) progress: Progress,
}

/// The part that needs a network, within `left`, until a signal.
pub(super) async fn drive(
    job: &Job,
    scene: &Scene<'_>,
    left: Duration,
    outcome: &mut Outcome,
) -> Result<(), Failure> {
    let mut signals = Signals::listen();
    // Outlives the work, to clean up after it.
    let connection = OnceCell::new();
    let ended = {
        let work = work(job, scene, &connection, &mut *outcome);
        tokio::pin!(work);
        tokio::select! {
            // A signal that came first counts first: otherwise an answer that is ready at the same time
            // could start the next write.
            biased;
            class = signals.next() => {
                scene.gate.close();
                // The answer to what was sent already is worth a moment: it may hold the version id.
                tokio::select! {
                    _ = tokio::time::timeout(GRACE, &mut work) => {}
                    _ = signals.next() => {}
                }
                Err(Some(Failure::new(
                    class,
                    "the run was cancelled",
                    "run again: a write that arrived is found and kept",
                )))
            }
            ended = &mut work => ended.map_err(Some),
            () = tokio::time::sleep(left) => {
                scene.gate.close();
                Err(None)
            }
        }
    };
    if let Some(aws) = connection.get() {
        cleanup(&job.target().id, aws, outcome).await;
    }
    ended.map_err(|failure| failure.unwrap_or_else(|| too_late(job, outcome)))
}

async fn work(
    job: &Job,
    scene: &Scene<'_>,
    connection: &OnceCell<SecretsManager>,
    outcome: &mut Outcome,
) -> Result<(), Failure> {
    let connected = aws::connect(job.reach(), Arc::clone(&scene.gate))
        .await
        .map_err(|error| {
            let region = job.reach().region.as_deref().unwrap_or_default();
            Failure::of_aws(&error, subject(job.target(), &Outcome::default(), region))
        })?;
    for doubt in connected.doubts {
        outcome.note(Level::Warning, doubt);
    }
    let aws = connection.get_or_init(|| connected.aws);
    let run = scene.platform.run();
    match (&job.task, job.preview) {
        (Task::Upsert(request), false) => upsert(request, run, aws, &scene.progress, outcome).await,
        (Task::Upsert(request), true) => preview(request, run, aws, outcome).await,
        (Task::Shift(ask), false) => shift(ask, aws, outcome).await,
        (Task::Shift(ask), true) => preview_shift(ask, aws, outcome).await,
    }
}

/// The limit for the whole run has come.
fn too_late(job: &Job, outcome: &Outcome) -> Failure {
    let limit = job.reach().timeout.as_secs();
    if outcome.waiting.is_some() || !outcome.contended {
        let failure = Failure::new(
            Class::Unavailable,
            format!("the run did not end within `timeout`, which is {limit} s"),
            "run again: a write that arrived is found and kept; a longer `timeout` helps where AWS is slow",
        );
        return match &outcome.waiting {
            Some(what) => failure.because(format!("it was waiting for {what}")),
            None => failure,
        };
    }
    let holder = outcome.holder.as_deref().unwrap_or("none");
    Failure::new(
        Class::Conflict,
        format!(
            "others kept writing to {} for the {limit} s of `timeout`",
            job.target().id
        ),
        "run again; fewer jobs at once or a longer `timeout` help",
    )
    .because(format!(
        "AWSCURRENT was on version {holder} when it was last looked at"
    ))
}

/// SIGINT and SIGTERM; on Windows Ctrl-C.
struct Signals {
    #[cfg(unix)]
    pair: Option<(tokio::signal::unix::Signal, tokio::signal::unix::Signal)>,
}

impl Signals {
    #[cfg(unix)]
    fn listen() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        Self {
            pair: signal(SignalKind::interrupt())
                .ok()
                .zip(signal(SignalKind::terminate()).ok()),
        }
    }

    #[cfg(not(unix))]
    fn listen() -> Self {
        Self {}
    }

    #[cfg(unix)]
    async fn next(&mut self) -> Class {
        let Some((interrupt, terminate)) = &mut self.pair else {
            return std::future::pending().await;
        };
        tokio::select! {
            _ = interrupt.recv() => Class::Interrupted,
            _ = terminate.recv() => Class::Terminated,
        }
    }

    #[cfg(not(unix))]
    async fn next(&mut self) -> Class {
        match tokio::signal::ctrl_c().await {
            Ok(()) => Class::Interrupted,
            Err(_) => std::future::pending().await,
        }
    }
}
