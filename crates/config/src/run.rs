//! A checked run: its secrets, and how to reach AWS. A single-secret run is a list of one. Checks everything that does not need
//! the network. Must not call AWS.

use std::sync::Arc;

use upsert_secret_core::connection::Connection;
use upsert_secret_core::failure::{Class, Failure};
use upsert_secret_core::rate::Rate;
use upsert_secret_core::request::{Direction, Job, VersionSelector};
use upsert_secret_core::target::Target;

use crate::checks::{connection, settings};
use crate::diagnostics::Diagnostics;
use crate::environment::Environment;
use crate::import::{self, Import};
use crate::inputs::{FOR_IMPORT, Input, RawInputs, RunKind};
use crate::label_moves::{self, LabelMoves, reject_release, reject_version_inputs};
use crate::resolve::SecretSink;
use crate::spelling::Spelling;
use crate::value_source::{self, Source};
use crate::{manifest_run, request};

pub use crate::manifest_run::{Draft, Pacing, Unresolved};

/// The action on the secrets of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// `upsert`
    Upsert,
    /// `promote`
    Promote,
    /// `rollback`
    Rollback,
    /// `import`
    Import,
}

/// A checked run.
pub struct Run {
    /// How to reach AWS.
    pub connection: Arc<Connection>,
    /// The secrets: one, or those of the manifest in file order; empty for `import`.
    pub drafts: Vec<Draft>,
    /// The settings of a manifest run; `None` for a single secret, which is presented differently.
    pub manifest: Option<Pacing>,
    /// The request of an `import` run; `None` for a run that writes.
    pub import: Option<Import>,
    /// Whether a dry run that finds changes ends with a separate exit code.
    pub fail_on_change: bool,
    /// Notices for the user.
    pub notices: Vec<String>,
    /// Possible mistakes that are not a reason to reject the run.
    pub warnings: Vec<String>,
}

impl Run {
    /// Checks everything that does not need the network. Without a sink, as for `iam-policy`, values are neither read nor
    /// required.
    ///
    /// # Errors
    /// All problems at once, class `bad input`; or unusable credentials in the environment.
    pub fn check(
        action: Action,
        raw: RawInputs,
        environment: &Environment,
        sink: Option<&SecretSink<'_>>,
    ) -> Result<Self, Failure> {
        let mut diagnostics = Diagnostics::new(Spelling::of(&raw));
        let fail_on_change = diagnostics.choice("fail-on-change", raw.fail_on_change.as_deref());
        diagnostics.check_problems()?;
        let mut run = match (action, &raw.manifest) {
            (Action::Upsert, Some(path)) => check_manifest(&raw, path, environment, sink),
            (Action::Upsert, None) => check_upsert(raw, environment, sink),
            (Action::Promote, _) => {
                label_moves::check_promote(&raw, environment).map(Self::of_moves)
            }
            (Action::Rollback, _) => {
                label_moves::check_rollback(&raw, environment, sink.is_none()).map(Self::of_moves)
            }
            (Action::Import, _) => check_import(&raw, environment),
        }?;
        run.fail_on_change = fail_on_change;
        // An unused access key is a leftover in the environment.
        if sink.is_some() && run.connection.identity.uses_chain() {
            settings::check_access_key(environment, &mut run.warnings)?;
        }
        Ok(run)
    }

    /// The calls per second for each family of operations, if limited.
    pub fn rate(&self) -> Option<Rate> {
        let pacing = self.manifest.as_ref().map(|pacing| pacing.rate);
        pacing.or(self.import.as_ref().map(|import| import.rate))
    }

    /// Texts of the inputs that IDs in AWS responses repeat, in addition to the names of the secrets.
    pub fn public_texts(&self) -> Vec<String> {
        let Connection {
            region, identity, ..
        } = &*self.connection;
        let mut texts: Vec<String> = region.iter().cloned().collect();
        texts.extend(identity.allowed_accounts.iter().cloned());
        texts.extend(identity.role.iter().map(|role| role.arn.clone()));
        // The reports of a manifest do not contain labels.
        if let [Draft::Ready(job)] = &self.drafts[..] {
            match job {
                Job::Upsert(request) => {
                    texts.extend(request.stages.iter().chain(&request.expected).cloned());
                }
                Job::Move(label_move) => {
                    let Direction::Promote(
                        VersionSelector::Version(text) | VersionSelector::Stage(text),
                    ) = &label_move.direction
                    else {
                        return texts;
                    };
                    texts.push(text.clone());
                }
            }
        }
        texts
    }

    fn of_moves(moves: LabelMoves) -> Self {
        Self {
            connection: moves.connection,
            drafts: moves.drafts,
            manifest: moves.manifest,
            import: None,
            fail_on_change: false,
            notices: moves.notices,
            warnings: moves.diagnostics.into_warnings(),
        }
    }

    /// A single-secret run.
    ///
    /// # Errors
    /// The problems, or the lack of usable credentials, found by the checks.
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
            import: None,
            fail_on_change: false,
            notices: Vec::new(),
            warnings: diagnostics.into_warnings(),
        })
    }
}

fn is_for_many_secrets(input: &Input, spelling: Spelling) -> Failure {
    let ways = [
        (RunKind::Manifest, "set `manifest`"),
        (RunKind::Undo, "run `rollback` with `release`"),
        (RunKind::Import, "run `import`"),
    ];
    let ways = ways.into_iter().filter(|&(kind, _)| input.applies_to(kind));
    let ways: Vec<&str> = ways.map(|(_, way)| way).collect();
    Failure::new(
        Class::Input,
        format!("{} is for runs of many secrets", spelling.name(input.name)),
        format!("{}, or omit it", ways.join(", ")),
    )
}

fn check_upsert(
    raw: RawInputs,
    environment: &Environment,
    sink: Option<&SecretSink<'_>>,
) -> Result<Run, Failure> {
    let mut diagnostics = Diagnostics::new(Spelling::of(&raw));
    // `iam-policy` does not need a value, and gets other inputs elsewhere.
    if sink.is_some() && raw.given().iter().all(|input| input.name == "command") {
        return Err(nothing_given(diagnostics.spelling));
    }
    let is_for_manifest =
        |input: &&Input| input.applies_to(RunKind::Manifest) && !input.applies_to(RunKind::Upsert);
    if let Some(input) = raw.given().into_iter().find(is_for_manifest) {
        return Err(is_for_many_secrets(input, diagnostics.spelling));
    }
    let given = raw.given().into_iter();
    for input in given.filter(|input| input.is_for_import_alone()) {
        diagnostics.reject(input.name, FOR_IMPORT);
    }
    let source = match sink {
        Some(sink) => value_source::load(&raw, environment, sink)?,
        None => Source::stand_in(),
    };
    let target = check_target(&raw, &mut diagnostics);
    let connection = connection::check(&raw, target.as_ref(), environment, &mut diagnostics);
    reject_release(&raw, &mut diagnostics);
    reject_version_inputs(
        &raw,
        "is for the command `promote`; `version-stages` sets the labels of a new version",
        &mut diagnostics,
    );
    let request = request::check(raw, target, source, &[], &connection, &mut diagnostics);
    Run::single(Job::Upsert(Box::new(request)), connection, diagnostics)
}

fn nothing_given(spelling: Spelling) -> Failure {
    let [name, value, manifest] = ["name", "value", "manifest"].map(|input| spelling.name(input));
    Failure::new(
        Class::Input,
        format!("no inputs are set: set {name} and {value}, or {manifest}"),
        "`upsert-secret --help-all` lists all inputs",
    )
}

fn check_manifest(
    raw: &RawInputs,
    path: &str,
    environment: &Environment,
    sink: Option<&SecretSink<'_>>,
) -> Result<Run, Failure> {
    let mut diagnostics = Diagnostics::new(Spelling::of(raw));
    let connection = connection::check(raw, None, environment, &mut diagnostics);
    let (drafts, pacing) =
        manifest_run::check(raw, path, &connection, environment, sink, &mut diagnostics)?;
    Ok(Run {
        connection,
        drafts,
        manifest: Some(pacing),
        import: None,
        fail_on_change: false,
        notices: Vec::new(),
        warnings: diagnostics.into_warnings(),
    })
}

fn check_import(raw: &RawInputs, environment: &Environment) -> Result<Run, Failure> {
    let mut diagnostics = Diagnostics::new(Spelling::of(raw));
    let connection = connection::check(raw, None, environment, &mut diagnostics);
    let import = import::check(raw, &mut diagnostics);
    diagnostics.check_all()?;
    Ok(Run {
        connection,
        drafts: Vec::new(),
        manifest: None,
        import: Some(import),
        fail_on_change: false,
        notices: Vec::new(),
        warnings: diagnostics.into_warnings(),
    })
}

fn check_target(raw: &RawInputs, diagnostics: &mut Diagnostics) -> Option<Target> {
    let target = match &raw.name {
        Some(name) => Target::parse(name),
        None => Err("is not set: it is the name or the ARN of the secret".to_owned()),
    };
    diagnostics.accept("name", target)
}

#[cfg(test)]
pub(crate) mod tests;
