//! The driver of the all-or-nothing transaction: runs the commands of `upsert_secret_core::transaction` and returns their
//! events. Owns the calls, the waits and the report. Must not make decisions.

use std::cell::{Cell, RefCell};

use upsert_secret_core::backoff::Backoff;
use upsert_secret_core::store::SecretStore;
use upsert_secret_core::transaction::{
    Command, Event, Limits, Next, Round, Transaction as Machine,
};

use crate::engine::context::Context;
use crate::engine::job::PreparedTarget;
use crate::run_report::RunReport;

mod calls;
mod driver;
mod finish;
mod observe;
mod validate;

use driver::{Driver, Member};

/// Runs all jobs as one transaction: either every new version becomes current, or none does. First versions cannot be rolled
/// back. The context's progress must be silent, because the transaction reports its own.
pub(crate) async fn run<S: SecretStore>(
    targets: &[PreparedTarget],
    context: Context<'_, S>,
    limits: Limits,
    report: &RunReport,
) {
    let driver = Driver {
        context,
        targets,
        report,
    };
    let Some(mut members) = driver.members() else {
        return;
    };
    let timeout = context.timeout.as_secs();
    let mut machine = Machine::new(context.store.region(), context.run, timeout, limits);
    let mut waits = Waits::new();
    let mut next = Next::Observe;
    loop {
        next = match next {
            Next::Observe => match driver.observe(&mut members).await {
                Some(observation) => machine.observed(observation),
                None => return finish::leave(members, context.store.is_cancelled()),
            },
            Next::WaitForOther { progress } => {
                if progress {
                    waits.idle = Backoff::endless();
                }
                let what = "another run with `all-or-nothing` that may be in progress";
                report.progress.say(|| format!("waiting for {what}"));
                report.set_waiting(Some(what));
                context.system.wait(&mut waits.idle).await;
                report.set_waiting(None);
                Next::Observe
            }
            Next::WaitForTurn => {
                for (member, written) in members.iter_mut().zip(machine.written()) {
                    finish::record_written(member, written);
                }
                report.set_waiting(Some("other runs that write the same secrets"));
                context.system.wait_turn(&mut waits.turns).await;
                report.set_waiting(None);
                Next::Observe
            }
            Next::Round(round) => {
                if round.is_retry {
                    context.system.wait(&mut waits.retries).await;
                }
                let events = driver.round(&mut members, round).await;
                if context.store.is_cancelled() {
                    Next::End(machine.cut_short(events))
                } else {
                    let next = machine.next(events);
                    if machine.is_committed() {
                        for member in &mut members {
                            member.guard.attempt.cut_short = None;
                        }
                    }
                    next
                }
            }
            Next::End(ending) => return driver.finish(members, ending).await,
        };
    }
}

/// The delays so far.
struct Waits {
    idle: Backoff,
    turns: Backoff,
    retries: Backoff,
}

impl Waits {
    const fn new() -> Self {
        Self {
            idle: Backoff::endless(),
            turns: Backoff::endless(),
            retries: Backoff::endless(),
        }
    }
}

impl<'a, S: SecretStore> Driver<'a, S> {
    /// Runs the commands of a round, many concurrently.
    async fn round(&self, members: &mut [Member<'a>], round: Round) -> Vec<Event> {
        let Round {
            verb,
            commands,
            stops,
            ..
        } = round;
        self.report.progress.start_phase(verb, commands.len());
        if let [Command::Read(_), ..] = commands[..] {
            return self.validate(members, &commands).await;
        }
        let mut work = Vec::new();
        let mut commands = commands.into_iter().peekable();
        // Commands are in the order of the secrets, one per secret.
        for (index, member) in members.iter_mut().enumerate() {
            if let Some(command) = commands.next_if(|command| command.member() == index) {
                work.push((member, command));
            }
        }
        let events = RefCell::new(Vec::new());
        let failed = Cell::new(false);
        self.for_each(work, async |(member, command)| {
            let event = if stops && failed.get() {
                Event::Skipped(command.member())
            } else {
                self.call(member, command).await
            };
            failed.set(failed.get() || event.is_failure());
            self.report.progress.step();
            events.borrow_mut().push(event);
        })
        .await;
        events.into_inner()
    }
}
