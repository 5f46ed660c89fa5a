//! What is explored, and what is checked: a scenario, the facts about a path, and the invariants. It runs nothing.

use std::collections::BTreeMap;

use sandbox_model::World;

use super::actor::Actor;
use super::task::Ending;

/// What may go wrong once, at any call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The call is applied, and its answer is lost.
    LostAnswer,
    /// The call is neither applied nor answered.
    LostCall,
    /// The call is applied and its answer lost, and it is sent again before the process learns of it.
    Retried,
    /// The call is rejected with AccessDeniedException, and so are all later calls of the operation.
    Denied,
    /// The process dies before the call.
    Crash,
    /// The process is cancelled while the call is pending.
    Cancel,
}

/// What is explored.
#[derive(Clone)]
pub(super) struct Scenario {
    pub(super) name: String,
    pub(super) world: World,
    pub(super) actors: Vec<Actor>,
    /// Of these faults each process meets one or none; see `failing`.
    pub(super) faults: Vec<Fault>,
    /// How many processes may meet a fault, from the first.
    pub(super) failing: usize,
    /// Whether calls that a process makes at the same time arrive in any order; otherwise in the order in which they are sent.
    pub(super) any_order: bool,
    /// Whether waits may end before other processes go on, so that a process can appear dead.
    pub(super) eager: bool,
    /// The most states to explore.
    pub(super) limit: usize,
}

/// Facts about a path that its end alone does not show.
#[derive(Clone, Default, Hash)]
pub(super) struct Monitor {
    /// By process: the goals that held at some moment of the run; one more for all at once.
    pub(super) reached: Vec<Vec<bool>>,
    /// By process: what its writes have changed for users, by secret and label, and the holder before.
    pub(super) changed: Vec<BTreeMap<(String, String), Option<String>>>,
    /// Whether a process died.
    pub(super) crashed: Vec<bool>,
    /// By process: whether its transaction has committed.
    pub(super) committed: Vec<bool>,
    /// The processes that wrote the versions; those from before have none.
    pub(super) origins: BTreeMap<String, usize>,
    /// Whether a fault has happened.
    pub(super) fault: bool,
    /// Whether it may have left a process without knowledge of what it wrote.
    pub(super) is_uncertain: bool,
}

/// A write, as the invariants see it.
pub(super) struct Write<'a> {
    pub(super) actor: usize,
    pub(super) operation: &'static str,
    pub(super) secret: &'a str,
    pub(super) before: &'a World,
    pub(super) after: &'a World,
}

/// The invariants of a scenario. Each returns what is violated.
pub(super) trait Invariants {
    fn after_write(&self, write: &Write<'_>, monitor: &mut Monitor) -> Result<(), String>;
    fn at_end(
        &self,
        world: &World,
        endings: &[Option<Ending>],
        monitor: &Monitor,
    ) -> Result<(), String>;
}
