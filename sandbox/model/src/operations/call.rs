//! One call of an operation: its caller, its input, and the secret that it names.

use std::time::SystemTime;

use super::input::Input;
use crate::{
    caller::Caller,
    error::ServiceError,
    state::{Secret, Store, World},
};

pub(super) struct Call<'a> {
    pub(super) world: &'a mut World,
    pub(super) caller: &'a Caller,
    pub(super) region: &'a str,
    pub(super) action: &'static str,
    pub(super) input: Input,
}

impl Call<'_> {
    pub(super) fn now(&self) -> SystemTime {
        self.world.now()
    }

    pub(super) fn store(&self) -> &Store {
        self.world.store(self.caller.account(), self.region)
    }

    pub(super) fn store_mut(&mut self) -> &mut Store {
        self.world.store_mut(self.caller.account(), self.region)
    }

    /// A copy of the secret that SecretId names, if the caller is allowed the action.
    pub(super) fn authorized_secret(&mut self) -> Result<Secret, ServiceError> {
        let id = self.input.required("SecretId", 1, 2048)?.to_owned();
        check_secret_id(&id)?;
        let found = self.store().find(&id).cloned();
        self.authorize(self.action, &id, found.as_ref())?;
        found.ok_or_else(ServiceError::no_secret)
    }

    /// Like [`Call::authorized_secret`], but fails while the secret is scheduled for deletion.
    pub(super) fn active_secret(&mut self) -> Result<Secret, ServiceError> {
        let secret = self.authorized_secret()?;
        if secret.deletion.is_some() {
            return Err(ServiceError::marked_for_deletion());
        }
        Ok(secret)
    }

    /// Like [`Call::active_secret`], but fails for a replica and for a secret that another service manages.
    pub(super) fn writable_secret(&mut self) -> Result<Secret, ServiceError> {
        let secret = self.active_secret()?;
        if secret.is_replica() {
            return Err(ServiceError::replica());
        }
        if secret.owning_service.is_some() {
            return Err(ServiceError::invalid_request(
                "The secret is managed by another service, and you must use that service to update it.",
            ));
        }
        Ok(secret)
    }

    /// Stores a changed copy of a secret.
    pub(super) fn commit(&mut self, secret: Secret) {
        self.store_mut().insert(secret);
    }
}

/// Rejects characters that are invalid in both names and ARNs.
pub(super) fn check_secret_id(id: &str) -> Result<(), ServiceError> {
    let colons = id.starts_with("arn:");
    let allowed =
        |c: char| c.is_ascii_alphanumeric() || "-/_+=.@!".contains(c) || (colons && c == ':');
    if id.chars().all(allowed) {
        Ok(())
    } else {
        Err(ServiceError::bad_name())
    }
}
