//! The targets of a run, one or thousands: reads current values in batches and runs the engine for many secrets at a time,
//! so that AWS's quotas set the pace. It owns the order and what a failure stops; the engine owns each secret.

use std::collections::VecDeque;

use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, StreamExt as _};
use upsert_secret_core::failure::Failure;
use upsert_secret_core::notice::Level;
use upsert_secret_core::request::Job;
use upsert_secret_core::state::ValueView;
use upsert_secret_core::store::SecretStore;

use crate::engine::context::Context;
use crate::engine::job::run_job;
use crate::run_report::{HOPELESS, ReportGuard, RunReport};

pub(crate) mod prefetch;
pub(crate) mod resolve;

use prefetch::{Chunk, Prefetcher};

/// Secrets that are processed at the same time, so that memory does not grow with the length of the list.
pub(crate) const CONCURRENT_SECRETS: usize = HOPELESS;
/// Batch reads at the same time, each of up to twenty secrets.
pub(crate) const CONCURRENT_READS: usize = 8;

/// A job, or the failure that prevents it.
pub(crate) type PreparedTarget = Result<Job, Failure>;

/// Runs every job. The results are in the report, even if this future is dropped before it is done.
pub(crate) async fn run_all<S: SecretStore>(
    targets: &[PreparedTarget],
    context: Context<'_, S>,
    fail_fast: bool,
    report: &RunReport,
) {
    let mut ready: VecDeque<(usize, Option<ValueView>)> = VecDeque::new();
    let mut chunks = if report.kind.single {
        // A run of one secret must not need permission for BatchGetSecretValue.
        VecDeque::from([Chunk::Unread(0)])
    } else {
        prefetch::chunks(targets.iter().map(|target| match target {
            Ok(Job::Upsert(request)) => Some(&**request),
            _ => None,
        }))
    };
    let prefetcher = Prefetcher::new(context.store, report);
    let mut reading = FuturesUnordered::new();
    let mut working = FuturesUnordered::new();
    let (mut stopped, mut hopeless) = (false, false);
    loop {
        // Both stay: a success of a secret in progress must not start the run again after others were dropped.
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
            // Boxed, so that the code that waits for many exists once.
            working.push(work.boxed_local());
        }
        if reading.is_empty() && working.is_empty() {
            if hopeless {
                report.note(
                    Level::Warning,
                    "so many secrets in a row failed for the same kind of reason that the others were not tried",
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
    // One of many secrets that the run had neither changed nor labeled when it was cancelled, and to which no write is on its
    // way.
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
