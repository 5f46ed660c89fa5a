//! Features that need additional permissions, and the initial states in which they need them.

use std::time::Duration;

use sandbox::Sandbox;
use sandbox::client::Client;
use serde_json::json;

use crate::common::{Cli, NAME};

/// Prepares the secret before the run, with full permissions.
pub(super) type InitialState = fn(&Sandbox, &Cli);

/// Inputs, and the initial states in which their permissions are needed.
pub(super) struct Feature {
    pub(super) command: &'static str,
    pub(super) inputs: &'static [(&'static str, &'static str)],
    pub(super) initial_states: &'static [InitialState],
}

const POLICY: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"111122223333"},
    "Action":"secretsmanager:GetSecretValue","Resource":"*"}}"#;

fn absent(_: &Sandbox, _: &Cli) {}

fn existing(sandbox: &Sandbox, _: &Cli) {
    sandbox.with(|world| world.create(NAME, "made-up-old"));
}

/// A secret without a version, and with a tag that the inputs do not list.
fn empty(sandbox: &Sandbox, _: &Cli) {
    sandbox.with(|world| world.create_empty(NAME));
    let tags = json!({"SecretId": NAME, "Tags": [{"Key": "extra", "Value": "x"}]});
    let tagged = Client::new(&sandbox.url())
        .call("TagResource", &tags)
        .unwrap();
    assert_eq!(tagged.status, 200);
}

fn document(sandbox: &Sandbox, _: &Cli) {
    sandbox.with(|world| world.create(NAME, r#"{"a":1}"#));
}

fn deleted(sandbox: &Sandbox, cli: &Cli) {
    existing(sandbox, cli);
    sandbox.with(|world| world.schedule_deletion(NAME));
}

fn tagged_and_replicated(sandbox: &Sandbox, _: &Cli) {
    Cli::new(sandbox, "made-up")
        .input("tags", "extra=x")
        .input("replica-regions", "eu-west-3")
        .run()
        .expect(0, "created");
}

/// The same run succeeded before, and another writer has put a value since.
fn overwritten(sandbox: &Sandbox, cli: &Cli) {
    assert_eq!(cli.run().code, Some(0));
    sandbox.with(|world| world.put(NAME, "made-up-foreign"));
}

/// A secret without a value, which gets one just before the run writes.
fn empty_then_written(sandbox: &Sandbox, _: &Cli) {
    sandbox.with(|world| world.create_empty(NAME));
    sandbox.before("PutSecretValue", 1, |world| {
        world.put(NAME, "made-up-rival");
    });
}

/// Two versions; the second has the label `candidate`.
fn staged(sandbox: &Sandbox, cli: &Cli) {
    existing(sandbox, cli);
    Cli::new(sandbox, "made-up")
        .input("version-stages", "candidate")
        .run()
        .expect(0, "updated");
}

fn promoted(sandbox: &Sandbox, cli: &Cli) {
    existing(sandbox, cli);
    sandbox.advance_clock(Duration::from_secs(2));
    sandbox.with(|world| world.put(NAME, "made-up-newer"));
}

/// A replicated secret with a resource policy.
fn shared(sandbox: &Sandbox, cli: &Cli) {
    existing(sandbox, cli);
    sandbox.with(|world| {
        world.replicate(NAME, "eu-west-3");
        world.put_resource_policy(NAME, POLICY);
    });
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
        initial_states: &[absent, existing, tagged_and_replicated, overwritten],
    },
    Feature {
        command: "upsert",
        inputs: &[("compare", "never")],
        initial_states: &[absent, existing, overwritten],
    },
    Feature {
        command: "upsert",
        inputs: &[
            ("if-exists", "skip"),
            ("tag-policy", "replace"),
            ("tags", "team=ml"),
        ],
        initial_states: &[absent, empty, empty_then_written, existing],
    },
    Feature {
        command: "upsert",
        inputs: &[
            ("on-scheduled-deletion", "restore"),
            ("compare", "always"),
            ("version-stages", "AWSCURRENT,blue"),
        ],
        initial_states: &[absent, deleted],
    },
    Feature {
        command: "upsert",
        inputs: &[
            ("kms-key-id", "alias/models"),
            ("compare", "always"),
            ("version-stages", "AWSCURRENT,blue"),
        ],
        initial_states: &[absent, existing],
    },
    Feature {
        command: "upsert",
        inputs: &[("json-key", "b")],
        initial_states: &[absent, document],
    },
    Feature {
        command: "upsert",
        inputs: &[("version-stages", "candidate"), ("compare", "always")],
        initial_states: &[absent, existing, overwritten],
    },
    Feature {
        command: "upsert",
        inputs: &[
            ("replica-regions", "eu-west-2"),
            ("compare", "always"),
            ("replica-policy", "replace"),
        ],
        initial_states: &[absent, existing, tagged_and_replicated, overwritten],
    },
    Feature {
        command: "upsert",
        inputs: &[
            ("resource-policy", POLICY),
            ("compare", "always"),
            ("version-stages", "AWSCURRENT,blue"),
        ],
        initial_states: &[absent, existing],
    },
    Feature {
        command: "promote",
        inputs: &[],
        initial_states: &[staged],
    },
    Feature {
        command: "rollback",
        inputs: &[],
        initial_states: &[promoted],
    },
    Feature {
        command: "import",
        inputs: &[
            ("include-resource-policies", "true"),
            ("only", "prod/[a-m]*"),
        ],
        initial_states: &[shared],
    },
    Feature {
        command: "import",
        inputs: &[],
        initial_states: &[shared],
    },
];
