//! The state of all services behind one lock, and the last steps of a request: authentication, rate limits and the operation.
//! Independent of HTTP.

use std::time::{Duration, Instant, SystemTime};

use sandbox_model::{Caller, QuotaGroup, ServiceError, World};
use serde_json::Value;

use crate::{
    errors,
    identity::{Authenticated, Clocks, IdentityCall, IdentityRegistry},
    operations::{self, Operation},
    protocol::Service,
    random,
    rate_limit::RateLimiter,
    request::ServiceRequest,
    sigv4::RequestToSign,
};

pub(crate) struct State {
    pub(crate) world: World,
    pub(crate) identity: IdentityRegistry,
    pub(crate) rate_limiter: RateLimiter,
    pub(crate) latency: Duration,
    /// How far the service's clock is ahead of the one that signatures are checked against.
    ahead: Duration,
    /// How far all of AWS's clocks are ahead of this machine's.
    pub(crate) clock: ClockOffset,
}

/// A difference between two clocks.
#[derive(Clone, Copy, Default)]
pub(crate) struct ClockOffset {
    pub(crate) ahead: Duration,
    pub(crate) behind: Duration,
}

impl ClockOffset {
    pub(crate) fn now(self) -> SystemTime {
        SystemTime::now() + self.ahead - self.behind
    }

    pub(crate) fn is_none(self) -> bool {
        self.ahead == self.behind
    }
}

impl Default for State {
    fn default() -> Self {
        Self {
            world: World::new(random::seed()),
            identity: IdentityRegistry::default(),
            rate_limiter: RateLimiter::default(),
            latency: Duration::ZERO,
            ahead: Duration::ZERO,
            clock: ClockOffset::default(),
        }
    }
}

impl State {
    /// Sets the model's clock, which does not run by itself.
    pub(crate) fn update_clock(&mut self) {
        self.world.set_now(self.clock.now() + self.ahead);
    }

    pub(crate) fn advance(&mut self, by: Duration) {
        self.ahead += by;
        self.update_clock();
    }

    /// The signer of the request; `None` for operations without a signature.
    pub(crate) fn authenticate(
        &self,
        request: &ServiceRequest,
    ) -> Result<Option<Authenticated>, ServiceError> {
        let operation = operations::find(request.service, &request.operation);
        let open = matches!(operation, Some(Operation::Identity(operation)) if !operation.signed);
        if open || matches!(request.service, Service::Issuer | Service::Metadata) {
            return Ok(None);
        }
        let signed = RequestToSign {
            method: &request.method,
            path: &request.path,
            query: &request.query,
            headers: &request.headers,
            body: &request.body,
        };
        let service = match request.service {
            Service::Sts => "sts",
            _ => "secretsmanager",
        };
        let clocks = Clocks {
            real: self.clock.now(),
            service: self.world.now(),
        };
        let authorization = request.authorization.as_ref();
        let (key, session) =
            self.identity
                .keys
                .authenticate(service, authorization, &signed, clocks)?;
        // A session follows its role's current policy, not the one from when it was issued.
        let role = session.and_then(|session| self.identity.roles.get(&session.role));
        let policy = role.map_or(&key.policy, |role| &role.policy).clone();
        let mut caller = Caller::new(&key.account, &key.user_arn).with_policy(policy);
        if let Some(session) = session {
            caller = caller.with_role(&session.role);
        }
        let user_id = session.map_or(&key.id, |session| &session.user_id).clone();
        Ok(Some(Authenticated { caller, user_id }))
    }

    pub(crate) fn run(
        &mut self,
        request: &ServiceRequest,
        signer: Option<&Authenticated>,
    ) -> Result<Value, ServiceError> {
        match operations::find(request.service, &request.operation) {
            None => Err(ServiceError::new(400, "UnknownOperationException", "")),
            Some(Operation::Identity(operation)) => (operation.run)(&mut IdentityCall {
                now: self.world.now(),
                registry: &mut self.identity,
                request,
                signer,
            }),
            Some(Operation::SecretsManager(operation)) => {
                let Some(Authenticated { caller, .. }) = signer else {
                    return Err(errors::unknown_client());
                };
                let region = request.authorization.as_ref();
                let region = region.map_or("", |authorization| authorization.region.as_str());
                self.check_rate(operation.quota_group, caller, region)?;
                let input = request.input.clone();
                self.world.call(caller, region, operation.name, input)
            }
        }
    }

    fn check_rate(
        &mut self,
        group: Option<QuotaGroup>,
        caller: &Caller,
        region: &str,
    ) -> Result<(), ServiceError> {
        let now = Instant::now();
        let passes = |group| self.rate_limiter.pass(group, caller.account(), region, now);
        if group.is_none_or(passes) {
            Ok(())
        } else {
            Err(errors::throttled())
        }
    }
}
