//! The result of a transaction: the outcome of each secret, and the failures. Must not change anything.

use crate::failure::{Class, Failure};

use super::messages::{Ending, MemberEnding, Written};
use super::state::{Cause, Member, Moved, Phase, Transaction};

impl Transaction {
    pub(super) fn end(&mut self, committed: bool) -> Ending {
        self.phase = Phase::Ended;
        ending(self, committed)
    }
}

fn ending(transaction: &Transaction, committed: bool) -> Ending {
    let cause = transaction.cause.as_ref().filter(|_| !committed);
    let members = transaction.members.iter();
    Ending {
        committed,
        recovered: transaction.has_recovered,
        left_others: transaction.has_left_others,
        failure: cause.and_then(run_failure),
        labeled: transaction.labeled.clone(),
        members: members
            .map(|member| MemberEnding {
                written: written(member),
                failure: if committed {
                    None
                } else {
                    member_failure(member, cause)
                },
            })
            .collect(),
    }
}

fn run_failure(cause: &Cause) -> Option<Failure> {
    match cause {
        Cause::Failure | Cause::Conflict => None,
        Cause::Incomplete(failure) => Some(failure.clone()),
        Cause::Aborted => Some(Failure::new(
            Class::Conflict,
            "another run with `all-or-nothing` treated this run as dead and rolled it back",
            "wait until that run has ended, and run again if the values of this run are still wanted",
        )),
        Cause::Undecided(failure) => Some(
            Failure::new(
                Class::Unavailable,
                "whether the transaction was committed is not known",
                "run again: it finishes or rolls back what is left of this run",
            )
            .because(failure.what.clone()),
        ),
    }
}

/// The version that was written to a secret, and its outcome.
pub(super) fn written(member: &Member) -> Option<Written> {
    let first = member.first.clone().map(Written::First);
    let (Some(id), Some(from)) = (member.version.clone(), member.base().map(str::to_owned)) else {
        return first;
    };
    match member.moved {
        Moved::No | Moved::Maybe => first,
        Moved::Yes | Moved::Stuck(_) => Some(Written::Current { id, from }),
        Moved::Replaced => Some(Written::Replaced { id, from }),
        Moved::RolledBack => Some(Written::RolledBack(id)),
    }
}

fn member_failure(member: &Member, cause: Option<&Cause>) -> Option<Failure> {
    let name = &member.look.name;
    let version = member.version.as_deref().unwrap_or_default();
    let failure = match (&member.moved, cause) {
        (Moved::Stuck(failure), _) => Failure {
            what: format!("{name} could not be rolled back: version {version} is current"),
            why: Some(failure.what.clone()),
            next: "run again with all secrets of this manifest: the run rolls it back first"
                .to_owned(),
            ..failure.clone()
        },
        (Moved::Replaced, _) => Failure::new(
            Class::Conflict,
            format!(
                "another writer replaced version {version} of {name} before it could be rolled back"
            ),
            "check the current value; run again to replace it",
        ),
        (Moved::Yes, Some(Cause::Undecided(_))) => Failure::new(
            Class::Unavailable,
            format!(
                "version {version} of {name} is current, and may be rolled back by the next run"
            ),
            "run again with all secrets of this manifest",
        ),
        (Moved::Yes, _) => cut_short_when_current(name, version),
        (Moved::Maybe, _) => cut_short_while_moving(name, version),
        (Moved::No | Moved::RolledBack, _) => return member.failure.clone(),
    };
    Some(failure)
}

/// The failure of a secret whose new version was current when the run was cut short, before the commit.
pub fn cut_short_when_current(name: &str, version: &str) -> Failure {
    Failure::new(
        Class::Unavailable,
        format!("the run was cut short before the commit: version {version} of {name} is current"),
        "run again with all secrets of this manifest: the run rolls it back first",
    )
}

/// The failure of a secret whose new version was being made current when the run was cut short.
pub fn cut_short_while_moving(name: &str, version: &str) -> Failure {
    Failure::new(
        Class::Unavailable,
        format!(
            "the run was cut short before the commit: version {version} of {name} may be current"
        ),
        "run again with all secrets of this manifest: if it is current, the run rolls it back first",
    )
}
