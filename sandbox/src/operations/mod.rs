//! Owns the table of operations. To add one, write its function in a file of this folder and add its line to
//! [`TABLE`]; nothing else needs to know of it.

mod call;
mod create;
mod delete;
mod describe;
mod get;
mod input;
mod put;
mod replicate;
mod sts;
mod tags;

use serde_json::Value;

pub(crate) use call::{Call, Caller};
use input::Input;

use crate::{rate::Bucket, refusal::Refusal, state::World};

/// Which of the services on the one port an operation belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    SecretsManager,
    Sts,
}

pub(crate) struct Operation {
    pub(crate) name: &'static str,
    pub(crate) service: Service,
    pub(crate) bucket: Option<Bucket>,
    run: fn(&mut Call<'_>) -> Result<Value, Refusal>,
}

type Run = fn(&mut Call<'_>) -> Result<Value, Refusal>;

const fn secrets(name: &'static str, bucket: Option<Bucket>, run: Run) -> Operation {
    Operation {
        name,
        service: Service::SecretsManager,
        bucket,
        run,
    }
}

const TABLE: &[Operation] = &[
    secrets("CreateSecret", Some(Bucket::Create), create::create_secret),
    secrets("DeleteSecret", Some(Bucket::Delete), delete::delete_secret),
    secrets("DescribeSecret", None, describe::describe_secret),
    secrets("GetSecretValue", None, get::get_secret_value),
    secrets(
        "ListSecretVersionIds",
        Some(Bucket::List),
        describe::list_secret_version_ids,
    ),
    secrets("PutSecretValue", Some(Bucket::Write), put::put_secret_value),
    secrets(
        "ReplicateSecretToRegions",
        Some(Bucket::Write),
        replicate::replicate_secret_to_regions,
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
    Operation {
        name: "GetCallerIdentity",
        service: Service::Sts,
        bucket: None,
        run: sts::get_caller_identity,
    },
];

pub(crate) fn named(name: &str) -> Option<&'static Operation> {
    TABLE.iter().find(|operation| operation.name == name)
}

/// Runs one operation to its end: all of it, or nothing.
pub(crate) fn run(
    world: &mut World,
    caller: &Caller,
    region: &str,
    operation: &str,
    input: Value,
) -> Result<Value, Refusal> {
    let Some(operation) = named(operation) else {
        return Err(Refusal::new(400, "UnknownOperationException", ""));
    };
    world.sweep();
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
