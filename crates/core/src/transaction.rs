//! The all-or-nothing transaction: two-phase commit over the secrets of a run, as a pure state machine with commands out and
//! events in. Must not make calls or read a clock; the driver in the program does.
//!
//! ```text
//! observe ─▶ wait for others, recover ─▶ stage ─▶ first versions ─▶ move AWSCURRENT ─▶ validate ─▶ commit ─▶ release
//!    ▲                                     └───────────────┴──────────────┴───────────────┴──▶ roll back ─▶ release
//!    └────────────────────────────────────────────── after a conflict ◀─────────────────────────────────────┘
//! ```
//!
//! Every staged version has the member label. One secret is the coordinator; its version also has the commit record, from
//! before any other version is staged until the transaction has ended. The secrets alone determine the meaning of a label:
//!
//! | member label | commit record | the transaction is |
//! |---|---|---|
//! | on a version | on the coordinator's version | undecided: other runs wait for it, or abort it if its run is dead |
//! | on a version | on another version of the coordinator | aborted: every run that sees it rolls it back |
//! | on a version | absent | ended: the label is removed |

mod commit;
mod conflicts;
mod ending;
mod goal;
mod machine;
mod messages;
mod others;
mod prepare;
mod recovery;
mod rollback;
mod stage;
mod state;
mod swap;

pub use ending::{cut_short_when_current, cut_short_while_moving};
pub use goal::{Content, Goal, goal, has_more};

pub use messages::{
    Answer, Command, Ending, Event, Labels, Look, MemberEnding, Next, Observation, Round, Written,
};
pub use state::{Limits, Transaction};

#[cfg(test)]
mod tests;
