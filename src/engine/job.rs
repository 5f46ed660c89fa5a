//! The entry of the engine: runs one job, whatever it asks. Only chooses the loop.

use upsert_secret_core::attempt::Attempt;
use upsert_secret_core::failure::Failure;
use upsert_secret_core::request::Job;
use upsert_secret_core::state::ValueView;
use upsert_secret_core::store::SecretStore;

use super::context::Context;
use super::label_move::move_label;
use super::upsert::upsert;

/// Runs a job, or only describes what that would change. `first` is GetSecretValue's answer, if it is known already.
///
/// # Errors
/// The failure; the attempt holds the changes and ids up to then.
pub(crate) async fn run_job<S: SecretStore>(
    job: &Job,
    context: Context<'_, S>,
    plan_only: bool,
    first: Option<ValueView>,
    attempt: &mut Attempt,
) -> Result<(), Failure> {
    match job {
        Job::Upsert(request) => upsert(request, context, plan_only, first, attempt).await,
        Job::Move(request) => move_label(request, context, plan_only, attempt).await,
    }
}
