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
        for steps in scenarios::steps(request, region) {
            needs.add_steps(&steps, request);
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

    fn add_steps(&mut self, steps: &[Step], request: &Request) {
        for step in steps {
            self.add_step(step, request);
        }
    }

    fn add_step(&mut self, step: &Step, request: &Request) {
        let mut writes = |actions: &[&'static str]| self.writes.extend(actions);
        match step {
            Step::Create { otherwise, .. } => {
                writes(&["CreateSecret"]);
                if request.tags.as_ref().is_some_and(|tags| !tags.is_empty()) {
                    writes(&["TagResource"]);
                }
                if request
                    .replicas
                    .as_ref()
                    .is_some_and(|regions| !regions.is_empty())
                {
                    writes(&["ReplicateSecretToRegions"]);
                    self.replica_key.extend(["Encrypt", "GenerateDataKey"]);
                }
                self.key.extend(["Decrypt", "GenerateDataKey"]);
                if let Some(steps) = otherwise {
                    self.add_steps(steps, request);
                }
            }
            Step::Restore => writes(&["RestoreSecret"]),
            Step::Wait | Step::Yield | Step::AwaitReplicas(_) => {}
            Step::Update { kms_key, .. } => {
                writes(&["UpdateSecret"]);
                if *kms_key {
                    self.key.extend(["Decrypt", "Encrypt", "GenerateDataKey"]);
                }
            }
            Step::Put { base } => {
                writes(&["PutSecretValue"]);
                // A put that finds the version of an earlier run moves the label there from the version that held it.
                if base.is_some() || request.label() != CURRENT {
                    writes(&["UpdateSecretVersionStage"]);
                }
                self.key.extend(["Decrypt", "GenerateDataKey"]);
            }
            Step::Swap { .. } => {
                writes(&["PutSecretValue", "UpdateSecretVersionStage"]);
                self.key.extend(["Decrypt", "GenerateDataKey"]);
            }
            Step::Label { .. } | Step::Sweep(_) => writes(&["UpdateSecretVersionStage"]),
            Step::Unreplicate(_) => writes(&["RemoveRegionsFromReplication"]),
            Step::Replicate(_) => {
                writes(&["ReplicateSecretToRegions"]);
                self.key.insert("Decrypt");
                self.replica_key.extend(["Encrypt", "GenerateDataKey"]);
            }
            Step::CheckPolicy => writes(&["ValidateResourcePolicy"]),
            Step::SetPolicy => writes(&["PutResourcePolicy"]),
            Step::Untag(_) => writes(&["UntagResource"]),
            Step::Tag(_) => writes(&["TagResource"]),
        }
    }
}
