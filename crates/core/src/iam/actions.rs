//! The actions that a run needs: those of every step that `plan` returns for some state of the secret. The actions of a step
//! are the calls that `apply` makes for it, and what AWS does on the caller's behalf during those calls (service authorization
//! reference; Secrets Manager user guide, "Permissions for the KMS key"). Must not handle resources.

use std::collections::BTreeSet;

use crate::attempt::Attempt;
use crate::labels::{CURRENT, WriteLabel};
use crate::plan::{Nameable, Step, plan};
use crate::request::{Direction, Request};
use crate::state::{Observed, PolicyView, Present, Replica, ReplicaStatus, SecretMetadata};
use crate::value::{Kind, SecretBytes, SecretValue};

/// An ID that no version has.
const VERSION: &str = "00000000-0000-4000-8000-000000000000";
/// Differs from every value that a request can contain.
const OTHER: &str = "upsert-secret:other";

/// KMS actions on a secret's key: what UpdateSecret needs to change the secret to this key. Any request that writes a key may
/// need them, and no other call needs more.
pub(super) const KEY_ACTIONS: [&str; 3] = ["Decrypt", "Encrypt", "GenerateDataKey"];
/// KMS actions on a replica's key, needed by ReplicateSecretToRegions.
pub(super) const REPLICA_KEY_ACTIONS: [&str; 2] = ["Encrypt", "GenerateDataKey"];

/// Actions of Secrets Manager without their service prefix.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Needs {
    /// On a secret that may not exist.
    pub(super) reads: BTreeSet<&'static str>,
    /// On the secret.
    pub(super) writes: BTreeSet<&'static str>,
    /// In calls that name no secret.
    pub(super) unnamed: BTreeSet<&'static str>,
}

impl Needs {
    pub(super) fn of_upsert(request: &Request, region: &str) -> Self {
        let mut needs = Self::default();
        needs.reads.insert("DescribeSecret");
        if request.reads() {
            needs.reads.insert("GetSecretValue");
        }
        if request.policy.is_some() {
            needs.reads.insert("GetResourcePolicy");
        }
        for step in all_steps(request, region) {
            let actions = match step {
                Step::CheckPolicy(Nameable::No) => &mut needs.unnamed,
                _ => &mut needs.writes,
            };
            actions.extend(write_actions(&step));
        }
        needs
    }

    /// For `promote` and `rollback`.
    pub(super) fn of_label_move(direction: &Direction) -> Self {
        let mut needs = Self::default();
        needs.reads.insert("DescribeSecret");
        if *direction == Direction::Rollback {
            needs.reads.insert("ListSecretVersionIds");
        }
        needs.writes.insert("UpdateSecretVersionStage");
        needs
    }
}

fn write_actions(step: &Step) -> &'static [&'static str] {
    match step {
        // Its tags and replicas need the same actions as adding them to an existing secret, which is another state.
        Step::Create { .. } => &["CreateSecret"],
        Step::Restore => &["RestoreSecret"],
        Step::Wait | Step::Yield | Step::AwaitReplicas(_) => &[],
        Step::Update { .. } => &["UpdateSecret"],
        // A put that finds the version of an earlier run moves the label to it from its holder.
        Step::Put { .. } | Step::Swap { .. } => &["PutSecretValue", "UpdateSecretVersionStage"],
        Step::Label { .. } | Step::Sweep(_) => &["UpdateSecretVersionStage"],
        Step::Unreplicate(_) => &["RemoveRegionsFromReplication"],
        Step::Replicate(_) => &["ReplicateSecretToRegions"],
        Step::CheckPolicy(_) => &["ValidateResourcePolicy"],
        Step::SetPolicy => &["PutResourcePolicy"],
        Step::Untag(_) => &["UntagResource"],
        Step::Tag(_) => &["TagResource"],
    }
}

/// The steps to the requested state from every state that leads to different steps. Excludes states that the run rejects.
fn all_steps(request: &Request, region: &str) -> Vec<Step> {
    let mut scenarios = vec![Observed::Absent];
    for replicated in [false, true] {
        for value_differs in [true, false] {
            scenarios.push(present(request, |present| {
                if replicated {
                    present.secret.replicas = replicas(request);
                }
                if value_differs {
                    present.value = Some(other_value(request));
                }
            }));
        }
    }
    scenarios.push(present(request, |present| present.secret.deleted = true));
    // Created without a value, as infrastructure tools do.
    scenarios.push(present(request, |present| {
        present.secret.versions.clear();
        present.value = None;
    }));
    scenarios
        .iter()
        .filter_map(|observed| plan(request, observed, &Attempt::default(), region).ok())
        .flat_map(|plan| plan.steps)
        .collect()
}

/// A secret that holds the requested value and differs in everything else, before `change` is applied. A missing description
/// differs from every requested one.
fn present(request: &Request, change: impl FnOnce(&mut Present)) -> Observed {
    let holder = request.expected.as_deref().unwrap_or(VERSION);
    let expired_label = WriteLabel::until(0, VERSION).label;
    let secret = SecretMetadata {
        kms_key_id: Some(OTHER.to_owned()),
        tags: [(OTHER.to_owned(), OTHER.to_owned())].into(),
        versions: [(holder.to_owned(), vec![CURRENT.to_owned(), expired_label])].into(),
        ..SecretMetadata::default()
    };
    let value = SecretValue::stored(
        SecretBytes::new(request.value.expose().to_vec()),
        request.value.kind(),
    );
    let mut present = Present {
        secret,
        value: Some(value),
        unread: None,
        current: None,
        policy: PolicyView::Known(None),
        at: u64::MAX,
    };
    change(&mut present);
    Observed::Present(Box::new(present))
}

fn other_value(request: &Request) -> SecretValue {
    let text = if request.json.is_empty() { OTHER } else { "{}" };
    SecretValue::stored(SecretBytes::new(text.into()), Kind::String)
}

/// Replicas in the requested regions and in another one, all with a different key.
fn replicas(request: &Request) -> Vec<Replica> {
    let requested = request
        .replicas
        .iter()
        .flatten()
        .map(|(region, _)| region.as_str());
    requested
        .chain([OTHER])
        .map(|region| Replica {
            region: region.to_owned(),
            kms_key_id: Some(OTHER.to_owned()),
            status: ReplicaStatus::InSync,
        })
        .collect()
}
