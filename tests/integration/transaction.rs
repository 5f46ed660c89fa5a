//! `all-or-nothing`: after the next run, the secrets of a manifest are all new or all unchanged. Concurrent writes are
//! kept, and no label of the transaction remains.

use std::fs;

use sandbox::{Sandbox, SecretView, World};

use crate::common::{Done, Tool, calls};

mod commit;
mod recovery;

const NAMES: [&str; 3] = ["prod/a", "prod/b", "prod/c"];

const WRITES: [&str; 3] = ["CreateSecret", "PutSecretValue", "UpdateSecretVersionStage"];

/// Three secrets with values of old.
fn existing() -> Sandbox {
    let sandbox = Sandbox::start();
    sandbox.with(|world| {
        for name in NAMES {
            world.create(name, &old(name));
        }
    });
    sandbox
}

fn old(name: &str) -> String {
    format!("made-up-old-{name}")
}

fn new(name: &str, release: &str) -> String {
    format!("made-up-{release}-{name}")
}

/// A run of a manifest with these secrets, whose values are those of a release.
fn run_of(sandbox: &Sandbox, names: &[&str], release: &str) -> Tool {
    let mut tool = Tool::new(sandbox, "")
        .unset("UPSERT_SECRET_NAME")
        .unset("UPSERT_SECRET_VALUE");
    let mut manifest = String::from("all-or-nothing: true\nsecrets:\n");
    for (number, name) in names.iter().enumerate() {
        manifest.push_str(&format!(
            "  {name}:\n    value: {{ env: VALUE_{number} }}\n"
        ));
        tool = tool.env(&format!("VALUE_{number}"), &new(name, release));
    }
    let path = tool.path("secrets.yaml");
    fs::write(&path, manifest).unwrap();
    tool.input("manifest", &path.display().to_string())
}

/// A run in CI, of which a second attempt knows that the first is over.
fn release(sandbox: &Sandbox, release: &str) -> Tool {
    run_of(sandbox, &NAMES, release).github()
}

fn secret(sandbox: &Sandbox, name: &str) -> SecretView {
    sandbox.with(|world| world.secret(name)).unwrap()
}

fn value(sandbox: &Sandbox, name: &str) -> String {
    let secret = secret(sandbox, name);
    secret.current().unwrap().string.clone().unwrap()
}

fn values(sandbox: &Sandbox) -> [String; 3] {
    NAMES.map(|name| value(sandbox, name))
}

fn labels(sandbox: &Sandbox) -> Vec<String> {
    let of = |name| secret(sandbox, name).versions;
    let all = NAMES
        .into_iter()
        .flat_map(of)
        .flat_map(|version| version.stages);
    all.filter(|label| label.starts_with("upsert-secret-"))
        .collect()
}

#[track_caller]
fn assert_all(sandbox: &Sandbox, release: &str) {
    assert_eq!(values(sandbox), NAMES.map(|name| new(name, release)));
    assert_eq!(labels(sandbox), [""; 0]);
}

#[track_caller]
fn assert_none(sandbox: &Sandbox) {
    assert_eq!(values(sandbox), NAMES.map(old));
    assert_eq!(labels(sandbox), [""; 0]);
}

/// Somebody else's write just before the nth call.
fn rival(sandbox: &Sandbox, operation: &str, nth: usize, name: &'static str) {
    sandbox.before(operation, nth, move |world: &mut World| {
        world.put(name, "made-up-rival");
    });
}

fn totals(done: &Done) -> [&str; 5] {
    ["created", "updated", "unchanged", "failed", "not_tried"].map(|name| done.output(name))
}

/// How often each write is called in a quiet run.
fn writes() -> Vec<(&'static str, usize)> {
    let sandbox = existing();
    release(&sandbox, "1").run().expect(0, "updated");
    WRITES
        .into_iter()
        .flat_map(|operation| (1..=calls(&sandbox, operation)).map(move |nth| (operation, nth)))
        .collect()
}
