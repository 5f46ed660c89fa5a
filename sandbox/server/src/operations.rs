//! The operations of all services behind the one port: those of Secrets Manager, which the model has, and those of
//! the identity services. To add one of the latter, write its function in `identity` and add its line to [`TABLE`].

use sandbox_model::ServiceError;
use serde_json::Value;

use crate::identity::{self, Ask};

/// Which of the services on the one port an operation belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    SecretsManager,
    Sts,
    /// GitHub's endpoint for tokens.
    Issuer,
    /// What a machine asks for its own credentials.
    Metadata,
}

/// An operation of an identity service.
pub(crate) struct IdentityOperation {
    name: &'static str,
    service: Service,
    /// Whether the caller must sign.
    pub(crate) signed: bool,
    pub(crate) run: Run,
}

type Run = fn(&mut Ask<'_>) -> Result<Value, ServiceError>;

pub(crate) enum Operation {
    Secrets(&'static sandbox_model::Operation),
    Identity(&'static IdentityOperation),
}

const fn signed(name: &'static str, service: Service, run: Run) -> IdentityOperation {
    IdentityOperation {
        name,
        service,
        signed: true,
        run,
    }
}

const fn open(name: &'static str, service: Service, run: Run) -> IdentityOperation {
    let operation = signed(name, service, run);
    IdentityOperation {
        signed: false,
        ..operation
    }
}

static TABLE: &[IdentityOperation] = &[
    signed("AssumeRole", Service::Sts, identity::assume_role),
    open(
        "AssumeRoleWithWebIdentity",
        Service::Sts,
        identity::assume_role_with_web_identity,
    ),
    signed(
        "GetCallerIdentity",
        Service::Sts,
        identity::get_caller_identity,
    ),
    open("GetIdToken", Service::Issuer, identity::get_id_token),
    open(
        "GetMetadataToken",
        Service::Metadata,
        identity::get_metadata_token,
    ),
    open(
        "GetMetadataRole",
        Service::Metadata,
        identity::get_metadata_role,
    ),
    open(
        "GetMetadataCredentials",
        Service::Metadata,
        identity::get_metadata_credentials,
    ),
    open(
        "GetMetadataRegion",
        Service::Metadata,
        identity::get_metadata_region,
    ),
    open(
        "GetContainerCredentials",
        Service::Metadata,
        identity::get_container_credentials,
    ),
];

/// The operation with this name, if the service has it.
pub(crate) fn find(service: Service, name: &str) -> Option<Operation> {
    match service {
        Service::SecretsManager => sandbox_model::find_operation(name).map(Operation::Secrets),
        _ => TABLE
            .iter()
            .find(|operation| operation.service == service && operation.name == name)
            .map(Operation::Identity),
    }
}

/// Whether any of the services has an operation with this name.
pub(crate) fn exists(name: &str) -> bool {
    sandbox_model::find_operation(name).is_some()
        || TABLE.iter().any(|operation| operation.name == name)
}
