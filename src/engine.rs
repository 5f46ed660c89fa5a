//! One secret brought to its goal: observe, plan, apply, and again until the goal is reached; over any [`SecretStore`].
//! Every call is in here, and no decision but retries: those are the plan's.

use upsert_secret_core::attempt::Attempt;
use upsert_secret_core::failure::Failure;
use upsert_secret_core::request::Job;
use upsert_secret_core::state::ValueView;
use upsert_secret_core::store::SecretStore;

pub(crate) mod apply;
pub(crate) mod context;
mod label_move;
pub(crate) mod observe;
pub(crate) mod system;
pub(crate) mod upsert;

#[cfg(test)]
mod tests;

use context::Context;

/// Brings a job to its goal, or only describes what that would take. `first` is the answer of GetSecretValue, where that
/// is known already: it may settle the job by itself.
///
/// # Errors
/// The failure; the attempt holds what was done and is known by then.
pub(crate) async fn run_job<S: SecretStore>(
    job: &Job,
    context: Context<'_, S>,
    plan_only: bool,
    first: Option<ValueView>,
    attempt: &mut Attempt,
) -> Result<(), Failure> {
    match job {
        Job::Move(request) => label_move::move_label(request, context, plan_only, attempt).await,
        Job::Upsert(request) => {
            if let Some(ValueView::Value(stored)) = &first
                && upsert::record_settled(request, stored, attempt)
            {
                upsert::prepare_attempt(request, context, attempt);
                return Ok(());
            }
            upsert::upsert(request, context, plan_only, first, attempt).await
        }
    }
}
