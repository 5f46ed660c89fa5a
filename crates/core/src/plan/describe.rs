//! The steps of a plan as text for the command `plan`: what each does, and which difference is the reason. Of a value it
//! never shows more than the length.

use super::kms::DEFAULT_KEY;
use super::step::{Plan, Step};
use crate::outcome::PlannedStep;
use crate::request::Request;
use crate::state::{Observed, PolicyView, Present, ReplicaStatus, SecretMetadata};
use crate::value::SecretValue;

/// The shortest value whose length is shown. The length of a shorter one would help to guess it.
const MIN_SHOWN_LENGTH: usize = 16;

/// Describes each step of a plan that changes or awaits something.
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

fn single(what: impl Into<String>, why: impl Into<String>) -> Vec<PlannedStep> {
    vec![PlannedStep {
        what: what.into(),
        why: why.into(),
    }]
}

impl Describer<'_> {
    fn step(&self, step: &Step) -> Vec<PlannedStep> {
        match step {
            Step::Create { otherwise, .. } => self.create(otherwise.as_deref()),
            Step::Restore => single(
                "restore the secret",
                "it is scheduled for deletion; what else there is to do is seen after that",
            ),
            Step::Wait | Step::Yield => Vec::new(),
            Step::Update {
                description,
                kms_key,
            } => self.update(*description, *kms_key),
            Step::Put { base } => single(
                format!("write the value as a new version, {}", self.request.label()),
                self.why_write(base.as_deref()),
            ),
            Step::Swap { base } => self.swap(base.as_deref()),
            Step::Label { label, from } => single(
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
            Step::Sweep(labels) => single(
                format!("take off {} private labels", labels.len()),
                "runs that were killed left them behind",
            ),
            Step::Untag(keys) => single(
                format!("remove the tags {}", keys.join(", ")),
                "they are not listed, and `tag-policy` is `replace`",
            ),
            Step::Tag(tags) => tags
                .iter()
                .flat_map(|(key, value)| {
                    single(
                        format!("set the tag {key}={value}"),
                        self.current_text(self.secret().and_then(|secret| secret.tags.get(key))),
                    )
                })
                .collect(),
            Step::Unreplicate(regions) => single(
                format!("remove the replicas in {}", regions.join(", ")),
                "they are not listed, or have another KMS key, and `replica-policy` is `replace`",
            ),
            Step::Replicate(regions) => regions
                .keys()
                .flat_map(|region| {
                    single(
                        format!("replicate it to {region}"),
                        self.why_replicate(region),
                    )
                })
                .collect(),
            Step::AwaitReplicas(regions) => single(
                format!("wait for the replicas in {}", regions.join(", ")),
                "they are not in sync yet",
            ),
            Step::CheckPolicy => single(
                "have AWS validate the resource policy",
                "it must neither be public nor lock this run out",
            ),
            Step::SetPolicy => single(
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
    fn current_text(&self, current: Option<&String>) -> String {
        match (self.present, current) {
            (None, _) => "what there is cannot be seen".to_owned(),
            (Some(_), None) => "there is none".to_owned(),
            (Some(_), Some(current)) => format!("it is `{current}`"),
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
            return single(what, "it does not exist");
        };
        let mut all = single(what, "if it does not exist, which cannot be seen");
        for planned in otherwise.iter().flat_map(|step| self.step(step)) {
            all.extend(single(
                format!("{}, if it exists", planned.what),
                planned.why,
            ));
        }
        all
    }

    fn update(&self, description: bool, kms_key: bool) -> Vec<PlannedStep> {
        let secret = self.secret();
        let mut all = Vec::new();
        if let Some(text) = self.request.description.as_ref().filter(|_| description) {
            all.extend(single(
                format!("write the description `{text}`"),
                self.current_text(secret.and_then(|secret| secret.description.as_ref())),
            ));
        }
        if let Some(key) = self.request.kms_key_id.as_ref().filter(|_| kms_key) {
            let default = DEFAULT_KEY.to_owned();
            let current = secret.map(|secret| secret.kms_key_id.as_ref().unwrap_or(&default));
            all.extend(single(
                format!("write the KMS key `{key}`"),
                self.current_text(current),
            ));
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
        let (keys, difference) = match &keys[..] {
            [] => {
                return single(
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
        single(
            format!("set the {keys} of the document, in a new version, AWSCURRENT"),
            base.map_or_else(
                || "there is no current version".to_owned(),
                |base| format!("version {base} {difference}"),
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
