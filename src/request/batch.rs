//! A manifest checked, with everything around it: all that is wrong with it is told at once, each at its place in the
//! file. What needs a network is only the values of other secrets; the rest of such an entry is checked with a
//! stand-in first.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Read as _;
use std::sync::Arc;
use std::time::Duration;

use glob::Pattern;

use super::material::{Found, Part, Secrecy};
use super::{Problems, Reach, Request, Settings, Spelling, identity, reach, region};
use crate::failure::{Class, Failure, io_reason};
use crate::inputs::{Environment, RawInputs};
use crate::manifest::{self, Given, Manifest, Origin, Reference};
use crate::value::SecretBytes;

mod assemble;
mod check;
mod guard;

use assemble::assemble;
use check::{Checked, Checker};

/// A release of a platform team is thousands of secrets at fifty a second.
const DEFAULT_TIMEOUT: Duration = Duration::from_mins(60);
/// Below AWS's 50 a second, because others work in the account too.
const DEFAULT_RATE: u32 = 40;
/// More than AWS gives anybody; a mistake.
const MAX_RATE: u32 = 1_000;

/// Inputs that are about the run, not about one secret.
const OF_THE_RUN: &[&str] = &[
    "command",
    "manifest",
    "only",
    "rate",
    "fail-fast",
    "all-or-nothing",
    "version-id-key",
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

/// Many secrets, checked.
pub struct Batch {
    /// In the order of the file.
    pub drafts: Vec<Draft>,
    /// How AWS is reached.
    pub reach: Arc<Reach>,
    /// Calls a second of each family of operations.
    pub rate: u32,
    /// Nothing more is begun after a failure.
    pub fail_fast: bool,
    /// All become current, or none.
    pub all_or_nothing: bool,
    /// What may be a mistake, though not a reason to refuse.
    pub doubts: Vec<String>,
}

/// One secret of a manifest.
pub enum Draft {
    /// All is known.
    Whole(Box<Request>),
    /// Values of other secrets are missing.
    Lacking(Box<Lacking>),
}

/// A secret whose value, or a part of it, is in another secret.
pub struct Lacking {
    target: Box<manifest::Target>,
    parts: Vec<Part>,
    /// How each place is reached that values come from, by region and role.
    places: Arc<BTreeMap<Place, Arc<Reach>>>,
    around: Around,
}

/// Where another secret is: region and role, where they are other ones than this run's.
pub(super) type Place = (Option<String>, Option<String>);

/// What all entries share.
#[derive(Clone)]
struct Around {
    reach: Arc<Reach>,
    key: Option<Arc<SecretBytes>>,
    all_or_nothing: bool,
}

impl Draft {
    /// The secret, as it was named.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Whole(request) => &request.target.id,
            Self::Lacking(lacking) => &lacking.target.name,
        }
    }
}

impl Batch {
    /// Checks everything that needs no network. `path` is the manifest. Without `secrecy` no value is looked at, and
    /// each has a stand-in.
    ///
    /// # Errors
    /// Every problem at once, class `bad input`; or unusable credentials in the environment.
    pub fn check(
        raw: &RawInputs,
        path: &str,
        environment: &Environment,
        secrecy: Option<&Secrecy<'_>>,
    ) -> Result<Self, Failure> {
        let mut problems = Problems::new(Spelling::of(raw));
        let mut doubts = Vec::new();
        let settings = Settings::check(environment, &mut problems.found, &mut doubts)?;
        for input in raw.given() {
            if !OF_THE_RUN.contains(&input) {
                problems.add(
                    input,
                    "is about one secret: with a manifest it is a key of that file",
                );
            }
        }
        super::check_key(raw, &mut problems);
        let region = region::choose(raw, None, environment, &mut problems, &mut doubts);
        let timeout = reach::timeout(raw.timeout.as_deref(), DEFAULT_TIMEOUT, &mut problems);
        let rate = match raw.rate.as_deref().map(str::parse) {
            None => DEFAULT_RATE,
            Some(Ok(rate)) if (1..=MAX_RATE).contains(&rate) => rate,
            Some(_) => {
                problems.add("rate", format!("must be a number from 1 to {MAX_RATE}"));
                DEFAULT_RATE
            }
        };
        let only = raw
            .only
            .as_deref()
            .map(|text| patterns(text, &mut problems));
        let fail_fast = flag("fail-fast", raw.fail_fast.as_deref(), &mut problems);
        let together = flag(
            "all-or-nothing",
            raw.all_or_nothing.as_deref(),
            &mut problems,
        );
        let (identity, unusable) =
            match identity::check(raw, environment, &mut problems, &mut doubts) {
                Ok(identity) => (identity, None),
                Err(why) => (identity::Identity::default(), Some(why)),
            };
        problems.verdict()?;
        let reach = Arc::new(Reach {
            region,
            identity: Arc::new(identity),
            timeout,
            settings,
        });
        let text = read(path).map_err(|why| unreadable(path, &why))?;
        let shown = RefCell::new(BTreeSet::new());
        let lookup = |name: &str| {
            shown.borrow_mut().insert(name.to_owned());
            environment.text(name).map(str::to_owned)
        };
        let (manifest, mut wrong) = manifest::read(&text, &lookup);
        let Some(Manifest {
            all_or_nothing,
            mut targets,
        }) = manifest
        else {
            return Err(refusal(path, &wrong));
        };
        // Of all of them: what `only` leaves out is no less a secret.
        for why in guard::shown(&shown.borrow(), &targets, raw, environment) {
            problems.found.push(format!("{path}: {why}"));
        }
        if let Some(only) = only {
            targets.retain(|target| only.iter().any(|pattern| pattern.matches(&target.name)));
            if targets.is_empty() && wrong.is_empty() {
                problems.add("only", "fits no secret of the manifest");
            }
        }
        problems.verdict()?;
        if let Some(why) = unusable {
            return Err(why);
        }
        let around = Around {
            reach: Arc::clone(&reach),
            key: raw.version_id_key.clone(),
            all_or_nothing: raw
                .all_or_nothing
                .as_ref()
                .map_or(all_or_nothing.unwrap_or_default(), |_| together),
        };
        let mut checker = Checker {
            raw,
            environment,
            secrecy,
            around: &around,
            found: Vec::new(),
            places: BTreeMap::new(),
            names: BTreeMap::new(),
        };
        let checked: Vec<_> = targets
            .into_iter()
            .filter_map(|target| checker.target(target, &mut doubts))
            .collect();
        checker
            .found
            .extend(guard::circles(&checked, &checker.names, &around.reach));
        wrong.extend(manifest::place(&text, checker.found));
        if !wrong.is_empty() {
            // In the file's order; what has no place is a count of more.
            wrong.sort_by_key(|problem| (problem.place.is_none(), problem.place));
            return Err(refusal(path, &wrong));
        }
        let places = Arc::new(checker.places);
        let drafts = checked
            .into_iter()
            .map(|checked| match checked {
                Checked::Whole(request) => Draft::Whole(request),
                Checked::Lacking(target, parts) => Draft::Lacking(Box::new(Lacking {
                    target,
                    parts,
                    places: Arc::clone(&places),
                    around: around.clone(),
                })),
            })
            .collect();
        Ok(Self {
            drafts,
            rate,
            fail_fast,
            all_or_nothing: around.all_or_nothing,
            reach,
            doubts,
        })
    }
}

impl Lacking {
    /// The secrets whose values are missing, and how they are reached.
    pub fn origins(&self) -> impl Iterator<Item = (&Origin, &Arc<Reach>)> {
        self.parts.iter().filter_map(|part| match part {
            Part::There(origin) => Some((origin, self.places.get(&place(origin))?)),
            Part::Here(_) => None,
        })
    }

    /// The request with stand-ins for the values that are missing.
    #[must_use]
    pub fn with_stand_ins(&self) -> Request {
        let found: Vec<Found> = self.parts.iter().map(Part::or_stand_in).collect();
        assemble(&self.target, &found, &self.around).0
    }

    /// The request, with these values in the order of [`Lacking::origins`].
    ///
    /// # Errors
    /// The value cannot be stored as asked.
    pub fn complete(&self, values: impl IntoIterator<Item = Found>) -> Result<Request, Failure> {
        let mut values = values.into_iter();
        let found: Vec<Found> = self
            .parts
            .iter()
            .filter_map(|part| match part {
                Part::Here(found) => Some(found.clone()),
                Part::There(_) => values.next(),
            })
            .collect();
        let (request, wrong) = assemble(&self.target, &found, &self.around);
        if wrong.is_empty() {
            return Ok(request);
        }
        let wrong: Vec<_> = wrong
            .into_iter()
            .map(|(key, why)| format!("`{key}` of {} {why}", self.target.name))
            .collect();
        Err(Failure::new(
            Class::Input,
            wrong.join("\n"),
            "correct the manifest, or the secret that the value comes from; nothing was written",
        ))
    }
}

/// Variables that hold values.
fn patterns(text: &str, problems: &mut Problems) -> Vec<Pattern> {
    let mut patterns = Vec::new();
    for one in text
        .split(|c: char| c == ',' || c.is_whitespace())
        .filter(|one| !one.is_empty())
    {
        match Pattern::new(one) {
            Ok(pattern) => patterns.push(pattern),
            Err(_) => problems.add(
                "only",
                "must be names in which `*` is any text, `?` any character and `[a-m]` one of these",
            ),
        }
    }
    patterns
}

fn flag(input: &'static str, given: Option<&str>, problems: &mut Problems) -> bool {
    problems.choice(input, given, &[("false", false), ("true", true)])
}

fn read(path: &str) -> Result<Vec<u8>, String> {
    let unreadable = |error: std::io::Error| io_reason(&error);
    // Before it is opened: a pipe that nobody writes to would be waited for without end.
    if !fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err("it is no regular file".to_owned());
    }
    let mut text = Vec::new();
    File::open(path)
        .map_err(unreadable)?
        // One more, so that it is seen to be too large.
        .take(manifest::MAX_BYTES as u64 + 1)
        .read_to_end(&mut text)
        .map_err(unreadable)?;
    Ok(text)
}

fn unreadable(path: &str, why: &str) -> Failure {
    Failure::new(
        Class::Input,
        format!("the manifest {path} cannot be read"),
        "give the path of the file, seen from the folder that the step runs in; in GitHub Actions check the repository out first",
    )
    .because(why)
}

fn refusal(path: &str, found: &[manifest::Problem]) -> Failure {
    let lines: Vec<_> = found
        .iter()
        .map(|problem| match problem.place {
            Some(_) => format!("{path}:{problem}"),
            None => format!("{path}: {problem}"),
        })
        .collect();
    Failure::new(
        Class::Input,
        lines.join("\n"),
        "correct the manifest; nothing was sent to AWS",
    )
}

/// The references of an entry, and whether each is base64 by itself.
fn references(given: &Given) -> Vec<(&Reference, bool)> {
    match given {
        Given::Value(reference) => vec![(reference, false)],
        Given::Json { members, .. } => members
            .iter()
            .map(|member| (&member.reference, member.base64))
            .collect(),
    }
}

fn place(origin: &Origin) -> Place {
    (origin.region.clone(), origin.role.clone())
}
