//! Owns the table of operations, and those of Secrets Manager. To add one, write its function in a file of this
//! folder (or of `identity`, for one about who is who) and add its line to [`TABLE`]; nothing else needs to know of
//! it.

mod batch;
mod call;
mod create;
mod delete;
mod describe;
mod get;
mod input;
mod policies;
mod put;
mod replicate;
mod tags;

use serde_json::Value;

pub(crate) use call::{Call, Caller};
use input::Input;

use crate::{
    identity::{self, Ask},
    rate::Bucket,
    refusal::Refusal,
    state::World,
};

/// Which of the services on the one port an operation belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    SecretsManager,
    Sts,
    /// GitHub's endpoint for tokens.
    Issuer,
    /// What a machine asks for its own credentials.
    Metadata,
}

pub(crate) struct Operation {
    pub(crate) name: &'static str,
    pub(crate) service: Service,
    pub(crate) bucket: Option<Bucket>,
    /// Whether the caller must sign.
    pub(crate) signed: bool,
    pub(crate) run: Run,
}

type Secrets = fn(&mut Call<'_>) -> Result<Value, Refusal>;
type Identities = fn(&mut Ask<'_>) -> Result<Value, Refusal>;

#[derive(Clone, Copy)]
pub(crate) enum Run {
    Secrets(Secrets),
    Identities(Identities),
}

const fn secrets(name: &'static str, bucket: Option<Bucket>, run: Secrets) -> Operation {
    Operation {
        name,
        service: Service::SecretsManager,
        bucket,
        signed: true,
        run: Run::Secrets(run),
    }
}

const fn signed(name: &'static str, service: Service, run: Identities) -> Operation {
    Operation {
        name,
        service,
        bucket: None,
        signed: true,
        run: Run::Identities(run),
    }
}

const fn open(name: &'static str, service: Service, run: Identities) -> Operation {
    let operation = signed(name, service, run);
    Operation {
        signed: false,
        ..operation
    }
}

const TABLE: &[Operation] = &[
    secrets(
        "BatchGetSecretValue",
        Some(Bucket::Batch),
        batch::batch_get_secret_value,
    ),
    secrets("CreateSecret", Some(Bucket::Create), create::create_secret),
    secrets("DeleteSecret", Some(Bucket::Delete), delete::delete_secret),
    secrets(
        "DeleteResourcePolicy",
        Some(Bucket::Policy),
        policies::delete_resource_policy,
    ),
    secrets("DescribeSecret", None, describe::describe_secret),
    secrets(
        "GetResourcePolicy",
        Some(Bucket::Policy),
        policies::get_resource_policy,
    ),
    secrets("GetSecretValue", None, get::get_secret_value),
    secrets("ListSecrets", Some(Bucket::List), batch::list_secrets),
    secrets(
        "ListSecretVersionIds",
        Some(Bucket::List),
        describe::list_secret_version_ids,
    ),
    secrets(
        "PutResourcePolicy",
        Some(Bucket::Policy),
        policies::put_resource_policy,
    ),
    secrets("PutSecretValue", Some(Bucket::Write), put::put_secret_value),
    secrets(
        "ReplicateSecretToRegions",
        Some(Bucket::Write),
        replicate::replicate_secret_to_regions,
    ),
    secrets(
        "RemoveRegionsFromReplication",
        Some(Bucket::Write),
        replicate::remove_regions_from_replication,
    ),
    secrets(
        "StopReplicationToReplica",
        Some(Bucket::Write),
        replicate::stop_replication_to_replica,
    ),
    secrets(
        "RestoreSecret",
        Some(Bucket::Restore),
        delete::restore_secret,
    ),
    secrets("TagResource", Some(Bucket::Tag), tags::tag_resource),
    secrets("UntagResource", Some(Bucket::Tag), tags::untag_resource),
    secrets("UpdateSecret", Some(Bucket::Write), put::update_secret),
    secrets(
        "UpdateSecretVersionStage",
        Some(Bucket::Write),
        put::update_secret_version_stage,
    ),
    secrets(
        "ValidateResourcePolicy",
        Some(Bucket::Policy),
        policies::validate_resource_policy,
    ),
    signed("AssumeRole", Service::Sts, identity::assume_role),
    open(
        "AssumeRoleWithWebIdentity",
        Service::Sts,
        identity::assume_role_with_web_identity,
    ),
    signed(
        "GetCallerIdentity",
        Service::Sts,
        identity::get_caller_identity,
    ),
    open("GetIdToken", Service::Issuer, identity::get_id_token),
    open(
        "GetMetadataToken",
        Service::Metadata,
        identity::get_metadata_token,
    ),
    open(
        "GetMetadataRole",
        Service::Metadata,
        identity::get_metadata_role,
    ),
    open(
        "GetMetadataCredentials",
        Service::Metadata,
        identity::get_metadata_credentials,
    ),
    open(
        "GetMetadataRegion",
        Service::Metadata,
        identity::get_metadata_region,
    ),
    open(
        "GetContainerCredentials",
        Service::Metadata,
        identity::get_container_credentials,
    ),
];

pub(crate) fn named(name: &str) -> Option<&'static Operation> {
    TABLE.iter().find(|operation| operation.name == name)
}

/// Runs one operation of Secrets Manager to its end: all of it, or nothing.
pub(crate) fn run(
    world: &mut World,
    caller: &Caller,
    region: &str,
    operation: &str,
    input: Value,
) -> Result<Value, Refusal> {
    let operation = named(operation).map(|operation| (operation.name, operation.run));
    let Some((action, Run::Secrets(run))) = operation else {
        return Err(Refusal::new(400, "UnknownOperationException", ""));
    };
    world.sweep();
    let answer = run(&mut Call {
        world,
        caller,
        region,
        action,
        input: Input::new(input),
    })?;
    world.replicate_all();
    Ok(answer)
}
