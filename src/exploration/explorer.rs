//! The explorer: runs several processes over one model, one call at a time, in every order, and checks invariants after each
//! call and at the end. Must not depend on what the processes do.
//!
//! Two paths that lead to the same secrets, with the same responses to every process, lead to the same state, which is explored
//! once. Existing model checkers do not apply: they explore models whose states can be cloned, but this explores the program
//! itself.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::rc::Rc;
use std::time::{Duration, UNIX_EPOCH};

use sandbox_model::{Caller, REGION, World};
use serde_json::Value;
use upsert_secret_core::error::{ErrorKind, StoreError};
use upsert_secret_core::quote::ForeignText;
use upsert_secret_core::store::Call;

use super::actor::{Actor, ActorState, Actors, Input};
use super::description::{brief, describe_world, hash_world, outcome};
use super::process::{Answer, Request, no_answer};
use super::scenario::{Fault, Invariants, Monitor, Scenario, Write};
use crate::testing::answered_error;

/// 2026-01-01T00:00:00Z, the start time of every world.
pub(super) const START: u64 = 1_767_225_600;
/// A large prime that selects open states in a scattered but deterministic order.
const SPREAD: usize = 1_000_003;
/// The number of steps after which a process counts as non-terminating.
const MAX_STEPS: usize = 1_000;

/// What happens in a step.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Effect {
    Apply,
    Fail(Fault),
}

#[derive(Clone, Copy)]
struct Choice {
    actor: usize,
    index: usize,
    effect: Effect,
}

/// A step of a path, to report a violation.
struct Link {
    parent: Option<Rc<Link>>,
    text: String,
}

/// A state of all processes and the model.
#[derive(Clone)]
struct State {
    world: World,
    actors: Vec<Rc<ActorState>>,
    monitor: Monitor,
    path: Option<Rc<Link>>,
    length: usize,
    /// The number of applied writes, and the number that each process had seen when it last resumed.
    writes: u64,
    seen: Vec<u64>,
    /// By process: whether a fault may still happen.
    fault_left: Vec<bool>,
    /// By process: the operation that is denied.
    denied: Vec<Option<&'static str>>,
}

/// The number of states explored.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Count {
    pub(super) states: usize,
    pub(super) ends: usize,
    pub(super) complete: bool,
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let more = if self.complete {
            ""
        } else {
            ", more unexplored"
        };
        write!(f, "{} states, {} ends{more}", self.states, self.ends)
    }
}

/// Explores every order of the calls of a scenario.
///
/// # Errors
/// The violated invariant and the path to it.
pub(super) fn explore(scenario: &Scenario, invariants: &dyn Invariants) -> Result<Count, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let _entered = runtime.enter();
    let explorer = Explorer::of(scenario, invariants);
    let mut visited = HashSet::new();
    let mut count = Count {
        complete: true,
        ..Count::default()
    };
    let start = explorer.start();
    visited.insert(explorer.digest(&start));
    let mut open = vec![start];
    while !open.is_empty() {
        // Take any of the open states, so that a limit does not exclude one part of them.
        let at = count.states.wrapping_mul(SPREAD) % open.len();
        let state = open.swap_remove(at);
        count.states += 1;
        if count.states >= scenario.limit {
            count.complete = false;
            break;
        }
        if state.length > MAX_STEPS {
            return Err(explorer.violation("the processes do not end", &state));
        }
        let choices = explorer.choices(&state);
        if choices.is_empty() {
            count.ends += 1;
            let endings: Vec<_> = state.actors.iter().map(|it| it.ending.clone()).collect();
            invariants
                .at_end(&state.world, &endings, &state.monitor)
                .map_err(|text| explorer.violation(&format!("{text}\n{endings:#?}"), &state))?;
        }
        for choice in choices {
            let mut next = state.clone();
            explorer
                .step(choice, &mut next)
                .map_err(|text| explorer.violation(&text, &next))?;
            if visited.insert(explorer.digest(&next)) {
                open.push(next);
            }
        }
    }
    Ok(count)
}

struct Explorer<'a> {
    scenario: &'a Scenario,
    invariants: &'a dyn Invariants,
    actors: Vec<Actors<'a>>,
}

impl<'a> Explorer<'a> {
    fn of(scenario: &'a Scenario, invariants: &'a dyn Invariants) -> Self {
        let actors = scenario.actors.iter().zip(1..);
        Self {
            scenario,
            invariants,
            actors: actors
                .map(|(actor, number)| Actors::new(actor, number))
                .collect(),
        }
    }

    fn start(&self) -> State {
        let number = self.actors.len();
        let world = self.scenario.world.clone();
        let reached = self.scenario.actors.iter().map(|actor| match actor {
            Actor::Run(task, _) => task.reached(&world),
            Actor::Rival(..) => Vec::new(),
        });
        State {
            monitor: Monitor {
                reached: reached.collect(),
                changed: vec![BTreeMap::new(); number],
                crashed: vec![false; number],
                committed: vec![false; number],
                origins: BTreeMap::new(),
                fault: false,
                is_uncertain: false,
            },
            world,
            actors: self.actors.iter().map(Actors::start).collect(),
            path: None,
            length: 0,
            writes: 0,
            seen: vec![0; number],
            fault_left: (0..number).map(|it| it < self.scenario.failing).collect(),
            denied: vec![None; number],
        }
    }

    /// What can happen next.
    fn choices(&self, state: &State) -> Vec<Choice> {
        let Scenario {
            any_order, eager, ..
        } = self.scenario;
        let mut choices = Vec::new();
        let is_call = |request: &Request| matches!(request, Request::Call(..));
        let is_busy = |it: &Rc<ActorState>| it.rival.is_some() || it.requests.iter().any(is_call);
        let busy = state.actors.iter().any(is_busy);
        for (actor, at) in state.actors.iter().enumerate() {
            let mut apply = |index, effect| {
                choices.push(Choice {
                    actor,
                    index,
                    effect,
                });
            };
            if at.rival.is_some() {
                apply(0, Effect::Apply);
            }
            let calls = at.requests.iter().any(is_call);
            let is_awake = *eager || !busy || state.writes > state.seen[actor];
            let enabled = at
                .requests
                .iter()
                .enumerate()
                .filter(|(_, request)| is_call(request) || is_awake && !calls);
            let limit = if *any_order { usize::MAX } else { 1 };
            for (index, request) in enabled.take(limit) {
                apply(index, Effect::Apply);
                if state.fault_left[actor] && is_call(request) {
                    for fault in &self.scenario.faults {
                        apply(index, Effect::Fail(*fault));
                    }
                }
            }
        }
        choices
    }

    fn step(&self, choice: Choice, state: &mut State) -> Result<(), String> {
        let Choice {
            actor,
            index,
            effect,
        } = choice;
        let before = state.world.clone();
        let at = Rc::clone(&state.actors[actor]);
        let mut text = self.actor_name(actor);
        let mut written = None;
        let mut answer = Some(Rc::new(Ok(Value::Null)) as Answer);
        match (at.rival, at.requests.get(index)) {
            (Some(change), _) => {
                change(&mut state.world);
                state.writes += 1;
            }
            (None, Some(Request::Call(operation, input))) => {
                answer = self.answer(actor, operation, input, effect, state);
                text += &format!(
                    ": {operation} {} -> {}",
                    brief(input),
                    outcome(answer.as_deref())
                );
                let name = input["SecretId"].as_str().or(input["Name"].as_str());
                written = name.map(|name| (*operation, name.to_owned()));
            }
            (None, _) => text += ": waited",
        }
        if let Effect::Fail(fault) = effect {
            state.fault_left[actor] = false;
            state.monitor.fault = true;
            state.monitor.is_uncertain |= !matches!(fault, Fault::Denied | Fault::Crash);
            state.monitor.crashed[actor] |= fault == Fault::Crash;
            text += &format!(" [{fault:?}]");
        }
        let parent = state.path.take();
        state.path = Some(Rc::new(Link { parent, text }));
        state.length += 1;
        let input = Input {
            index,
            answer,
            cancels: effect == Effect::Fail(Fault::Cancel),
        };
        state.actors[actor] = self.actors[actor].next(&at, input);
        state.seen[actor] = state.writes;
        for (number, it) in self.scenario.actors.iter().enumerate() {
            let is_over = state.actors[number].ending.is_some() && number != actor;
            if let (Actor::Run(task, _), false) = (it, is_over) {
                let reached = state.monitor.reached[number].iter_mut();
                for (before, now) in reached.zip(task.reached(&state.world)) {
                    *before |= now;
                }
            }
        }
        let Some((operation, secret)) = written else {
            return Ok(());
        };
        let write = Write {
            actor,
            operation,
            secret: &secret,
            before: &before,
            after: &state.world,
        };
        self.invariants.after_write(&write, &mut state.monitor)
    }

    /// Applies a call to the model. `None` if the process dies before it.
    fn answer(
        &self,
        actor: usize,
        operation: &'static str,
        input: &Value,
        effect: Effect,
        state: &mut State,
    ) -> Option<Answer> {
        if effect == Effect::Fail(Fault::Denied) {
            state.denied[actor] = Some(operation);
        }
        let lost = || Some(Rc::new(Err(no_answer(operation))));
        if state.denied[actor] == Some(operation) {
            return Some(Rc::new(Err(denied(operation))));
        }
        match effect {
            Effect::Fail(Fault::Crash) => return None,
            Effect::Fail(Fault::LostCall) => return lost(),
            _ => {}
        }
        let name = input["SecretId"].as_str().or(input["Name"].as_str());
        let secret = name.and_then(|name| state.world.secret(name));
        let versions = secret.map_or(0, |secret| secret.versions.len());
        // The age of a version depends only on the earlier versions of its secret, so that independent writes commute.
        let now = UNIX_EPOCH + Duration::from_secs(START + versions as u64);
        state.world.set_now(now);
        let mut send = || {
            let caller = Caller::default();
            let answer = state.world.call(&caller, REGION, operation, input.clone());
            state.writes += u64::from(answer.is_ok() && !is_read(operation));
            answer.map_err(|error| answered_error(operation, error))
        };
        let mut answer = send();
        if effect == Effect::Fail(Fault::Retried) {
            answer = set_attempts(send(), 2);
        }
        match effect {
            Effect::Fail(Fault::LostAnswer) => lost(),
            Effect::Fail(Fault::Cancel) => Some(Rc::new(Err(StoreError {
                attempts: 1,
                ..StoreError::new(operation, ErrorKind::Cancelled)
            }))),
            _ => Some(Rc::new(answer)),
        }
    }

    /// Identifies a state.
    fn digest(&self, state: &State) -> u64 {
        let mut hasher = DefaultHasher::new();
        hash_world(&state.world, &mut hasher);
        (&state.monitor, &state.fault_left, &state.denied).hash(&mut hasher);
        for (actor, at) in state.actors.iter().enumerate() {
            (at.id, state.writes > state.seen[actor]).hash(&mut hasher);
        }
        hasher.finish()
    }

    fn actor_name(&self, actor: usize) -> String {
        match &self.scenario.actors[actor] {
            Actor::Run(task, _) => format!("{actor} {}", task.name),
            Actor::Rival(name, _) => format!("{actor} rival: {name}"),
        }
    }

    fn violation(&self, text: &str, state: &State) -> String {
        let mut steps = Vec::new();
        let mut link = state.path.as_ref();
        while let Some(it) = link {
            steps.push(it.text.as_str());
            link = it.parent.as_ref();
        }
        steps.reverse();
        format!(
            "{}: {text}\n  {}\n{}",
            self.scenario.name,
            steps.join("\n  "),
            describe_world(&state.world)
        )
    }
}

fn set_attempts(answer: Call<Value>, attempts: u32) -> Call<Value> {
    match answer {
        Ok(mut answer) => {
            answer["Attempts"] = Value::from(attempts);
            Ok(answer)
        }
        Err(error) => Err(StoreError { attempts, ..error }),
    }
}

fn is_read(operation: &str) -> bool {
    ["Get", "Describe", "List", "Batch", "Validate"]
        .iter()
        .any(|verb| operation.starts_with(verb))
}

fn denied(operation: &'static str) -> StoreError {
    StoreError {
        attempts: 1,
        ..StoreError::new(
            operation,
            ErrorKind::Service {
                code: "AccessDeniedException".to_owned(),
                message: ForeignText::default(),
                status: 400,
            },
        )
    }
}
