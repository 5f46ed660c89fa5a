//! What a run is asked to do: the secrets it is about and how AWS is reached. A run of one secret is a list of one.
//! Checks everything that needs no network; calls AWS never.

use std::sync::Arc;

use upsert_secret_core::connection::Connection;
use upsert_secret_core::failure::{Class, Failure};
use upsert_secret_core::request::{Direction, Job, LabelMove};
use upsert_secret_core::target::Target;

use crate::checks::{connection, labels};
use crate::diagnostics::{Diagnostics, Spelling};
use crate::environment::Environment;
use crate::inputs::{Input, RawInputs, RunKind};
use crate::resolve::SecretSink;
use crate::value_source::{self, Source};
use crate::{manifest_run, request};

pub use crate::manifest_run::{Draft, Pacing, Unresolved};

/// What is done to the secrets of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// `upsert`
    Upsert,
    /// `promote`
    Promote,
    /// `rollback`
    Rollback,
}

/// A checked run.
pub struct Run {
    /// How AWS is reached.
    pub connection: Arc<Connection>,
    /// The secrets: one, or those of the manifest in its order.
    pub drafts: Vec<Draft>,
    /// How a manifest run proceeds; `None` for a single secret, which is presented differently.
    pub manifest: Option<Pacing>,
    /// What may be a mistake, though no reason to reject the run.
    pub warnings: Vec<String>,
}

impl Run {
    /// Checks everything that needs no network. Without a sink, as for `iam-policy`, values are neither read nor
    /// required.
    ///
    /// # Errors
    /// Every problem at once, class `bad input`; or unusable credentials in the environment.
    pub fn check(
        action: Action,
        raw: RawInputs,
        environment: &Environment,
        sink: Option<&SecretSink<'_>>,
    ) -> Result<Self, Failure> {
        match (action, &raw.manifest) {
            (Action::Upsert, Some(path)) => check_manifest(&raw, path, environment, sink),
            (Action::Upsert, None) => check_upsert(raw, environment, sink),
            _ => check_label_move(action, &raw, environment),
        }
    }

    /// A run of one secret.
    ///
    /// # Errors
    /// The problems, or the lack of usable credentials, that the checks found.
    fn single(
        job: Job,
        connection: Arc<Connection>,
        mut diagnostics: Diagnostics,
    ) -> Result<Self, Failure> {
        diagnostics.check_all()?;
        Ok(Self {
            connection,
            drafts: vec![Draft::Ready(job)],
            manifest: None,
            warnings: diagnostics.into_warnings(),
        })
    }
}

fn check_upsert(
    raw: RawInputs,
    environment: &Environment,
    sink: Option<&SecretSink<'_>>,
) -> Result<Run, Failure> {
    let mut diagnostics = Diagnostics::new(Spelling::from_inputs(&raw));
    let is_for_manifest =
        |input: &&Input| input.applies_to(RunKind::Manifest) && !input.applies_to(RunKind::Upsert);
    if let Some(input) = raw.given().into_iter().find(is_for_manifest) {
        let input = diagnostics.spelling.name(input.name);
        return Err(Failure::new(
            Class::Input,
            format!("{input} is for a manifest, and none is given"),
            "give the manifest's path in `manifest`, or leave the input out",
        ));
    }
    let source = match sink {
        Some(sink) => value_source::load(&raw, environment, sink)?,
        None => Source::stand_in(),
    };
    let target = check_target(&raw, &mut diagnostics);
    let connection = connection::check(&raw, target.as_ref(), environment, &mut diagnostics)?;
    reject_version_inputs(
        &raw,
        "is for the command `promote`; `version-stages` says which labels a new version gets",
        &mut diagnostics,
    );
    let request = request::check(raw, target, source, &connection, &mut diagnostics);
    Run::single(Job::Upsert(Box::new(request)), connection, diagnostics)
}

/// Checks the inputs of `promote` and `rollback`. Whether the version exists is for a later step.
fn check_label_move(
    action: Action,
    raw: &RawInputs,
    environment: &Environment,
) -> Result<Run, Failure> {
    let mut diagnostics = Diagnostics::new(Spelling::from_inputs(raw));
    if raw.manifest.is_some() {
        let manifest = diagnostics.spelling.name("manifest");
        return Err(Failure::new(
            Class::Input,
            format!(
                "{manifest} says nothing to `promote` and `rollback`, which are about one secret"
            ),
            "name the secret in `name`, or leave the command out",
        ));
    }
    let target = check_target(raw, &mut diagnostics);
    let connection = connection::check(raw, target.as_ref(), environment, &mut diagnostics)?;
    let (command, direction) = if action == Action::Rollback {
        reject_version_inputs(
            raw,
            "is for the command `promote`; `rollback` always goes to AWSPREVIOUS's version",
            &mut diagnostics,
        );
        ("rollback", Direction::Rollback)
    } else {
        let selector = labels::check_selector(raw, &mut diagnostics);
        ("promote", Direction::Promote(selector))
    };
    for input in raw.given() {
        if !input.applies_to(RunKind::LabelMove) {
            let input = diagnostics.spelling.name(input.name);
            diagnostics.warn(format!(
                "{input} says nothing to `{command}`, which writes no value and no metadata: it is ignored"
            ));
        }
    }
    let label_move = LabelMove {
        target: target.unwrap_or_default(),
        direction,
        expected: labels::check_expected(raw, &mut diagnostics),
        on_rotation: diagnostics.choice("on-rotation", raw.on_rotation.as_deref()),
    };
    Run::single(Job::Move(Box::new(label_move)), connection, diagnostics)
}

fn check_manifest(
    raw: &RawInputs,
    path: &str,
    environment: &Environment,
    sink: Option<&SecretSink<'_>>,
) -> Result<Run, Failure> {
    let mut diagnostics = Diagnostics::new(Spelling::from_inputs(raw));
    let connection = connection::check(raw, None, environment, &mut diagnostics)?;
    let (drafts, pacing) =
        manifest_run::check(raw, path, &connection, environment, sink, &mut diagnostics)?;
    Ok(Run {
        connection,
        drafts,
        manifest: Some(pacing),
        warnings: diagnostics.into_warnings(),
    })
}

fn check_target(raw: &RawInputs, diagnostics: &mut Diagnostics) -> Option<Target> {
    let target = match &raw.name {
        Some(name) => Target::parse(name),
        None => Err("is not given: it is the name or the ARN of the secret".to_owned()),
    };
    diagnostics.accept("name", target)
}

/// Rejects the inputs that say which version to promote.
fn reject_version_inputs(raw: &RawInputs, why: &str, diagnostics: &mut Diagnostics) {
    for (input, given) in [("stage", &raw.stage), ("version-id", &raw.version_id)] {
        if given.is_some() {
            diagnostics.reject(input, why);
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
