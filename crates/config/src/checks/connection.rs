//! How AWS is reached, from inputs and the SDK's own variables. Connects to nothing.

use std::sync::Arc;
use std::time::Duration;

use upsert_secret_core::connection::{Connection, Identity};
use upsert_secret_core::failure::Failure;
use upsert_secret_core::target::Target;

use super::{identity, region, settings, timeout};
use crate::diagnostics::Diagnostics;
use crate::environment::Environment;
use crate::inputs::RawInputs;

/// Checks everything that a connection needs. `target` is the secret of a run without a manifest.
///
/// # Errors
/// The access key in the environment is malformed or incomplete.
pub(crate) fn check(
    raw: &RawInputs,
    target: Option<&Target>,
    default_timeout: Duration,
    environment: &Environment,
    diagnostics: &mut Diagnostics,
) -> Result<Arc<Connection>, Failure> {
    let settings = settings::check(environment, diagnostics)?;
    let region = region::choose(raw, target, environment, diagnostics);
    let timeout = timeout::check(raw.timeout.as_deref(), default_timeout, diagnostics);
    let identity = identity::check(raw, environment, diagnostics).unwrap_or_else(|why| {
        diagnostics.set_unusable_credentials(why);
        Identity::default()
    });
    Ok(Arc::new(Connection {
        region,
        identity: Arc::new(identity),
        timeout,
        settings,
    }))
}
