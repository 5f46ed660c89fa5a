//! The actions that each step needs: the calls that `apply` makes for it, and what AWS does on the caller's behalf
//! during those calls (service authorization reference; Secrets Manager user guide, "Permissions for the KMS key").
//! It knows nothing of resources.

use std::collections::BTreeSet;

use super::scenarios;
use crate::labels::CURRENT;
use crate::plan::Step;
use crate::request::{Direction, Request};

/// Actions without their service prefix, by the resource that they apply to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Needs {
    /// Secrets Manager, on a secret that may not exist.
    pub(super) reads: BTreeSet<&'static str>,
    /// Secrets Manager, on the secret.
    pub(super) writes: BTreeSet<&'static str>,
    /// KMS, on the secret's key.
    pub(super) key: BTreeSet<&'static str>,
    /// KMS, on the keys of its replicas.
    pub(super) replica_key: BTreeSet<&'static str>,
}

impl Needs {
    pub(super) fn of_upsert(request: &Request, region: &str) -> Self {
        let mut needs = Self::default();
        needs.reads.insert("DescribeSecret");
        if request.reads() {
            needs.reads.insert("GetSecretValue");
            needs.key.insert("Decrypt");
        }
        if request.policy.is_some() {
            needs.reads.insert("GetResourcePolicy");
        }
        for step in scenarios::steps(request, region) {
            needs.writes.extend(write_actions(&step, request));
            needs.key.extend(key_actions(&step));
            if matches!(step, Step::Replicate(_)) {
                needs.replica_key.extend(["Encrypt", "GenerateDataKey"]);
            }
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

fn write_actions(step: &Step, request: &Request) -> &'static [&'static str] {
    match step {
        // Its tags and replicas need no more than those that a secret in another state lacks.
        Step::Create { .. } => &["CreateSecret"],
        Step::Restore => &["RestoreSecret"],
        Step::Wait | Step::Yield | Step::AwaitReplicas(_) => &[],
        Step::Update { .. } => &["UpdateSecret"],
        // A put that finds the version of an earlier run moves the label there from the version that held it.
        Step::Put { base: None } if request.label() == CURRENT => &["PutSecretValue"],
        Step::Put { .. } | Step::Swap { .. } => &["PutSecretValue", "UpdateSecretVersionStage"],
        Step::Label { .. } | Step::Sweep(_) => &["UpdateSecretVersionStage"],
        Step::Unreplicate(_) => &["RemoveRegionsFromReplication"],
        Step::Replicate(_) => &["ReplicateSecretToRegions"],
        Step::CheckPolicy => &["ValidateResourcePolicy"],
        Step::SetPolicy => &["PutResourcePolicy"],
        Step::Untag(_) => &["UntagResource"],
        Step::Tag(_) => &["TagResource"],
    }
}

fn key_actions(step: &Step) -> &'static [&'static str] {
    match step {
        Step::Create { .. } | Step::Put { .. } | Step::Swap { .. } => {
            &["Decrypt", "GenerateDataKey"]
        }
        Step::Update { kms_key: true, .. } => &["Decrypt", "Encrypt", "GenerateDataKey"],
        Step::Replicate(_) => &["Decrypt"],
        _ => &[],
    }
}
