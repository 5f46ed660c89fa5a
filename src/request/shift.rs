//! `promote` and `rollback`, checked: which version shall be current, and what must hold for that.

use std::sync::Arc;

use super::{
    Identity, OnRotation, Problems, Reach, Settings, Spelling, Target, identity, labels, reach,
    region,
};
use crate::failure::Failure;
use crate::inputs::{Environment, RawInputs};

/// The label of `promote` where none is given.
const CANDIDATE: &str = "candidate";

/// A move of AWSCURRENT between versions that exist. Everything in it has been checked.
pub struct Shift {
    /// Which secret.
    pub target: Target,
    /// To which version.
    pub ask: Ask,
    /// The version that must be current before it.
    pub expected: Option<String>,
    /// What happens to a secret with rotation.
    pub on_rotation: OnRotation,
    /// How AWS is reached.
    pub reach: Reach,
    /// What may be a mistake, though not a reason to refuse.
    pub doubts: Vec<String>,
}

/// Which version shall be current.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// This one.
    Promote(Which),
    /// The one that was current before, if it is the older one.
    Rollback,
}

/// How a version is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// Whichever holds this label.
    Stage(String),
    /// By its id.
    Version(String),
}

/// Inputs that say something to these commands.
const KNOWN: &[&str] = &[
    "command",
    "name",
    "stage",
    "version-id",
    "expected-version-id",
    "on-rotation",
    "aws-region",
    "role-to-assume",
    "role-session-name",
    "role-duration-seconds",
    "role-external-id",
    "role-chaining",
    "audience",
    "web-identity-token-env",
    "allowed-account-ids",
    "output-file",
    "timeout",
];

impl Shift {
    /// Checks everything that needs no network. `promote` is the command, else it is `rollback`.
    ///
    /// # Errors
    /// Every problem at once, class `bad input`; or unusable credentials in the environment.
    pub fn check(
        promote: bool,
        raw: &RawInputs,
        environment: &Environment,
    ) -> Result<Self, Failure> {
        let mut problems = Problems::new(Spelling::of(raw));
        let mut doubts = Vec::new();
        let settings = Settings::check(environment, &mut problems.found, &mut doubts)?;
        let target = Target::given(raw.name.as_deref(), &mut problems);
        let region = region::choose(
            raw,
            target.as_ref(),
            environment,
            &mut problems,
            &mut doubts,
        );
        let ask = if promote {
            Ask::Promote(which(raw, &mut problems))
        } else {
            for (input, given) in [("stage", &raw.stage), ("version-id", &raw.version_id)] {
                if given.is_some() {
                    problems.add(
                        input,
                        "is for the command `promote`; `rollback` always goes to AWSPREVIOUS's version",
                    );
                }
            }
            Ask::Rollback
        };
        let expected = labels::version_id(
            "expected-version-id",
            raw.expected_version_id.as_deref(),
            &mut problems,
        );
        let on_rotation = problems.choice(
            "on-rotation",
            raw.on_rotation.as_deref(),
            &[("fail", OnRotation::Fail), ("allow", OnRotation::Allow)],
        );
        let word = if promote { "promote" } else { "rollback" };
        for input in raw.given() {
            if !KNOWN.contains(&input) {
                doubts.push(format!(
                    "{} says nothing to `{word}`, which writes no value and no metadata: it is ignored",
                    problems.spelling.name(input)
                ));
            }
        }
        let timeout = reach::timeout(
            raw.timeout.as_deref(),
            reach::DEFAULT_TIMEOUT,
            &mut problems,
        );
        let identity = identity::check(raw, environment, &mut problems, &mut doubts);
        if !problems.found.is_empty() {
            return Err(problems.failure());
        }
        Ok(Self {
            target: target.unwrap_or_default(),
            ask,
            expected,
            on_rotation,
            reach: Reach {
                region,
                identity: Arc::<Identity>::new(identity?),
                timeout,
                settings,
            },
            doubts,
        })
    }
}

fn which(raw: &RawInputs, problems: &mut Problems) -> Which {
    match (&raw.stage, &raw.version_id) {
        (Some(_), Some(_)) => {
            problems.add(
                "version-id",
                "and `stage` are both given: one of them says which version",
            );
            Which::Stage(CANDIDATE.to_owned())
        }
        (None, Some(_)) => Which::Version(
            labels::version_id("version-id", raw.version_id.as_deref(), problems)
                .unwrap_or_default(),
        ),
        (stage, None) => Which::Stage(stage.as_deref().map_or_else(
            || CANDIDATE.to_owned(),
            |stage| labels::one(stage, problems),
        )),
    }
}
