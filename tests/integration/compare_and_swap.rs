//! Compare-and-swap writes: `expected-version-id`, `json-key`, and the private label that protects them.

use sandbox::{Sandbox, SecretView};

use crate::common::{Cli, NAME};

mod expected_version;
mod json_key;
mod write_labels;

fn secret(sandbox: &Sandbox) -> SecretView {
    sandbox.with(|world| world.secret(NAME)).unwrap()
}

/// Private staging labels that remain on the secret.
fn private_labels(sandbox: &Sandbox) -> Vec<String> {
    secret(sandbox)
        .versions
        .iter()
        .flat_map(|version| version.stages.clone())
        .filter(|label| label.starts_with("upsert-secret-"))
        .collect()
}

fn with_expected_version(sandbox: &Sandbox, expected: &str) -> Cli {
    Cli::new(sandbox, "made-up").input("expected-version-id", expected)
}

fn with_json_key(sandbox: &Sandbox, key: &str, value: &str) -> Cli {
    Cli::new(sandbox, value).input("json-key", key)
}
