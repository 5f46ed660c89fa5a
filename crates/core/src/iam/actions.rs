//! Which rights each step needs: the calls that `apply` makes for it, and what AWS does in the caller's name for
//! those (service authorization reference; Secrets Manager user guide, "Permissions for the KMS key").

use std::collections::BTreeSet;

use crate::labels::CURRENT;
use crate::plan::Step;
use crate::request::Request;

/// Rights, by what they are for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Needs {
    /// Of Secrets Manager, on a secret that may not exist.
    pub(super) reads: BTreeSet<&'static str>,
    /// Of Secrets Manager, on the secret.
    pub(super) writes: BTreeSet<&'static str>,
    /// Of KMS, on its key.
    pub(super) key: BTreeSet<&'static str>,
    /// Of KMS, on the keys of its replicas.
    pub(super) replica_key: BTreeSet<&'static str>,
}

pub(super) fn of_steps(steps: &[Step], request: &Request, needs: &mut Needs) {
    for step in steps {
        of_step(step, request, needs);
    }
}

fn of_step(step: &Step, request: &Request, needs: &mut Needs) {
    let mut writes = |actions: &[&'static str]| needs.writes.extend(actions);
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
                needs.replica_key.extend(["Encrypt", "GenerateDataKey"]);
            }
            needs.key.extend(["Decrypt", "GenerateDataKey"]);
            if let Some(steps) = otherwise {
                of_steps(steps, request, needs);
            }
        }
        Step::Restore => writes(&["RestoreSecret"]),
        Step::Wait | Step::Yield | Step::AwaitReplicas(_) => {}
        Step::Update { kms_key, .. } => {
            writes(&["UpdateSecret"]);
            if *kms_key {
                needs.key.extend(["Decrypt", "Encrypt", "GenerateDataKey"]);
            }
        }
        Step::Put { base } => {
            writes(&["PutSecretValue"]);
            // A put that finds the version of an earlier run moves the label to it, from where it was seen.
            if base.is_some() || request.label() != CURRENT {
                writes(&["UpdateSecretVersionStage"]);
            }
            needs.key.extend(["Decrypt", "GenerateDataKey"]);
        }
        Step::Swap { .. } => {
            writes(&["PutSecretValue", "UpdateSecretVersionStage"]);
            needs.key.extend(["Decrypt", "GenerateDataKey"]);
        }
        Step::Label { .. } | Step::Sweep(_) => writes(&["UpdateSecretVersionStage"]),
        Step::Unreplicate(_) => writes(&["RemoveRegionsFromReplication"]),
        Step::Replicate(_) => {
            writes(&["ReplicateSecretToRegions"]);
            needs.key.insert("Decrypt");
            needs.replica_key.extend(["Encrypt", "GenerateDataKey"]);
        }
        Step::CheckPolicy => writes(&["ValidateResourcePolicy"]),
        Step::SetPolicy => writes(&["PutResourcePolicy"]),
        Step::Untag(_) => writes(&["UntagResource"]),
        Step::Tag(_) => writes(&["TagResource"]),
    }
}
