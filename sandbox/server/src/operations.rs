//! All operations behind the one port: those of the model and those of the identity services.

use crate::{
    identity::{self, IdentityOperation},
    protocol::Service,
};

pub(crate) enum Operation {
    SecretsManager(&'static sandbox_model::Operation),
    Identity(&'static IdentityOperation),
}

/// The operation with this name, if the service has it.
pub(crate) fn find(service: Service, name: &str) -> Option<Operation> {
    match service {
        Service::SecretsManager => {
            sandbox_model::find_operation(name).map(Operation::SecretsManager)
        }
        _ => identity::find_operation(name)
            .filter(|operation| operation.service == service)
            .map(Operation::Identity),
    }
}

/// Whether any of the services has an operation with this name.
pub(crate) fn exists(name: &str) -> bool {
    sandbox_model::find_operation(name).is_some() || identity::find_operation(name).is_some()
}
