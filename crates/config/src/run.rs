//! What a run is asked to do: the secrets it is about and how AWS is reached. A run of one secret is a list of one.
//! Checks everything that needs no network; calls AWS never.

use std::sync::Arc;

use upsert_secret_core::connection::Connection;
use upsert_secret_core::failure::{Class, Failure};
use upsert_secret_core::request::{Job, LabelMove};
use upsert_secret_core::target::Target;

use crate::checks::{connection, target, timeout};
use crate::diagnostics::{Diagnostics, Spelling};
use crate::environment::Environment;
use crate::inputs::RawInputs;
use crate::resolve::SecretSink;
use crate::value_source::{self, Source};
use crate::{ci, label_move, manifest_run, request};

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
        match (action, raw.manifest.clone()) {
            (Action::Upsert, Some(path)) => check_manifest(&raw, &path, environment, sink),
            (Action::Upsert, None) => check_upsert(raw, environment, sink),
            (Action::Promote, None) => {
                check_label_move(&raw, environment, label_move::check_promote)
            }
            (Action::Rollback, None) => {
                check_label_move(&raw, environment, label_move::check_rollback)
            }
            (Action::Promote | Action::Rollback, Some(_)) => Err(Failure::new(
                Class::Input,
                format!(
                    "{} says nothing to `promote` and `rollback`, which are about one secret",
                    Spelling::from_inputs(&raw).name("manifest")
                ),
                "name the secret in `name`, or leave the command out",
            )),
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
    for input in raw.given() {
        if input.scope.manifest && !input.scope.upsert {
            return Err(Failure::new(
                Class::Input,
                format!(
                    "{} is for a manifest, and none is given",
                    diagnostics.spelling.name(input.name)
                ),
                "give the manifest's path in `manifest`, or leave the input out",
            ));
        }
    }
    let source = match sink {
        Some(sink) => {
            ci::check_value(environment, &raw)?;
            value_source::load(&raw, environment, sink)?
        }
        None => Source::stand_in(),
    };
    let target = target::check(raw.name.as_deref(), &mut diagnostics);
    let connection = connect(&raw, target.as_ref(), environment, &mut diagnostics)?;
    for (input, given) in [("stage", &raw.stage), ("version-id", &raw.version_id)] {
        if given.is_some() {
            diagnostics.reject(
                input,
                "is for the command `promote`; `version-stages` says which labels a new version gets",
            );
        }
    }
    let request = request::check(raw, target, source, &connection, &mut diagnostics);
    Run::single(Job::Upsert(Box::new(request)), connection, diagnostics)
}

fn check_label_move(
    raw: &RawInputs,
    environment: &Environment,
    check: fn(&RawInputs, Option<Target>, &mut Diagnostics) -> LabelMove,
) -> Result<Run, Failure> {
    let mut diagnostics = Diagnostics::new(Spelling::from_inputs(raw));
    let target = target::check(raw.name.as_deref(), &mut diagnostics);
    let connection = connect(raw, target.as_ref(), environment, &mut diagnostics)?;
    let label_move = check(raw, target, &mut diagnostics);
    Run::single(Job::Move(Box::new(label_move)), connection, diagnostics)
}

fn connect(
    raw: &RawInputs,
    target: Option<&Target>,
    environment: &Environment,
    diagnostics: &mut Diagnostics,
) -> Result<Arc<Connection>, Failure> {
    connection::check(
        raw,
        target,
        timeout::DEFAULT_TIMEOUT,
        environment,
        diagnostics,
    )
}

fn check_manifest(
    raw: &RawInputs,
    path: &str,
    environment: &Environment,
    sink: Option<&SecretSink<'_>>,
) -> Result<Run, Failure> {
    let mut diagnostics = Diagnostics::new(Spelling::from_inputs(raw));
    let connection = connection::check(
        raw,
        None,
        timeout::DEFAULT_MANIFEST_TIMEOUT,
        environment,
        &mut diagnostics,
    )?;
    let (drafts, pacing) =
        manifest_run::check(raw, path, &connection, environment, sink, &mut diagnostics)?;
    Ok(Run {
        connection,
        drafts,
        manifest: Some(pacing),
        warnings: diagnostics.into_warnings(),
    })
}

#[cfg(test)]
pub(crate) mod tests;
