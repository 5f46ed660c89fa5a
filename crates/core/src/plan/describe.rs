//! Describes the steps of a plan for the command `plan`: what each step does, and the difference that causes it. Shows at most
//! the length of a value, and only the keys of a document that the request names.

use super::key_changes::{changes, key_list};
use super::kms::{self, Comparison, DEFAULT_KEY};
use super::step::{Plan, Step};
use crate::labels::CURRENT;
use crate::outcome::{PlannedStep, counted};
use crate::quote::plain_text;
use crate::request::Request;
use crate::state::{Observed, PolicyView, Present, ReplicaStatus, SecretMetadata};
use crate::value::SecretValue;

/// The minimum length of a value whose length is shown. The length of a shorter one would help to guess it.
const MIN_SHOWN_LENGTH: usize = 16;

/// Describes each step of a plan that makes or waits for changes.
pub fn describe(plan: &Plan, request: &Request, observed: &Observed) -> Vec<PlannedStep> {
    let mut describer = Describer {
        request,
        present: match observed {
            Observed::Present(present) => Some(present),
            Observed::Absent | Observed::NotDescribable(_) => None,
        },
        plan,
        steps: Vec::new(),
    };
    for step in &plan.steps {
        describer.step(step);
    }
    describer.steps
}

struct Describer<'a> {
    request: &'a Request,
    present: Option<&'a Present>,
    plan: &'a Plan,
    steps: Vec<PlannedStep>,
}

impl Describer<'_> {
    fn add(&mut self, what: impl Into<String>, why: impl Into<String>) {
        self.steps.push(PlannedStep {
            what: what.into(),
            why: why.into(),
        });
    }

    /// Whether the current version already holds the value of a staged write.
    fn keeps_current(&self) -> bool {
        let current = self
            .present
            .and_then(|present| present.secret.holder(CURRENT));
        let kept = self.plan.keep_id();
        self.request.is_staged() && kept.is_some() && kept == current
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Create { otherwise, .. } => self.create(otherwise.as_deref()),
            Step::Restore => self.add(
                "restore the secret",
                "it is scheduled for deletion; further changes are known only after the restore",
            ),
            Step::Wait | Step::Yield => {}
            Step::Update {
                description,
                kms_key,
            } => self.update(*description, *kms_key),
            Step::Put { base } => self.write(base.as_deref(), ""),
            Step::Swap { base } => self.swap(base.as_deref()),
            Step::Label { label, from } => {
                let version = self.plan.keep_id().map(|id| format!("version {id}"));
                let version = version.as_deref().unwrap_or("the new version");
                let holder = from.as_ref().map_or_else(
                    || "no version holds it".to_owned(),
                    |id| format!("version {id} holds it"),
                );
                let why = if self.keeps_current() {
                    format!("{holder}, and the current version has the value")
                } else {
                    holder
                };
                self.add(format!("add the label {label} to {version}"), why);
            }
            Step::Sweep(labels) => self.add(
                format!("remove {} private labels", labels.len()),
                "runs that were killed left them behind",
            ),
            Step::Untag(keys) => self.add(
                format!("remove the tags {}", keys.join(", ")),
                "they are not listed, and `tag-policy` is `replace`",
            ),
            Step::Tag(tags) => {
                for (key, value) in tags {
                    let current = self.secret().and_then(|secret| secret.tags.get(key));
                    let why = self.current_text(current.map(String::as_str));
                    self.add(format!("set the tag {key}={value}"), why);
                }
            }
            Step::Unreplicate(regions) => self.add(
                format!("remove the replicas in {}", regions.join(", ")),
                "they are not listed, or have another KMS key, and `replica-policy` is `replace`",
            ),
            Step::Replicate(regions) => {
                for region in regions.keys() {
                    let why = self.why_replicate(region);
                    self.add(format!("replicate the secret to {region}"), why);
                }
            }
            Step::AwaitReplicas(regions) => self.add(
                format!("wait for the replicas in {}", regions.join(", ")),
                "they are not in sync yet",
            ),
            Step::CheckPolicy(_) => self.add(
                "have AWS validate the resource policy",
                "it must neither be public nor lock out this run",
            ),
            Step::SetPolicy => self.add(
                "write the resource policy",
                match self.present.map(|present| &present.policy) {
                    None => "it is given",
                    Some(PolicyView::Known(None)) => "none is attached",
                    Some(PolicyView::Known(Some(_))) => "a different one is attached",
                    Some(PolicyView::Denied(_) | PolicyView::NotRequested) => {
                        "the attached policy cannot be read"
                    }
                },
            ),
        }
    }

    fn why_replicate(&self, region: &str) -> String {
        let replica = self.secret().and_then(|secret| secret.replica(region));
        match replica.map(|replica| &replica.status) {
            None => "there is no replica".to_owned(),
            Some(ReplicaStatus::Failed(message)) => {
                format!("it has failed: {}", message.quote(&[region]))
            }
            Some(_) => "it has another KMS key".to_owned(),
        }
    }

    fn secret(&self) -> Option<&SecretMetadata> {
        self.present.map(|present| &present.secret)
    }

    /// The current state of a public setting.
    fn current_text(&self, current: Option<&str>) -> String {
        match (self.present, current) {
            (None, _) => "the current state cannot be read".to_owned(),
            (Some(_), None) => "there is none".to_owned(),
            (Some(_), Some(current)) => format!("it is `{}`", plain_text(current)),
        }
    }

    fn create(&mut self, otherwise: Option<&[Step]>) {
        let request = self.request;
        let mut what = match &request.named_keys()[..] {
            [] => "create the secret with the value".to_owned(),
            keys => format!("create the secret with the {}", key_list(keys)),
        };
        if request.description.is_some() {
            what.push_str(", a description");
        }
        if let Some(key) = &request.kms_key_id {
            what.push_str(&format!(", the KMS key {key}"));
        }
        if let Some(tags) = &request.tags {
            what.push_str(&format!(", {}", counted(tags.len(), "tag")));
        }
        if let Some(regions) = &request.replicas {
            let regions: Vec<_> = regions.keys().map(String::as_str).collect();
            what.push_str(&format!(", replicas in {}", regions.join(", ")));
        }
        let Some(otherwise) = otherwise else {
            return self.add(what, "it does not exist");
        };
        self.add(what, "if it does not exist, which cannot be determined");
        let created = self.steps.len();
        for step in otherwise {
            self.step(step);
        }
        for step in &mut self.steps[created..] {
            step.what.push_str(", if it exists");
        }
    }

    fn update(&mut self, description: bool, kms_key: bool) {
        let (request, secret) = (self.request, self.present.map(|present| &present.secret));
        if let Some(text) = request.description.as_ref().filter(|_| description) {
            let current = secret.and_then(|secret| secret.description.as_deref());
            let why = self.current_text(current);
            self.add(format!("write the description `{text}`"), why);
        }
        if let Some(key) = request.kms_key_id.as_ref().filter(|_| kms_key) {
            let stored = secret.and_then(|secret| secret.kms_key_id.as_deref());
            let current = secret.map(|_| stored.unwrap_or(DEFAULT_KEY));
            let mut why = self.current_text(current);
            let arn = secret.map_or("", |secret| &secret.arn);
            if kms::compare(key, stored, arn) == Comparison::SameHere {
                why.push_str(", which callers in other accounts resolve in their own account");
            }
            self.add(format!("write the KMS key `{key}`"), why);
        }
    }

    fn swap(&mut self, base: Option<&str>) {
        if self.request.json.is_empty() {
            return self.write(base, ", unless another writer writes first");
        }
        let keys = self.request.named_keys();
        let what = match self.changes() {
            Some(changes) => format!("write the document as a new version, AWSCURRENT: {changes}"),
            None => format!(
                "set the {} of the document, in a new version, AWSCURRENT",
                key_list(&keys)
            ),
        };
        let difference = match keys.len() {
            1 => "lacks it, or has another value for it",
            _ => "lacks some of them, or has other values for them",
        };
        let why = base.map(|base| format!("version {base} {difference}"));
        self.add(
            what,
            why.as_deref().unwrap_or("there is no current version"),
        );
    }

    /// Describes the write of a complete value.
    fn write(&mut self, base: Option<&str>, condition: &str) {
        let label = self.request.label();
        let (what, why) = match (self.changes(), base) {
            (Some(changes), Some(base)) => (
                format!("write the document as a new version, {label}{condition}: {changes}"),
                format!("version {base}, {label}, holds another document"),
            ),
            _ => (
                format!("write the value as a new version, {label}{condition}"),
                self.why_write(base),
            ),
        };
        self.add(what, why);
    }

    /// How a write changes the keys of the stored document, if the document could be read and compared.
    fn changes(&self) -> Option<String> {
        let stored = self.present?.value.as_ref()?;
        changes(self.request, self.plan, stored)
    }

    fn why_write(&self, base: Option<&str>) -> String {
        let label = self.request.label();
        let base = base.map(|base| format!("version {base}, {label},"));
        match (base, self.present) {
            (None, None) => "the current state cannot be read".to_owned(),
            (None, Some(_)) => format!("no version holds {label}"),
            (Some(base), None) => format!("{base} holds another value"),
            (Some(base), Some(present)) => match &present.value {
                Some(value) => format!("{base} {}", difference(value, &self.request.value)),
                None => format!("{base} was not compared"),
            },
        }
    }
}

fn difference(stored: &SecretValue, wanted: &SecretValue) -> String {
    let (a, b) = (stored.expose().len(), wanted.expose().len());
    if stored.kind() != wanted.kind() {
        "holds a string instead of a binary, or the reverse".to_owned()
    } else if a.min(b) >= MIN_SHOWN_LENGTH {
        format!("holds another value ({a} bytes there, {b} bytes here)")
    } else {
        "holds another value".to_owned()
    }
}
