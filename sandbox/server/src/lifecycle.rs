//! A request's way through the service: latency, planned faults and holds, hooks, authentication and the operation
//! itself, in the order in which a real request would meet them.

use std::time::Instant;

use crate::{
    faults::{Event, Fault, Gate, Hook, When},
    request::ServiceRequest,
    response::{Delivery, after_apply, before_apply, error_response},
    shared::Shared,
    wire::EncodedResponse,
};

/// The planned events of one call, by the point at which they happen.
#[derive(Default)]
struct Plan {
    faults: Vec<Fault>,
    before_gates: Vec<Gate>,
    after_gates: Vec<Gate>,
    before: Vec<Hook>,
    after: Vec<Hook>,
}

impl Plan {
    fn from_events(events: Vec<Event>) -> Self {
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
    pub(crate) async fn process(
        &self,
        entry_id: u64,
        request: ServiceRequest,
        events: Vec<Event>,
    ) -> Delivery {
        let delivery = self.run(entry_id, request, Plan::from_events(events)).await;
        self.log.amend(entry_id, |entry| {
            entry.ended = Some(Instant::now());
            if let Delivery::Send(answer) | Delivery::Truncate(answer) = &delivery {
                entry.status = answer.status;
                entry.error.clone_from(&answer.error);
            }
        });
        delivery
    }

    async fn run(&self, entry_id: u64, request: ServiceRequest, mut plan: Plan) -> Delivery {
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
                return Delivery::Close;
            }
        }
        if let Some(delivery) = plan
            .faults
            .iter()
            .find_map(|fault| before_apply(fault, &request))
        {
            return delivery;
        }
        let answer = self.apply(entry_id, &request, plan.before, plan.after);
        for gate in plan.after_gates {
            if !gate.pass().await {
                return Delivery::Close;
            }
        }
        let mut delivery = Delivery::Send(answer);
        for fault in plan.faults {
            if let Fault::DelayAfter(delay) = fault {
                tokio::time::sleep(delay).await;
            }
            delivery = after_apply(&fault, delivery);
        }
        delivery
    }

    fn apply(
        &self,
        entry_id: u64,
        request: &ServiceRequest,
        before: Vec<Hook>,
        after: Vec<Hook>,
    ) -> EncodedResponse {
        let mut state = self.lock();
        for hook in before {
            hook(&mut state.world);
        }
        let signer = state.authenticate(request);
        if let Ok(Some(signer)) = &signer {
            self.log.amend(entry_id, |entry| {
                signer.caller.arn().clone_into(&mut entry.caller);
            });
        }
        let result = signer.and_then(|signer| state.run(request, signer.as_ref()));
        self.log
            .amend(entry_id, |entry| entry.applied = result.is_ok());
        for hook in after {
            hook(&mut state.world);
        }
        match result {
            Ok(answer) => EncodedResponse::success(request.service, &request.operation, &answer),
            Err(error) => error_response(request, error),
        }
    }
}
