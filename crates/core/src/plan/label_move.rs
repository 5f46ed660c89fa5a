//! Decisions for `promote` and `rollback`: which version becomes current, and whether AWSCURRENT may move to it. Must not
//! create versions.

use super::rejections::{check_writable, not_current};
use crate::failure::{Class, Failure};
use crate::labels::{CURRENT, PENDING, PREVIOUS, is_private, shown_label};
use crate::request::{Direction, LabelMove, VersionSelector};
use crate::state::{SecretMetadata, VersionInfo};

/// The result of a decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// No move: this version stays current. Includes a notice if the reason is not obvious.
    Keep(String, Option<String>),
    /// AWSCURRENT moves.
    Move {
        /// The version that holds it; `None` if no version does.
        from: Option<String>,
        /// The version that becomes current.
        to: String,
        /// A warning if the order of the versions is uncertain.
        warning: Option<String>,
    },
}

/// Whether a list of versions describes the same moment as the DescribeSecret response, in all respects that matter to a
/// rollback.
pub fn agrees(secret: &SecretMetadata, listed: &[VersionInfo]) -> bool {
    [CURRENT, PREVIOUS].into_iter().all(|label| {
        let mut holders = listed
            .iter()
            .filter(|version| version.labels.iter().any(|held| held == label))
            .map(|version| version.id.as_str());
        holders.next() == secret.holder(label) && holders.next().is_none()
    })
}

/// The failure for a rollback of a secret whose labels moved during every observation.
pub fn unsettled(secret: &SecretMetadata) -> Failure {
    Failure::new(
        Class::Conflict,
        format!(
            "the labels of {} kept moving while this run read its versions",
            secret.name
        ),
        "run again when no other job writes to the secret",
    )
}

/// The failure for a version that does not exist.
pub fn no_such_version(secret: &SecretMetadata, id: &str) -> Failure {
    Failure::refused(
        format!("{} has no version {id}", secret.name),
        "list its versions: `aws secretsmanager list-secret-version-ids --include-deprecated`",
    )
}

/// Decides whether AWSCURRENT moves, and where to. `listed` is only read for a rollback, and must agree with the secret.
///
/// # Errors
/// States that forbid the move, and conflicts with `expected-version-id`.
pub fn decide_label_move(
    label_move: &LabelMove,
    secret: &SecretMetadata,
    listed: &[VersionInfo],
    region: &str,
) -> Result<Decision, Failure> {
    if secret.deleted && label_move.direction != Direction::Stay {
        return Err(Failure::refused(
            format!("{} is scheduled for deletion", secret.name),
            "restore it first: `upsert` with `on-scheduled-deletion: restore`, or `aws secretsmanager restore-secret`",
        ));
    }
    let decision = match &label_move.direction {
        Direction::Promote(selector) => promote(label_move, selector, secret)?,
        Direction::Rollback => rollback(label_move, secret, listed)?,
        Direction::Undo { from, to } => undo(secret, from, to)?,
        Direction::Stay => stay(secret),
    };
    if let Decision::Move { to, .. } = &decision {
        if secret.holder(PENDING) == Some(to.as_str()) {
            return Err(Failure::refused(
                format!("version {to} of {} holds AWSPENDING", secret.name),
                "wait until the rotation ends, which makes it current, or cancel it",
            )
            .because("a rotation is in progress, and this version is what it is testing"));
        }
        check_writable(secret, region, label_move.on_rotation)?;
    }
    Ok(decision)
}

fn promote(
    label_move: &LabelMove,
    selector: &VersionSelector,
    secret: &SecretMetadata,
) -> Result<Decision, Failure> {
    let current = secret.holder(CURRENT);
    let to = match selector {
        VersionSelector::Version(id) => id.as_str(),
        VersionSelector::Stage(label) => secret.holder(label).ok_or_else(|| {
            Failure::refused(
                format!("no version of {} holds the label {label}", secret.name),
                format!(
                    "stage one with `version-stages: {label}`, or set `stage` to another label"
                ),
            )
            .because(labels_text(secret))
        })?,
    };
    // Before any guard, so that a re-run recognizes its own move.
    if current == Some(to) {
        return Ok(Decision::Keep(to.to_owned(), None));
    }
    match label_move.expected.as_deref() {
        Some(expected) if current != Some(expected) => {
            Err(not_current(&secret.name, expected, current))
        }
        _ => Ok(Decision::Move {
            from: current.map(str::to_owned),
            to: to.to_owned(),
            warning: None,
        }),
    }
}

fn stay(secret: &SecretMetadata) -> Decision {
    let current = secret.holder(CURRENT).unwrap_or_default();
    Decision::Keep(current.to_owned(), None)
}

/// Keeps what others have written since the release.
fn undo(secret: &SecretMetadata, from: &str, to: &str) -> Result<Decision, Failure> {
    match secret.holder(CURRENT) {
        Some(current) if current == to => Ok(Decision::Keep(to.to_owned(), None)),
        Some(current) if current == from => Ok(Decision::Move {
            from: Some(from.to_owned()),
            to: to.to_owned(),
            warning: None,
        }),
        current => Err(Failure::new(
            Class::Conflict,
            format!("{} was written after the release, so it is not rolled back", secret.name),
            format!("check its value; `promote` with `version-id: {to}` makes the version before the release current"),
        )
        .because(format!(
            "{}, and the release made version {from} current",
            current.map_or_else(
                || "no version is current".to_owned(),
                |current| format!("AWSCURRENT is on version {current}")
            )
        ))),
    }
}

fn labels_text(secret: &SecretMetadata) -> String {
    let labels = secret.all_labels().map(|(label, _)| label);
    let (private, mut labels): (Vec<_>, Vec<_>) = labels.partition(|label| is_private(label));
    labels.sort_unstable();
    match (labels.is_empty(), private.is_empty()) {
        (true, true) => "no version of it has a label".to_owned(),
        (true, false) => {
            "its only labels are private ones, of runs that are in progress or were killed"
                .to_owned()
        }
        (false, _) => {
            let labels: Vec<_> = labels.into_iter().map(shown_label).collect();
            format!("its labels are {}", labels.join(", "))
        }
    }
}

fn rollback(
    label_move: &LabelMove,
    secret: &SecretMetadata,
    listed: &[VersionInfo],
) -> Result<Decision, Failure> {
    let (Some(current), Some(previous)) = (secret.holder(CURRENT), secret.holder(PREVIOUS)) else {
        return Err(Failure::refused(
            format!("{} has no version to roll back to", secret.name),
            "name the version: `promote` with `version-id`",
        )
        .because(labels_text(secret)));
    };
    match label_move.expected.as_deref() {
        Some(expected) if expected == previous => {
            return Ok(Decision::Keep(
                current.to_owned(),
                Some(format!(
                    "version {expected} is no longer current, it holds AWSPREVIOUS: the rollback is \
                     already done"
                )),
            ));
        }
        Some(expected) if expected != current => {
            return Err(not_current(&secret.name, expected, Some(current)));
        }
        _ => {}
    }
    let created = |id: &str| listed.iter().find(|version| version.id == id)?.created;
    let move_back = |warning| {
        Ok(Decision::Move {
            from: Some(current.to_owned()),
            to: previous.to_owned(),
            warning,
        })
    };
    match (created(previous), created(current)) {
        (Some(before), Some(now)) if before > now => Ok(Decision::Keep(
            current.to_owned(),
            Some(format!(
                "AWSPREVIOUS is on version {previous}, which is newer than the current one: the rollback \
                 is already done; `promote` with `version-id: {previous}` undoes it"
            )),
        )),
        (Some(before), Some(now)) if before < now => move_back(None),
        // The version to roll back is still current, so it has not been rolled back yet.
        _ if label_move.expected.is_some() => move_back(None),
        // Equal creation times, from a server that rounds them: AWSPREVIOUS is on the version that was current before.
        (Some(_), Some(_)) => move_back(Some(format!(
            "versions {previous} and {current} were created at the same time: the version with AWSPREVIOUS \
             is taken as the older one. Another rollback would undo this one, unless `expected-version-id` is {current}"
        ))),
        _ => Err(Failure::refused(
            format!("cannot determine which version of {} is older", secret.name),
            format!("`promote` with `version-id: {previous}` makes AWSPREVIOUS's version current"),
        )),
    }
}

#[cfg(test)]
mod tests;
