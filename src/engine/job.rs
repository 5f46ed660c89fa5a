//! One job brought to its goal, or previewed, whatever it asks.

use upsert_secret_core::attempt::Attempt;
use upsert_secret_core::failure::Failure;
use upsert_secret_core::plan::settled;
use upsert_secret_core::request::Job;
use upsert_secret_core::state::ValueView;
use upsert_secret_core::store::SecretStore;

use super::context::Context;
use super::label_move::move_label;
use super::preview::{preview, preview_label_move};
use super::upsert::{begin, upsert};

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
    match (job, plan_only) {
        (Job::Upsert(request), _)
            if let Some(ValueView::Value(stored)) = &first
                && let Some(plan) = settled(request, stored) =>
        {
            begin(request, context, attempt);
            attempt.outcome.arn = Some(stored.arn.clone());
            attempt.outcome.name = Some(stored.name.clone());
            attempt.outcome.version = plan.keep;
            Ok(())
        }
        (Job::Upsert(request), false) => upsert(request, context, first, attempt).await,
        (Job::Upsert(request), true) => preview(request, context, first, attempt).await,
        (Job::Move(request), false) => move_label(request, context, attempt).await,
        (Job::Move(request), true) => preview_label_move(request, context, attempt).await,
    }
}
