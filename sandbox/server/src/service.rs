//! Owns the state of the services behind its one lock, and a request's last steps: who signed it, at what rate,
//! and the operation itself. It must not know how requests travel.

use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;

use crate::{
    identity::{Ask, Clocks, Identity},
    incoming::Incoming,
    operations::{self, Caller, Operation, Run, Service},
    rate::Rates,
    refusal::Refusal,
    sigv4::Signed,
    state::World,
};

#[derive(Default)]
pub(crate) struct Inner {
    pub(crate) world: World,
    pub(crate) identity: Identity,
    pub(crate) rates: Rates,
    pub(crate) latency: Duration,
}

impl Inner {
    /// The caller, let in by the front door; `None` where there is no door.
    pub(crate) fn admit(&self, incoming: &Incoming) -> Result<Option<Caller>, Refusal> {
        let open = operation(incoming).is_some_and(|operation| !operation.signed);
        if open || matches!(incoming.service, Service::Issuer | Service::Metadata) {
            return Ok(None);
        }
        let signed = Signed {
            method: &incoming.method,
            path: &incoming.path,
            query: &incoming.query,
            headers: &incoming.headers,
            body: &incoming.body,
        };
        let service = match incoming.service {
            Service::Sts => "sts",
            _ => "secretsmanager",
        };
        let clocks = Clocks {
            real: SystemTime::now(),
            service: self.world.now(),
        };
        let authorization = incoming.authorization.as_ref();
        let (key, session) = self
            .identity
            .keys
            .admit(service, authorization, &signed, clocks)?;
        // A session may do what its role may do now, not what it might when the session was made.
        let role = session.and_then(|session| self.identity.roles.get(&session.role));
        Ok(Some(Caller {
            account: key.account.clone(),
            arn: key.user_arn.clone(),
            user_id: session.map_or(&key.id, |session| &session.user_id).clone(),
            role: session.map(|session| session.role.clone()),
            policy: role.map_or(&key.policy, |role| &role.policy).clone(),
            arranges: false,
        }))
    }

    pub(crate) fn run(
        &mut self,
        incoming: &Incoming,
        caller: Option<&Caller>,
    ) -> Result<Value, Refusal> {
        let Some(operation) = operation(incoming) else {
            return Err(Refusal::new(400, "UnknownOperationException", ""));
        };
        let region = incoming.authorization.as_ref();
        let region = region.map_or("", |authorization| authorization.region.as_str());
        if let Some(caller) = caller {
            self.rate(operation, caller, region)?;
        }
        if !incoming.input.is_object() {
            return Err(Refusal::new(400, "SerializationException", ""));
        }
        match (operation.run, caller) {
            (Run::Identities(run), caller) => run(&mut Ask {
                now: self.world.now(),
                identity: &mut self.identity,
                incoming,
                caller,
            }),
            (Run::Secrets(_), Some(caller)) => operations::run(
                &mut self.world,
                caller,
                region,
                operation.name,
                incoming.input.clone(),
            ),
            (Run::Secrets(_), None) => Err(Refusal::unknown_client()),
        }
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

/// The operation that is asked for, if the service that is asked has it.
fn operation(incoming: &Incoming) -> Option<&'static Operation> {
    let operation = operations::named(&incoming.operation)?;
    (operation.service == incoming.service).then_some(operation)
}
