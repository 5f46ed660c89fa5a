//! `promote` and `rollback`: moves AWSCURRENT between existing versions by compare-and-swap; also their dry run. The plan
//! chooses the version. Must not read or write values.

use upsert_secret_core::attempt::{Attempt, Wait};
use upsert_secret_core::backoff::Backoff;
use upsert_secret_core::error::{ErrorKind, StoreError};
use upsert_secret_core::failure::{Class, Failure};
use upsert_secret_core::labels::{CURRENT, PREVIOUS, TransactionLabel};
use upsert_secret_core::notice::Level;
use upsert_secret_core::outcome::{Change, ChangeKind, PlannedStep, Preview, VersionRef};
use upsert_secret_core::plan::{
    Decision, agrees, decide_label_move, no_such_version, rotation, unsettled,
};
use upsert_secret_core::request::{Direction, LabelMove};
use upsert_secret_core::state::{SecretMetadata, SecretVersion, ValueView, VersionInfo};
use upsert_secret_core::store::{Call, SecretStore};

use super::context::Context;
use super::evidence::{note_overtaken, record_overtaken};

/// Rounds for lost responses and eventual consistency.
const MAX_ROUNDS: u32 = 12;
/// Observations of a secret whose labels keep moving.
const MAX_OBSERVATIONS: u32 = 8;

/// Moves AWSCURRENT to the version that the request names, or only describes the move. `first` is the GetSecretValue response,
/// if already known.
///
/// # Errors
/// The failure; the attempt holds the changes and IDs recorded until then.
pub(crate) async fn move_label<S: SecretStore>(
    request: &LabelMove,
    context: Context<'_, S>,
    plan_only: bool,
    first: Option<ValueView>,
    attempt: &mut Attempt,
) -> Result<(), Failure> {
    let store = context.store;
    attempt.outcome.region = Some(store.region().to_owned());
    if needs_no_look(request, first.as_ref(), attempt) {
        attempt.outcome.preview = plan_only.then(unchanged);
        return Ok(());
    }
    let mut backoff = Backoff::new(MAX_ROUNDS);
    let mut tried: Option<Move> = None;
    let mut rejection: Option<StoreError> = None;
    let mut unanswered = None;
    loop {
        let (secret, listed) = observe_labels(request, context, attempt).await?;
        attempt.holder = secret.holder(CURRENT).map(str::to_owned);
        if !plan_only {
            attempt.outcome.record_labels(&secret.versions);
        }
        // Resolve a move of this run that got no response before deciding again.
        if let Some(tried) = &tried
            && let Some(ended) = tried.end(request, &secret, attempt)
        {
            return ended;
        }
        let (from, to) = match decide_label_move(request, &secret, &listed, store.region())? {
            Decision::Keep(current, why) => {
                if let Some(why) = why {
                    attempt.outcome.note(Level::Notice, why);
                }
                record_kept(&secret, &current, attempt);
                if plan_only {
                    attempt.outcome.preview = Some(unchanged());
                } else {
                    release(request, context, &secret, &current, attempt).await;
                }
                return Ok(());
            }
            Decision::Move { from, to, warning } => {
                if let Some(warning) = warning {
                    attempt.outcome.note(Level::Warning, warning);
                }
                (from, to)
            }
        };
        // AWS rejected a move that the labels allow, so the version does not exist.
        if let Some(error) = &rejection
            && !secret.versions.contains_key(&to)
        {
            let code = error.code().unwrap_or_default();
            return Err(no_such_version(&secret, &to).because(format!("AWS answered {code}")));
        }
        if let Some(text) = rotation(&secret) {
            attempt.outcome.note(Level::Notice, text);
        }
        if plan_only {
            check_exists(request, context, &secret, &to, attempt).await?;
            attempt.outcome.preview = Some(preview(from.as_deref(), &to));
            return Ok(());
        }
        release(request, context, &secret, &to, attempt).await;
        let current = Move {
            from,
            to,
            previous: secret.holder(PREVIOUS).map(str::to_owned),
        };
        match current.send(request, context, attempt).await {
            Ok(()) => {
                current.record(request, &secret, attempt);
                return Ok(());
            }
            Err(error) if error.is_unknown_outcome() => {
                attempt.move_sent = Some(current.to.clone());
                unanswered = Some(error);
            }
            Err(error) if error.is_lost_swap() => {
                // A retry is rejected if the first attempt was applied.
                if error.attempts > 1 {
                    attempt.move_sent = Some(current.to.clone());
                }
                rejection = Some(error);
            }
            Err(error) => return Err(context.failure(&error, request.subject(), attempt)),
        }
        tried = Some(current);
        let wait = Wait::new("AWS to show which version is current");
        if !context.wait(&mut backoff, wait, attempt).await {
            let error = rejection.or(unanswered).unwrap_or_else(|| {
                StoreError::new("UpdateSecretVersionStage", ErrorKind::Inconsistent)
            });
            return Err(context.failure(&error, request.subject(), attempt));
        }
    }
}

/// Describes the secret. For a rollback it also lists the versions, and repeats both calls while their responses describe
/// different moments: a write in between would make the older version look like the newer one.
pub(crate) async fn observe_labels<S: SecretStore>(
    request: &LabelMove,
    context: Context<'_, S>,
    attempt: &mut Attempt,
) -> Result<(SecretMetadata, Vec<VersionInfo>), Failure> {
    let (store, id) = (context.store, &request.target.id);
    let mut backoff = Backoff::new(MAX_OBSERVATIONS);
    loop {
        let secret = store.describe(id).await;
        let secret = secret.map_err(|error| context.failure(&error, request.subject(), attempt))?;
        let secret = secret.ok_or_else(|| absent_secret(id))?;
        attempt.outcome.arn = Some(secret.arn.clone());
        attempt.outcome.name = Some(secret.name.clone());
        if request.direction != Direction::Rollback || secret.deleted {
            return Ok((secret, Vec::new()));
        }
        let rejection = match store.list_versions(id).await {
            Ok(listed) if agrees(&secret, &listed) => return Ok((secret, listed)),
            Ok(_) => None,
            // The secret was deleted after it was described.
            Err(error)
                if error.is("InvalidRequestException") || error.is("ResourceNotFoundException") =>
            {
                Some(error)
            }
            Err(error) => return Err(context.failure(&error, request.subject(), attempt)),
        };
        if !context.system.wait(&mut backoff).await {
            return Err(rejection.map_or_else(
                || unsettled(&secret),
                |error| context.failure(&error, request.subject(), attempt),
            ));
        }
    }
}

/// Whether DescribeSecret can be skipped: the current version is known to be the right one, or the secret only matters to a
/// transaction.
fn needs_no_look(request: &LabelMove, first: Option<&ValueView>, attempt: &mut Attempt) -> bool {
    match first {
        _ if request.direction == Direction::Stay => true,
        Some(ValueView::Value(read)) => record_settled_move(request, read, attempt),
        _ => false,
    }
}

/// Records the current version if it is known to need no move; returns whether it is.
pub(crate) fn record_settled_move(
    request: &LabelMove,
    current: &SecretVersion,
    attempt: &mut Attempt,
) -> bool {
    if !request.is_settled_by(&current.stages) {
        return false;
    }
    attempt.outcome.arn = Some(current.arn.clone());
    attempt.outcome.name = Some(current.name.clone());
    attempt.outcome.version = Some(current.into());
    true
}

/// Removes the version from unfinished transactions, so that their recovery does not move AWSCURRENT away from it. Best effort.
async fn release<S: SecretStore>(
    request: &LabelMove,
    context: Context<'_, S>,
    secret: &SecretMetadata,
    version: &str,
    attempt: &mut Attempt,
) {
    for label in secret.labels(version) {
        if TransactionLabel::parse_member(&label).is_some() {
            let removed = context
                .store
                .remove_label(&request.target.id, &label, version);
            attempt.wrote_unnamed |= removed.await.is_ok();
        }
    }
}

/// Fails if the version does not exist. DescribeSecret shows only versions with staging labels.
async fn check_exists<S: SecretStore>(
    request: &LabelMove,
    context: Context<'_, S>,
    secret: &SecretMetadata,
    id: &str,
    attempt: &mut Attempt,
) -> Result<(), Failure> {
    if secret.versions.contains_key(id) {
        return Ok(());
    }
    match context.store.list_versions(&request.target.id).await {
        Ok(listed) if listed.iter().any(|version| version.id == id) => Ok(()),
        Ok(_) => Err(no_such_version(secret, id)),
        Err(error) if error.is_denied() => {
            attempt.outcome.note(
                Level::Warning,
                format!(
                    "ListSecretVersionIds is denied: whether version {id}, which has no label, exists was not checked"
                ),
            );
            Ok(())
        }
        Err(error) => Err(context.failure(&error, request.subject(), attempt)),
    }
}

fn absent_secret(id: &str) -> Failure {
    Failure::new(
        Class::Refused,
        format!("{id} does not exist"),
        "check the name and the region; `upsert` creates a secret",
    )
}

/// A move of AWSCURRENT, and the holder of AWSPREVIOUS before it.
struct Move {
    from: Option<String>,
    to: String,
    previous: Option<String>,
}

impl Move {
    async fn send<S: SecretStore>(
        &self,
        request: &LabelMove,
        context: Context<'_, S>,
        attempt: &mut Attempt,
    ) -> Call<()> {
        let (id, from) = (&request.target.id, self.from.as_deref());
        if let Some(from) = from {
            attempt.moving = Some((from.to_owned(), self.to.clone()));
        }
        let sent = context.store.move_label(id, CURRENT, from, &self.to).await;
        if let (Err(error), None) = (&sent, &attempt.move_sent) {
            attempt.record_not_moved(error);
        }
        sent
    }

    /// The result of the run, if an observation after the move determines it: AWSCURRENT has moved, or another writer moved it.
    fn end(
        &self,
        request: &LabelMove,
        secret: &SecretMetadata,
        attempt: &mut Attempt,
    ) -> Option<Result<(), Failure>> {
        let holder = secret.holder(CURRENT);
        let maybe_applied = attempt.move_sent.is_some();
        if holder == Some(self.to.as_str()) {
            if maybe_applied {
                self.record(request, secret, attempt);
            } else {
                record_kept(secret, &self.to, attempt);
            }
            return Some(Ok(()));
        }
        let (from, previous) = (self.from.as_deref(), self.previous.as_deref());
        if maybe_applied && secret.has_replaced(&self.to, from, previous) {
            attempt.outcome.moved_from.clone_from(&self.from);
            record_overtaken(CURRENT, secret, &self.to, attempt);
            note_overtaken(attempt);
            return Some(Err(concurrent_move(secret, &self.to)));
        }
        (holder != from).then(|| Err(concurrent_move(secret, &self.to)))
    }

    fn record(&self, request: &LabelMove, secret: &SecretMetadata, attempt: &mut Attempt) {
        let to = &self.to;
        let mut stages = secret.labels(to);
        stages.retain(|stage| stage != PREVIOUS && stage != CURRENT);
        stages.insert(0, CURRENT.to_owned());
        attempt.outcome.version = Some(VersionRef {
            id: to.clone(),
            stages,
        });
        attempt.outcome.moved_from.clone_from(&self.from);
        attempt.outcome.record_label_move(CURRENT, to);
        attempt.outcome.record(Change::of_move(request, to));
    }
}

const fn unchanged() -> Preview {
    Preview {
        kind: ChangeKind::Unchanged,
        steps: Vec::new(),
    }
}

fn preview(from: Option<&str>, to: &str) -> Preview {
    Preview {
        kind: ChangeKind::Updated,
        steps: vec![PlannedStep {
            what: format!("make version {to} AWSCURRENT"),
            why: from.map_or_else(
                || "no version is".to_owned(),
                |from| format!("version {from} is"),
            ),
        }],
    }
}

fn record_kept(secret: &SecretMetadata, id: &str, attempt: &mut Attempt) {
    attempt.outcome.version = Some(VersionRef {
        id: id.to_owned(),
        stages: secret.labels(id),
    });
}

/// The conflict for another writer that moved AWSCURRENT after this run decided.
fn concurrent_move(secret: &SecretMetadata, to: &str) -> Failure {
    let holder = secret.holder(CURRENT).unwrap_or("none");
    Failure::new(
        Class::Conflict,
        format!(
            "another writer moved AWSCURRENT of {} at the same time",
            secret.name
        ),
        "check which version is current, and run again if the change is still wanted",
    )
    .because(format!(
        "AWSCURRENT is now on version {holder}; this run wanted version {to}"
    ))
}
