//! Owns who is who: access keys, roles, tokens, and what hands out credentials (STS, an OIDC issuer, metadata
//! services). It must not know what a caller then does with them: that is `operations`.

mod issuer;
mod jwt;
mod keys;
mod members;
mod metadata;
mod role;
mod roles;
mod session;
mod sts;

use std::time::SystemTime;

use serde_json::Value;

pub(crate) use issuer::{Claims, GITLAB, Issuers, get_id_token};
pub(crate) use jwt::peek as peek_audience;
pub use keys::Key;
pub(crate) use keys::{Clocks, Keys};
pub(crate) use metadata::{
    Metadata, get_container_credentials, get_metadata_credentials, get_metadata_region,
    get_metadata_role, get_metadata_token,
};
pub use role::{Role, Trust};
pub(crate) use roles::Roles;
pub(crate) use session::Session;
pub(crate) use sts::{assume_role, assume_role_with_web_identity, get_caller_identity};

use sandbox_model::Caller;

use crate::incoming::Incoming;

/// Everything the sandbox knows of identities.
#[derive(Default)]
pub(crate) struct Identity {
    pub(crate) keys: Keys,
    pub(crate) roles: Roles,
    pub(crate) issuers: Issuers,
    pub(crate) metadata: Metadata,
}

/// Who signed a request.
pub(crate) struct Authenticated {
    pub(crate) caller: Caller,
    /// What GetCallerIdentity calls the user id.
    pub(crate) user_id: String,
}

/// One request that is about identities.
pub(crate) struct Ask<'a> {
    pub(crate) identity: &'a mut Identity,
    pub(crate) incoming: &'a Incoming,
    /// Who signed it; `None` where the service asks for no signature.
    pub(crate) caller: Option<&'a Authenticated>,
    /// By the clock of the service.
    pub(crate) now: SystemTime,
}

impl Ask<'_> {
    /// A parameter, if it was sent.
    fn text(&self, name: &str) -> Option<&str> {
        self.incoming.input.get(name).and_then(Value::as_str)
    }
}
