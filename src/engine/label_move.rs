//! `promote` and `rollback`: AWSCURRENT moves between versions that exist, by compare-and-swap. What to do is
//! `plan`'s; nothing here reads or writes a value.

use crate::apply::subject;
use crate::aws::{AwsError, Described, ErrorKind, Listed, SecretsManager};
use crate::failure::{Class, Failure};
use crate::outcome::{Change, Outcome, Version};
use crate::patience::Patience;
use crate::plan::{Decision, decide, rotation};
use crate::redact::Level;
use crate::request::{Ask, CURRENT, PREVIOUS, Shift};

/// Rounds for answers that never came and for what AWS has not caught up with.
const ROUNDS: u32 = 12;

/// Makes it so.
///
/// # Errors
/// The failure; `outcome` holds what was done and is known by then.
pub async fn shift(
    shift: &Shift,
    aws: &SecretsManager,
    outcome: &mut Outcome,
) -> Result<(), Failure> {
    outcome.region = Some(aws.region().to_owned());
    let id = &shift.target.id;
    let mut patience = Patience::of(ROUNDS);
    let mut tried: Option<(Option<String>, String)> = None;
    let mut refused: Option<AwsError> = None;
    loop {
        let fail = |error: &AwsError, outcome: &Outcome| {
            Failure::of_aws(error, subject(&shift.target, outcome, aws.region()))
        };
        let looked = look(shift, aws).await;
        let (secret, listed) = match looked {
            Ok(Some(seen)) => seen,
            Ok(None) => return Err(absent(id)),
            Err(error) => return Err(fail(&error, outcome)),
        };
        learn(&secret, outcome);
        let decision = decide(shift, &secret, &listed, aws.region());
        // What this run asked for, and has not seen the answer of, counts before what it would ask now.
        if let Some((from, to)) = &tried
            && secret.holder(CURRENT) != from.as_deref()
        {
            if secret.holder(CURRENT) == Some(to.as_str()) {
                if outcome.move_sent.is_some() {
                    moved(shift, &secret, from.clone(), to, outcome);
                } else {
                    keep(&secret, to, outcome);
                }
                return Ok(());
            }
            return Err(overtaken(&secret, to));
        }
        let (from, to) = match decision? {
            Decision::Keep(current, why) => {
                if let Some(why) = why {
                    outcome.note(Level::Notice, why);
                }
                keep(&secret, &current, outcome);
                return Ok(());
            }
            Decision::Move { from, to } => (from, to),
        };
        // AWS says that the labels are not there where we see them: not a race, but the version itself.
        if let Some(error) = &refused
            && !secret.versions.contains_key(&to)
        {
            return Err(Failure::new(
                Class::Refused,
                format!("{} has no version {to}", secret.name),
                "look at its versions: `aws secretsmanager list-secret-version-ids --include-deprecated`",
            )
            .because(format!("AWS answered {}", error.code().unwrap_or_default())));
        }
        if let Some(text) = rotation(&secret) {
            outcome.note(Level::Notice, text);
        }
        match aws.move_label(id, CURRENT, from.as_deref(), &to).await {
            Ok(()) => {
                moved(shift, &secret, from, &to, outcome);
                return Ok(());
            }
            Err(error) if error.is_unknown_outcome() => outcome.move_sent = Some(to.clone()),
            Err(error) if error.is_lost_swap() => {
                // The answer to a retry may be about what the first attempt has done.
                if error.attempts > 1 {
                    outcome.move_sent = Some(to.clone());
                }
                refused = Some(error);
            }
            Err(error) => return Err(fail(&error, outcome)),
        }
        tried = Some((from, to));
        if !patience.wait().await {
            let error = refused.unwrap_or_else(|| {
                AwsError::new("UpdateSecretVersionStage", ErrorKind::Incoherent)
            });
            return Err(fail(&error, outcome));
        }
    }
}

/// What would be done, by one look.
///
/// # Errors
/// What the move would be refused for.
pub async fn decided(
    shift: &Shift,
    aws: &SecretsManager,
    outcome: &mut Outcome,
) -> Result<Decision, Failure> {
    outcome.region = Some(aws.region().to_owned());
    let (secret, listed) = look(shift, aws)
        .await
        .map_err(|error| Failure::of_aws(&error, subject(&shift.target, outcome, aws.region())))?
        .ok_or_else(|| absent(&shift.target.id))?;
    learn(&secret, outcome);
    outcome.labels = None;
    let decision = decide(shift, &secret, &listed, aws.region())?;
    if let Decision::Keep(current, why) = &decision {
        if let Some(why) = why {
            outcome.note(Level::Notice, why.clone());
        }
        keep(&secret, current, outcome);
    } else {
        if let Some(text) = rotation(&secret) {
            outcome.note(Level::Notice, text);
        }
    }
    Ok(decision)
}

async fn look(
    shift: &Shift,
    aws: &SecretsManager,
) -> Result<Option<(Described, Vec<Listed>)>, AwsError> {
    let id = &shift.target.id;
    let Some(secret) = aws.describe(id).await? else {
        return Ok(None);
    };
    let listed = if shift.ask == Ask::Rollback && !secret.deleted {
        aws.list_versions(id).await?
    } else {
        Vec::new()
    };
    Ok(Some((secret, listed)))
}

fn absent(id: &str) -> Failure {
    Failure::new(
        Class::Refused,
        format!("{id} does not exist"),
        "check the name and the region; `upsert` creates a secret",
    )
}

fn learn(secret: &Described, outcome: &mut Outcome) {
    outcome.arn = Some(secret.arn.clone());
    outcome.name = Some(secret.name.clone());
    outcome.holder = secret.holder(CURRENT).map(str::to_owned);
    if outcome.labels.is_none() {
        outcome.labels = Some((secret.versions.clone(), secret.versions.clone()));
    }
}

fn keep(secret: &Described, id: &str, outcome: &mut Outcome) {
    outcome.version = Some(Version {
        id: id.to_owned(),
        stages: secret.versions.get(id).cloned().unwrap_or_default(),
    });
}

fn moved(shift: &Shift, secret: &Described, from: Option<String>, to: &str, outcome: &mut Outcome) {
    let mut stages = secret.versions.get(to).cloned().unwrap_or_default();
    stages.retain(|stage| stage != PREVIOUS && stage != CURRENT);
    stages.insert(0, CURRENT.to_owned());
    outcome.version = Some(Version {
        id: to.to_owned(),
        stages,
    });
    outcome.moved_from = from;
    outcome.relabel(CURRENT, to);
    outcome.did(match shift.ask {
        Ask::Promote(_) => Change::Promoted(to.to_owned()),
        Ask::Rollback => Change::RolledBack(to.to_owned()),
    });
}

/// Somebody moved AWSCURRENT in between. Theirs is newer than what this run decided on.
fn overtaken(secret: &Described, to: &str) -> Failure {
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
