//! One call of an identity service: its request, its caller and the identities that exist.

use std::time::SystemTime;

use sandbox_model::Caller;
use serde_json::Value;

use super::registry::IdentityRegistry;
use crate::request::ServiceRequest;

/// The signer of a request.
pub(crate) struct Authenticated {
    pub(crate) caller: Caller,
    /// The `UserId` of GetCallerIdentity.
    pub(crate) user_id: String,
}

pub(crate) struct IdentityCall<'a> {
    pub(crate) registry: &'a mut IdentityRegistry,
    pub(crate) request: &'a ServiceRequest,
    /// `None` where the service asks for no signature.
    pub(crate) signer: Option<&'a Authenticated>,
    /// The time of the service.
    pub(crate) now: SystemTime,
}

impl IdentityCall<'_> {
    /// A parameter, if it was sent.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.request.input.get(name).and_then(Value::as_str)
    }
}
