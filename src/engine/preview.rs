//! The command `plan`: what a run would do, by the decisions of the run itself and without a write. What it may not read
//! it reports, as the run would.

use upsert_secret_core::attempt::Attempt;
use upsert_secret_core::backoff::Backoff;
use upsert_secret_core::failure::Failure;
use upsert_secret_core::notice::Level;
use upsert_secret_core::outcome::{ChangeKind, PlannedStep, Preview};
use upsert_secret_core::plan::{Decision, Plan, Step, check_validation, describe};
use upsert_secret_core::request::{LabelMove, Request};
use upsert_secret_core::state::{Observed, ValueView};
use upsert_secret_core::store::SecretStore;

use super::context::Context;
use super::{label_move, upsert};

/// Describes what `upsert` would do.
///
/// # Errors
/// What the run would be rejected for.
pub(crate) async fn preview<S: SecretStore>(
    request: &Request,
    context: Context<'_, S>,
    mut first: Option<ValueView>,
    attempt: &mut Attempt,
) -> Result<(), Failure> {
    upsert::begin(request, context, attempt);
    let mut turns = Backoff::endless();
    loop {
        let (observed, plan) = upsert::look(request, context, first.take(), attempt).await?;
        // Another guarded run is about to write: what it writes counts.
        if plan.steps == [Step::Yield] {
            context.system.wait_turn(&mut turns).await;
            continue;
        }
        if matches!(observed, Observed::Present(_)) && plan.steps.contains(&Step::CheckPolicy) {
            check_policy(request, context, attempt).await?;
        }
        attempt.outcome.version.clone_from(&plan.keep);
        attempt
            .outcome
            .name
            .get_or_insert_with(|| request.target.name.clone());
        attempt.outcome.preview = Some(Preview {
            kind: kind(&plan),
            steps: describe(&plan, request, &observed),
        });
        return Ok(());
    }
}

fn kind(plan: &Plan) -> ChangeKind {
    let changing: Vec<&Step> = plan.steps.iter().filter(|step| step.changes()).collect();
    match changing[..] {
        [] => ChangeKind::Unchanged,
        [
            Step::Create {
                otherwise: None, ..
            },
            ..,
        ] => ChangeKind::Created,
        _ => ChangeKind::Updated,
    }
}

/// Reads as much as it writes: nothing.
async fn check_policy<S: SecretStore>(
    request: &Request,
    context: Context<'_, S>,
    attempt: &mut Attempt,
) -> Result<(), Failure> {
    let Some(policy) = &request.policy else {
        return Ok(());
    };
    let id = &request.target.id;
    match context.store.validate_policy(id, policy.text()).await {
        Ok(validation) => check_validation(&validation, request.allow_public_policy, id),
        Err(error) if error.is_denied() => {
            attempt.outcome.note(
                Level::Warning,
                "ValidateResourcePolicy is denied: whether the resource policy may be attached was not checked",
            );
            Ok(())
        }
        Err(error) => Err(context.failure(&error, &request.target, attempt)),
    }
}

/// Describes what `promote` or `rollback` would do.
///
/// # Errors
/// What the run would be rejected for.
pub(crate) async fn preview_label_move<S: SecretStore>(
    request: &LabelMove,
    context: Context<'_, S>,
    attempt: &mut Attempt,
) -> Result<(), Failure> {
    let (kind, steps) = match label_move::decide(request, context, attempt).await? {
        Decision::Keep(..) => (ChangeKind::Unchanged, Vec::new()),
        Decision::Move { from, to } => (
            ChangeKind::Updated,
            vec![PlannedStep {
                what: format!("make version {to} AWSCURRENT"),
                why: from.map_or_else(
                    || "no version is".to_owned(),
                    |from| format!("version {from} is"),
                ),
            }],
        ),
    };
    attempt.outcome.preview = Some(Preview { kind, steps });
    Ok(())
}
