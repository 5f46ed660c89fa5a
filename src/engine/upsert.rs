//! The loop of observe, plan, apply until the goal is reached. It owns how often; what to do is the plan's decision, how
//! to do it is in `apply`.

use upsert_secret_core::attempt::Attempt;
use upsert_secret_core::backoff::Backoff;
use upsert_secret_core::error::{ErrorKind, StoreError};
use upsert_secret_core::failure::Failure;
use upsert_secret_core::labels::{CURRENT, LabelState, is_private, label_state};
use upsert_secret_core::outcome::Change;
use upsert_secret_core::plan::{Plan, other_labels, plan, sighting};
use upsert_secret_core::request::Request;
use upsert_secret_core::state::{Observed, SecretMetadata, ValueView};
use upsert_secret_core::store::SecretStore;

use super::apply::{Applied, Applier};
use super::context::Context;
use super::observe::observe;

/// Rounds for what passes by itself: eventual consistency, and a name that is free again some
/// seconds after a forced deletion. About 17 seconds in all.
const MAX_ROUNDS: u32 = 12;
/// Rounds for the same refusal. Looking again explains it at once or never.
const MAX_SAME_ERROR: usize = 3;

/// Creates or updates the secret until it matches the request. `first` is the answer of GetSecretValue, where that is
/// known already.
///
/// # Errors
/// The failure; `outcome` holds what was done and is known by then.
pub(crate) async fn upsert<S: SecretStore>(
    request: &Request,
    context: Context<'_, S>,
    mut first: Option<ValueView>,
    attempt: &mut Attempt,
) -> Result<(), Failure> {
    begin(request, context, attempt);
    let scope = request.token_scope(context.store.region());
    let mut token = scope.token(context.run, &request.value, None, || {
        context.system.unique()
    });
    let mut backoff = Backoff::new(MAX_ROUNDS);
    let mut turns = Backoff::endless();
    let mut errors: Vec<StoreError> = Vec::new();
    loop {
        let (observed, plan) = look(request, context, first.take(), attempt).await?;
        drop(observed);
        let mut applier = Applier {
            request,
            context,
            token: &mut token,
            document: None,
            attempt: &mut *attempt,
        };
        let why = match applier.apply(plan).await? {
            Applied::Done => return Ok(()),
            Applied::Yield => {
                attempt.contended = true;
                context.system.wait_turn(&mut turns).await;
                continue;
            }
            Applied::Retry(why) => why,
        };
        let repeated = errors
            .iter()
            .filter(|before| Some(before.kind.clone()) == why.as_ref().map(|why| why.kind.clone()))
            .count();
        // A name being deleted is the one refusal that time lifts.
        let lasting = why.as_ref().is_some_and(|why| {
            why.is("InvalidRequestException") && why.operation != "CreateSecret"
        });
        let give_up = lasting && repeated + 1 >= MAX_SAME_ERROR;
        if give_up || !context.system.wait(&mut backoff).await {
            let why = why
                .or_else(|| errors.pop())
                .unwrap_or_else(|| StoreError::new("DescribeSecret", ErrorKind::Inconsistent));
            return Err(context.failure(&why, &request.target, attempt));
        }
        errors.extend(why);
    }
}

/// Records what is known before anything is observed.
pub(crate) fn begin<S: SecretStore>(
    request: &Request,
    context: Context<'_, S>,
    attempt: &mut Attempt,
) {
    attempt.outcome.region = Some(context.store.region().to_owned());
    if request.is_guarded()
        && let Some(expected) = request.expected.as_deref()
    {
        let scope = request.token_scope(context.store.region());
        let own = scope.token(context.run, &request.value, Some(expected), || {
            context.system.unique()
        });
        attempt.own = (!own.fresh).then_some(own.id);
    }
}

/// Observes, and decides.
pub(crate) async fn look<S: SecretStore>(
    request: &Request,
    context: Context<'_, S>,
    first: Option<ValueView>,
    attempt: &mut Attempt,
) -> Result<(Observed, Plan), Failure> {
    let observed = observe(request, context, first)
        .await
        .map_err(|error| context.failure(&error, &request.target, attempt))?;
    record_observation(request, &observed, context.system.now(), attempt);
    let plan = plan(request, &observed, attempt, context.store.region())
        .map_err(|rejected| context.rejection(rejected, &request.target, attempt))?;
    for (level, text) in &plan.notices {
        attempt.outcome.note(*level, text.clone());
    }
    Ok((observed, plan))
}

/// Records what an observation shows, for outputs, messages and later decisions.
fn record_observation(request: &Request, observed: &Observed, now: u64, attempt: &mut Attempt) {
    let ids = match observed {
        Observed::Absent => {
            if request.stages.iter().any(|stage| stage != CURRENT) {
                attempt.outcome.labels.get_or_insert_default();
            }
            None
        }
        Observed::Present(present) => {
            if attempt.restore_sent && !present.secret.deleted {
                attempt.outcome.record(Change::Restored);
            }
            record_labels(request, &present.secret, now, attempt);
            record_replicas(&present.secret, attempt);
            Some((&present.secret.arn, &present.secret.name))
        }
        Observed::NotDescribable(unseen) => match &unseen.value {
            ValueView::Value(read) => Some((&read.arn, &read.name)),
            _ => None,
        },
    };
    if let Some((arn, name)) = ids {
        attempt.outcome.arn = Some(arn.clone());
        attempt.outcome.name = Some(name.clone());
    }
}

/// Records who holds what: for the summary, and to tell runs that were killed from living ones.
fn record_labels(request: &Request, secret: &SecretMetadata, now: u64, attempt: &mut Attempt) {
    attempt.holder = secret.holder(CURRENT).map(str::to_owned);
    if request.stages.iter().any(|stage| stage != CURRENT) {
        attempt.outcome.record_labels(&secret.versions);
    }
    if !request.is_guarded() {
        return;
    }
    let seen: Vec<String> = other_labels(secret, attempt)
        .filter(|(label, _)| is_private(label))
        .map(|(label, version)| sighting(label, version))
        .collect();
    attempt.living = other_labels(secret, attempt)
        .filter(|(label, _)| label_state(label, now) == LabelState::Living)
        .count();
    for one in seen {
        *attempt.rivals.entry(one).or_default() += 1;
    }
}

/// Records replicas that this run requested, where the answer may not have come.
fn record_replicas(secret: &SecretMetadata, attempt: &mut Attempt) {
    let recorded =
        |region: &String, attempt: &Attempt| {
            attempt.outcome.changes.iter().any(
                |change| matches!(change, Change::Replicated(regions) if regions.contains(region)),
            )
        };
    let ours: Vec<String> = secret
        .replicas
        .iter()
        .map(|replica| replica.region.clone())
        .filter(|region| attempt.replicating.contains(region) && !recorded(region, attempt))
        .collect();
    if !ours.is_empty() {
        attempt.outcome.record(Change::Replicated(ours));
    }
}
