//! Desired state other than the value: replicas, the resource policy, and secrets managed by Terraform.

use sandbox::Sandbox;

use crate::common::NAME;

mod kms_keys;
mod replicas;
mod resource_policy;
mod terraform;

/// A resource policy that allows `principal` to read the value.
fn policy_allowing(principal: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{principal}"}},
           "Action":"secretsmanager:GetSecretValue","Resource":"*"}}]}}"#
    )
}

fn existing() -> Sandbox {
    let sandbox = Sandbox::start();
    sandbox.with(|world| world.create(NAME, "made-up"));
    sandbox
}
