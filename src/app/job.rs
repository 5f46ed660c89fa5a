//! What is asked of a run, checked: from the command and the inputs.

use crate::cli::Command;
use crate::failure::Failure;
use crate::inputs::{Environment, RawInputs};
use crate::platform;
use crate::redact::Door;
use crate::request::{self, Grant, Reach, Request, Shift, Target};

/// What is asked, checked.
pub(super) struct Job {
    pub(super) task: Task,
    /// Only what would be done is asked for.
    pub(super) preview: bool,
}

/// What is to be true afterwards.
pub(super) enum Task {
    /// `upsert`
    Upsert(Box<Request>),
    /// `promote`, `rollback`
    Shift(Box<Shift>),
}

impl Task {
    /// Checks the inputs of a command, which is `upsert`, `promote` or `rollback`.
    pub(super) fn check(
        command: Command,
        raw: RawInputs,
        environment: &Environment,
        door: &Door,
    ) -> Result<Self, Failure> {
        if let Some(promote) = is_promote(command) {
            let shift = Shift::check(promote, &raw, environment)?;
            return Ok(Self::Shift(Box::new(shift)));
        }
        let from_action = raw.from_action;
        platform::check_source(environment, &raw)?;
        let source = request::load(&raw, environment, |bytes| door.hide(bytes))?;
        if source.unmasked && from_action && platform::is_github(environment) {
            // Only text: the runner's masks are text.
            if let Ok(text) = str::from_utf8(source.bytes.expose()) {
                door.mask(text);
            }
        }
        Request::check(raw, source, environment)
            .map(Box::new)
            .map(Self::Upsert)
    }
}

impl Job {
    pub(super) fn target(&self) -> &Target {
        match &self.task {
            Task::Upsert(request) => &request.target,
            Task::Shift(shift) => &shift.target,
        }
    }

    pub(super) fn reach(&self) -> &Reach {
        match &self.task {
            Task::Upsert(request) => &request.reach,
            Task::Shift(shift) => &shift.reach,
        }
    }

    pub(super) fn doubts(&self) -> &[String] {
        match &self.task {
            Task::Upsert(request) => &request.doubts,
            Task::Shift(shift) => &shift.doubts,
        }
    }
}

/// The rights that `command` needs.
pub(super) fn grant(
    command: Command,
    raw: RawInputs,
    environment: &Environment,
) -> Result<Grant, Failure> {
    Grant::check(is_promote(command), raw, environment)
}

/// `None` for what is no move between versions.
fn is_promote(command: Command) -> Option<bool> {
    match command {
        Command::Promote => Some(true),
        Command::Rollback => Some(false),
        Command::Upsert | Command::Plan | Command::IamPolicy => None,
    }
}

/// What is to be done, and for which command: `plan` and `iam-policy` on the command line are about the command
/// that the input names.
pub(super) fn commands(line: Option<Command>, given: Option<Command>) -> (Command, Command) {
    let asked = line.or(given).unwrap_or(Command::Upsert);
    let about = match asked {
        Command::Plan | Command::IamPolicy => given
            .filter(|given| line.is_some() && !matches!(given, Command::Plan | Command::IamPolicy))
            .unwrap_or(Command::Upsert),
        itself => itself,
    };
    (asked, about)
}
