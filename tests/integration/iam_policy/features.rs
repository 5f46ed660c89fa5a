//! Every feature that needs rights of its own, and the states of a secret in which it needs them.

use std::time::Duration;

use sandbox::Sandbox;
use sandbox::client::Client;
use serde_json::json;

use crate::common::{NAME, Tool};

/// The state in which a run finds the secret, made with all rights.
pub(super) type Scene = fn(&Sandbox, &Tool);

/// Inputs, and the states in which their rights are needed.
pub(super) struct Feature {
    pub(super) command: &'static str,
    pub(super) inputs: &'static [(&'static str, &'static str)],
    pub(super) scenes: &'static [Scene],
}

const POLICY: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"111122223333"},
    "Action":"secretsmanager:GetSecretValue","Resource":"*"}}"#;

fn absent(_: &Sandbox, _: &Tool) {}

fn old(sandbox: &Sandbox, _: &Tool) {
    sandbox.with(|world| world.create(NAME, "made-up-old"));
}

/// A secret without a version.
fn empty(sandbox: &Sandbox, _: &Tool) {
    sandbox.with(|world| world.create_empty(NAME));
    let tags = json!({"SecretId": NAME, "Tags": [{"Key": "extra", "Value": "x"}]});
    let tagged = Client::new(&sandbox.url())
        .call("TagResource", &tags)
        .unwrap();
    assert_eq!(tagged.status, 200);
}

fn document(sandbox: &Sandbox, _: &Tool) {
    sandbox.with(|world| world.create(NAME, r#"{"a":1}"#));
}

fn deleted(sandbox: &Sandbox, tool: &Tool) {
    old(sandbox, tool);
    sandbox.with(|world| world.schedule_deletion(NAME));
}

fn tagged_and_replicated(sandbox: &Sandbox, _: &Tool) {
    Tool::new(sandbox, "made-up")
        .input("tags", "extra=x")
        .input("replica-regions", "eu-west-3")
        .run()
        .expect(0, "created");
}

/// The run before this one, and somebody who wrote after it.
fn overtaken(sandbox: &Sandbox, tool: &Tool) {
    assert_eq!(tool.run().code, Some(0));
    sandbox.with(|world| world.put(NAME, "made-up-theirs"));
}

/// Two versions, of which the second is `candidate` and then current.
fn staged(sandbox: &Sandbox, tool: &Tool) {
    old(sandbox, tool);
    Tool::new(sandbox, "made-up")
        .input("version-stages", "candidate")
        .run()
        .expect(0, "updated");
}

fn promoted(sandbox: &Sandbox, tool: &Tool) {
    old(sandbox, tool);
    sandbox.advance_clock(Duration::from_secs(2));
    sandbox.with(|world| world.put(NAME, "made-up-newer"));
}

pub(super) const FEATURES: &[Feature] = &[
    Feature {
        command: "upsert",
        inputs: &[
            ("compare", "always"),
            ("tag-policy", "replace"),
            ("tags", "team=ml"),
            ("description", "made up"),
        ],
        scenes: &[absent, old, tagged_and_replicated, overtaken],
    },
    Feature {
        command: "upsert",
        inputs: &[("compare", "never")],
        scenes: &[absent, old, overtaken],
    },
    Feature {
        command: "upsert",
        inputs: &[
            ("if-exists", "skip"),
            ("tag-policy", "replace"),
            ("tags", "team=ml"),
        ],
        scenes: &[absent, empty, old],
    },
    Feature {
        command: "upsert",
        inputs: &[
            ("on-scheduled-deletion", "restore"),
            ("compare", "always"),
            ("version-stages", "AWSCURRENT,blue"),
        ],
        scenes: &[absent, deleted],
    },
    Feature {
        command: "upsert",
        inputs: &[
            ("kms-key-id", "alias/models"),
            ("compare", "always"),
            ("version-stages", "AWSCURRENT,blue"),
        ],
        scenes: &[absent, old],
    },
    Feature {
        command: "upsert",
        inputs: &[("json-key", "b")],
        scenes: &[absent, document],
    },
    Feature {
        command: "upsert",
        inputs: &[("version-stages", "candidate"), ("compare", "always")],
        scenes: &[absent, old, overtaken],
    },
    Feature {
        command: "upsert",
        inputs: &[
            ("replica-regions", "eu-west-2"),
            ("compare", "always"),
            ("replica-policy", "replace"),
        ],
        scenes: &[absent, old, tagged_and_replicated, overtaken],
    },
    Feature {
        command: "upsert",
        inputs: &[
            ("resource-policy", POLICY),
            ("compare", "always"),
            ("version-stages", "AWSCURRENT,blue"),
        ],
        scenes: &[absent, old],
    },
    Feature {
        command: "promote",
        inputs: &[],
        scenes: &[staged],
    },
    Feature {
        command: "rollback",
        inputs: &[],
        scenes: &[promoted],
    },
];
