//! What is asked of a run, checked: from the command and the inputs.

use crate::cli::Command;
use crate::failure::{Class, Failure};
use crate::inputs::{Environment, RawInputs};
use crate::platform;
use crate::redact::Door;
use crate::request::{self, Batch, Grant, Reach, Request, Secrecy, Shift, Target};

/// What is asked, checked.
pub(super) enum Task {
    /// One secret.
    One(One),
    /// A manifest.
    Many(Box<Batch>),
}

/// What is to be true of one secret afterwards.
pub(super) enum One {
    /// `upsert`
    Upsert(Box<Request>),
    /// `promote`, `rollback`
    Shift(Box<Shift>),
}

/// Tells the runner of a value that it cannot know, where it is one that masks, and started us itself.
pub(super) fn masker<'a>(
    environment: &Environment,
    from_action: bool,
    door: &'a Door,
) -> impl Fn(&[u8]) + use<'a> {
    let masks = from_action && platform::is_github(environment);
    move |bytes| {
        // Only text: the runner's masks are text.
        if let Some(text) = str::from_utf8(bytes).ok().filter(|_| masks) {
            door.mask(text);
        }
    }
}

fn without_manifest(raw: &RawInputs, input: &str) -> Failure {
    Failure::new(
        Class::Input,
        format!(
            "{} is for a manifest, and none is given",
            request::Spelling::of(raw).name(input)
        ),
        "give the manifest's path in `manifest`, or leave the input out",
    )
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
            if raw.manifest.is_some() {
                return Err(Failure::new(
                    Class::Input,
                    format!(
                        "{} says nothing to `promote` and `rollback`, which are about one secret",
                        request::Spelling::of(&raw).name("manifest")
                    ),
                    "name the secret in `name`, or leave the command out",
                ));
            }
            let shift = Shift::check(promote, &raw, environment)?;
            return Ok(Self::One(One::Shift(Box::new(shift))));
        }
        if let Some(path) = raw.manifest.clone() {
            let hide = |bytes: &[u8]| door.hide(bytes);
            let mask = masker(environment, raw.from_action, door);
            let secrecy = Secrecy {
                hide: &hide,
                mask: &mask,
            };
            return Batch::check(&raw, &path, environment, Some(&secrecy))
                .map(Box::new)
                .map(Self::Many);
        }
        for (input, given) in [
            ("only", &raw.only),
            ("rate", &raw.rate),
            ("fail-fast", &raw.fail_fast),
            ("all-or-nothing", &raw.all_or_nothing),
        ] {
            if given.is_some() {
                return Err(without_manifest(&raw, input));
            }
        }
        let from_action = raw.from_action;
        platform::check_source(environment, &raw)?;
        let source = request::load(&raw, environment, |bytes| door.hide(bytes))?;
        if source.unmasked {
            masker(environment, from_action, door)(source.bytes.expose());
        }
        Request::check(raw, source, environment)
            .map(|request| Self::One(One::Upsert(Box::new(request))))
    }

    pub(super) fn reach(&self) -> &Reach {
        match self {
            Self::One(one) => one.reach(),
            Self::Many(batch) => &batch.reach,
        }
    }
}

impl One {
    pub(super) fn target(&self) -> &Target {
        match self {
            Self::Upsert(request) => &request.target,
            Self::Shift(shift) => &shift.target,
        }
    }

    pub(super) fn reach(&self) -> &Reach {
        match self {
            Self::Upsert(request) => &request.reach,
            Self::Shift(shift) => &shift.reach,
        }
    }

    pub(super) fn doubts(&self) -> &[String] {
        match self {
            Self::Upsert(request) => &request.doubts,
            Self::Shift(shift) => &shift.doubts,
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
