//! A request's way through the service: latency, planned faults and holds, hooks, authentication and the operation
//! itself, in the order in which a real request would meet them.

use std::time::Instant;

use crate::{
    ending::{Ending, instead, refuse, spoil},
    faults::{Event, Fault, Gate, Hook, When},
    request::ServiceRequest,
    shared::Shared,
    wire::Answer,
};

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
    pub(crate) async fn live(
        &self,
        number: u64,
        request: ServiceRequest,
        events: Vec<Event>,
    ) -> Ending {
        let ending = self.pass(number, request, Plan::sort(events)).await;
        self.log.amend(number, |entry| {
            entry.ended = Some(Instant::now());
            if let Ending::Answer(answer) | Ending::Cut(answer) = &ending {
                entry.status = answer.status;
                entry.error.clone_from(&answer.error);
            }
        });
        ending
    }

    async fn pass(&self, number: u64, request: ServiceRequest, mut plan: Plan) -> Ending {
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
            .find_map(|fault| instead(fault, &request))
        {
            return ending;
        }
        let answer = self.apply(number, &request, plan.before, plan.after);
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
        request: &ServiceRequest,
        before: Vec<Hook>,
        after: Vec<Hook>,
    ) -> Answer {
        let mut state = self.lock();
        for hook in before {
            hook(&mut state.world);
        }
        let caller = state.admit(request);
        if let Ok(Some(caller)) = &caller {
            self.log.amend(number, |entry| {
                caller.caller.arn().clone_into(&mut entry.caller);
            });
        }
        let result = caller.and_then(|caller| state.run(request, caller.as_ref()));
        self.log
            .amend(number, |entry| entry.applied = result.is_ok());
        for hook in after {
            hook(&mut state.world);
        }
        match result {
            Ok(answer) => Answer::success(request.service, &request.operation, &answer),
            Err(error) => refuse(request, error),
        }
    }
}
