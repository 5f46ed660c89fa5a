//! `promote` and `rollback`: moves AWSCURRENT between existing versions by compare-and-swap, and their dry run. The plan
//! chooses the version; no value is read or written here.

use upsert_secret_core::attempt::Attempt;
use upsert_secret_core::backoff::Backoff;
use upsert_secret_core::error::{ErrorKind, StoreError};
use upsert_secret_core::failure::{Class, Failure};
use upsert_secret_core::labels::{CURRENT, PREVIOUS};
use upsert_secret_core::notice::Level;
use upsert_secret_core::outcome::{Change, ChangeKind, PlannedStep, Preview, VersionRef};
use upsert_secret_core::plan::{Decision, decide_label_move, rotation};
use upsert_secret_core::request::{Direction, LabelMove};
use upsert_secret_core::state::{SecretMetadata, VersionInfo};
use upsert_secret_core::store::{Call, SecretStore};

use super::context::Context;

/// Rounds for lost answers and eventual consistency.
const MAX_ROUNDS: u32 = 12;

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
    let mut tried: Option<(Option<String>, String)> = None;
    let mut rejection: Option<StoreError> = None;
    loop {
        let (secret, listed) = observe(request, store)
            .await
            .map_err(|error| context.failure(&error, &request.target, attempt))?
            .ok_or_else(|| absent_secret(id))?;
        attempt.outcome.arn = Some(secret.arn.clone());
        attempt.outcome.name = Some(secret.name.clone());
        attempt.holder = secret.holder(CURRENT).map(str::to_owned);
        if !plan_only {
            attempt.outcome.record_labels(&secret.versions);
        }
        // A move of this run without an answer comes before a new decision.
        if let Some((from, to)) = &tried
            && secret.holder(CURRENT) != from.as_deref()
        {
            if secret.holder(CURRENT) != Some(to.as_str()) {
                return Err(concurrent_move(&secret, to));
            }
            if attempt.move_sent.is_some() {
                record_move(request, &secret, from.clone(), to, attempt);
            } else {
                record_kept(&secret, to, attempt);
            }
            return Ok(());
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
            return Err(no_such_version(&secret, &to, error));
        }
        if let Some(text) = rotation(&secret) {
            attempt.outcome.note(Level::Notice, text);
        }
        if plan_only {
            attempt.outcome.preview = Some(preview(from.as_deref(), &to));
            return Ok(());
        }
        match store.move_label(id, CURRENT, from.as_deref(), &to).await {
            Ok(()) => {
                record_move(request, &secret, from, &to, attempt);
                return Ok(());
            }
            Err(error) if error.is_unknown_outcome() => attempt.move_sent = Some(to.clone()),
            Err(error) if error.is_lost_swap() => {
                // A retry is rejected if the first attempt was applied.
                if error.attempts > 1 {
                    attempt.move_sent = Some(to.clone());
                }
                rejection = Some(error);
            }
            Err(error) => return Err(context.failure(&error, &request.target, attempt)),
        }
        tried = Some((from, to));
        if !context.system.wait(&mut backoff).await {
            let error = rejection.unwrap_or_else(|| {
                StoreError::new("UpdateSecretVersionStage", ErrorKind::Inconsistent)
            });
            return Err(context.failure(&error, &request.target, attempt));
        }
    }
}

async fn observe(
    request: &LabelMove,
    store: &impl SecretStore,
) -> Call<Option<(SecretMetadata, Vec<VersionInfo>)>> {
    let id = &request.target.id;
    let Some(secret) = store.describe(id).await? else {
        return Ok(None);
    };
    let listed = if request.direction == Direction::Rollback && !secret.deleted {
        store.list_versions(id).await?
    } else {
        Vec::new()
    };
    Ok(Some((secret, listed)))
}

fn absent_secret(id: &str) -> Failure {
    Failure::new(
        Class::Refused,
        format!("{id} does not exist"),
        "check the name and the region; `upsert` creates a secret",
    )
}

fn no_such_version(secret: &SecretMetadata, to: &str, error: &StoreError) -> Failure {
    Failure::new(
        Class::Refused,
        format!("{} has no version {to}", secret.name),
        "look at its versions: `aws secretsmanager list-secret-version-ids --include-deprecated`",
    )
    .because(format!("AWS answered {}", error.code().unwrap_or_default()))
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

fn record_move(
    request: &LabelMove,
    secret: &SecretMetadata,
    from: Option<String>,
    to: &str,
    attempt: &mut Attempt,
) {
    let mut stages = secret.labels(to);
    stages.retain(|stage| stage != PREVIOUS && stage != CURRENT);
    stages.insert(0, CURRENT.to_owned());
    attempt.outcome.version = Some(VersionRef {
        id: to.to_owned(),
        stages,
    });
    attempt.outcome.moved_from = from;
    attempt.outcome.record_label_move(CURRENT, to);
    attempt.outcome.record(match request.direction {
        Direction::Promote(_) => Change::Promoted(to.to_owned()),
        Direction::Rollback => Change::RolledBack(to.to_owned()),
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
