//! The members of a transaction: secrets on their way.

use std::cell::RefCell;

use upsert_secret_core::failure::Failure;
use upsert_secret_core::outcome::Change;
use upsert_secret_core::request::Request;
use upsert_secret_core::transaction::{Goal, Snapshot};

use crate::run_report::ReportGuard;

/// One secret of a transaction.
pub(super) struct Member<'a> {
    pub(super) request: &'a Request,
    pub(super) guard: RefCell<Option<ReportGuard<'a>>>,
    pub(super) snapshot: Snapshot,
    pub(super) goal: Goal,
    /// The version that is, or shall be, current, and the one to go back to: staged, flipped, or taken over from a run
    /// that was killed.
    pub(super) pair: Option<(String, String)>,
    /// It is current now, or may be, and might be taken back.
    pub(super) moved: bool,
    /// More than the value is to be written.
    pub(super) more: bool,
}

impl Member<'_> {
    pub(super) fn id(&self) -> &str {
        &self.request.target.id
    }

    /// Whether a version takes another's place.
    pub(super) fn is_staged(&self) -> bool {
        matches!(self.goal, Goal::Flip { .. })
    }

    pub(super) fn record(&self, change: Change) {
        if let Some(guard) = self.guard.borrow_mut().as_mut() {
            guard.attempt.outcome.record(change);
        }
    }

    pub(super) fn end(&self, ended: Result<(), Failure>) {
        if let Some(guard) = self.guard.take() {
            guard.end(ended);
        }
    }
}

/// Leaves members as not tried: nothing came of them, and nothing was their fault.
pub(super) fn leave(members: &[Member<'_>]) {
    for member in members {
        if let Some(guard) = member.guard.take() {
            guard.leave();
        }
    }
}
