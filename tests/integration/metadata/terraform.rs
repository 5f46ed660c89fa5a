//! Adopting a secret that Terraform or Pulumi created leaves no drift in their state.

use sandbox::Sandbox;
use sandbox::client::Client;
use serde_json::{Value, json};

use super::policy_allowing;
use crate::common::{Cli, NAME};

/// The responses that Terraform's `aws_secretsmanager_secret` and
/// `aws_secretsmanager_secret_version` compare on refresh, without access dates.
fn terraform_refresh(client: &Client, version: &str) -> Vec<Value> {
    let calls = [
        ("DescribeSecret", json!({"SecretId": NAME})),
        ("GetResourcePolicy", json!({"SecretId": NAME})),
        (
            "GetSecretValue",
            json!({"SecretId": NAME, "VersionId": version}),
        ),
    ];
    calls
        .map(|(operation, input)| {
            let mut answer = client.call(operation, &input).unwrap().json();
            answer.as_object_mut().unwrap().remove("LastAccessedDate");
            answer
        })
        .to_vec()
}

/// Terraform and Pulumi share a provider: it creates the secret without a value, then puts the
/// value with a token of its own, and stores `ARN|versionId` in the state.
#[test]
fn terraform_secret_is_adopted_without_drift() {
    let sandbox = Sandbox::start();
    let client = Client::new(&sandbox.url());
    let token = "terraform-20261124000000000000000001";
    let made = json!({
        "Name": NAME, "ClientRequestToken": "terraform-20261124000000000000000002", "Description": "API key",
        "ForceOverwriteReplicaSecret": false, "Tags": [{"Key": "team", "Value": "ml"}],
    });
    let put = json!({"SecretId": NAME, "ClientRequestToken": token, "SecretString": "made-up"});
    for (operation, input) in [("CreateSecret", made), ("PutSecretValue", put)] {
        assert_eq!(
            client.call(operation, &input).unwrap().status,
            200,
            "{operation}"
        );
    }
    sandbox.with(|world| world.put_resource_policy(NAME, &policy_allowing("111122223333")));
    let before = terraform_refresh(&client, token);
    let outcome = Cli::new(&sandbox, "made-up")
        .input("description", "API key")
        .input("tags", "team=ml")
        .input("tag-policy", "replace")
        .input(
            "resource-policy",
            &policy_allowing("arn:aws:iam::111122223333:root"),
        )
        .run();
    outcome.expect(0, "unchanged");
    assert_eq!(outcome.output("secret_version_id"), token);
    assert_eq!(terraform_refresh(&client, token), before);
}
