//! Owns a request's way through the sandbox: read, log, meet what was planned, pass the front door, be applied
//! under the lock, be answered. It must not know any operation.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use axum::{
    body::Body,
    extract::{ConnectInfo, Request, State},
    http::{Method, Response},
};
use serde_json::Value;

use crate::{
    ending::{Ending, instead, refuse, spoil},
    faults::{Event, Fault, Gate, Hook, Schedule, When},
    incoming::Incoming,
    inspect,
    keys::Keys,
    line::Handle,
    log::Log,
    operations::{self, Caller, Operation, Service},
    rate::Rates,
    refusal::Refusal,
    sigv4::Signed,
    state::World,
    wire::Answer,
};

#[derive(Default)]
pub(crate) struct Shared {
    pub(crate) state: Mutex<Inner>,
    pub(crate) schedule: Schedule,
    pub(crate) log: Log,
}

#[derive(Default)]
pub(crate) struct Inner {
    pub(crate) world: World,
    pub(crate) keys: Keys,
    pub(crate) rates: Rates,
    pub(crate) latency: Duration,
}

impl Shared {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) async fn handle(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(line): ConnectInfo<Handle>,
    request: Request,
) -> Response<Body> {
    if request.method() == Method::GET {
        return inspect::answer(&shared, request.uri().path()).into_response();
    }
    let Some(incoming) = Incoming::read(request).await else {
        return Answer::plain(413, "text/plain", "too large").into_response();
    };
    let (principal, region) = match &incoming.authorization {
        Some(authorization) => (authorization.key_id.clone(), authorization.region.clone()),
        None => Default::default(),
    };
    let number = shared.log.start(&incoming.operation, &principal, &region);
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
            if let Fault::DelayBefore(delay) = fault {
                tokio::time::sleep(*delay).await;
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
            inner.world.replicate_all();
        }
        let result = inner.run(incoming);
        self.log
            .amend(number, |entry| entry.applied = result.is_ok());
        for hook in after {
            hook(&mut inner.world);
            inner.world.replicate_all();
        }
        match result {
            Ok(answer) => Answer::success(incoming.service, &incoming.operation, &answer),
            Err(refusal) => refuse(incoming, refusal),
        }
    }
}

impl Inner {
    fn run(&mut self, incoming: &Incoming) -> Result<Value, Refusal> {
        let signed = Signed {
            method: &incoming.method,
            path: &incoming.path,
            query: &incoming.query,
            headers: &incoming.headers,
            body: &incoming.body,
        };
        let service = match incoming.service {
            Service::SecretsManager => "secretsmanager",
            Service::Sts => "sts",
        };
        let authorization = incoming.authorization.as_ref();
        let key = self
            .keys
            .admit(service, authorization, &signed, SystemTime::now())?;
        let caller = Caller {
            key_id: key.id.clone(),
            account: key.account.clone(),
            arn: key.user_arn.clone(),
            policy: key.policy.clone(),
        };
        let region = authorization.map_or("", |authorization| authorization.region.as_str());
        let operation = operations::named(&incoming.operation);
        let Some(operation) = operation.filter(|operation| operation.service == incoming.service)
        else {
            return Err(Refusal::new(400, "UnknownOperationException", ""));
        };
        self.rate(operation, &caller, region)?;
        if !incoming.input.is_object() {
            return Err(Refusal::new(400, "SerializationException", ""));
        }
        operations::run(
            &mut self.world,
            &caller,
            region,
            operation.name,
            incoming.input.clone(),
        )
    }

    fn rate(
        &mut self,
        operation: &Operation,
        caller: &Caller,
        region: &str,
    ) -> Result<(), Refusal> {
        let now = Instant::now();
        let passes = |bucket| self.rates.pass(bucket, &caller.account, region, now);
        if operation.bucket.is_none_or(passes) {
            Ok(())
        } else {
            Err(Refusal::throttled())
        }
    }
}
