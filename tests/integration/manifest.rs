//! Runs with a manifest: many secrets in one run.

use std::fs;

use sandbox::{Sandbox, SecretView};

use crate::common::Cli;

mod documents;
mod failures;
mod iam_policy;
mod outputs;
mod run;
mod validation;

/// The program with a manifest and the sandbox's credentials.
pub(super) fn manifest_cli(sandbox: &Sandbox, manifest: &str) -> Cli {
    let mut cli = offline_cli(manifest).env("AWS_EC2_METADATA_DISABLED", "true");
    for (name, value) in sandbox.env() {
        cli = cli.env(name, &value);
    }
    cli
}

/// The program with a manifest, without credentials or region.
pub(super) fn offline_cli(manifest: &str) -> Cli {
    let cli = Cli::with_empty_env();
    let path = cli.path("secrets.yaml");
    fs::write(&path, manifest).unwrap();
    let path = path.display().to_string();
    cli.input("manifest", &path)
}

/// A manifest in which every secret has the value of `V`.
pub(super) fn manifest_of(names: &[&str]) -> String {
    let entry = |name: &&str| format!("  {name}: {{ value: {{ env: V }} }}\n");
    format!("secrets:\n{}", names.iter().map(entry).collect::<String>())
}

pub(super) fn numbered_manifest(count: usize) -> String {
    let names: Vec<_> = (0..count).map(|number| format!("s/{number}")).collect();
    manifest_of(&names.iter().map(String::as_str).collect::<Vec<_>>())
}

pub(super) fn secret(sandbox: &Sandbox, name: &str) -> SecretView {
    sandbox.with(|world| world.secret(name)).unwrap()
}

pub(super) fn value(sandbox: &Sandbox, name: &str) -> String {
    let secret = secret(sandbox, name);
    secret.current().unwrap().string.clone().unwrap()
}
