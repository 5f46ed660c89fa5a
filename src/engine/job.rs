//! The entry point of the engine: runs one job of any kind. Only selects the loop to run.

use upsert_secret_core::attempt::Attempt;
use upsert_secret_core::failure::Failure;
use upsert_secret_core::request::Job;
use upsert_secret_core::state::ValueView;
use upsert_secret_core::store::SecretStore;

use super::context::Context;
use super::label_move::move_label;
use super::upsert::upsert;

/// A job, or the failure that prevents it.
pub(crate) type PreparedTarget = Result<Job, Failure>;

/// Runs a job, or only describes its changes. `first` is the GetSecretValue response, if already known.
///
/// # Errors
/// The failure; the attempt holds the changes and IDs recorded until then.
pub(crate) async fn run_job<S: SecretStore>(
    job: &Job,
    context: Context<'_, S>,
    plan_only: bool,
    first: Option<ValueView>,
    attempt: &mut Attempt,
) -> Result<(), Failure> {
    match job {
        Job::Upsert(request) => upsert(request, context, plan_only, first, attempt).await,
        Job::Move(request) => move_label(request, context, plan_only, first, attempt).await,
    }
}
