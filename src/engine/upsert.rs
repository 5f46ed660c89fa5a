//! Observe, plan, apply, and look again until the goal is reached. This room owns how often; what
//! to do is `plan`'s, how to do it `apply`'s.

use crate::apply::{Applier, Next, subject};
use crate::aws::{AwsError, Described, ErrorKind, SecretsManager};
use crate::failure::Failure;
use crate::lease::{self, Standing};
use crate::observe::{Glimpse, Observed, now, observe};
use crate::outcome::{Change, Outcome};
use crate::patience::Patience;
use crate::plan::{Plan, guarded, plan};
use crate::progress::Progress;
use crate::request::{CURRENT, Request};
use crate::token::{self, RunIdentity};

/// Rounds for what passes by itself: eventual consistency, and a name that is free again some
/// seconds after a forced deletion. About 17 seconds in all.
const ROUNDS: u32 = 12;
/// Rounds for the same refusal. Looking again explains it at once or never.
const SAME_REFUSAL: u32 = 3;

/// Makes it so. `first` is what GetSecretValue says, where that has been asked already.
///
/// # Errors
/// The failure; `outcome` holds what was done and is known by then.
pub async fn upsert(
    request: &Request,
    run: Option<&RunIdentity>,
    aws: &SecretsManager,
    progress: &Progress,
    mut first: Option<Glimpse>,
    outcome: &mut Outcome,
) -> Result<(), Failure> {
    begin(request, run, aws, outcome)?;
    let mut token = token::of(request, run, aws.region(), &request.value, None)?;
    let mut patience = Patience::of(ROUNDS);
    let mut turns = Patience::of(u32::MAX);
    let mut refusals: Vec<AwsError> = Vec::new();
    loop {
        let (observed, plan) = look(request, aws, first.take(), outcome).await?;
        drop(observed);
        let mut applier = Applier {
            request,
            aws,
            run,
            token: &mut token,
            document: None,
            progress,
            outcome: &mut *outcome,
        };
        let why = match applier.apply(plan).await? {
            Next::Done => return Ok(()),
            Next::Turn => {
                outcome.contended = true;
                turns.turn().await;
                continue;
            }
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
                subject(&request.target, outcome, aws.region()),
            ));
        }
        refusals.extend(why);
    }
}

/// What is known before anything is looked at.
pub(crate) fn begin(
    request: &Request,
    run: Option<&RunIdentity>,
    aws: &SecretsManager,
    outcome: &mut Outcome,
) -> Result<(), Failure> {
    outcome.region = Some(aws.region().to_owned());
    if request.is_guarded()
        && let Some(expected) = request.expected.as_deref()
    {
        let own = token::of(request, run, aws.region(), &request.value, Some(expected))?;
        outcome.own = (!own.fresh).then_some(own.id);
    }
    Ok(())
}

/// Looks, and decides.
pub(crate) async fn look(
    request: &Request,
    aws: &SecretsManager,
    first: Option<Glimpse>,
    outcome: &mut Outcome,
) -> Result<(Observed, Plan), Failure> {
    let observed = observe(request, aws, first).await.map_err(|error| {
        Failure::of_aws(&error, subject(&request.target, outcome, aws.region()))
    })?;
    learn(request, &observed, outcome);
    let plan = plan(request, &observed, outcome, aws.region())?;
    for (level, text) in &plan.notices {
        outcome.note(*level, text.clone());
    }
    Ok((observed, plan))
}

/// Notes the ids that an observation tells, for outputs and remedies.
fn learn(request: &Request, observed: &Observed, outcome: &mut Outcome) {
    let ids = match observed {
        Observed::Absent => {
            if request.stages.iter().any(|stage| stage != CURRENT) {
                outcome.labels.get_or_insert_default();
            }
            None
        }
        Observed::Present(present) => {
            if outcome.restore_sent && !present.secret.deleted {
                outcome.did(Change::Restored);
            }
            learn_labels(request, &present.secret, outcome);
            learn_replicas(&present.secret, outcome);
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

/// Notes who holds what: for the summary, and to tell runs that were killed from living ones.
fn learn_labels(request: &Request, secret: &Described, outcome: &mut Outcome) {
    outcome.holder = secret.holder(CURRENT).map(str::to_owned);
    if outcome.labels.is_none() && request.stages.iter().any(|stage| stage != CURRENT) {
        outcome.labels = Some((secret.versions.clone(), secret.versions.clone()));
    }
    if !request.is_guarded() {
        return;
    }
    let seen: Vec<String> = guarded::labels(secret, outcome)
        .filter(|(label, _)| lease::is_ours(label))
        .map(|(label, version)| guarded::seen(label, version))
        .collect();
    outcome.living = guarded::labels(secret, outcome)
        .filter(|(label, _)| lease::standing(label, now()) == Standing::Living)
        .count();
    for one in seen {
        *outcome.rivals.entry(one).or_default() += 1;
    }
}

/// Replicas that this run asked for, where the answer may not have come.
fn learn_replicas(secret: &Described, outcome: &mut Outcome) {
    let told = |region: &String, outcome: &Outcome| {
        outcome
            .changes
            .iter()
            .any(|change| matches!(change, Change::Replicated(regions) if regions.contains(region)))
    };
    let ours: Vec<String> = secret
        .replicas
        .iter()
        .map(|replica| replica.region.clone())
        .filter(|region| outcome.replicating.contains(region) && !told(region, outcome))
        .collect();
    if !ours.is_empty() {
        outcome.did(Change::Replicated(ours));
    }
}
