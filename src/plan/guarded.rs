//! Decisions of guarded writes, `expected-version-id` and `json-key`: what is written, on which version it
//! builds, and when another run goes first. Pure, like the rest of the plan.

use std::fmt;
use std::sync::Arc;

use super::{Plan, Step, denied_by, rotation, version};
use crate::aws::Described;
use crate::failure::{Class, Failure};
use crate::json;
use crate::lease::{self, Standing};
use crate::observe::Present;
use crate::outcome::Outcome;
use crate::request::{CURRENT, JsonKey, Request};
use crate::value::{Kind, MAX_BYTES, SecretBytes, SecretValue};

/// How often a private label of another run is seen on the same version before we go on all the same: a living run
/// holds it for three calls only. Going on costs a version at worst, never an update.
const POLITE: u32 = 5;

/// A document made of what was there and what is asked.
#[derive(Clone)]
pub struct Document(Arc<SecretValue>);

impl Document {
    /// What is to be written.
    #[must_use]
    pub fn value(&self) -> &SecretValue {
        &self.0
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Document")
    }
}

impl PartialEq for Document {
    fn eq(&self, other: &Self) -> bool {
        self.0.same_as(&other.0)
    }
}

impl Eq for Document {}

pub(super) fn plan(
    request: &Request,
    present: &Present,
    done: &Outcome,
    region: &str,
    plan: &mut Plan,
) -> Result<(), Failure> {
    let secret = &present.secret;
    let holder = secret.holder(CURRENT);
    if let (Some(denied), true) = (&present.unread, !request.json.is_empty()) {
        return Err(denied_by(denied, request, Some(&secret.arn), region));
    }
    // Before any guard: a re-run finds its own work.
    let same = if request.seeds {
        holder.is_some()
    } else if request.json.is_empty() {
        present
            .value
            .as_ref()
            .is_some_and(|value| request.is_met_by(value))
    } else {
        plan.document = edited(&request.json, present.value.as_ref(), &secret.name)?;
        plan.document.is_none()
    };
    if same {
        plan.keep = holder.map(|id| version(secret, id));
        return Ok(());
    }
    // What was written under the same token, and cannot be read: AWS compares it.
    let may_be_ours = present.value.is_none() && holder.is_some() && done.own.as_deref() == holder;
    let base = match request.expected.as_deref() {
        Some(expected) if may_be_ours => Some(expected),
        Some(expected) if holder != Some(expected) => {
            return Err(not_current(&secret.name, expected, holder));
        }
        _ => holder,
    };
    if has_rivals(present, done) {
        plan.steps = vec![Step::Yield];
        return Ok(());
    }
    if let Some(text) = rotation(secret) {
        plan.note(text);
    }
    if present.unread.is_some() {
        plan.note("reading the current value (GetSecretValue) is denied: it is written without comparing, and so may make a version that changes nothing");
    }
    plan.add(Step::Swap {
        base: base.map(str::to_owned),
    });
    Ok(())
}

/// The document with its keys set; `None` where they are set already.
fn edited(
    keys: &[JsonKey],
    current: Option<&SecretValue>,
    name: &str,
) -> Result<Option<Document>, Failure> {
    let refuse = |why: String| {
        Failure::new(
            Class::Refused,
            format!("{name} holds no JSON object that keys could be set in"),
            "store a whole document first (leave `json-key` or `merge` out), or use another secret",
        )
        .because(why)
    };
    if current.is_some_and(|current| current.kind() == Kind::Binary) {
        return Err(refuse("its current value is binary".to_owned()));
    }
    let there = current.map_or(&b"{}"[..], SecretValue::expose);
    match json::apply_edits(there, keys.iter().map(JsonKey::edit)) {
        Ok(None) => Ok(None),
        Ok(Some(text)) => document(text.as_bytes().to_vec(), name).map(Some),
        Err(why) => Err(refuse(why.to_string())),
    }
}

/// Whether a value that is there has the request's keys already.
pub(super) fn has_keys(request: &Request, there: &SecretValue) -> bool {
    edited(&request.json, Some(there), &request.target.id).is_ok_and(|edited| edited.is_none())
}

/// The document of a secret that has none yet.
pub(super) fn new_document(request: &Request) -> Result<Option<Document>, Failure> {
    if request.json.is_empty() {
        return Ok(None);
    }
    edited(&request.json, None, &request.target.id)
}

fn document(bytes: Vec<u8>, name: &str) -> Result<Document, Failure> {
    let value = SecretValue::stored(SecretBytes::new(bytes), Kind::String);
    if value.expose().len() > MAX_BYTES {
        return Err(Failure::new(
            Class::Limit,
            format!(
                "the JSON document of {name} would be larger than {MAX_BYTES} bytes, the most that Secrets Manager stores"
            ),
            "remove keys that nobody needs, or use a second secret",
        ));
    }
    Ok(Document(Arc::new(value)))
}

/// `expected-version-id` is not met.
pub(crate) fn not_current(name: &str, expected: &str, holder: Option<&str>) -> Failure {
    let (why, next) = match holder {
        Some(holder) => (
            format!("AWSCURRENT is on version {holder}"),
            "somebody wrote since that version was looked at: look at theirs, and run again with its id where this shall replace it",
        ),
        None => (
            "there is no current version".to_owned(),
            "leave `expected-version-id` out to write a first version",
        ),
    };
    Failure::new(
        Class::Conflict,
        format!("version {expected}, which is expected, is not current in {name}"),
        next,
    )
    .because(why)
}

/// Runs that are about to move AWSCURRENT, as far as labels tell.
fn has_rivals(present: &Present, done: &Outcome) -> bool {
    labels(&present.secret, done).any(|(label, version)| {
        lease::standing(label, present.at) == Standing::Living
            && done.rivals.get(&seen(label, version)).copied().unwrap_or(0) < POLITE
    })
}

/// How a private label on a version is counted.
pub(crate) fn seen(label: &str, version: &str) -> String {
    format!("{label} {version}")
}

/// Labels that are not this run's own, and the versions that hold them.
pub(crate) fn labels<'a>(
    secret: &'a Described,
    done: &'a Outcome,
) -> impl Iterator<Item = (&'a str, &'a str)> {
    let own = done.lease.as_ref().map(|lease| lease.label.as_str());
    secret
        .versions
        .iter()
        .flat_map(|(id, labels)| {
            labels
                .iter()
                .map(move |label| (label.as_str(), id.as_str()))
        })
        .filter(move |(label, _)| Some(*label) != own)
}

/// Private labels of runs that were killed: taken off by the next guarded one.
pub(super) fn sweep(request: &Request, present: &Present, done: &Outcome, plan: &mut Plan) {
    if request.expected.is_none() && request.json.is_empty() {
        return;
    }
    let expired: Vec<_> = labels(&present.secret, done)
        .filter(|(label, _)| lease::standing(label, present.at) == Standing::Expired)
        .map(|(label, version)| (label.to_owned(), version.to_owned()))
        .collect();
    if !expired.is_empty() {
        plan.add(Step::Sweep(expired));
    }
}

/// What AWS does with the first version of a secret, whatever labels are asked for.
pub(super) fn first_is_current(request: &Request, plan: &mut Plan) {
    plan.warn(format!(
        "{} has no version yet: AWS makes the first one current as well",
        request.target.id
    ));
}
