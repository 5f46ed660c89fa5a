//! `promote` and `rollback`: moves AWSCURRENT between existing versions by compare-and-swap, and their dry run. The plan
//! chooses the version; no value is read or written here.

use upsert_secret_core::attempt::Attempt;
use upsert_secret_core::backoff::Backoff;
use upsert_secret_core::error::{ErrorKind, StoreError};
use upsert_secret_core::failure::{Class, Failure};
use upsert_secret_core::labels::{CURRENT, PREVIOUS};
use upsert_secret_core::notice::Level;
use upsert_secret_core::outcome::{Change, ChangeKind, PlannedStep, Preview, VersionRef};
use upsert_secret_core::plan::{
    Decision, agrees, decide_label_move, no_such_version, rotation, unsettled,
};
use upsert_secret_core::request::{Direction, LabelMove};
use upsert_secret_core::state::{SecretMetadata, VersionInfo};
use upsert_secret_core::store::SecretStore;

use super::context::Context;
use super::evidence::{note_overtaken, record_overtaken};

/// Rounds for lost answers and eventual consistency.
const MAX_ROUNDS: u32 = 12;
/// Observations of a secret whose labels keep moving.
const MAX_OBSERVATIONS: u32 = 8;

/// Moves AWSCURRENT to the version that the request names, or only describes the move.
///
/// # Errors
/// The failure; the attempt holds the changes and ids up to then.
pub(crate) async fn move_label<S: SecretStore>(
    request: &LabelMove,
    context: Context<'_, S>,
    plan_only: bool,
    attempt: &mut Attempt,
) -> Result<(), Failure> {
    let (store, id) = (context.store, &request.target.id);
    attempt.outcome.region = Some(store.region().to_owned());
    let mut backoff = Backoff::new(MAX_ROUNDS);
    let mut tried: Option<Move> = None;
    let mut rejection: Option<StoreError> = None;
    loop {
        let (secret, listed) = observe(request, context, attempt).await?;
        attempt.outcome.arn = Some(secret.arn.clone());
        attempt.outcome.name = Some(secret.name.clone());
        attempt.holder = secret.holder(CURRENT).map(str::to_owned);
        if !plan_only {
            attempt.outcome.record_labels(&secret.versions);
        }
        // A move of this run without an answer comes before a new decision.
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
                attempt.outcome.preview = plan_only.then_some(Preview {
                    kind: ChangeKind::Unchanged,
                    steps: Vec::new(),
                });
                return Ok(());
            }
            Decision::Move { from, to } => (from, to),
        };
        // AWS rejects a move that the labels allow: the version does not exist.
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
        let current = Move {
            from,
            to,
            previous: secret.holder(PREVIOUS).map(str::to_owned),
        };
        let sent = store.move_label(id, CURRENT, current.from.as_deref(), &current.to);
        match sent.await {
            Ok(()) => {
                current.record(request, &secret, attempt);
                return Ok(());
            }
            Err(error) if error.is_unknown_outcome() => {
                attempt.move_sent = Some(current.to.clone());
            }
            Err(error) if error.is_lost_swap() => {
                // A retry is rejected if the first attempt was applied.
                if error.attempts > 1 {
                    attempt.move_sent = Some(current.to.clone());
                }
                rejection = Some(error);
            }
            Err(error) => return Err(context.failure(&error, &request.target, attempt)),
        }
        tried = Some(current);
        if !context.system.wait(&mut backoff).await {
            let error = rejection.unwrap_or_else(|| {
                StoreError::new("UpdateSecretVersionStage", ErrorKind::Inconsistent)
            });
            return Err(context.failure(&error, &request.target, attempt));
        }
    }
}

/// Describes the secret. For a rollback it also lists the versions, again while the two answers show different moments: a
/// write between them would make the older version look like the newer one.
async fn observe<S: SecretStore>(
    request: &LabelMove,
    context: Context<'_, S>,
    attempt: &Attempt,
) -> Result<(SecretMetadata, Vec<VersionInfo>), Failure> {
    let (store, id) = (context.store, &request.target.id);
    let failure = |error: &StoreError| context.failure(error, &request.target, attempt);
    let mut backoff = Backoff::new(MAX_OBSERVATIONS);
    loop {
        let secret = store.describe(id).await.map_err(|error| failure(&error))?;
        let secret = secret.ok_or_else(|| absent_secret(id))?;
        if request.direction != Direction::Rollback || secret.deleted {
            return Ok((secret, Vec::new()));
        }
        let rejection = match store.list_versions(id).await {
            Ok(listed) if agrees(&secret, &listed) => return Ok((secret, listed)),
            Ok(_) => None,
            // The secret was deleted since it was described.
            Err(error)
                if error.is("InvalidRequestException") || error.is("ResourceNotFoundException") =>
            {
                Some(error)
            }
            Err(error) => return Err(failure(&error)),
        };
        if !context.system.wait(&mut backoff).await {
            return Err(rejection.map_or_else(|| unsettled(&secret), |error| failure(&error)));
        }
    }
}

/// Fails for a version that does not exist. DescribeSecret shows only versions with labels.
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
        Err(error) => Err(context.failure(&error, &request.target, attempt)),
    }
}

fn absent_secret(id: &str) -> Failure {
    Failure::new(
        Class::Refused,
        format!("{id} does not exist"),
        "check the name and the region; `upsert` creates a secret",
    )
}

/// A move of AWSCURRENT, and AWSPREVIOUS's holder before it.
struct Move {
    from: Option<String>,
    to: String,
    previous: Option<String>,
}

impl Move {
    /// The end of the run, if an observation after the move shows one: AWSCURRENT is there, or another writer moved it.
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
        attempt.outcome.record(match request.direction {
            Direction::Promote(_) => Change::Promoted(to.clone()),
            Direction::Rollback => Change::RolledBack(to.clone()),
        });
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

/// The conflict with another writer that moved AWSCURRENT after this run's decision.
fn concurrent_move(secret: &SecretMetadata, to: &str) -> Failure {
    let holder = secret.holder(CURRENT).unwrap_or("none");
    Failure::new(
        Class::Conflict,
        format!(
            "somebody moved AWSCURRENT of {} at the same time",
            secret.name
        ),
        "look at what is current now, and run again where that is still what you want",
    )
    .because(format!(
        "AWSCURRENT is now on version {holder}; this run wanted version {to}"
    ))
}
