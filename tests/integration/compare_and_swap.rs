//! Compare-and-swap writes: `expected-version-id`, `json-key`, and the private label that protects them.

use sandbox::{Sandbox, SecretView};

use crate::common::{NAME, Tool};

mod expected_version;
mod json_key;
mod write_labels;

fn secret(sandbox: &Sandbox) -> SecretView {
    sandbox.with(|world| world.secret(NAME)).unwrap()
}

/// Private labels that are still on the secret.
fn private_labels(sandbox: &Sandbox) -> Vec<String> {
    secret(sandbox)
        .versions
        .iter()
        .flat_map(|version| version.stages.clone())
        .filter(|label| label.starts_with("upsert-secret-"))
        .collect()
}

fn guarded(sandbox: &Sandbox, expected: &str) -> Tool {
    Tool::new(sandbox, "made-up").input("expected-version-id", expected)
}

fn keyed(sandbox: &Sandbox, key: &str, value: &str) -> Tool {
    Tool::new(sandbox, value).input("json-key", key)
}
