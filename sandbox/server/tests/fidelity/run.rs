//! The building blocks of rows: requests, and comparisons of responses with recordings.

use std::{
    collections::BTreeMap,
    time::{SystemTime, UNIX_EPOCH},
};

use sandbox::{
    Role, Sandbox, World,
    client::{Client, Reply},
};
use serde_json::{Value, json};

pub(crate) type Outcome = Result<(), String>;
pub(crate) type Stages = BTreeMap<String, Vec<String>>;

/// One recorded condition.
pub(crate) struct Case {
    pub(crate) id: &'static str,
    pub(crate) source: &'static str,
    pub(crate) recorded: &'static str,
    /// Whether the steps move the clock or use other controls that only the sandbox has.
    pub(crate) needs_sandbox: bool,
    pub(crate) steps: fn(&Run<'_>) -> Outcome,
}

pub(crate) const fn case(
    id: &'static str,
    source: &'static str,
    recorded: &'static str,
    steps: fn(&Run<'_>) -> Outcome,
) -> Case {
    Case {
        id,
        source,
        recorded,
        needs_sandbox: false,
        steps,
    }
}

pub(crate) const fn sandbox_case(
    id: &'static str,
    source: &'static str,
    recorded: &'static str,
    steps: fn(&Run<'_>) -> Outcome,
) -> Case {
    Case {
        id,
        source,
        recorded,
        needs_sandbox: true,
        steps,
    }
}

pub(crate) const NO_SECRET: (&str, &str) = (
    "ResourceNotFoundException",
    "Secrets Manager can't find the specified secret.",
);
pub(crate) const MARKED: (&str, &str) = (
    "InvalidRequestException",
    "You can't perform this operation on the secret because it was marked for deletion.",
);
pub(crate) const BAD_NAME: (&str, &str) = (
    "ValidationException",
    "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!",
);
pub(crate) const NO_VALUE: (&str, &str) = (
    "InvalidRequestException",
    "You must provide either SecretString or SecretBinary.",
);
pub(crate) const BOTH_VALUES: (&str, &str) = (
    "InvalidParameterException",
    "You can't specify both a binary secret value and a string secret value in the same secret.",
);
pub(crate) const TOO_LONG: (&str, &str) = (
    "ValidationException",
    "1 validation error detected: Value at 'secretString' failed to satisfy constraint: Member must have length less than or equal to 65536",
);
pub(crate) const NO_TOKEN: (&str, &str) = (
    "InvalidRequestException",
    "You must provide a ClientRequestToken value. We recommend a UUID-type value.",
);

/// The token of the n-th version. Tokens must differ only within a secret.
pub(crate) fn token(n: u32) -> String {
    format!("{n:08}-0000-4000-8000-000000000000")
}

pub(crate) fn same<T: PartialEq + std::fmt::Debug>(what: &str, got: &T, want: &T) -> Outcome {
    if got == want {
        Ok(())
    } else {
        Err(format!("{what} is {got:?}, recorded is {want:?}"))
    }
}

/// The labels of a secret, written as `[(version, [labels])]`.
pub(crate) fn labels(versions: &[(u32, &[&str])]) -> Stages {
    let versions = versions.iter().map(|(version, stages)| {
        let stages = stages.iter().map(|stage| (*stage).to_owned()).collect();
        (token(*version), stages)
    });
    versions.collect()
}

/// A row's access to the server.
pub(crate) struct Run<'a> {
    pub(crate) client: Client,
    /// The same client in another region.
    pub(crate) west: Client,
    /// A name that no other row and no earlier run used.
    pub(crate) name: String,
    sandbox: Option<&'a Sandbox>,
}

impl<'a> Run<'a> {
    pub(crate) fn new(url: &str, id: &str, sandbox: Option<&'a Sandbox>) -> Self {
        let client = Client::new(url);
        let mut west = client.clone();
        "us-west-2".clone_into(&mut west.region);
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Self {
            client,
            west,
            name: format!("fidelity/{id}/{}", since.as_nanos()),
            sandbox,
        }
    }

    pub(crate) fn sandbox(&self) -> &'a Sandbox {
        self.sandbox
            .expect("the case is marked for the sandbox only")
    }

    /// Changes the sandbox's state; does nothing on another server.
    pub(crate) fn arrange(&self, change: impl FnOnce(&mut World)) {
        if let Some(sandbox) = self.sandbox {
            sandbox.with(change);
        }
    }

    /// Adds a role to the sandbox; does nothing on another server.
    pub(crate) fn add_role(&self, role: Role) {
        if let Some(sandbox) = self.sandbox {
            sandbox.add_role(role);
        }
    }

    pub(crate) fn send(&self, operation: &str, input: &Value) -> Result<Reply, String> {
        send(&self.client, operation, input)
    }

    pub(crate) fn ok(&self, operation: &str, input: &Value) -> Result<Value, String> {
        ok(&self.client, operation, input)
    }

    /// The operation fails with this code and message.
    pub(crate) fn fails_with(&self, operation: &str, input: &Value, with: (&str, &str)) -> Outcome {
        fails_with(&self.client, operation, input, with)
    }

    /// The operation fails with a 400; the code was not recorded.
    pub(crate) fn fails(&self, operation: &str, input: &Value) -> Outcome {
        let reply = self.send(operation, input)?;
        same(&format!("the status of {operation}"), &reply.status, &400)
    }

    /// The operation fails with this code; the message was not recorded.
    pub(crate) fn fails_with_code(&self, operation: &str, input: &Value, code: &str) -> Outcome {
        let reply = self.send(operation, input)?;
        same(
            &format!("the answer to {operation}"),
            &(reply.status, reply.code()),
            &(400, code.to_owned()),
        )
    }

    /// Creates the secret with version 1, whose value is "v1".
    pub(crate) fn create(&self) -> Result<Value, String> {
        self.ok(
            "CreateSecret",
            &json!({"Name": self.name, "SecretString": "v1", "ClientRequestToken": token(1)}),
        )
    }

    /// Creates the secret and schedules it for deletion.
    pub(crate) fn create_deleted(&self) -> Outcome {
        self.create()?;
        self.ok("DeleteSecret", &json!({"SecretId": self.name}))
            .map(drop)
    }

    /// Puts version `n`, whose value is "v{n}".
    pub(crate) fn put(&self, n: u32) -> Result<Value, String> {
        self.ok("PutSecretValue", &self.version(n))
    }

    pub(crate) fn put_staged(&self, n: u32, stages: &[&str]) -> Result<Value, String> {
        let mut input = self.version(n);
        input["VersionStages"] = json!(stages);
        self.ok("PutSecretValue", &input)
    }

    pub(crate) fn version(&self, n: u32) -> Value {
        json!({"SecretId": self.name, "SecretString": format!("v{n}"), "ClientRequestToken": token(n)})
    }

    pub(crate) fn id(&self) -> Value {
        json!({"SecretId": self.name})
    }

    /// The input of UpdateSecretVersionStage.
    pub(crate) fn stage(&self, stage: &str, from: Option<u32>, to: Option<u32>) -> Value {
        let mut input = json!({"SecretId": self.name, "VersionStage": stage});
        if let Some(from) = from {
            input["RemoveFromVersionId"] = json!(token(from));
        }
        if let Some(to) = to {
            input["MoveToVersionId"] = json!(token(to));
        }
        input
    }

    pub(crate) fn move_stage(&self, stage: &str, from: Option<u32>, to: Option<u32>) -> Outcome {
        let input = self.stage(stage, from, to);
        self.ok("UpdateSecretVersionStage", &input).map(drop)
    }

    pub(crate) fn describe(&self) -> Result<Value, String> {
        self.ok("DescribeSecret", &self.id())
    }

    /// DescribeSecret shows these versions with these labels.
    pub(crate) fn labeled(&self, versions: &[(u32, &[&str])]) -> Outcome {
        let shown = self.describe()?["VersionIdsToStages"].clone();
        let shown = serde_json::from_value::<Option<Stages>>(shown).map_err(|e| e.to_string())?;
        let mut shown = shown.unwrap_or_default();
        shown.values_mut().for_each(|stages| stages.sort());
        same("VersionIdsToStages", &shown, &labels(versions))
    }

    /// The current version has this value.
    pub(crate) fn value(&self, want: &str) -> Outcome {
        let got = self.ok("GetSecretValue", &self.id())?;
        same("SecretString", &got["SecretString"], &json!(want))
    }

    /// The versions that ListSecretVersionIds lists, with their labels if it shows any.
    pub(crate) fn listed(
        &self,
        deprecated: bool,
    ) -> Result<BTreeMap<String, Option<Value>>, String> {
        let input = json!({"SecretId": self.name, "IncludeDeprecated": deprecated});
        let answer = self.ok("ListSecretVersionIds", &input)?;
        let versions = answer["Versions"].as_array().cloned().unwrap_or_default();
        let shown = versions.into_iter().map(|version| {
            let id = version["VersionId"].as_str().unwrap_or_default().to_owned();
            (id, version.get("VersionStages").cloned())
        });
        Ok(shown.collect())
    }
}

pub(crate) fn send(client: &Client, operation: &str, input: &Value) -> Result<Reply, String> {
    let reply = client.call(operation, input);
    reply.map_err(|error| format!("{operation}: no answer: {error}"))
}

pub(crate) fn ok(client: &Client, operation: &str, input: &Value) -> Result<Value, String> {
    let reply = send(client, operation, input)?;
    if reply.status == 200 {
        return Ok(reply.json());
    }
    let (status, body) = (reply.status, reply.body);
    Err(format!("{operation} fails: {status} {body:.200}"))
}

pub(crate) fn fails_with(
    client: &Client,
    operation: &str,
    input: &Value,
    with: (&str, &str),
) -> Outcome {
    let reply = send(client, operation, input)?;
    same(
        &format!("the answer to {operation}"),
        &(reply.status, reply.code(), reply.message()),
        &(400, with.0.to_owned(), with.1.to_owned()),
    )
}
