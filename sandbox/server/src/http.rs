//! Owns a request's way through the sandbox: read, log, meet what was planned, pass the front door, be applied
//! under the lock, be answered. It must not know any operation.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use crate::{
    ending::{Ending, instead, refuse, spoil},
    faults::{Event, Fault, Gate, Hook, Schedule, When},
    incoming::{self, Incoming},
    inspect,
    line::Handle,
    log::{Entry, Log},
    service::Inner,
    wire::Answer,
};
use axum::{
    body::Body,
    extract::{ConnectInfo, Request, State},
    http::{Method, Response},
};

#[derive(Default)]
pub(crate) struct Shared {
    pub(crate) state: Mutex<Inner>,
    pub(crate) schedule: Schedule,
    pub(crate) log: Log,
}

impl Shared {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        let mut inner = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        inner.tick();
        inner
    }
}

pub(crate) async fn handle(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(line): ConnectInfo<Handle>,
    request: Request,
) -> Response<Body> {
    let path = request.uri().path();
    if request.method() == Method::GET && incoming::by_path(path).is_none() {
        return inspect::answer(&shared, path).into_response();
    }
    let Some(incoming) = Incoming::read(request).await else {
        return Answer::plain(413, "text/plain", "too large").into_response();
    };
    let (principal, region) = match &incoming.authorization {
        Some(authorization) => (authorization.key_id.clone(), authorization.region.clone()),
        None => Default::default(),
    };
    let number = shared.log.start(Entry {
        principal,
        region,
        ..Entry::new(&incoming.operation, incoming.asked())
    });
    let planned = shared.schedule.arrive(&incoming.operation);

    // A task of its own: what the client does to its connection does not stop a request the service has read.
    let task = {
        let shared = Arc::clone(&shared);
        tokio::spawn(async move { shared.live(number, incoming, planned).await })
    };
    let ending = task.await.unwrap_or_else(|_| {
        Ending::Answer(Answer::plain(
            500,
            "text/plain",
            "a hook of the test panicked",
        ))
    });
    let answer = match ending {
        Ending::Answer(answer) => answer,
        Ending::Cut(answer) => {
            line.cut_body_after(answer.body.len() / 2);
            answer
        }
        // The line is broken before any of this is sent.
        Ending::Close => {
            line.close();
            Answer::plain(500, "text/plain", "")
        }
        Ending::Reset => {
            line.reset();
            Answer::plain(500, "text/plain", "")
        }
    };
    answer.into_response()
}

/// The planned events of one call, sorted by when they happen.
#[derive(Default)]
struct Plan {
    faults: Vec<Fault>,
    before_gates: Vec<Gate>,
    after_gates: Vec<Gate>,
    before: Vec<Hook>,
    after: Vec<Hook>,
}

impl Plan {
    fn sort(events: Vec<Event>) -> Self {
        let mut plan = Self::default();
        for event in events {
            match event {
                Event::Fault(fault) => plan.faults.push(fault),
                Event::Hold(When::BeforeApply, gate) => plan.before_gates.push(gate),
                Event::Hold(When::AfterApply, gate) => plan.after_gates.push(gate),
                Event::Before(hook) => plan.before.push(hook),
                Event::After(hook) => plan.after.push(hook),
            }
        }
        plan
    }
}

impl Shared {
    async fn live(&self, number: u64, incoming: Incoming, events: Vec<Event>) -> Ending {
        let ending = self.pass(number, incoming, Plan::sort(events)).await;
        self.log.amend(number, |entry| {
            entry.ended = Some(Instant::now());
            if let Ending::Answer(answer) | Ending::Cut(answer) = &ending {
                entry.status = answer.status;
                entry.error.clone_from(&answer.error);
            }
        });
        ending
    }

    async fn pass(&self, number: u64, incoming: Incoming, mut plan: Plan) -> Ending {
        let latency = self.lock().latency;
        if !latency.is_zero() {
            tokio::time::sleep(latency).await;
        }
        for fault in &plan.faults {
            match fault {
                Fault::DelayBefore(delay) => tokio::time::sleep(*delay).await,
                Fault::Never => std::future::pending().await,
                _ => {}
            }
        }
        for gate in std::mem::take(&mut plan.before_gates) {
            if !gate.pass().await {
                return Ending::Close;
            }
        }
        if let Some(ending) = plan
            .faults
            .iter()
            .find_map(|fault| instead(fault, &incoming))
        {
            return ending;
        }
        let answer = self.apply(number, &incoming, plan.before, plan.after);
        for gate in plan.after_gates {
            if !gate.pass().await {
                return Ending::Close;
            }
        }
        let mut ending = Ending::Answer(answer);
        for fault in plan.faults {
            if let Fault::DelayAfter(delay) = fault {
                tokio::time::sleep(delay).await;
            }
            ending = spoil(&fault, ending);
        }
        ending
    }

    fn apply(
        &self,
        number: u64,
        incoming: &Incoming,
        before: Vec<Hook>,
        after: Vec<Hook>,
    ) -> Answer {
        let mut inner = self.lock();
        for hook in before {
            hook(&mut inner.world);
        }
        let caller = inner.admit(incoming);
        if let Ok(Some(caller)) = &caller {
            self.log.amend(number, |entry| {
                caller.caller.arn().clone_into(&mut entry.caller);
            });
        }
        let result = caller.and_then(|caller| inner.run(incoming, caller.as_ref()));
        self.log
            .amend(number, |entry| entry.applied = result.is_ok());
        for hook in after {
            hook(&mut inner.world);
        }
        match result {
            Ok(answer) => Answer::success(incoming.service, &incoming.operation, &answer),
            Err(error) => refuse(incoming, error),
        }
    }
}
