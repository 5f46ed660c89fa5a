//! The observe, plan and apply loop for one secret, and its dry run, which writes nothing. Owns retries and records
//! observations; the plan decides what to do, and `apply` does it.

use upsert_secret_core::attempt::{Attempt, Restoration, Wait};
use upsert_secret_core::backoff::Backoff;
use upsert_secret_core::error::{ErrorKind, StoreError};
use upsert_secret_core::failure::Failure;
use upsert_secret_core::labels::{CURRENT, is_private};
use upsert_secret_core::notice::Level;
use upsert_secret_core::outcome::{Change, ChangeKind, Preview};
use upsert_secret_core::plan::{
    Plan, Rejected, Step, UNCHECKED, describe, exists_unseen, frees_labels, other_labels, plan,
    settled, sighting, still_deleted, suffixed_name,
};
use upsert_secret_core::request::Request;
use upsert_secret_core::state::{Observed, SecretMetadata, SecretVersion, ValueView};
use upsert_secret_core::store::SecretStore;

use super::apply::{Applied, Applier};
use super::context::Context;
use super::evidence::{note_overtaken, record_evidence};
use super::observe::{describe_similar, observe};
use super::policy::check_policy;

/// Rounds for transient states: eventual consistency, and a name that stays unavailable for a few seconds after a forced
/// deletion. About 17 seconds in total.
const MAX_ROUNDS: u32 = 12;
/// Rounds for the same rejection: either the next observation explains it, or none will.
const MAX_SAME_ERROR: usize = 3;

/// Creates or updates the secret until it matches the request, or only describes the changes. `first` is the GetSecretValue
/// response, if already known.
///
/// # Errors
/// The failure; the attempt holds the changes and IDs recorded until then.
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
            Applied::Done => {
                name_target(request, attempt);
                return Ok(());
            }
            Applied::Yield => {
                (attempt.contended, attempt.waiting) = (true, None);
                context.system.wait_turn(&mut turns).await;
                continue;
            }
            Applied::Retry(why) => why,
        };
        let give_up = why.as_ref().is_some_and(|why| {
            // Only the rejection of a name that is being deleted is temporary. UpdateSecret may not find the KMS key.
            let lasting = why.is("InvalidRequestException") && why.operation != "CreateSecret"
                || why.is("ResourceNotFoundException")
                    && why.operation == "UpdateSecret"
                    && request.kms_key_id.is_some();
            let before = errors.iter().filter(|before| before.kind == why.kind);
            lasting && before.count() + 1 >= MAX_SAME_ERROR
        });
        let wait = why.as_ref().map_or_else(
            || Wait::new("AWS to show the secret as it was written"),
            |why| {
                let failure = context.failure(why, request.subject(), attempt);
                Wait::to_repeat(why.operation, failure)
            },
        );
        if give_up || !context.wait(&mut backoff, wait, attempt).await {
            let why = why
                .or_else(|| errors.pop())
                .unwrap_or_else(|| StoreError::new("DescribeSecret", ErrorKind::Inconsistent));
            return Err(context.failure(&why, request.subject(), attempt));
        }
        errors.extend(why);
    }
}

/// Observes and plans until there is a plan to apply: validates a resource policy, restores a secret that is scheduled for
/// deletion, waits until the restore is visible, and waits for its turn among other runs. `turns` counts those waits over the
/// whole run.
///
/// # Errors
/// Those of [`observe_and_plan`] and [`check_policy`]; a restore that AWS rejects, or that does not become visible.
pub(crate) async fn ready<S: SecretStore>(
    request: &Request,
    context: Context<'_, S>,
    mut first: Option<ValueView>,
    turns: &mut Backoff,
    attempt: &mut Attempt,
) -> Result<(Observed, Plan), Failure> {
    let mut backoff = Backoff::new(MAX_ROUNDS);
    let has_lost_race = attempt.contended;
    let mut is_restoring = false;
    loop {
        let (observed, plan) = observe_and_plan(request, context, first.take(), attempt).await?;
        let checked = match plan.steps[..] {
            [Step::CheckPolicy(nameable), ..] => {
                check_policy(request, context, nameable, false, attempt).await?
            }
            _ => None,
        };
        let why = match plan.steps[..] {
            _ if checked.is_some() => checked,
            [Step::Yield] => {
                (attempt.contended, attempt.waiting) = (true, None);
                context.system.wait_turn(turns).await;
                continue;
            }
            [.., Step::Restore] => restore(request, context, attempt).await?,
            [Step::Wait] => None,
            _ => {
                // From here on, the run no longer waits for its turn.
                let is_race = |step: &Step| matches!(step, Step::Swap { .. });
                attempt.contended = has_lost_race && plan.steps.iter().any(is_race);
                if is_restoring {
                    attempt.waiting = None;
                }
                return Ok((observed, plan));
            }
        };
        is_restoring = true;
        let wait = Wait::new("AWS to show the secret restored");
        if !context.wait(&mut backoff, wait, attempt).await {
            return Err(why.map_or_else(
                || still_deleted(request),
                |why| context.failure(&why, request.subject(), attempt),
            ));
        }
    }
}

/// Sends RestoreSecret. The next observation explains an error, if there is one.
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
        Err(error) => Err(context.failure(&error, request.subject(), attempt)),
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
        // If another guarded run is about to write, the preview is based on the value it writes.
        if plan.steps != [Step::Yield] {
            break (observed, plan);
        }
        attempt.waiting = Some(Wait::new("another run to finish its guarded write"));
        context.system.wait_turn(&mut turns).await;
        attempt.waiting = None;
    };
    if let [Step::CheckPolicy(nameable), ..] = plan.steps[..]
        && let Some(error) = check_policy(request, context, nameable, true, attempt).await?
    {
        return Err(context.failure(&error, request.subject(), attempt));
    }
    name_target(request, attempt);
    let writes_unchecked = |step: &Step| matches!(step, Step::Create { otherwise: Some(steps), .. } if !steps.is_empty());
    let outcome = &mut attempt.outcome;
    if plan.steps.iter().any(writes_unchecked) {
        outcome.note(Level::Warning, UNCHECKED);
    }
    outcome.preview = Some(Preview {
        kind: change_kind(&plan),
        steps: describe(&plan, request, &observed),
    });
    outcome.version = plan.keep;
    Ok(())
}

/// Reports the name as given if no response contained a name.
fn name_target(request: &Request, attempt: &mut Attempt) {
    let name = &mut attempt.outcome.name;
    name.get_or_insert_with(|| request.target.name.clone());
}

fn change_kind(plan: &Plan) -> ChangeKind {
    let mut changing = plan.steps.iter().filter(|step| step.changes());
    match changing.next() {
        None => ChangeKind::Unchanged,
        Some(Step::Create { otherwise, .. }) if otherwise.iter().all(Vec::is_empty) => {
            ChangeKind::Created
        }
        Some(_) => ChangeKind::Updated,
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

/// Records the GetSecretValue response if the secret needs neither a description nor a write; returns whether it does not.
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
        .map_err(|error| context.failure(&error, request.subject(), attempt))?;
    record_observation(request, &observed, context.system.now(), attempt);
    let decided = plan(request, &observed, attempt, context.store.region());
    let plan = decided.map_err(|rejected| match rejected {
        Rejected::Failure(failure) => *failure,
        Rejected::Denied(error) => context.failure(&error, request.subject(), attempt),
        Rejected::Unseen(error) => {
            let denied = context.failure(&error, request.subject(), attempt);
            exists_unseen(denied, &request.target.id)
        }
    })?;
    for (level, text) in &plan.notices {
        attempt.outcome.note(*level, text.clone());
    }
    check_name(request, context, &plan, attempt).await;
    Ok((observed, plan))
}

/// Warns about a name that looks like the end of an ARN before creating a secret with it.
async fn check_name<S: SecretStore>(
    request: &Request,
    context: Context<'_, S>,
    plan: &Plan,
    attempt: &mut Attempt,
) {
    let is_new = |step: &Step| matches!(step, Step::Create { vacant: true, .. });
    let Some(name) = request.target.unsuffixed() else {
        return;
    };
    if !plan.steps.iter().any(is_new) || std::mem::replace(&mut attempt.name_checked, true) {
        return;
    }
    let similar = describe_similar(context.store, name).await;
    let text = suffixed_name(&request.target, similar.as_ref());
    attempt.outcome.note(Level::Warning, text);
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
            // AWS reports a scheduled deletion whether the secret has a value or not, so this secret is not scheduled for
            // deletion.
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

/// Records that the secret is not scheduled for deletion. If this run sent RestoreSecret, this shows that it succeeded.
fn record_restored(attempt: &mut Attempt) {
    if attempt.restoration != Restoration::NotSent {
        attempt.restoration = Restoration::Shown;
        attempt.outcome.record(Change::Restored);
    }
}

/// Records staging labels for the summary, and to distinguish active runs from dead ones.
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
