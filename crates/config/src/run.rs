//! What a run is asked to do: a list of secrets, with everything around it. A run of one secret is a list of one.

use std::sync::Arc;

use upsert_secret_core::connection::Connection;
use upsert_secret_core::failure::{Class, Failure};
use upsert_secret_core::request::{Job, Request};
use upsert_secret_core::value::SecretBytes;

use crate::checks::connection::{self, CheckedConnection};
use crate::checks::{target, timeout};
use crate::ci;
use crate::diagnostics::{Diagnostics, Spelling};
use crate::environment::Environment;
use crate::inputs::{Input, RawInputs};
use crate::manifest_run::{self, ManifestInputs};
use crate::resolve::SecretSink;
use crate::value_source::{self, Source};
use crate::{label_move, request};

pub use crate::manifest_run::{Draft, Pacing, Unresolved};

/// Stands for the value where none is looked up: a string, and JSON.
const NO_VALUE: &[u8] = b"\"no value is needed here\"";

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

/// A run, checked.
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
    /// Checks everything that needs no network. Without a sink, as for `iam-policy`, no value is looked at.
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
            (Action::Upsert, Some(path)) => manifest(&raw, &path, environment, sink),
            (Action::Upsert, None) => upsert(raw, environment, sink),
            (_, Some(_)) => Err(Failure::new(
                Class::Input,
                format!(
                    "{} says nothing to `promote` and `rollback`, which are about one secret",
                    Spelling::from_inputs(&raw).name("manifest")
                ),
                "name the secret in `name`, or leave the command out",
            )),
            (_, None) => single_move(action == Action::Promote, &raw, environment),
        }
    }
}

fn upsert(
    raw: RawInputs,
    environment: &Environment,
    sink: Option<&SecretSink<'_>>,
) -> Result<Run, Failure> {
    let spelling = Spelling::from_inputs(&raw);
    for input in raw.given() {
        if input.scope.manifest && !input.scope.upsert {
            return Err(without_manifest(spelling, &input));
        }
    }
    let source = match sink {
        Some(sink) => look_up(&raw, environment, sink)?,
        None => Source {
            bytes: SecretBytes::new(NO_VALUE.to_vec()),
            input: "value",
            unmasked: false,
        },
    };
    check_upsert(raw, source, environment)
}

fn without_manifest(spelling: Spelling, input: &Input) -> Failure {
    Failure::new(
        Class::Input,
        format!(
            "{} is for a manifest, and none is given",
            spelling.name(input.name)
        ),
        "give the manifest's path in `manifest`, or leave the input out",
    )
}

fn look_up(
    raw: &RawInputs,
    environment: &Environment,
    sink: &SecretSink<'_>,
) -> Result<Source, Failure> {
    ci::check_value(environment, raw)?;
    let source = value_source::load(raw, environment, sink.hide)?;
    if source.unmasked {
        (sink.mask)(source.bytes.expose());
    }
    Ok(source)
}

fn check_upsert(raw: RawInputs, source: Source, environment: &Environment) -> Result<Run, Failure> {
    let mut diagnostics = Diagnostics::new(Spelling::from_inputs(&raw));
    let mut warnings = Vec::new();
    let target = target::check(raw.name.as_deref(), &mut diagnostics);
    let CheckedConnection {
        connection,
        unusable,
    } = connection::check(
        &raw,
        target.as_ref(),
        timeout::DEFAULT_TIMEOUT,
        environment,
        &mut diagnostics,
        &mut warnings,
    )?;
    for (input, given) in [("stage", &raw.stage), ("version-id", &raw.version_id)] {
        if given.is_some() {
            diagnostics.reject(
                input,
                "is for the command `promote`; `version-stages` says which labels a new version gets",
            );
        }
    }
    let request: Request = request::check(
        raw,
        target,
        source,
        &connection,
        &mut diagnostics,
        &mut warnings,
    );
    single(
        Job::Upsert(Box::new(request)),
        connection,
        unusable,
        &diagnostics,
        warnings,
    )
}

fn single_move(promote: bool, raw: &RawInputs, environment: &Environment) -> Result<Run, Failure> {
    let mut diagnostics = Diagnostics::new(Spelling::from_inputs(raw));
    let mut warnings = Vec::new();
    let target = target::check(raw.name.as_deref(), &mut diagnostics);
    let CheckedConnection {
        connection,
        unusable,
    } = connection::check(
        raw,
        target.as_ref(),
        timeout::DEFAULT_TIMEOUT,
        environment,
        &mut diagnostics,
        &mut warnings,
    )?;
    let label_move = label_move::check(promote, raw, target, &mut diagnostics, &mut warnings);
    single(
        Job::Move(Box::new(label_move)),
        connection,
        unusable,
        &diagnostics,
        warnings,
    )
}

/// A run of one. Problems with inputs come first: they may be why there are no credentials.
fn single(
    job: Job,
    connection: Arc<Connection>,
    unusable: Option<Failure>,
    diagnostics: &Diagnostics,
    warnings: Vec<String>,
) -> Result<Run, Failure> {
    diagnostics.to_result()?;
    match unusable {
        Some(why) => Err(why),
        None => Ok(Run {
            connection,
            drafts: vec![Draft::Ready(job)],
            manifest: None,
            warnings,
        }),
    }
}

fn manifest(
    raw: &RawInputs,
    path: &str,
    environment: &Environment,
    sink: Option<&SecretSink<'_>>,
) -> Result<Run, Failure> {
    let mut diagnostics = Diagnostics::new(Spelling::from_inputs(raw));
    let mut warnings = Vec::new();
    let CheckedConnection {
        connection,
        unusable,
    } = connection::check(
        raw,
        None,
        manifest_run::DEFAULT_TIMEOUT,
        environment,
        &mut diagnostics,
        &mut warnings,
    )?;
    let inputs = ManifestInputs::check(raw, &mut diagnostics);
    diagnostics.to_result()?;
    let (drafts, pacing) = manifest_run::check(
        raw,
        path,
        inputs,
        &connection,
        unusable,
        environment,
        sink,
        &mut diagnostics,
        &mut warnings,
    )?;
    Ok(Run {
        connection,
        drafts,
        manifest: Some(pacing),
        warnings,
    })
}

#[cfg(test)]
pub(crate) mod tests;
