//! The table of operations. Must not contain behavior.

use serde_json::Value;

use super::{
    batch, call::Call, create, delete, describe, get, input::Input, policies, put, replicate, tags,
};
use crate::{caller::Caller, error::ServiceError, state::World};

/// Operations that share a request rate ("AWS Secrets Manager quotas").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum QuotaGroup {
    /// PutSecretValue, UpdateSecret, UpdateSecretVersionStage and the operations on replicas.
    Write,
    /// CreateSecret.
    Create,
    /// DeleteSecret.
    Delete,
    /// RestoreSecret.
    Restore,
    /// TagResource and UntagResource.
    Tag,
    /// ListSecrets and ListSecretVersionIds.
    List,
    /// The operations on resource policies.
    Policy,
    /// BatchGetSecretValue.
    Batch,
}

/// One operation of the model.
pub struct Operation {
    /// The name, such as `PutSecretValue`.
    pub name: &'static str,
    /// The group whose rate limits it; `None` for reads of one secret, because no test reaches their rate.
    pub quota_group: Option<QuotaGroup>,
    run: Run,
}

type Run = fn(&mut Call<'_>) -> Result<Value, ServiceError>;

const fn unlimited(name: &'static str, run: Run) -> Operation {
    Operation {
        name,
        quota_group: None,
        run,
    }
}

const fn limited(name: &'static str, group: QuotaGroup, run: Run) -> Operation {
    Operation {
        name,
        quota_group: Some(group),
        run,
    }
}

use QuotaGroup::{Batch, Create, Delete, List, Policy, Restore, Tag, Write};

static TABLE: &[Operation] = &[
    limited("BatchGetSecretValue", Batch, batch::batch_get_secret_value),
    limited("CreateSecret", Create, create::create_secret),
    limited("DeleteSecret", Delete, delete::delete_secret),
    limited(
        "DeleteResourcePolicy",
        Policy,
        policies::delete_resource_policy,
    ),
    unlimited("DescribeSecret", describe::describe_secret),
    limited("GetResourcePolicy", Policy, policies::get_resource_policy),
    unlimited("GetSecretValue", get::get_secret_value),
    limited("ListSecrets", List, batch::list_secrets),
    limited(
        "ListSecretVersionIds",
        List,
        describe::list_secret_version_ids,
    ),
    limited("PutResourcePolicy", Policy, policies::put_resource_policy),
    limited("PutSecretValue", Write, put::put_secret_value),
    limited(
        "ReplicateSecretToRegions",
        Write,
        replicate::replicate_secret_to_regions,
    ),
    limited(
        "RemoveRegionsFromReplication",
        Write,
        replicate::remove_regions_from_replication,
    ),
    limited(
        "StopReplicationToReplica",
        Write,
        replicate::stop_replication_to_replica,
    ),
    limited("RestoreSecret", Restore, delete::restore_secret),
    limited("TagResource", Tag, tags::tag_resource),
    limited("UntagResource", Tag, tags::untag_resource),
    limited("UpdateSecret", Write, put::update_secret),
    limited(
        "UpdateSecretVersionStage",
        Write,
        put::update_secret_version_stage,
    ),
    limited(
        "ValidateResourcePolicy",
        Policy,
        policies::validate_resource_policy,
    ),
];

/// The operation with this name, if the model has it.
#[must_use]
pub fn find_operation(name: &str) -> Option<&'static Operation> {
    TABLE.iter().find(|operation| operation.name == name)
}

/// Runs one operation, completely or not at all.
pub(crate) fn run(
    world: &mut World,
    caller: &Caller,
    region: &str,
    operation: &str,
    input: Value,
) -> Result<Value, ServiceError> {
    let Some(operation) = find_operation(operation) else {
        return Err(ServiceError::new(400, "UnknownOperationException", ""));
    };
    if !input.is_object() {
        return Err(ServiceError::serialization());
    }
    let answer = (operation.run)(&mut Call {
        world,
        caller,
        region,
        action: operation.name,
        input: Input::new(input),
    })?;
    world.replicate_all();
    Ok(answer)
}
