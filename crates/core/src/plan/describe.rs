//! A plan in words: each step, and why. It is for people, so it says what differs; of a value never more than its length.

use super::step::{Plan, Step};
use crate::outcome::PlannedStep;
use crate::request::Request;
use crate::state::{Observed, PolicyView, Present, ReplicaStatus, SecretMetadata};
use crate::value::SecretValue;

/// Lengths are told from here on: that of a shorter value would help to guess it.
const TELLING_BYTES: usize = 16;

/// The steps of a plan, in words.
#[must_use]
pub fn describe(plan: &Plan, request: &Request, observed: &Observed) -> Vec<PlannedStep> {
    let describer = Describer {
        request,
        present: match observed {
            Observed::Present(present) => Some(present),
            Observed::Absent | Observed::NotDescribable(_) => None,
        },
        kept: plan.keep_id(),
    };
    plan.steps
        .iter()
        .flat_map(|step| describer.step(step))
        .collect()
}

struct Describer<'a> {
    request: &'a Request,
    present: Option<&'a Present>,
    kept: Option<&'a str>,
}

fn one(what: impl Into<String>, why: impl Into<String>) -> Vec<PlannedStep> {
    vec![PlannedStep {
        what: what.into(),
        why: why.into(),
    }]
}

impl Describer<'_> {
    fn step(&self, step: &Step) -> Vec<PlannedStep> {
        match step {
            Step::Create { otherwise, .. } => self.create(otherwise.as_deref()),
            Step::Restore => one(
                "restore the secret",
                "it is scheduled for deletion; what else there is to do is seen after that",
            ),
            Step::Wait | Step::Yield => Vec::new(),
            Step::Update {
                description,
                kms_key,
            } => self.update(*description, *kms_key),
            Step::Put { base } => one(
                format!("write the value as a new version, {}", self.request.label()),
                self.why_write(base.as_deref()),
            ),
            Step::Swap { base } => self.swap(base.as_deref()),
            Step::Label { label, from } => one(
                format!(
                    "give {} the label {label}",
                    self.kept.map_or_else(
                        || "the new version".to_owned(),
                        |id| format!("version {id}")
                    )
                ),
                from.as_ref().map_or_else(
                    || "no version holds it".to_owned(),
                    |id| format!("version {id} holds it"),
                ),
            ),
            Step::Sweep(labels) => one(
                format!("take off {} private labels", labels.len()),
                "runs that were killed left them behind",
            ),
            Step::Untag(keys) => one(
                format!("remove the tags {}", keys.join(", ")),
                "they are not listed, and `tag-policy` is `replace`",
            ),
            Step::Tag(tags) => tags
                .iter()
                .flat_map(|(key, value)| {
                    one(
                        format!("set the tag {key}={value}"),
                        self.is(self.secret().and_then(|secret| secret.tags.get(key))),
                    )
                })
                .collect(),
            Step::Unreplicate(regions) => one(
                format!("remove the replicas in {}", regions.join(", ")),
                "they are not listed, or have another KMS key, and `replica-policy` is `replace`",
            ),
            Step::Replicate(regions) => regions
                .keys()
                .flat_map(|region| {
                    one(
                        format!("replicate it to {region}"),
                        self.why_replicate(region),
                    )
                })
                .collect(),
            Step::AwaitReplicas(regions) => one(
                format!("wait for the replicas in {}", regions.join(", ")),
                "they are not in sync yet",
            ),
            Step::CheckPolicy => one(
                "have AWS validate the resource policy",
                "it must neither be public nor lock this run out",
            ),
            Step::SetPolicy => one(
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
        let there = self
            .secret()
            .and_then(|secret| secret.replicas.iter().find(|there| there.region == region));
        match there.map(|there| &there.status) {
            None => "there is no replica".to_owned(),
            Some(ReplicaStatus::Failed(message)) => format!("it has failed: {message}"),
            Some(_) => "its KMS key is another one".to_owned(),
        }
    }

    fn secret(&self) -> Option<&SecretMetadata> {
        self.present.map(|present| &present.secret)
    }

    /// What there is now, of something public.
    fn is(&self, now: Option<&String>) -> String {
        match (self.present, now) {
            (None, _) => "what there is cannot be seen".to_owned(),
            (Some(_), None) => "there is none".to_owned(),
            (Some(_), Some(now)) => format!("it is `{now}`"),
        }
    }

    fn create(&self, otherwise: Option<&[Step]>) -> Vec<PlannedStep> {
        let request = self.request;
        let parts = [
            request
                .description
                .as_ref()
                .map(|_| "a description".to_owned()),
            request
                .kms_key_id
                .as_ref()
                .map(|key| format!("the KMS key {key}")),
            request.tags.as_ref().map(|tags| match tags.len() {
                1 => "1 tag".to_owned(),
                more => format!("{more} tags"),
            }),
            request.replicas.as_ref().map(|regions| {
                let regions: Vec<_> = regions.keys().cloned().collect();
                format!("replicas in {}", regions.join(", "))
            }),
        ];
        let parts: Vec<_> = std::iter::once("the value".to_owned())
            .chain(parts.into_iter().flatten())
            .collect();
        let what = format!("create the secret with {}", parts.join(", "));
        let Some(otherwise) = otherwise else {
            return one(what, "it does not exist");
        };
        let mut all = one(what, "if it does not exist, which cannot be seen");
        for planned in otherwise.iter().flat_map(|step| self.step(step)) {
            all.extend(one(format!("{}, if it exists", planned.what), planned.why));
        }
        all
    }

    fn update(&self, description: bool, kms_key: bool) -> Vec<PlannedStep> {
        let secret = self.secret();
        let mut all = Vec::new();
        if let Some(text) = self.request.description.as_ref().filter(|_| description) {
            all.extend(one(
                format!("write the description `{text}`"),
                self.is(secret.and_then(|secret| secret.description.as_ref())),
            ));
        }
        if let Some(key) = self.request.kms_key_id.as_ref().filter(|_| kms_key) {
            let default = "alias/aws/secretsmanager".to_owned();
            let now = secret.map(|secret| secret.kms_key_id.as_ref().unwrap_or(&default));
            all.extend(one(format!("write the KMS key `{key}`"), self.is(now)));
        }
        all
    }

    fn swap(&self, base: Option<&str>) -> Vec<PlannedStep> {
        let keys: Vec<_> = self
            .request
            .json
            .iter()
            .map(|json| json.path.to_string())
            .collect();
        let (keys, have) = match &keys[..] {
            [] => {
                return one(
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
        one(
            format!("set the {keys} of the document, in a new version, AWSCURRENT"),
            base.map_or_else(
                || "there is no current version".to_owned(),
                |base| format!("version {base} {have}"),
            ),
        )
    }

    fn why_write(&self, base: Option<&str>) -> String {
        let label = self.request.label();
        let Some(base) = base else {
            return if self.present.is_some() {
                format!("no version holds {label}")
            } else {
                "what there is cannot be seen".to_owned()
            };
        };
        match self.present.map(|present| present.value.as_ref()) {
            Some(Some(value)) => {
                format!(
                    "version {base}, {label}, {}",
                    difference(value, &self.request.value)
                )
            }
            Some(None) => format!("version {base}, {label}, was not compared"),
            None => format!("version {base}, {label}, holds another value"),
        }
    }
}

fn difference(there: &SecretValue, wanted: &SecretValue) -> String {
    let (a, b) = (there.expose().len(), wanted.expose().len());
    if there.kind() != wanted.kind() {
        "holds a string where a binary is asked for, or the other way round".to_owned()
    } else if a.min(b) >= TELLING_BYTES {
        format!("holds another value ({a} bytes there, {b} bytes here)")
    } else {
        "holds another value".to_owned()
    }
}
