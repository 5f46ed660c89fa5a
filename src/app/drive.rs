//! The part of a run that needs a network: within the time limit, until a signal, and tidied up after
//! either. Owns when a run is cut short; what it does is the work of other rooms.

use std::cell::OnceCell;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use super::job::One;
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

mod many;
mod signals;

pub(super) use many::drive_many;
use signals::Signals;

/// How long an answer that is under way at a signal is waited for: GitHub sends SIGTERM 7.5 seconds
/// after SIGINT and kills 2.5 seconds later.
const GRACE: Duration = Duration::from_secs(3);

/// What a run has around it.
pub(super) struct Scene<'a> {
    pub(super) platform: &'a Platform,
    pub(super) gate: Arc<Gate>,
    pub(super) progress: Progress,
    /// Only what would be done is asked for.
    pub(super) preview: bool,
    /// What is left of the time for the run.
    pub(super) left: Duration,
}

impl Scene<'_> {
    /// Works until it is done, until a signal, or until the time is over: `None` is that.
    async fn until_cut(
        &self,
        work: impl Future<Output = Result<(), Failure>>,
    ) -> Result<(), Option<Failure>> {
        let mut signals = Signals::listen();
        tokio::pin!(work);
        tokio::select! {
            // A signal that came first counts first: otherwise an answer that is ready at the same time
            // could start the next write.
            biased;
            class = signals.next() => {
                self.gate.close();
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
            () = tokio::time::sleep(self.left) => {
                self.gate.close();
                Err(None)
            }
        }
    }
}

/// One secret.
pub(super) async fn drive(
    one: &One,
    scene: &Scene<'_>,
    outcome: &mut Outcome,
) -> Result<(), Failure> {
    let id = &one.target().id;
    // Outlives the work, to clean up after it.
    let connection = OnceCell::new();
    let ended = scene
        .until_cut(work(one, scene, &connection, &mut *outcome))
        .await;
    if let Some(aws) = connection.get() {
        cleanup(id, aws, outcome).await;
    }
    ended.map_err(|failure| failure.unwrap_or_else(|| too_late(id, one.reach().timeout, outcome)))
}

async fn work(
    one: &One,
    scene: &Scene<'_>,
    connection: &OnceCell<SecretsManager>,
    outcome: &mut Outcome,
) -> Result<(), Failure> {
    let reach = one.reach();
    let connected = aws::connect(reach, Arc::clone(&scene.gate))
        .await
        .map_err(|error| {
            let region = reach.region.as_deref().unwrap_or_default();
            Failure::of_aws(&error, subject(one.target(), &Outcome::default(), region))
        })?;
    for doubt in connected.doubts {
        outcome.note(Level::Warning, doubt);
    }
    let aws = connection.get_or_init(|| connected.aws);
    let run = scene.platform.run();
    match (one, scene.preview) {
        (One::Upsert(request), false) => {
            upsert(request, run, aws, &scene.progress, None, outcome).await
        }
        (One::Upsert(request), true) => preview(request, run, aws, None, outcome).await,
        (One::Shift(ask), false) => shift(ask, aws, outcome).await,
        (One::Shift(ask), true) => preview_shift(ask, aws, outcome).await,
    }
}

fn too_late(id: &str, timeout: Duration, outcome: &Outcome) -> Failure {
    let limit = timeout.as_secs();
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
        format!("others kept writing to {id} for the {limit} s of `timeout`"),
        "run again; fewer jobs at once or a longer `timeout` help",
    )
    .because(format!(
        "AWSCURRENT was on version {holder} when it was last looked at"
    ))
}
