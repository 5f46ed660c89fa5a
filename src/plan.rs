//! Every decision: a pure function of what is asked, what there is, and what this run has done so
//! far. No AWS, no clock, no environment; so every decision is tested without a network.

use std::collections::BTreeMap;

use crate::aws::Described;
use crate::failure::{Class, Failure, Subject};
use crate::observe::{Observed, Present};
use crate::outcome::{Outcome, Version};
use crate::redact::Level;
use crate::request::{
    CURRENT, Compare, IfExists, OnRotation, OnScheduledDeletion, Request, TagPolicy,
};

mod blind;
pub(crate) mod guarded;
mod kms;

pub use guarded::Document;

/// One thing to do. Steps are done in order, each only if the one before it succeeded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// CreateSecret with everything that is asked. `otherwise` is what to do, unseen, where the name
    /// turns out to exist; without it: look again.
    Create {
        /// Blind mode's steps.
        otherwise: Option<Vec<Step>>,
        /// Whether no version can exist, so that an answer of success means "created".
        vacant: bool,
    },
    /// RestoreSecret; then look again.
    Restore,
    /// Nothing, for a moment: AWS has not caught up with what was done. Then look again.
    Wait,
    /// UpdateSecret: description and key in one call, before the value, so that the new version
    /// uses the new key.
    Update {
        /// To be written.
        description: bool,
        /// To be written.
        kms_key: bool,
    },
    /// Nothing, for a moment: another run is about to move AWSCURRENT. Then look again.
    Yield,
    /// PutSecretValue under the request's first label.
    Put {
        /// The holder of that label; `None` is "nobody, or nobody we can see".
        base: Option<String>,
    },
    /// PutSecretValue under a private label, then AWSCURRENT moved from `base`, and only from it.
    Swap {
        /// The holder of AWSCURRENT; `None` where the secret has no version.
        base: Option<String>,
    },
    /// A further label for the version that holds the value.
    Label {
        /// The label.
        label: String,
        /// Who holds it.
        from: Option<String>,
    },
    /// Private labels, and the versions that hold them, of runs that ended without dropping them.
    Sweep(Vec<(String, String)>),
    /// UntagResource; before tagging, because a secret has at most 50 tags.
    Untag(Vec<String>),
    /// TagResource.
    Tag(BTreeMap<String, String>),
}

/// What to do, and what holds already.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// In order.
    pub steps: Vec<Step>,
    /// The version that holds the value already, or that `if-exists: skip` leaves alone.
    pub keep: Option<Version>,
    /// What is written, where it is not the request's value as it stands.
    pub document: Option<Document>,
    /// What people should know.
    pub notices: Vec<(Level, String)>,
}

impl Plan {
    fn of(steps: Vec<Step>) -> Self {
        Self {
            steps,
            ..Self::default()
        }
    }

    /// The version that holds the value already.
    fn keep_id(&self) -> Option<&str> {
        self.keep.as_ref().map(|version| version.id.as_str())
    }

    fn note(&mut self, text: impl Into<String>) {
        self.notices.push((Level::Notice, text.into()));
    }

    fn warn(&mut self, text: impl Into<String>) {
        self.notices.push((Level::Warning, text.into()));
    }
}

/// Decides.
///
/// # Errors
/// Refusals by state, denials that make the request impossible, and conflicts.
pub fn plan(
    request: &Request,
    observed: &Observed,
    done: &Outcome,
    region: &str,
) -> Result<Plan, Failure> {
    match observed {
        Observed::Absent => absent(request, done),
        Observed::Present(present) => self::present(request, present, done, region),
        Observed::Hidden(hidden) => blind::plan(request, hidden, done, region),
    }
}

fn absent(request: &Request, done: &Outcome) -> Result<Plan, Failure> {
    let id = &request.target.id;
    if done.overtaken.is_some() {
        return Err(Failure::new(
            Class::Conflict,
            format!("{id} was written by this run and then deleted by somebody else"),
            "find out who deletes it; then run again",
        ));
    }
    if request.target.is_arn() {
        return Err(arn_is_absent(request));
    }
    if let Some(expected) = &request.expected {
        return Err(guarded::not_current(id, expected, None));
    }
    let mut plan = Plan::of(vec![Step::Create {
        otherwise: None,
        vacant: true,
    }]);
    plan.document = guarded::new_document(request)?;
    if request.label() != CURRENT {
        guarded::first_is_current(request, &mut plan);
    }
    plan.steps.extend(further_labels(
        request,
        None,
        |_| None,
        request.label() == CURRENT,
    ));
    Ok(plan)
}

/// Steps for the labels that a version lacks: those after the first, which goes with the value, or all.
fn further_labels<'a>(
    request: &Request,
    version: Option<&str>,
    holder: impl Fn(&str) -> Option<&'a str>,
    first_is_done: bool,
) -> Vec<Step> {
    request
        .stages
        .iter()
        .skip(usize::from(first_is_done))
        .filter_map(|label| {
            let from = holder(label);
            (from.is_none() || from != version).then(|| Step::Label {
                label: label.clone(),
                from: from.map(str::to_owned),
            })
        })
        .collect()
}

/// An ARN that does not exist.
pub(crate) fn arn_is_absent(request: &Request) -> Failure {
    Failure::new(
        Class::Refused,
        format!("{} does not exist", request.target.id),
        "give the name instead of the ARN to have it created: AWS chooses the end of an ARN itself",
    )
}

fn present(
    request: &Request,
    present: &Present,
    done: &Outcome,
    region: &str,
) -> Result<Plan, Failure> {
    let secret = &present.secret;
    let current = secret.holder(CURRENT);
    // What this run has written itself, before it had to look again, is no reason to stop halfway.
    let skipped =
        request.if_exists == IfExists::Skip && current.is_some_and(|holder| !done.wrote(holder));
    if !skipped || secret.deleted {
        refusals(secret, region, request.on_rotation)?;
    }
    if secret.deleted {
        return deleted(request, done);
    }
    let mut plan = Plan::default();
    if skipped {
        plan.keep = current.map(|id| version(secret, id));
        plan.note(format!(
            "{} exists and has a value: left alone, as `if-exists: skip` asks",
            secret.name
        ));
        return Ok(plan);
    }
    if request.compare == Compare::Always
        && let Some(denied) = &present.unread
    {
        return Err(denied_by(denied, request, Some(&secret.arn), region));
    }

    metadata(request, present, &mut plan);
    guarded::sweep(request, present, done, &mut plan);
    if request.is_guarded() {
        guarded::plan(request, present, done, region, &mut plan)?;
        plan.steps.extend(further_labels(
            request,
            plan.keep_id(),
            |label| secret.holder(label),
            true,
        ));
        return Ok(plan);
    }
    let label = request.label();
    let holder = secret.holder(label);
    let holds = present
        .value
        .as_ref()
        .is_some_and(|value| value.same_as(&request.value));
    if holds || is_ours(done, holder) {
        plan.keep = holder.map(|id| version(secret, id));
    } else if label != CURRENT && holder.is_none() && current.is_some_and(|id| done.wrote(id)) {
        // Created by this run a moment ago: that version is the one to be labelled.
        plan.keep = current.map(|id| version(secret, id));
        plan.steps.extend(further_labels(
            request,
            None,
            |label| secret.holder(label),
            false,
        ));
        return Ok(plan);
    } else {
        if let Some(expected) = request
            .expected
            .as_deref()
            .filter(|id| Some(*id) != current)
        {
            return Err(guarded::not_current(&secret.name, expected, current));
        }
        overtaken(request, done, holder)?;
        if present.unread.is_some() {
            plan.note("reading the current value is denied: it is written without comparing, and so may make a version that changes nothing");
        }
        let put = Step::Put {
            base: holder.map(str::to_owned),
        };
        // After the key, so that the new version uses it; before tags.
        let after_update = plan
            .steps
            .iter()
            .take_while(|step| matches!(step, Step::Update { .. } | Step::Sweep(_)))
            .count();
        plan.steps.insert(after_update, put);
        if label != CURRENT && current.is_none() {
            guarded::first_is_current(request, &mut plan);
        }
        guarded::pending(present, &mut plan);
    }
    plan.steps.extend(further_labels(
        request,
        plan.keep_id(),
        |label| secret.holder(label),
        true,
    ));
    Ok(plan)
}

/// A version and its labels, as DescribeSecret shows them.
fn version(secret: &Described, id: &str) -> Version {
    Version {
        id: id.to_owned(),
        stages: secret.versions.get(id).cloned().unwrap_or_default(),
    }
}

/// Whether AWSCURRENT sits on the version that this run wrote before it was overtaken: then somebody
/// has put it back, and there is nothing left to do.
fn is_ours(done: &Outcome, holder: Option<&str>) -> bool {
    done.overtaken.is_some() && done.overtaken.as_deref() == holder
}

/// Somebody wrote after us. Their value is not ours to undo.
fn overtaken(request: &Request, done: &Outcome, holder: Option<&str>) -> Result<(), Failure> {
    let Some(ours) = &done.overtaken else {
        return Ok(());
    };
    let by = holder.map_or_else(
        || format!("which version holds {} now cannot be seen", request.label()),
        |holder| format!("{} is now on version {holder}", request.label()),
    );
    Err(Failure::new(
        Class::Conflict,
        format!("somebody wrote to {} after this run", request.target.id),
        "run again to write this value over theirs, or let theirs stand",
    )
    .because(format!("this run's version is {ours}; {by}")))
}

/// What forbids any write to a secret.
///
/// # Errors
/// Managed by another service, a replica, or rotated where that is not allowed.
pub fn refusals(secret: &Described, region: &str, on_rotation: OnRotation) -> Result<(), Failure> {
    let name = &secret.name;
    if let Some(service) = &secret.owning_service {
        return Err(Failure::new(
            Class::Refused,
            format!("{name} is managed by the AWS service {service}"),
            "change the value there, or use a secret of another name",
        ));
    }
    if let Some(primary) = secret.primary_region.as_deref()
        && primary != region
    {
        return Err(Failure::new(
            Class::Refused,
            format!("{name} in {region} is a replica; it can only be written in {primary}"),
            format!("set `aws-region` to {primary}: the replica follows by itself"),
        ));
    }
    if secret.rotation_enabled && on_rotation == OnRotation::Fail {
        return Err(Failure::new(
            Class::Refused,
            format!("{name} has rotation enabled, which would replace the value at its next turn"),
            "set `on-rotation: allow` to write it all the same, or turn rotation off",
        ));
    }
    Ok(())
}

fn deleted(request: &Request, done: &Outcome) -> Result<Plan, Failure> {
    match request.on_scheduled_deletion {
        OnScheduledDeletion::Fail => Err(Failure::new(
            Class::Refused,
            format!("{} is scheduled for deletion", request.target.id),
            "set `on-scheduled-deletion: restore` to take it back and write it, or choose another name",
        )),
        OnScheduledDeletion::Restore if done.restore_sent => Ok(Plan::of(vec![Step::Wait])),
        OnScheduledDeletion::Restore => Ok(Plan::of(vec![Step::Restore])),
    }
}

/// Description, key and tags: what is given and differs.
fn metadata(request: &Request, present: &Present, plan: &mut Plan) {
    let secret = &present.secret;
    let description = request.description.is_some() && request.description != secret.description;
    let kms_key = request.kms_key_id.as_deref().is_some_and(|wanted| {
        match kms::compare(wanted, secret.kms_key_id.as_deref()) {
            kms::Comparison::Same => false,
            kms::Comparison::Different => true,
            kms::Comparison::Unknown => {
                plan.note("the KMS key is written: an alias and a key cannot be compared without more rights");
                true
            }
        }
    });
    if description || kms_key {
        plan.steps.push(Step::Update {
            description,
            kms_key,
        });
    }
    let Some(tags) = &request.tags else {
        return;
    };
    if request.tag_policy == TagPolicy::Replace {
        let extra: Vec<String> = secret
            .tags
            .keys()
            .filter(|key| !tags.contains_key(*key) && !key.starts_with("aws:"))
            .cloned()
            .collect();
        if !extra.is_empty() {
            plan.steps.push(Step::Untag(extra));
        }
    }
    let differing: BTreeMap<_, _> = tags
        .iter()
        .filter(|(key, value)| secret.tags.get(*key) != Some(value))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    if !differing.is_empty() {
        plan.steps.push(Step::Tag(differing));
    }
}

fn denied_by(
    error: &crate::aws::AwsError,
    request: &Request,
    arn: Option<&str>,
    region: &str,
) -> Failure {
    let subject = Subject {
        id: &request.target.id,
        name: &request.target.name,
        arn,
        region,
    };
    Failure::of_aws(error, subject)
}

#[cfg(test)]
mod tests;
