//! Observe, plan, apply, and look again until the goal is reached. This room owns how often; what
//! to do is `plan`'s, how to do it `apply`'s.

use crate::apply::{Applier, Next, subject};
use crate::aws::{AwsError, ErrorKind, SecretsManager};
use crate::failure::Failure;
use crate::observe::{Glimpse, Observed, observe};
use crate::outcome::Outcome;
use crate::patience::Patience;
use crate::plan::plan;
use crate::request::Request;
use crate::token::{self, RunIdentity};

/// Rounds for what passes by itself: eventual consistency, and a name that is free again some
/// seconds after a forced deletion. About 17 seconds in all.
const ROUNDS: u32 = 12;
/// Rounds for the same refusal. Looking again explains it at once or never.
const SAME_REFUSAL: u32 = 3;

/// Makes it so.
///
/// # Errors
/// The failure; `outcome` holds what was done and is known by then.
pub async fn upsert(
    request: &Request,
    run: Option<&RunIdentity>,
    aws: &SecretsManager,
    outcome: &mut Outcome,
) -> Result<(), Failure> {
    outcome.region = Some(aws.region().to_owned());
    let mut token = token::first(request, run, aws.region())?;
    let mut patience = Patience::of(ROUNDS);
    let mut refusals: Vec<AwsError> = Vec::new();
    loop {
        let observed = observe(request, aws)
            .await
            .map_err(|error| Failure::of_aws(&error, subject(request, outcome, aws.region())))?;
        learn(&observed, outcome);
        let plan = plan(request, &observed, outcome, aws.region())?;
        drop(observed);
        for (level, text) in &plan.notices {
            outcome.note(*level, text.clone());
        }
        let mut applier = Applier {
            request,
            aws,
            token: &mut token,
            outcome: &mut *outcome,
        };
        let why = match applier.apply(plan).await? {
            Next::Done => return Ok(()),
            Next::Look(why) => why,
        };
        let repeated = refusals
            .iter()
            .filter(|before| Some(before.kind.clone()) == why.as_ref().map(|why| why.kind.clone()))
            .count();
        // A name being deleted is the one refusal that time lifts.
        let lasting = why.as_ref().is_some_and(|why| {
            why.is("InvalidRequestException") && why.operation != "CreateSecret"
        });
        let give_up = lasting && repeated + 1 >= SAME_REFUSAL as usize;
        if give_up || !patience.wait().await {
            let why = why
                .or_else(|| refusals.pop())
                .unwrap_or_else(|| AwsError::new("DescribeSecret", ErrorKind::Incoherent));
            return Err(Failure::of_aws(
                &why,
                subject(request, outcome, aws.region()),
            ));
        }
        refusals.extend(why);
    }
}

/// Notes the ids that an observation tells, for outputs and remedies.
fn learn(observed: &Observed, outcome: &mut Outcome) {
    let ids = match observed {
        Observed::Absent => None,
        Observed::Present(present) => {
            if outcome.restore_sent && !present.secret.deleted {
                outcome.did(crate::outcome::Change::Restored);
            }
            Some((&present.secret.arn, &present.secret.name))
        }
        Observed::Hidden(hidden) => match &hidden.glimpse {
            Glimpse::Value(read) => Some((&read.arn, &read.name)),
            _ => None,
        },
    };
    if let Some((arn, name)) = ids {
        outcome.arn = Some(arn.clone());
        outcome.name = Some(name.clone());
    }
}
