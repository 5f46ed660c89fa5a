//! What a secret is besides its value, as desired state: replicas and the resource policy.

use insta::assert_snapshot;
use sandbox::client::Client;
use sandbox::{Fault, Policy, Sandbox, When};
use serde_json::{Value, json};

use crate::common::{NAME, PATIENCE, Tool, calls, current, operations, signal, text};

const LONDON: &str = "eu-west-2";
const ROLE: &str = "arn:aws:iam::111122223333:role/reader";

/// A policy that lets `principal` read.
fn allowing(principal: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{principal}"}},
           "Action":"secretsmanager:GetSecretValue","Resource":"*"}}]}}"#
    )
}

/// Regions of replicas and how they are.
fn replicas(sandbox: &Sandbox) -> Vec<(String, &'static str)> {
    sandbox.with(|world| {
        let secret = world.secret(NAME).unwrap();
        let replicas = secret.replicas.into_iter();
        replicas
            .map(|replica| (replica.region, replica.status))
            .collect()
    })
}

fn policy(sandbox: &Sandbox) -> Option<String> {
    sandbox.with(|world| world.secret(NAME).unwrap().policy)
}

fn existing() -> Sandbox {
    let sandbox = Sandbox::start();
    sandbox.with(|world| world.create(NAME, "made-up"));
    sandbox
}

#[test]
fn a_new_secret_is_created_with_replicas_in_one_call_and_they_are_awaited() {
    let sandbox = Sandbox::start();
    sandbox.with(|world| {
        world.replicas_settle_after(3);
        world.add_kms_key_in("us-east-1", "alias/models");
    });
    let tool = Tool::new(&sandbox, "made-up")
        .input("replica-regions", "eu-west-2\nus-east-1=alias/models");
    let done = tool.run();
    done.expect(0, "created");
    assert!(
        done.stderr
            .contains("waiting for replicas: eu-west-2, us-east-1"),
        "{}",
        done.stderr
    );
    assert_eq!(
        replicas(&sandbox),
        [
            ("eu-west-2".to_owned(), "InSync"),
            ("us-east-1".to_owned(), "InSync")
        ]
    );
    assert_eq!(calls(&sandbox, "ReplicateSecretToRegions"), 0);
    sandbox.clear_log();
    tool.run().expect(0, "unchanged");
    let mut calls = operations(&sandbox);
    calls.sort();
    assert_eq!(calls, ["DescribeSecret", "GetSecretValue"]);
}

#[test]
fn replicas_are_added_and_only_removed_on_request() {
    let sandbox = existing();
    sandbox.with(|world| world.replicate(NAME, LONDON));
    let tool = Tool::new(&sandbox, "made-up").input("replica-regions", "us-east-1");
    tool.run().expect(0, "updated");
    assert_eq!(replicas(&sandbox).len(), 2);
    let replace = tool.input("replica-policy", "replace");
    let done = replace.run();
    done.expect(0, "updated");
    assert!(
        done.stderr.contains("removed the replicas in eu-west-2"),
        "{}",
        done.stderr
    );
    assert_eq!(replicas(&sandbox), [("us-east-1".to_owned(), "InSync")]);
    replace
        .input("replica-regions", "none")
        .run()
        .expect(0, "updated");
    assert_eq!(replicas(&sandbox), []);
}

#[test]
fn a_replica_gets_another_key_only_where_it_may_be_made_anew() {
    let sandbox = existing();
    sandbox.with(|world| {
        world.replicate(NAME, LONDON);
        world.add_kms_key_in(LONDON, "1234abcd");
    });
    let tool = Tool::new(&sandbox, "new").input("replica-regions", "eu-west-2=1234abcd");
    let done = tool.run();
    assert_eq!(done.code, Some(6), "{}", done.stderr);
    assert_eq!(
        current(&sandbox).as_deref(),
        Some("made-up"),
        "nothing is written"
    );
    let tool = tool.input("replica-policy", "replace");
    tool.run().expect(0, "updated");
    let key = sandbox.with(|world| world.secret_in(LONDON, NAME).unwrap().kms_key_id);
    assert_eq!(key.as_deref(), Some("1234abcd"));
    tool.run().expect(0, "unchanged");
}

#[test]
fn a_failed_replica_ends_the_run_with_the_words_of_aws_and_is_tried_again_by_the_next() {
    let sandbox = existing();
    let tool = Tool::new(&sandbox, "made-up").input("replica-regions", LONDON);
    sandbox.with(|world| world.replicate(NAME, LONDON));
    sandbox.with(|world| world.disable_region("us-east-1"));
    let failing = tool.input("replica-regions", "eu-west-2 us-east-1=alias/models");
    let done = failing.run();
    assert_eq!(done.code, Some(6));
    assert_eq!(done.output("changed"), "true");
    assert_snapshot!(text(&done), @r#"
    waiting for replicas: us-east-1 (0 s)
    before it failed, this run
      replicated it to us-east-1
      secret   arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/model/api-key-[six]
      version  [id] (AWSCURRENT)
    error: prod/model/api-key could not be replicated to us-east-1
      why:  AWS says of us-east-1: The region is not enabled for this account
      next: mend that, and run again: each run tries a failed replica once more. A secret of this name that is there already
            is never overwritten; rename or remove it
      exit: 6 (refused by state)
    "#);
    // One look to decide, one that sees it in progress, and five that see it failed: the first of them could be of
    // an earlier try.
    assert_eq!(calls(&sandbox, "DescribeSecret"), 7);
    let again = failing.run();
    assert_eq!(again.code, Some(6));
    assert_eq!(
        calls(&sandbox, "ReplicateSecretToRegions"),
        2,
        "one try for each run"
    );
}

#[test]
fn replicas_that_never_come_end_with_the_time_limit_which_says_what_was_waited_for() {
    let sandbox = existing();
    sandbox.with(|world| world.replicas_settle_after(usize::MAX));
    let done = Tool::new(&sandbox, "new")
        .input("replica-regions", LONDON)
        .input("timeout", "1s")
        .run();
    assert_eq!(done.code, Some(7));
    assert_eq!(current(&sandbox).as_deref(), Some("new"));
    assert!(
        done.stderr
            .contains("it was waiting for the replicas in eu-west-2"),
        "{}",
        done.stderr
    );
}

#[test]
fn a_lost_answer_to_replicating_is_found_out() {
    for fault in [Fault::LostAfter, Fault::InternalError, Fault::GarbledBody] {
        let sandbox = existing();
        sandbox.fault("ReplicateSecretToRegions", 1, fault.clone());
        let done = Tool::new(&sandbox, "made-up")
            .input("replica-regions", LONDON)
            .run();
        done.expect(0, "updated");
        assert_eq!(replicas(&sandbox), [(LONDON.to_owned(), "InSync")]);
    }
}

#[test]
fn a_policy_is_attached_once_however_it_is_written() {
    let sandbox = existing();
    let one = allowing("111122223333");
    let tool = Tool::new(&sandbox, "made-up").input("resource-policy", &one);
    let done = tool.run();
    done.expect(0, "updated");
    assert!(
        done.stderr.contains("wrote the resource policy"),
        "{}",
        done.stderr
    );
    assert_eq!(policy(&sandbox).as_deref(), Some(one.as_str()));
    sandbox.clear_log();
    let other =
        allowing("arn:aws:iam::111122223333:root").replace("GetSecretValue", "getsecretvalue");
    std::fs::write(tool.path("policy.json"), other).unwrap();
    let file = format!("file:{}", tool.path("policy.json").display());
    tool.input("resource-policy", &file)
        .run()
        .expect(0, "unchanged");
    let mut calls = operations(&sandbox);
    calls.sort();
    assert_eq!(
        calls,
        ["DescribeSecret", "GetResourcePolicy", "GetSecretValue"]
    );
}

#[test]
fn a_policy_that_must_not_be_attached_stops_the_run_before_anything_is_written() {
    let public = allowing("*");
    let lockout = r#"{"Statement":{"Effect":"Deny","Principal":"*","Action":"secretsmanager:PutResourcePolicy","Resource":"*"}}"#;
    let cases = [
        (public.as_str(), "false", 6),
        (lockout, "true", 6),
        (r#"{"made":"up"}"#, "false", 2),
    ];
    for (document, allowed, code) in cases {
        let sandbox = existing();
        let done = Tool::new(&sandbox, "new")
            .input("resource-policy", document)
            .input("allow-public-policy", allowed)
            .run();
        assert_eq!(done.code, Some(code), "{document} {}", done.stderr);
        assert_eq!(current(&sandbox).as_deref(), Some("made-up"), "{document}");
        assert_eq!(policy(&sandbox), None);
    }
    let sandbox = existing();
    let done = Tool::new(&sandbox, "new")
        .input("resource-policy", &public)
        .run();
    assert_snapshot!(text(&done), @r#"
    warning: the value has fewer than 4 bytes; text that short cannot be redacted from logs without wrecking them
      secret   arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/model/api-key-[six]
    error: the resource policy must not be attached to prod/model/api-key
      why:  AWS says: PublicAccess: The resource policy allows broad access to the secret.
      next: correct it: name who may read the secret, and leave those who manage it (this run among them) their rights;
            `allow-public-policy: true` attaches a public one all the same
      exit: 6 (refused by state)
    "#);
    let sandbox = existing();
    Tool::new(&sandbox, "new")
        .input("resource-policy", &public)
        .input("allow-public-policy", "true")
        .run()
        .expect(0, "updated");
    assert_eq!(policy(&sandbox), Some(public));
}

/// AWS is told to look once more itself, unless it was allowed.
#[test]
fn a_public_policy_is_blocked_by_the_call_that_attaches_it_too() {
    let guarded = r#"{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},
        {"Effect":"Deny","Action":"secretsmanager:PutResourcePolicy","Resource":"*",
         "Condition":{"Bool":{"secretsmanager:BlockPublicPolicy":"false"}}}]}"#;
    for (allowed, code) in [("false", 0), ("true", 4)] {
        let sandbox = existing();
        sandbox.set_policy(&sandbox.default_key_id(), Policy::from_json(guarded));
        let done = Tool::new(&sandbox, "made-up")
            .input("resource-policy", &allowing("111122223333"))
            .input("allow-public-policy", allowed)
            .run();
        assert_eq!(done.code, Some(code), "{}", done.stderr);
    }
}

#[test]
fn a_secret_that_is_taken_back_gets_its_policy_too() {
    let sandbox = existing();
    sandbox.with(|world| world.schedule_deletion(NAME));
    let document = allowing("111122223333");
    let done = Tool::new(&sandbox, "made-up")
        .input("resource-policy", &document)
        .input("on-scheduled-deletion", "restore")
        .run();
    done.expect(0, "updated");
    assert_eq!(policy(&sandbox), Some(document));
}

#[test]
fn a_role_that_was_made_a_moment_ago_is_waited_for() {
    let sandbox = existing();
    sandbox.with(|world| world.add_principal_after(ROLE, 4));
    let done = Tool::new(&sandbox, "made-up")
        .input("resource-policy", &allowing(ROLE))
        .run();
    done.expect(0, "updated");
    assert!(
        done.stderr
            .contains("waiting for AWS to know the principals"),
        "{}",
        done.stderr
    );
}

#[test]
fn a_new_secret_gets_its_policy_and_a_hidden_one_is_written_over() {
    let sandbox = Sandbox::start();
    let tool = Tool::new(&sandbox, "made-up").input("resource-policy", &allowing("111122223333"));
    tool.run().expect(0, "created");
    assert!(policy(&sandbox).is_some());
    let key = sandbox.default_key_id();
    sandbox.set_policy(&key, Policy::deny(&["secretsmanager:GetResourcePolicy"]));
    let done = tool.run();
    done.expect(0, "updated");
    assert!(
        done.stderr
            .contains("reading the resource policy (GetResourcePolicy) is denied"),
        "{}",
        done.stderr
    );
    sandbox.set_policy(
        &key,
        Policy::deny(&["secretsmanager:ValidateResourcePolicy"]),
    );
    let other = tool.input("resource-policy", &allowing("444455556666"));
    let done = other.run();
    assert_eq!(
        done.code,
        Some(4),
        "never attached unchecked: {}",
        done.stderr
    );
}

#[test]
fn a_run_that_waits_for_replicas_can_be_cancelled() {
    let sandbox = existing();
    sandbox.with(|world| world.replicas_settle_after(usize::MAX));
    let tool = Tool::new(&sandbox, "made-up").input("replica-regions", LONDON);
    let held = sandbox.hold("DescribeSecret", 2, When::BeforeApply);
    let child = tool.spawn();
    assert!(held.wait_reached(PATIENCE));
    signal(&child, "TERM");
    held.release();
    let done = tool.finish(child);
    assert_eq!(done.code, Some(143), "{}", done.stderr);
    assert_eq!(done.output("changed"), "true");
}

/// What terraform's `aws_secretsmanager_secret` and `aws_secretsmanager_secret_version` read back and compare: the
/// answers to these, without the dates of reading.
fn as_terraform_reads(client: &Client, version: &str) -> Vec<Value> {
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

/// Terraform, and Pulumi, whose provider is the same, make the secret without a value, wait, and put the value
/// with a token of theirs; in the state they keep `ARN|versionId`.
#[test]
fn a_secret_of_terraform_is_adopted_without_a_difference_to_it() {
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
    sandbox.with(|world| world.put_resource_policy(NAME, &allowing("111122223333")));
    let before = as_terraform_reads(&client, token);
    let done = Tool::new(&sandbox, "made-up")
        .input("description", "API key")
        .input("tags", "team=ml")
        .input("tag-policy", "replace")
        .input(
            "resource-policy",
            &allowing("arn:aws:iam::111122223333:root"),
        )
        .run();
    done.expect(0, "unchanged");
    assert_eq!(done.output("secret_version_id"), token);
    assert_eq!(as_terraform_reads(&client, token), before);
}
