//! Processes the targets of a run, from one to thousands: prefetches current values in batches and runs the engine for many
//! secrets concurrently, so that AWS quotas are the only limit. Owns the order and decides what stops after a failure; the
//! engine owns each secret.

use std::collections::VecDeque;

use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, StreamExt as _};
use upsert_secret_core::notice::Level;
use upsert_secret_core::state::ValueView;
use upsert_secret_core::store::SecretStore;

use crate::engine::context::Context;
use crate::engine::job::{PreparedTarget, run_job};
use crate::run_report::{HOPELESS, ReportGuard, RunReport};

pub(crate) mod prefetch;
pub(crate) mod resolve;

use prefetch::{Chunk, Prefetcher};

/// The number of secrets processed concurrently. Bounds memory for long lists.
pub(crate) const CONCURRENT_SECRETS: usize = HOPELESS;
/// The number of concurrent batch reads, each of up to 20 secrets.
pub(crate) const CONCURRENT_READS: usize = 8;

/// Runs every job. Results are recorded in the report, even if this future is dropped early.
pub(crate) async fn run_all<S: SecretStore>(
    targets: &[PreparedTarget],
    context: Context<'_, S>,
    fail_fast: bool,
    report: &RunReport,
) {
    let mut ready: VecDeque<(usize, Option<ValueView>)> = VecDeque::new();
    let mut chunks = if report.kind.single {
        // A single-secret run must not need permission for BatchGetSecretValue.
        VecDeque::from([Chunk::Unread(0)])
    } else {
        prefetch::chunks(targets.iter().map(|target| target.as_ref().ok()))
    };
    let prefetcher = Prefetcher::new(context.store, report, targets);
    let mut reading = FuturesUnordered::new();
    let mut working = FuturesUnordered::new();
    let (mut stopped, mut hopeless) = (false, false);
    loop {
        // Keep both: after other secrets were dropped, a success in progress must not resume the run.
        hopeless |= report.is_hopeless();
        stopped |= hopeless || fail_fast && report.has_failed() || context.store.is_cancelled();
        if stopped {
            ready.clear();
            reading.clear();
        }
        while !stopped && reading.len() < CONCURRENT_READS && ready.len() < CONCURRENT_SECRETS {
            let Some(chunk) = chunks.pop_front() else {
                break;
            };
            reading.push(prefetcher.read(chunk));
        }
        while working.len() < CONCURRENT_SECRETS
            && let Some((index, first)) = ready.pop_front()
        {
            let work = run_one(index, &targets[index], first, context, report);
            // Boxed so that the concurrent loop is compiled only once.
            working.push(work.boxed_local());
        }
        if reading.is_empty() && working.is_empty() {
            if hopeless {
                report.note(
                    Level::Warning,
                    "the remaining secrets were not tried, because many in a row failed for the same kind \
                     of reason",
                );
            }
            return;
        }
        tokio::select! {
            biased;
            Some(read) = reading.next() => ready.extend(read),
            Some(()) = working.next() => {}
            () = report.progress.tick(), if !report.kind.single => {}
        }
    }
}

async fn run_one<S: SecretStore>(
    index: usize,
    target: &PreparedTarget,
    first: Option<ValueView>,
    context: Context<'_, S>,
    report: &RunReport,
) {
    let mut guard = ReportGuard::new(index, report);
    let plan_only = report.kind.plan_only;
    let ended = match target {
        Ok(job) => run_job(job, context, plan_only, first, &mut guard.attempt).await,
        Err(why) => Err(why.clone()),
    };
    // In a canceled run with many secrets: the run has neither changed nor labeled this one, and no write to it is in flight.
    let attempt = &guard.attempt;
    let labeled = attempt
        .write_label
        .as_ref()
        .is_some_and(|label| label.on.is_some());
    let untouched = ended.is_err()
        && attempt.outcome.changes.is_empty()
        && !labeled
        && !attempt.may_have_changed();
    if untouched && context.store.is_cancelled() && !report.kind.single {
        guard.leave();
    } else {
        guard.end(ended);
    }
}

#[cfg(test)]
mod tests;
