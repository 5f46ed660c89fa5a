//! The part of a run that needs the network, until a signal or the time limit, and the cleanup after it. Decides when a run is
//! cut short, but not what the run does to a secret.

use std::cell::OnceCell;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, StreamExt as _};
use upsert_secret_aws::{CallGate, SecretsManager};
use upsert_secret_config::resolve::SecretSink;
use upsert_secret_config::run::{Draft, Run};
use upsert_secret_core::failure::{Class, Failure};
use upsert_secret_core::notice::Level;
use upsert_secret_core::store::{SecretStore as _, Subject};
use upsert_secret_core::transaction::Limits;
use upsert_secret_core::version_id::RunIdentity;

use crate::batch::resolve::SourceReader;
use crate::engine::apply::swap::remove_write_label;
use crate::engine::context::Context;
use crate::engine::system::OperatingSystem;
use crate::progress::Progress;
use crate::run_report::RunReport;
use crate::signals::Signals;
use crate::{batch, import, report, transaction};

/// The grace period for a pending call after a signal: GitHub sends SIGTERM 7.5 seconds after SIGINT and kills 2.5 seconds
/// later.
const GRACE: Duration = Duration::from_secs(3);

/// The number of source secrets from which reading them takes seconds.
const MANY_SOURCES: usize = 200;

/// The environment of a run that calls AWS.
pub(super) struct Execution<'a> {
    pub(super) gate: Arc<CallGate>,
    pub(super) run_identity: Option<RunIdentity>,
    /// The remaining time until the time limit.
    pub(super) left: Duration,
    pub(super) sink: &'a SecretSink<'a>,
    pub(super) report: &'a RunReport,
    /// The manifest that `import` prints, once complete.
    pub(super) manifest: OnceCell<String>,
}

/// Why the work did not succeed.
enum Cut {
    Failed(Failure),
    /// By a signal.
    Cancelled(Class),
    TimedOut,
}

impl Execution<'_> {
    /// Processes all secrets. The results are in the report.
    pub(super) async fn execute(&self, run: Run) -> Result<(), Failure> {
        // Outlives the work, because the cleanup needs it.
        let store = OnceCell::new();
        let timeout = run.connection.timeout;
        let ended = self.until_interrupted(self.work(run, &store)).await;
        self.report.progress.end();
        if let Some(store) = store.get() {
            // Concurrently, so that the whole cleanup takes no longer than the time limit of one removal.
            let removals = self.report.take_write_labels().into_iter();
            let removals = removals.map(|(name, label)| {
                async move {
                    if let Some(text) = remove_write_label(&name, &label, store).await {
                        self.report.note_target(&name, Level::Notice, &text);
                    }
                }
                .boxed_local()
            });
            removals
                .collect::<FuturesUnordered<_>>()
                .collect::<()>()
                .await;
        }
        // After the work was dropped, which completes the report.
        match ended {
            Ok(()) => report::failure(self.report).map_or(Ok(()), Err),
            Err(Cut::Failed(failure)) => Err(failure),
            Err(Cut::Cancelled(class)) => Err(report::cancelled(self.report, class)),
            Err(Cut::TimedOut) => Err(report::timed_out(self.report, timeout)),
        }
    }

    /// Runs the work until it ends, a signal arrives, or the time limit.
    async fn until_interrupted(
        &self,
        work: impl Future<Output = Result<(), Failure>>,
    ) -> Result<(), Cut> {
        let mut signals = Signals::listen();
        tokio::pin!(work);
        tokio::select! {
            // A signal takes precedence: otherwise, a response that arrives at the same time could start the next write.
            biased;
            class = signals.next() => {
                self.gate.close();
                // A pending response is worth a short wait: it may contain the version ID.
                tokio::select! {
                    _ = tokio::time::timeout(GRACE, &mut work) => {}
                    _ = signals.next() => {}
                }
                Err(Cut::Cancelled(class))
            }
            ended = &mut work => ended.map_err(Cut::Failed),
            () = tokio::time::sleep(self.left) => {
                self.report.set_pending(self.gate.pending_calls());
                self.gate.close();
                Err(Cut::TimedOut)
            }
        }
    }

    async fn work(&self, run: Run, connected: &OnceCell<SecretsManager>) -> Result<(), Failure> {
        let connection = &run.connection;
        let (id, name) = match &run.drafts[..] {
            [Draft::Ready(job)] if self.report.kind.single => {
                let target = job.target();
                (target.id.as_str(), target.name.as_str())
            }
            _ if run.import.is_some() => (import::SUBJECT, "*"),
            _ => ("the secrets of the manifest", "*"),
        };
        let subject = Subject::new(id, name);
        self.report.set_waiting(Some("AWS credentials"));
        let connected_store =
            upsert_secret_aws::connect(connection, Arc::clone(&self.gate), subject).await?;
        for warning in connected_store.warnings {
            self.report.note(Level::Warning, warning);
        }
        let store = connected.get_or_init(|| connected_store.store);
        self.report.region.get_or_init(|| store.region().to_owned());
        if let Some(asked) = &run.import {
            let manifest = import::run(asked, store, self.report).await?;
            self.manifest.get_or_init(|| manifest);
            return Ok(());
        }
        let is_unresolved = |draft: &&Draft| matches!(draft, Draft::Unresolved(_));
        if run.drafts.iter().filter(is_unresolved).count() >= MANY_SOURCES {
            let progress = &self.report.progress;
            progress.say(|| "reading values from other secrets".to_owned());
        }
        let sources = SourceReader {
            store,
            connection,
            gate: &self.gate,
            sink: self.sink,
        };
        let reads_sources = run.drafts.iter().any(|draft| is_unresolved(&draft));
        let values = "values from other secrets";
        self.report.set_waiting(reads_sources.then_some(values));
        let targets = sources.complete(run.drafts).await;
        self.report.set_waiting(None);
        let silent = Progress::silent();
        let kind = self.report.kind;
        let progress = if kind.single {
            &self.report.progress
        } else {
            &silent
        };
        let context = Context {
            store,
            system: &OperatingSystem,
            run: self.run_identity.as_ref(),
            timeout: connection.timeout,
            progress,
        };
        if kind.all_or_nothing && !kind.plan_only {
            transaction::run(&targets, context, Limits::default(), self.report).await;
        } else {
            let fail_fast = run.manifest.is_some_and(|pacing| pacing.fail_fast);
            batch::run_all(&targets, context, fail_fast, self.report).await;
        }
        Ok(())
    }
}
