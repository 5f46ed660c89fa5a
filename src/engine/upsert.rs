//! The loop of observe, plan and apply for one secret, and its dry run, which writes nothing. It owns retries and records
//! observations; the plan decides what to do, and `apply` does it.

use upsert_secret_core::attempt::{Attempt, Restoration};
use upsert_secret_core::backoff::Backoff;
use upsert_secret_core::error::{ErrorKind, StoreError};
use upsert_secret_core::failure::Failure;
use upsert_secret_core::labels::{CURRENT, is_private};
use upsert_secret_core::notice::Level;
use upsert_secret_core::outcome::{Change, ChangeKind, Preview};
use upsert_secret_core::plan::{
    Plan, Rejected, Step, check_validation, describe, frees_labels, other_labels, plan, settled,
    sighting, still_deleted,
};
use upsert_secret_core::request::Request;
use upsert_secret_core::state::{Observed, SecretMetadata, SecretVersion, ValueView};
use upsert_secret_core::store::SecretStore;

use super::apply::{Applied, Applier};
use super::context::Context;
use super::evidence::{note_overtaken, record_evidence};
use super::observe::observe;

/// Rounds for transient states: eventual consistency, and a name that is still taken some seconds after a forced
/// deletion. About 17 seconds in all.
const MAX_ROUNDS: u32 = 12;
/// Rounds for the same rejection: the next observation explains it, or none does.
const MAX_SAME_ERROR: usize = 3;

/// Creates or updates the secret until it matches the request, or only describes what that would take. `first` is the
/// answer of GetSecretValue, where that is known already.
///
/// # Errors
/// The failure; the attempt holds the changes and ids up to then.
pub(crate) async fn upsert<S: SecretStore>(
    request: &Request,
    context: Context<'_, S>,
    plan_only: bool,
    first: Option<ValueView>,
    attempt: &mut Attempt,
) -> Result<(), Failure> {
    prepare_attempt(request, context, attempt);
    if let Some(ValueView::Value(stored)) = &first
        && record_settled(request, stored, attempt)
    {
        return Ok(());
    }
    if plan_only {
        return preview(request, context, first, attempt).await;
    }
    let ended = converge(request, context, first, attempt).await;
    if request.label() == CURRENT {
        note_overtaken(attempt);
    }
    ended
}

/// Observes, plans and applies until the secret matches the request.
async fn converge<S: SecretStore>(
    request: &Request,
    context: Context<'_, S>,
    mut first: Option<ValueView>,
    attempt: &mut Attempt,
) -> Result<(), Failure> {
    let mut token = context.token(request, &request.value, None);
    let mut backoff = Backoff::new(MAX_ROUNDS);
    let mut turns = Backoff::endless();
    let mut errors: Vec<StoreError> = Vec::new();
    loop {
        let (_, plan) = ready(request, context, first.take(), &mut turns, attempt).await?;
        let why = match Applier::apply(plan, request, context, &mut token, attempt).await? {
            Applied::Done => return Ok(()),
            Applied::Yield => {
                attempt.contended = true;
                context.system.wait_turn(&mut turns).await;
                continue;
            }
            Applied::Retry(why) => why,
        };
        let give_up = why.as_ref().is_some_and(|why| {
            // Only the rejection of a name that is being deleted passes with time.
            let lasting = why.is("InvalidRequestException") && why.operation != "CreateSecret";
            let before = errors.iter().filter(|before| before.kind == why.kind);
            lasting && before.count() + 1 >= MAX_SAME_ERROR
        });
        if give_up || !context.system.wait(&mut backoff).await {
            let why = why
                .or_else(|| errors.pop())
                .unwrap_or_else(|| StoreError::new("DescribeSecret", ErrorKind::Inconsistent));
            return Err(context.failure(&why, &request.target, attempt));
        }
        errors.extend(why);
    }
}

/// Observes and plans until there is a plan to apply: restores a secret that is scheduled for deletion, waits until that
/// shows, and waits for the turn of other runs. `turns` counts those waits over the whole run.
///
/// # Errors
/// Those of [`observe_and_plan`]; a restore that AWS rejects, or that does not show.
pub(crate) async fn ready<S: SecretStore>(
    request: &Request,
    context: Context<'_, S>,
    mut first: Option<ValueView>,
    turns: &mut Backoff,
    attempt: &mut Attempt,
) -> Result<(Observed, Plan), Failure> {
    let mut backoff = Backoff::new(MAX_ROUNDS);
    let has_lost_race = attempt.contended;
    loop {
        let (observed, plan) = observe_and_plan(request, context, first.take(), attempt).await?;
        let why = match plan.steps[..] {
            [Step::Yield] => {
                attempt.contended = true;
                context.system.wait_turn(turns).await;
                continue;
            }
            [Step::Restore] => restore(request, context, attempt).await?,
            [Step::Wait] => None,
            _ => {
                // What the run waits for from here on is not its turn.
                let is_race = |step: &Step| matches!(step, Step::Swap { .. });
                attempt.contended = has_lost_race && plan.steps.iter().any(is_race);
                return Ok((observed, plan));
            }
        };
        if !context.system.wait(&mut backoff).await {
            return Err(why.map_or_else(
                || still_deleted(request),
                |why| context.failure(&why, &request.target, attempt),
            ));
        }
    }
}

/// Sends RestoreSecret. The error, if there is one, is explained by the next observation.
async fn restore<S: SecretStore>(
    request: &Request,
    context: Context<'_, S>,
    attempt: &mut Attempt,
) -> Result<Option<StoreError>, Failure> {
    let was_sent = attempt.restoration != Restoration::NotSent;
    match context.store.restore(&request.target.id).await {
        Ok(()) => {
            attempt.restoration = Restoration::Accepted;
            attempt.outcome.record(Change::Restored);
            Ok(None)
        }
        // An earlier RestoreSecret of this run, or another writer, has restored it.
        Err(error) if (was_sent || error.attempts > 1) && error.is("InvalidRequestException") => {
            attempt.restoration = Restoration::Accepted;
            Ok(Some(error))
        }
        Err(error) if error.is_unknown_outcome() => {
            attempt.restoration = Restoration::Unanswered;
            Ok(Some(error))
        }
        Err(error) => Err(context.failure(&error, &request.target, attempt)),
    }
}

/// Describes a plan, or fails as the run would.
async fn preview<S: SecretStore>(
    request: &Request,
    context: Context<'_, S>,
    mut first: Option<ValueView>,
    attempt: &mut Attempt,
) -> Result<(), Failure> {
    let mut turns = Backoff::endless();
    let (observed, plan) = loop {
        let (observed, plan) = observe_and_plan(request, context, first.take(), attempt).await?;
        // If another guarded run is about to write, the preview is based on what it writes.
        if plan.steps != [Step::Yield] {
            break (observed, plan);
        }
        context.system.wait_turn(&mut turns).await;
    };
    if matches!(observed, Observed::Present(_)) && plan.steps.contains(&Step::CheckPolicy) {
        check_policy(request, context, attempt).await?;
    }
    let outcome = &mut attempt.outcome;
    outcome
        .name
        .get_or_insert_with(|| request.target.name.clone());
    outcome.preview = Some(Preview {
        kind: change_kind(&plan),
        steps: describe(&plan, request, &observed),
    });
    outcome.version = plan.keep;
    Ok(())
}

fn change_kind(plan: &Plan) -> ChangeKind {
    let mut changing = plan.steps.iter().filter(|step| step.changes());
    match changing.next() {
        None => ChangeKind::Unchanged,
        Some(Step::Create {
            otherwise: None, ..
        }) => ChangeKind::Created,
        Some(_) => ChangeKind::Updated,
    }
}

/// Validates the resource policy. The dry run warns if it may not.
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

/// Records what is known before the first observation.
pub(crate) fn prepare_attempt<S: SecretStore>(
    request: &Request,
    context: Context<'_, S>,
    attempt: &mut Attempt,
) {
    attempt.outcome.region = Some(context.store.region().to_owned());
    if request.is_guarded()
        && let Some(expected) = request.expected.as_deref()
    {
        let own = context.token(request, &request.value, Some(expected));
        attempt.own = (!own.fresh).then_some(own.id);
    }
}

/// Records GetSecretValue's answer if the secret needs neither a description nor a write; returns whether that is so.
pub(crate) fn record_settled(
    request: &Request,
    stored: &SecretVersion,
    attempt: &mut Attempt,
) -> bool {
    let Some(plan) = settled(request, stored) else {
        return false;
    };
    attempt.outcome.arn = Some(stored.arn.clone());
    attempt.outcome.name = Some(stored.name.clone());
    attempt.outcome.version = plan.keep;
    true
}

/// Observes the secret, records what the observation shows, and plans.
async fn observe_and_plan<S: SecretStore>(
    request: &Request,
    context: Context<'_, S>,
    first: Option<ValueView>,
    attempt: &mut Attempt,
) -> Result<(Observed, Plan), Failure> {
    let observed = observe(request, context, first)
        .await
        .map_err(|error| context.failure(&error, &request.target, attempt))?;
    record_observation(request, &observed, context.system.now(), attempt);
    let decided = plan(request, &observed, attempt, context.store.region());
    let plan = decided.map_err(|rejected| match rejected {
        Rejected::Failure(failure) => *failure,
        Rejected::Denied(error) => context.failure(&error, &request.target, attempt),
    })?;
    for (level, text) in &plan.notices {
        attempt.outcome.note(*level, text.clone());
    }
    Ok((observed, plan))
}

/// Records an observation for outputs, messages and later decisions.
fn record_observation(request: &Request, observed: &Observed, now: u64, attempt: &mut Attempt) {
    let ids = match observed {
        Observed::Absent => {
            if attempt.base.is_none() {
                attempt.previous = Some(None);
            }
            if request.stages.iter().any(|stage| stage != CURRENT) {
                attempt.outcome.labels.get_or_insert_default();
            }
            None
        }
        Observed::Present(present) => {
            if !present.secret.deleted {
                record_restored(attempt);
            }
            record_labels(request, &present.secret, now, attempt);
            record_evidence(request, present, attempt);
            Some((&present.secret.arn, &present.secret.name))
        }
        Observed::NotDescribable(view) => match &view.value {
            ValueView::Value(read) => {
                record_restored(attempt);
                Some((&read.arn, &read.name))
            }
            // Of a secret that is scheduled for deletion AWS says so, whether it has a value or not.
            ValueView::NoValue => {
                record_restored(attempt);
                None
            }
            ValueView::Unread(_) | ValueView::Deleted(_) => None,
        },
    };
    if let Some((arn, name)) = ids {
        attempt.outcome.arn = Some(arn.clone());
        attempt.outcome.name = Some(name.clone());
    }
}

/// Records that the secret is not scheduled for deletion, which this run's RestoreSecret, if it sent one, explains.
fn record_restored(attempt: &mut Attempt) {
    if attempt.restoration != Restoration::NotSent {
        attempt.restoration = Restoration::Shown;
        attempt.outcome.record(Change::Restored);
    }
}

/// Records staging labels: for the summary, and to distinguish killed runs from living ones.
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
    for sighting in seen {
        *attempt.rivals.entry(sighting).or_default() += 1;
    }
    attempt.frees_labels = frees_labels(secret, attempt, now);
}
