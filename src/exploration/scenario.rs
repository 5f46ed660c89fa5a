//! The types that describe what is explored and checked: a scenario, the facts about a path, and the invariants. Must not run
//! anything.

use std::collections::BTreeMap;

use sandbox_model::World;

use super::actor::Actor;
use super::task::Ending;

/// A fault that can happen once, at any call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The call is applied, and its response is lost.
    LostAnswer,
    /// The call is not applied and gets no response.
    LostCall,
    /// The call is applied, its response is lost, and it is retried before the process notices.
    Retried,
    /// The call is rejected with AccessDeniedException, and so are all later calls of the operation.
    Denied,
    /// The process dies before the call.
    Crash,
    /// The process is canceled while the call is pending.
    Cancel,
}

/// What is explored.
#[derive(Clone)]
pub(super) struct Scenario {
    pub(super) name: String,
    pub(super) world: World,
    pub(super) actors: Vec<Actor>,
    /// Each process meets at most one of these faults; see `failing`.
    pub(super) faults: Vec<Fault>,
    /// The number of processes, from the first, that may meet a fault.
    pub(super) failing: usize,
    /// Whether concurrent calls of a process arrive in any order; otherwise they arrive in the order in which they are sent.
    pub(super) any_order: bool,
    /// Whether waits may end before other processes continue, so that a process can appear dead.
    pub(super) eager: bool,
    /// The maximum number of states to explore.
    pub(super) limit: usize,
}

/// Facts about a path that its final state alone does not show.
#[derive(Clone, Default, Hash)]
pub(super) struct Monitor {
    /// By process: the goals that held at some moment of the run, and finally whether all held at once.
    pub(super) reached: Vec<Vec<bool>>,
    /// By process: the visible changes by its writes, by secret and label, with the previous holder.
    pub(super) changed: Vec<BTreeMap<(String, String), Option<String>>>,
    /// By process: whether it died.
    pub(super) crashed: Vec<bool>,
    /// By process: whether its transaction has committed.
    pub(super) committed: Vec<bool>,
    /// The process that wrote each version; versions from before the start have none.
    pub(super) origins: BTreeMap<String, usize>,
    /// Whether a fault has happened.
    pub(super) fault: bool,
    /// Whether the fault may have left a process not knowing what it wrote.
    pub(super) is_uncertain: bool,
}

/// A write, as passed to the invariants.
pub(super) struct Write<'a> {
    pub(super) actor: usize,
    pub(super) operation: &'static str,
    pub(super) secret: &'a str,
    pub(super) before: &'a World,
    pub(super) after: &'a World,
}

/// The invariants of a scenario. Each returns the violation, if any.
pub(super) trait Invariants {
    fn after_write(&self, write: &Write<'_>, monitor: &mut Monitor) -> Result<(), String>;
    fn at_end(
        &self,
        world: &World,
        endings: &[Option<Ending>],
        monitor: &Monitor,
    ) -> Result<(), String>;
}
