//! The inputs of `promote` and `rollback`: for one secret, for a manifest's secrets, or for the secrets that a release changed.
//! A later step checks whether a version exists.

use std::sync::Arc;

use upsert_secret_core::connection::Connection;
use upsert_secret_core::failure::{Class, Failure};
use upsert_secret_core::request::{Direction, Job, LabelMove};
use upsert_secret_core::target::Target;

use crate::checks::{connection, labels};
use crate::diagnostics::Diagnostics;
use crate::environment::Environment;
use crate::inputs::{RawInputs, RunKind};
use crate::manifest_run::{self, Draft, Pacing};
use crate::release::{self, Moved};
use crate::spelling::Spelling;

/// Checked moves of AWSCURRENT.
pub(crate) struct LabelMoves {
    pub(crate) connection: Arc<Connection>,
    pub(crate) drafts: Vec<Draft>,
    /// `None` for one secret.
    pub(crate) manifest: Option<Pacing>,
    pub(crate) notices: Vec<String>,
    pub(crate) diagnostics: Diagnostics,
}

/// Checks the inputs of `promote`.
///
/// # Errors
/// All problems at once, class `bad input`; or unusable credentials.
pub(crate) fn check_promote(
    raw: &RawInputs,
    environment: &Environment,
) -> Result<LabelMoves, Failure> {
    let mut diagnostics = Diagnostics::new(Spelling::of(raw));
    match &raw.manifest {
        Some(path) => {
            let direction = Direction::Promote(labels::check_selector(raw, &mut diagnostics));
            check_manifest(raw, path, &direction, environment, diagnostics)
        }
        None => {
            reject_release(raw, &mut diagnostics);
            let direction = Direction::Promote(labels::check_selector(raw, &mut diagnostics));
            check_single(raw, "promote", direction, environment, diagnostics)
        }
    }
}

/// Checks the inputs of `rollback`. `iam-policy` does not need a release: the manifest has its secrets.
///
/// # Errors
/// The same as for [`check_promote`].
pub(crate) fn check_rollback(
    raw: &RawInputs,
    environment: &Environment,
    is_for_policy: bool,
) -> Result<LabelMoves, Failure> {
    let mut diagnostics = Diagnostics::new(Spelling::of(raw));
    reject_version_inputs(
        raw,
        "is for the command `promote`; `rollback` always goes back to the version before",
        &mut diagnostics,
    );
    match (&raw.release, &raw.manifest) {
        (Some(given), _) => check_undo(raw, given, environment, diagnostics),
        (None, Some(path)) if is_for_policy => {
            let direction = Direction::Undo {
                from: String::new(),
                to: String::new(),
            };
            check_manifest(raw, path, &direction, environment, diagnostics)
        }
        (None, Some(_)) => Err(Failure::new(
            Class::Input,
            "`rollback` with `manifest` requires `release`: without it, secrets that the release did not \
             change would be rolled back too",
            format!(
                "give the `results` of the run to undo as `release`, or `file:` and the path of its report; or name one secret in {} instead of a manifest",
                diagnostics.spelling.name("name")
            ),
        )),
        (None, None) => check_single(
            raw,
            "rollback",
            Direction::Rollback,
            environment,
            diagnostics,
        ),
    }
}

fn check_single(
    raw: &RawInputs,
    command: &str,
    direction: Direction,
    environment: &Environment,
    mut diagnostics: Diagnostics,
) -> Result<LabelMoves, Failure> {
    let target = match &raw.name {
        Some(name) => Target::parse(name),
        None => Err("is not set: it is the name or the ARN of the secret".to_owned()),
    };
    let target = diagnostics.accept("name", target);
    let connection = connection::check(raw, target.as_ref(), environment, &mut diagnostics);
    warn_of_ignored(raw, RunKind::LabelMove, command, &mut diagnostics);
    let label_move = LabelMove {
        target: target.unwrap_or_default(),
        direction,
        expected: labels::check_expected(raw, &mut diagnostics),
        on_rotation: diagnostics.choice("on-rotation", raw.on_rotation.as_deref()),
        reads: false,
    };
    diagnostics.check_all()?;
    Ok(LabelMoves {
        connection,
        drafts: vec![Draft::Ready(Job::Move(Box::new(label_move)))],
        manifest: None,
        notices: Vec::new(),
        diagnostics,
    })
}

fn check_manifest(
    raw: &RawInputs,
    path: &str,
    direction: &Direction,
    environment: &Environment,
    mut diagnostics: Diagnostics,
) -> Result<LabelMoves, Failure> {
    let connection = connection::check(raw, None, environment, &mut diagnostics);
    let (drafts, pacing) = manifest_run::check_moves(
        raw,
        path,
        direction,
        &connection,
        environment,
        &mut diagnostics,
    )?;
    Ok(LabelMoves {
        connection,
        drafts,
        manifest: Some(pacing),
        notices: Vec::new(),
        diagnostics,
    })
}

fn check_undo(
    raw: &RawInputs,
    given: &str,
    environment: &Environment,
    mut diagnostics: Diagnostics,
) -> Result<LabelMoves, Failure> {
    if raw.name.is_some() {
        diagnostics.reject("name", "and `release` are both given: set one of them");
    }
    let connection = connection::check(raw, None, environment, &mut diagnostics);
    let (pacing, only) = manifest_run::check_pacing(raw, &mut diagnostics);
    let on_rotation = diagnostics.choice("on-rotation", raw.on_rotation.as_deref());
    warn_of_ignored(raw, RunKind::Undo, "rollback", &mut diagnostics);
    let is_picked = |name: &str| only.as_ref().is_none_or(|only| only.matches(name));
    let release = release::read(given, connection.region.as_deref(), &is_picked);
    let release = diagnostics.accept("release", release).unwrap_or_default();
    diagnostics.check_all()?;
    let undo = |moved: Moved| {
        let (from, to) = (moved.from, moved.to);
        (moved.target, Direction::Undo { from, to })
    };
    let moves = release.moves.into_iter().map(undo);
    let others = release.others.into_iter().filter(|_| pacing.all_or_nothing);
    let others = others.map(|target| (target, Direction::Stay));
    let drafts = moves.chain(others).map(|(target, direction)| {
        Draft::Ready(Job::Move(Box::new(LabelMove {
            target,
            direction,
            expected: None,
            on_rotation,
            reads: false,
        })))
    });
    Ok(LabelMoves {
        connection,
        drafts: drafts.collect(),
        manifest: Some(pacing),
        notices: release.notices,
        diagnostics,
    })
}

fn warn_of_ignored(raw: &RawInputs, kind: RunKind, command: &str, diagnostics: &mut Diagnostics) {
    for input in raw.given() {
        let is_reported = ["name", "stage", "version-id", "release"].contains(&input.name);
        if !input.applies_to(kind) && !is_reported {
            diagnostics.warn(format!(
                "`{}` has no effect on `{command}` and is ignored",
                input.name
            ));
        }
    }
}

/// Rejects the inputs that select the version to promote.
pub(crate) fn reject_version_inputs(raw: &RawInputs, why: &str, diagnostics: &mut Diagnostics) {
    for (input, given) in [("stage", &raw.stage), ("version-id", &raw.version_id)] {
        if given.is_some() {
            diagnostics.reject(input, why);
        }
    }
}

/// Rejects a release in a command that does not undo one.
pub(crate) fn reject_release(raw: &RawInputs, diagnostics: &mut Diagnostics) {
    if raw.release.is_some() {
        diagnostics.reject("release", "is for the command `rollback`");
    }
}
