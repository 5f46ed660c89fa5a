//! The steps of a plan as text for the command `plan`: what each does, and which difference is the reason. Of a value it
//! never shows more than the length.

use super::kms::DEFAULT_KEY;
use super::step::{Plan, Step};
use crate::outcome::{PlannedStep, counted};
use crate::request::Request;
use crate::state::{Observed, PolicyView, Present, ReplicaStatus, SecretMetadata};
use crate::value::SecretValue;

/// The shortest value whose length is shown. The length of a shorter one would help to guess it.
const MIN_SHOWN_LENGTH: usize = 16;

/// Describes each step of a plan that changes or awaits something.
pub fn describe(plan: &Plan, request: &Request, observed: &Observed) -> Vec<PlannedStep> {
    let mut describer = Describer {
        request,
        present: match observed {
            Observed::Present(present) => Some(present),
            Observed::Absent | Observed::NotDescribable(_) => None,
        },
        kept: plan.keep_id(),
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
    kept: Option<&'a str>,
    steps: Vec<PlannedStep>,
}

impl Describer<'_> {
    fn add(&mut self, what: impl Into<String>, why: impl Into<String>) {
        self.steps.push(PlannedStep {
            what: what.into(),
            why: why.into(),
        });
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Create { otherwise, .. } => self.create(otherwise.as_deref()),
            Step::Restore => self.add(
                "restore the secret",
                "it is scheduled for deletion; what else there is to do is seen after that",
            ),
            Step::Wait | Step::Yield => {}
            Step::Update {
                description,
                kms_key,
            } => self.update(*description, *kms_key),
            Step::Put { base } => self.add(
                format!("write the value as a new version, {}", self.request.label()),
                self.why_write(base.as_deref()),
            ),
            Step::Swap { base } => self.swap(base.as_deref()),
            Step::Label { label, from } => {
                let version = self.kept.map(|id| format!("version {id}"));
                let version = version.as_deref().unwrap_or("the new version");
                let holder = from.as_ref().map(|id| format!("version {id} holds it"));
                self.add(
                    format!("give {version} the label {label}"),
                    holder.as_deref().unwrap_or("no version holds it"),
                );
            }
            Step::Sweep(labels) => self.add(
                format!("take off {} private labels", labels.len()),
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
                    self.add(format!("replicate it to {region}"), why);
                }
            }
            Step::AwaitReplicas(regions) => self.add(
                format!("wait for the replicas in {}", regions.join(", ")),
                "they are not in sync yet",
            ),
            Step::CheckPolicy => self.add(
                "have AWS validate the resource policy",
                "it must neither be public nor lock this run out",
            ),
            Step::SetPolicy => self.add(
                "write the resource policy",
                match self.present.map(|present| &present.policy) {
                    None => "it is given",
                    Some(PolicyView::Known(None)) => "none is attached",
                    Some(PolicyView::Known(Some(_))) => "another one is attached",
                    Some(PolicyView::Denied(_) | PolicyView::NotRequested) => {
                        "what is attached cannot be seen"
                    }
                },
            ),
        }
    }

    fn why_replicate(&self, region: &str) -> String {
        let replica = self.secret().and_then(|secret| secret.replica(region));
        match replica.map(|replica| &replica.status) {
            None => "there is no replica".to_owned(),
            Some(ReplicaStatus::Failed(message)) => format!("it has failed: {message}"),
            Some(_) => "its KMS key is another one".to_owned(),
        }
    }

    fn secret(&self) -> Option<&SecretMetadata> {
        self.present.map(|present| &present.secret)
    }

    /// The current state of something public.
    fn current_text(&self, current: Option<&str>) -> String {
        match (self.present, current) {
            (None, _) => "what there is cannot be seen".to_owned(),
            (Some(_), None) => "there is none".to_owned(),
            (Some(_), Some(current)) => format!("it is `{current}`"),
        }
    }

    fn create(&mut self, otherwise: Option<&[Step]>) {
        let request = self.request;
        let mut what = "create the secret with the value".to_owned();
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
        self.add(what, "if it does not exist, which cannot be seen");
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
            let current = secret.map(|secret| secret.kms_key_id.as_deref().unwrap_or(DEFAULT_KEY));
            let why = self.current_text(current);
            self.add(format!("write the KMS key `{key}`"), why);
        }
    }

    fn swap(&mut self, base: Option<&str>) {
        let keys = self.request.json.iter().map(|json| json.path.to_string());
        let keys: Vec<_> = keys.collect();
        let (keys, difference) = match &keys[..] {
            [] => {
                return self.add(
                    "write the value as a new version, AWSCURRENT, if nobody else writes meanwhile",
                    self.why_write(base),
                );
            }
            [key] => (
                format!("key {key}"),
                "does not have it, or has another value there",
            ),
            _ => (
                format!("keys {}", keys.join(", ")),
                "does not have all of them, or has other values there",
            ),
        };
        let why = base.map(|base| format!("version {base} {difference}"));
        self.add(
            format!("set the {keys} of the document, in a new version, AWSCURRENT"),
            why.as_deref().unwrap_or("there is no current version"),
        );
    }

    fn why_write(&self, base: Option<&str>) -> String {
        let label = self.request.label();
        let base = base.map(|base| format!("version {base}, {label},"));
        match (base, self.present) {
            (None, None) => "what there is cannot be seen".to_owned(),
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
        "holds a string where a binary is asked for, or the other way round".to_owned()
    } else if a.min(b) >= MIN_SHOWN_LENGTH {
        format!("holds another value ({a} bytes there, {b} bytes here)")
    } else {
        "holds another value".to_owned()
    }
}
