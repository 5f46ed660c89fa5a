//! The command `plan`: what a run would do, by the very decisions of the run, and not one write. What it may not
//! read it says, as the run would.

use crate::apply::subject;
use crate::aws::{AwsError, SecretsManager};
use crate::failure::Failure;
use crate::observe::{Glimpse, Observed};
use crate::outcome::{Outcome, Preview, Result as Word};
use crate::patience::Patience;
use crate::plan::{Decision, Plan, Planned, Step, judge, words};
use crate::redact::Level;
use crate::request::{Request, Shift};
use crate::shift;
use crate::token::RunIdentity;
use crate::upsert;

/// Says what `upsert` would do.
///
/// # Errors
/// What the run would be refused for.
pub async fn preview(
    request: &Request,
    run: Option<&RunIdentity>,
    aws: &SecretsManager,
    mut first: Option<Glimpse>,
    outcome: &mut Outcome,
) -> Result<(), Failure> {
    upsert::begin(request, run, aws, outcome)?;
    let mut turns = Patience::of(u32::MAX);
    loop {
        let (observed, plan) = upsert::look(request, aws, first.take(), outcome).await?;
        // Another guarded run is about to write: what it writes counts.
        if plan.steps == [Step::Yield] {
            turns.turn().await;
            continue;
        }
        if matches!(observed, Observed::Present(_)) && plan.steps.contains(&Step::CheckPolicy) {
            check_policy(request, aws, outcome).await?;
        }
        outcome.version.clone_from(&plan.keep);
        outcome
            .name
            .get_or_insert_with(|| request.target.name.clone());
        outcome.preview = Some(Preview {
            result: result(&plan),
            steps: words(&plan, request, &observed),
        });
        return Ok(());
    }
}

fn result(plan: &Plan) -> Word {
    let changing: Vec<&Step> = plan.steps.iter().filter(|step| step.changes()).collect();
    match changing[..] {
        [] => Word::Unchanged,
        [
            Step::Create {
                otherwise: None, ..
            },
            ..,
        ] => Word::Created,
        _ => Word::Updated,
    }
}

/// Reads as much as it writes: nothing.
async fn check_policy(
    request: &Request,
    aws: &SecretsManager,
    outcome: &mut Outcome,
) -> Result<(), Failure> {
    let Some(policy) = &request.policy else {
        return Ok(());
    };
    let id = &request.target.id;
    match aws.validate_policy(id, policy.text()).await {
        Ok(validation) => judge(&validation, request.allow_public_policy, id),
        Err(error) if error.is("AccessDeniedException") => {
            outcome.note(
                Level::Warning,
                "ValidateResourcePolicy is denied: whether the resource policy may be attached was not checked",
            );
            Ok(())
        }
        Err(error) => Err(failure(&error, request, aws, outcome)),
    }
}

fn failure(
    error: &AwsError,
    request: &Request,
    aws: &SecretsManager,
    outcome: &Outcome,
) -> Failure {
    Failure::of_aws(error, subject(&request.target, outcome, aws.region()))
}

/// Says what `promote` or `rollback` would do.
///
/// # Errors
/// What the run would be refused for.
pub async fn preview_shift(
    ask: &Shift,
    aws: &SecretsManager,
    outcome: &mut Outcome,
) -> Result<(), Failure> {
    let (result, steps) = match shift::decided(ask, aws, outcome).await? {
        Decision::Keep(..) => (Word::Unchanged, Vec::new()),
        Decision::Move { from, to } => (
            Word::Updated,
            vec![Planned {
                what: format!("make version {to} AWSCURRENT"),
                why: from.map_or_else(
                    || "no version is".to_owned(),
                    |from| format!("version {from} is"),
                ),
            }],
        ),
    };
    outcome.preview = Some(Preview { result, steps });
    Ok(())
}
