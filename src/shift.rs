//! `promote` and `rollback`: AWSCURRENT moves between versions that exist, by compare-and-swap. What to do
//! is decided by a pure function of what is asked and what there is; nothing here reads or writes a
//! value.

use crate::apply::subject;
use crate::aws::{AwsError, Described, ErrorKind, Listed, SecretsManager};
use crate::failure::{Class, Failure};
use crate::outcome::{Change, Outcome, Version};
use crate::patience::Patience;
use crate::plan::{guarded, refusals};
use crate::redact::Level;
use crate::request::{Ask, CURRENT, PENDING, PREVIOUS, Shift, Which};

/// Rounds for answers that never came and for what AWS has not caught up with.
const ROUNDS: u32 = 12;

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Nothing: this version is current, as it shall be. And why, where that needs a word.
    Keep(String, Option<String>),
    /// AWSCURRENT moves.
    Move {
        /// Its holder; `None` where there is none.
        from: Option<String>,
        /// The version that shall be current.
        to: String,
    },
}

/// Decides. `listed` is needed for a rollback only.
///
/// # Errors
/// Refusals by state, and conflicts with `expected-version-id`.
pub fn decide(
    shift: &Shift,
    secret: &Described,
    listed: &[Listed],
    region: &str,
) -> Result<Decision, Failure> {
    if secret.deleted {
        return Err(Failure::new(
            Class::Refused,
            format!("{} is scheduled for deletion", secret.name),
            "take it back first: `upsert` with `on-scheduled-deletion: restore`, or `aws secretsmanager restore-secret`",
        ));
    }
    let decision = match &shift.ask {
        Ask::Promote(which) => promote(shift, which, secret)?,
        Ask::Rollback => rollback(shift, secret, listed)?,
    };
    if let Decision::Move { to, .. } = &decision {
        if secret.holder(PENDING) == Some(to.as_str()) {
            return Err(Failure::new(
                Class::Refused,
                format!("version {to} of {} holds AWSPENDING", secret.name),
                "let the rotation end, which makes it current by itself, or cancel it",
            )
            .because("a rotation is in progress, and this version is what it is testing"));
        }
        refusals(secret, region, shift.on_rotation)?;
    }
    Ok(decision)
}

fn promote(shift: &Shift, which: &Which, secret: &Described) -> Result<Decision, Failure> {
    let current = secret.holder(CURRENT);
    let to = match which {
        Which::Version(id) => id.as_str(),
        Which::Stage(label) => secret.holder(label).ok_or_else(|| {
            Failure::new(
                Class::Refused,
                format!("no version of {} holds the label {label}", secret.name),
                format!(
                    "put one there with `version-stages: {label}`, or name another with `stage` or `version-id`"
                ),
            )
            .because(there_is(secret))
        })?,
    };
    // Before any guard: a re-run finds its own work.
    if current == Some(to) {
        return Ok(Decision::Keep(to.to_owned(), None));
    }
    match shift.expected.as_deref() {
        Some(expected) if current != Some(expected) => {
            Err(guarded::not_current(&secret.name, expected, current))
        }
        _ => Ok(Decision::Move {
            from: current.map(str::to_owned),
            to: to.to_owned(),
        }),
    }
}

fn there_is(secret: &Described) -> String {
    let mut labels: Vec<_> = secret
        .versions
        .values()
        .flatten()
        .filter(|label| !crate::lease::is_ours(label))
        .map(String::as_str)
        .collect();
    labels.sort_unstable();
    if labels.is_empty() {
        "it has no version at all".to_owned()
    } else {
        format!("its labels are {}", labels.join(", "))
    }
}

fn rollback(shift: &Shift, secret: &Described, listed: &[Listed]) -> Result<Decision, Failure> {
    let (Some(current), Some(previous)) = (secret.holder(CURRENT), secret.holder(PREVIOUS)) else {
        return Err(Failure::new(
            Class::Refused,
            format!("{} has no version to go back to", secret.name),
            "name the version: `promote` with `version-id`",
        )
        .because(there_is(secret)));
    };
    match shift.expected.as_deref() {
        Some(expected) if expected == previous => {
            return Ok(Decision::Keep(
                current.to_owned(),
                Some(format!(
                    "version {expected} is not current any more, it holds AWSPREVIOUS: the rollback has been done"
                )),
            ));
        }
        Some(expected) if expected != current => {
            return Err(guarded::not_current(&secret.name, expected, Some(current)));
        }
        _ => {}
    }
    let made = |id: &str| {
        listed
            .iter()
            .find(|version| version.id == id)
            .and_then(|version| version.created)
    };
    match (made(previous), made(current)) {
        (Some(before), Some(now)) if before < now => Ok(Decision::Move {
            from: Some(current.to_owned()),
            to: previous.to_owned(),
        }),
        (Some(before), Some(now)) if before > now => Ok(Decision::Keep(
            current.to_owned(),
            Some(format!(
                "AWSPREVIOUS is on version {previous}, which is newer than the current one: the rollback has been done; \
                 `promote` with `version-id: {previous}` would go forward again"
            )),
        )),
        _ => Err(Failure::new(
            Class::Refused,
            format!(
                "which version of {} is the older one cannot be told",
                secret.name
            ),
            format!("`promote` with `version-id: {previous}` makes AWSPREVIOUS's version current"),
        )),
    }
}

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
        pending(&secret, outcome);
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
        pending(&secret, outcome);
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

fn pending(secret: &Described, outcome: &mut Outcome) {
    if let Some(id) = secret.holder(PENDING) {
        outcome.note(
            Level::Notice,
            format!("a rotation is in progress: AWSPENDING is on version {id}, and stays there"),
        );
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

#[cfg(test)]
mod tests;
