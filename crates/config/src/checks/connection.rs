//! How AWS is reached, from inputs and the SDK's own variables: what all commands and manifests share.

use std::sync::Arc;
use std::time::Duration;

use upsert_secret_core::connection::{Connection, Identity};
use upsert_secret_core::failure::Failure;
use upsert_secret_core::target::Target;

use super::settings;
use super::{identity, region, timeout};
use crate::diagnostics::Diagnostics;
use crate::environment::Environment;
use crate::inputs::RawInputs;

/// A connection, and why it has no usable credentials. That comes after all problems with inputs, which may be its
/// cause.
pub(crate) struct CheckedConnection {
    pub(crate) connection: Arc<Connection>,
    pub(crate) unusable: Option<Failure>,
}

/// Checks everything that a connection needs. `target` is the secret of a run of one.
///
/// # Errors
/// A key in the environment that no request could be signed with.
pub(crate) fn check(
    raw: &RawInputs,
    target: Option<&Target>,
    default_timeout: Duration,
    environment: &Environment,
    diagnostics: &mut Diagnostics,
    warnings: &mut Vec<String>,
) -> Result<CheckedConnection, Failure> {
    let settings = settings::check(environment, &mut diagnostics.found, warnings)?;
    let region = region::choose(raw, target, environment, diagnostics, warnings);
    let timeout = timeout::check(raw.timeout.as_deref(), default_timeout, diagnostics);
    let (identity, unusable) = match identity::check(raw, environment, diagnostics, warnings) {
        Ok(identity) => (identity, None),
        Err(why) => (Identity::default(), Some(why)),
    };
    Ok(CheckedConnection {
        connection: Arc::new(Connection {
            region,
            identity: Arc::new(identity),
            timeout,
            settings,
        }),
        unusable,
    })
}
