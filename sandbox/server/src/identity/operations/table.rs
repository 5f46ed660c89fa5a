//! The table of the identity services' operations. Must not contain behavior.

use sandbox_model::ServiceError;
use serde_json::Value;

use super::{
    id_token::get_id_token,
    metadata::{
        get_container_credentials, get_metadata_credentials, get_metadata_region,
        get_metadata_role, get_metadata_token,
    },
    sts::{assume_role, assume_role_with_web_identity, get_caller_identity},
};
use crate::{identity::call::IdentityCall, protocol::Service};

/// An operation of an identity service.
pub(crate) struct IdentityOperation {
    pub(crate) name: &'static str,
    pub(crate) service: Service,
    /// Whether the request must be signed.
    pub(crate) signed: bool,
    pub(crate) run: Run,
}

type Run = fn(&mut IdentityCall<'_>) -> Result<Value, ServiceError>;

const fn signed(name: &'static str, service: Service, run: Run) -> IdentityOperation {
    IdentityOperation {
        name,
        service,
        signed: true,
        run,
    }
}

const fn unsigned(name: &'static str, service: Service, run: Run) -> IdentityOperation {
    IdentityOperation {
        name,
        service,
        signed: false,
        run,
    }
}

use Service::{Issuer, Metadata, Sts};

static TABLE: &[IdentityOperation] = &[
    signed("AssumeRole", Sts, assume_role),
    unsigned(
        "AssumeRoleWithWebIdentity",
        Sts,
        assume_role_with_web_identity,
    ),
    signed("GetCallerIdentity", Sts, get_caller_identity),
    unsigned("GetIdToken", Issuer, get_id_token),
    unsigned("GetMetadataToken", Metadata, get_metadata_token),
    unsigned("GetMetadataRole", Metadata, get_metadata_role),
    unsigned("GetMetadataCredentials", Metadata, get_metadata_credentials),
    unsigned("GetMetadataRegion", Metadata, get_metadata_region),
    unsigned(
        "GetContainerCredentials",
        Metadata,
        get_container_credentials,
    ),
];

/// The operation with this name, if an identity service has it.
pub(crate) fn find_operation(name: &str) -> Option<&'static IdentityOperation> {
    TABLE.iter().find(|operation| operation.name == name)
}
