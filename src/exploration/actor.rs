//! The states of one process. A process is a deterministic function of the responses it gets, so the responses identify its
//! state, and each state is computed once. A future cannot be cloned: to reach a state a second time, the responses are
//! replayed from the start.

use std::cell::RefCell;
use std::collections::HashMap;
use std::future::Future;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use sandbox_model::World;

use super::process::{Answer, Process, Request};
use super::task::{Ending, Task};
use crate::testing::ModelStore;

/// A process of a scenario.
#[derive(Clone)]
pub(super) enum Actor {
    /// A run of the program, with its clock in seconds since 1970.
    Run(Task, u64),
    /// Another writer that makes one change.
    Rival(&'static str, fn(&mut World)),
}

/// The response that leads from one state to the next.
#[derive(Clone)]
pub(super) struct Input {
    /// The index of the request.
    pub(super) index: usize,
    /// `None` if the process dies.
    pub(super) answer: Option<Answer>,
    /// Whether the process is canceled at the same time.
    pub(super) cancels: bool,
}

/// A state of a process.
pub(super) struct ActorState {
    /// Identifies the state among the states of the process.
    pub(super) id: u64,
    /// The pending requests; empty once the process has ended.
    pub(super) requests: Vec<Request>,
    pub(super) ending: Option<Ending>,
    /// Whether the process has yet to make its change.
    pub(super) rival: Option<fn(&mut World)>,
    from: Option<(Rc<ActorState>, Input)>,
    live: RefCell<Option<Live>>,
}

struct Live {
    process: Process,
    future: Pin<Box<dyn Future<Output = Ending>>>,
}

/// All known states of one process.
pub(super) struct Actors<'a> {
    actor: &'a Actor,
    number: u8,
    states: RefCell<HashMap<u64, Rc<ActorState>>>,
}

impl<'a> Actors<'a> {
    /// The states of a process. `number` makes its random numbers differ from those of other processes.
    pub(super) fn new(actor: &'a Actor, number: u8) -> Self {
        Self {
            actor,
            number,
            states: RefCell::default(),
        }
    }

    /// The state before any response.
    pub(super) fn start(&self) -> Rc<ActorState> {
        match self.actor {
            Actor::Run(task, now) => {
                let process = Process::new(self.number, *now);
                let store = ModelStore::over(process.clone());
                let future = Box::pin(task.clone().run(store, process.clone()));
                Rc::new(ActorState::of(0, None, Live { process, future }))
            }
            Actor::Rival(_, change) => Rc::new(ActorState {
                rival: Some(*change),
                ..ActorState::ended(0)
            }),
        }
    }

    /// The state after a response.
    pub(super) fn next(&self, state: &Rc<ActorState>, input: Input) -> Rc<ActorState> {
        let id = state.id_after(&input);
        if let Some(known) = self.states.borrow().get(&id) {
            return Rc::clone(known);
        }
        let next = if input.answer.is_none() || state.rival.is_some() {
            ActorState::ended(id)
        } else {
            let mut live = state.live.take().unwrap_or_else(|| self.replay(state));
            live.take(&input);
            ActorState::of(id, Some((Rc::clone(state), input)), live)
        };
        let next = Rc::new(next);
        self.states.borrow_mut().insert(id, Rc::clone(&next));
        next
    }

    fn replay(&self, state: &ActorState) -> Live {
        let mut inputs = Vec::new();
        let mut at = state;
        while let Some((before, input)) = &at.from {
            inputs.push(input);
            at = before;
        }
        let start = self.start();
        let mut live = start.live.take().expect("a run is alive at its start");
        for input in inputs.into_iter().rev() {
            live.take(input);
            let polled = live.poll();
            assert!(
                polled.is_none(),
                "a state is the same each time it is reached"
            );
        }
        live
    }
}

impl ActorState {
    fn of(id: u64, from: Option<(Rc<Self>, Input)>, mut live: Live) -> Self {
        let ending = live.poll();
        Self {
            id,
            requests: live.process.requests(),
            live: RefCell::new(ending.is_none().then_some(live)),
            ending,
            rival: None,
            from,
        }
    }

    fn ended(id: u64) -> Self {
        Self {
            id,
            requests: Vec::new(),
            ending: None,
            rival: None,
            from: None,
            live: RefCell::default(),
        }
    }

    fn id_after(&self, input: &Input) -> u64 {
        let mut hasher = DefaultHasher::new();
        (self.id, input.index, input.cancels).hash(&mut hasher);
        match input.answer.as_deref() {
            None => {}
            Some(Ok(answer)) => answer.to_string().hash(&mut hasher),
            Some(Err(error)) => format!("{error:?}").hash(&mut hasher),
        }
        hasher.finish()
    }
}

impl Live {
    fn poll(&mut self) -> Option<Ending> {
        let mut context = Context::from_waker(Waker::noop());
        match self.future.as_mut().poll(&mut context) {
            Poll::Ready(ending) => Some(ending),
            Poll::Pending => None,
        }
    }

    fn take(&mut self, input: &Input) {
        if input.cancels {
            self.process.cancel();
        }
        if let Some(answer) = &input.answer {
            self.process.answer(input.index, Rc::clone(answer));
        }
    }
}
