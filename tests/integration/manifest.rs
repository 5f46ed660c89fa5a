//! A manifest: many secrets in one run, as a user meets them.

use std::fs;

use sandbox::{Sandbox, SecretView};

use crate::common::Tool;

mod failures;
mod iam_policy;
mod outputs;
mod run;
mod validation;

/// The program on this sandbox with a manifest.
pub(super) fn many(sandbox: &Sandbox, manifest: &str) -> Tool {
    let mut tool = bare(manifest).env("AWS_EC2_METADATA_DISABLED", "true");
    for (name, value) in sandbox.env() {
        tool = tool.env(name, &value);
    }
    tool
}

/// The program with a manifest and nothing else.
pub(super) fn bare(manifest: &str) -> Tool {
    let tool = Tool::bare();
    let path = tool.path("secrets.yaml");
    fs::write(&path, manifest).unwrap();
    let path = path.display().to_string();
    tool.input("manifest", &path)
}

/// `NAME: { env: V }` for each.
pub(super) fn plain(names: &[&str]) -> String {
    let entry = |name: &&str| format!("  {name}: {{ value: {{ env: V }} }}\n");
    format!("secrets:\n{}", names.iter().map(entry).collect::<String>())
}

pub(super) fn numbered(count: usize) -> String {
    let names: Vec<_> = (0..count).map(|number| format!("s/{number}")).collect();
    plain(&names.iter().map(String::as_str).collect::<Vec<_>>())
}

pub(super) fn secret(sandbox: &Sandbox, name: &str) -> SecretView {
    sandbox.with(|world| world.secret(name)).unwrap()
}

pub(super) fn value(sandbox: &Sandbox, name: &str) -> String {
    let secret = secret(sandbox, name);
    secret.current().unwrap().string.clone().unwrap()
}
