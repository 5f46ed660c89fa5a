//! The all-or-nothing transaction: stages every new version under a private label, then moves AWSCURRENT to each by
//! compare-and-swap; if a move fails, it rolls back the others by compare-and-swap. Removing the label from the coordinator
//! commits. The next run finishes or rolls back what a killed one left. Readers can see the moves one by one.
//!
//! This module owns the order of the phases: `prepare`, `recover`, `commit`, and `rollback` after a failure. The calls are in
//! `member`, the decisions in `upsert_secret_core::transaction`.

use upsert_secret_core::backoff::Backoff;
use upsert_secret_core::failure::{Class, Failure};
use upsert_secret_core::labels::TransactionLabel;
use upsert_secret_core::store::SecretStore;
use upsert_secret_core::transaction::{Leftover, Snapshot, leftovers};

use crate::batch::PreparedTarget;
use crate::engine::context::Context;
use crate::run_report::RunReport;

mod commit;
mod driver;
mod member;
mod prepare;
mod recover;
mod rollback;

use driver::Transaction;
use member::{Member, leave};
use recover::Recovery;

/// Observations of another transaction without progress before its run counts as killed: about ten seconds.
const MAX_IDLE_OBSERVATIONS: u32 = 10;

/// Runs all jobs as one transaction: every new version becomes current, or none does. First versions cannot be undone. The
/// progress of the context must be silent, because the transaction reports its own.
pub(crate) async fn run<S: SecretStore>(
    targets: &[PreparedTarget],
    context: Context<'_, S>,
    report: &RunReport,
) {
    Transaction { context, report }.run(targets).await;
}

impl<'a, S: SecretStore> Transaction<'a, S> {
    async fn run(&self, targets: &'a [PreparedTarget]) {
        let mut idle = Backoff::new(MAX_IDLE_OBSERVATIONS);
        let mut seen = None;
        loop {
            let Some(mut members) = self.prepare(targets).await else {
                return;
            };
            let snapshots: Vec<Snapshot> = members
                .iter()
                .map(|member| member.snapshot.clone())
                .collect();
            let (now, region) = (self.context.system.now(), self.context.store.region());
            let leftovers = leftovers(&snapshots, region, now, self.context.run);
            let undecided: Vec<&Leftover> = leftovers
                .iter()
                .filter(|leftover| leftover.undecided.is_some())
                .collect();
            let alive = undecided.iter().any(|leftover| leftover.alive);
            // Only what transactions do shows that another run is alive, not what other writers do.
            let activity: Vec<_> = snapshots.iter().map(Snapshot::of_runs).collect();
            if alive && seen.as_ref().is_some_and(|seen| *seen != activity) {
                idle = Backoff::new(MAX_IDLE_OBSERVATIONS);
            }
            seen = Some(activity);
            if alive && self.context.system.wait(&mut idle).await {
                self.report.progress.say(|| {
                    "waiting for another run with `all-or-nothing`, which may be alive".to_owned()
                });
                leave(&members);
                continue;
            }
            let Some(own) = self.label(&members, &undecided) else {
                if self.first_versions(&mut members).await {
                    self.finish(&members, None, &leftovers).await;
                }
                return leave(&members);
            };
            match self.recover(&mut members, &own, &undecided).await {
                Recovery::Recovered => {}
                Recovery::OtherEnded => {
                    self.remove_labels(&members, &own).await;
                    leave(&members);
                    continue;
                }
                Recovery::Unknown => {
                    // All labels stay, so that the next run can find out.
                    self.report.fail(Failure::new(
                        Class::Conflict,
                        "whether another run with `all-or-nothing` has ended cannot be told",
                        "run again: it goes on from here",
                    ));
                    return leave(&members);
                }
                // The labels of the other runs stay: they may be the only trace of their moves.
                Recovery::Failed => return self.roll_back(&members, &own, &[], false).await,
            }
            let all_moved = self.first_versions(&mut members).await
                && self.stage(&mut members, &own).await
                && self.move_all(&mut members).await;
            if !all_moved {
                return self.roll_back(&members, &own, &leftovers, false).await;
            }
            let committed = match Self::coordinator(&members, &own) {
                Some((member, (version, _))) => member.commit(&own, version).await,
                None => Ok(()),
            };
            match committed {
                Ok(()) => self.finish(&members, Some(&own), &leftovers).await,
                Err(failure) => {
                    let taken_over = failure.class == Class::Conflict;
                    self.report.fail(failure);
                    self.roll_back(&members, &own, &leftovers, taken_over).await;
                }
            }
            return;
        }
    }

    /// The label of this transaction; `None` if there is nothing to stage and nothing to recover.
    fn label(
        &self,
        members: &[Member<'_, S>],
        undecided: &[&Leftover],
    ) -> Option<TransactionLabel> {
        let taken = undecided
            .iter()
            .flat_map(|leftover| &leftover.moved)
            .map(|(index, ..)| *index)
            .min();
        let staged = || members.iter().position(Member::is_staged);
        let coordinator = &members[taken.or_else(staged)?].snapshot.name;
        let Context { system, run, .. } = self.context;
        let end = system.now() + self.context.timeout.as_secs();
        let (region, unique) = (self.context.store.region(), system.unique());
        let label = TransactionLabel::until(end, coordinator, region, run, &unique);
        Some(label)
    }
}
