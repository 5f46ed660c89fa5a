//! `all-or-nothing`: after the next run, either all secrets of a manifest are new or all are unchanged. Concurrent writes are
//! kept, and no label of the transaction remains.

use std::fs;

use sandbox::{Held, Sandbox, SecretView, When, World};

use crate::common::{Cli, Outcome, WAIT_LIMIT, call_count};

mod commit;
mod conflicts;
mod first_values;
mod recovery;
mod status;
mod takeover;

const NAMES: [&str; 3] = ["prod/a", "prod/b", "prod/c"];

const WRITES: [&str; 3] = ["CreateSecret", "PutSecretValue", "UpdateSecretVersionStage"];

/// The value of another writer.
const RIVAL: &str = "made-up-rival";

/// Three secrets with old values.
fn existing() -> Sandbox {
    let sandbox = Sandbox::start();
    sandbox.with(|world| {
        for name in NAMES {
            world.create(name, &old_value(name));
        }
    });
    sandbox
}

fn old_value(name: &str) -> String {
    format!("made-up-old-{name}")
}

fn new_value(name: &str, release: &str) -> String {
    format!("made-up-{release}-{name}")
}

/// A run with a manifest of these secrets and values.
fn manifest_with(sandbox: &Sandbox, secrets: &[(&str, String)]) -> Cli {
    let mut cli = Cli::new(sandbox, "")
        .unset("UPSERT_SECRET_NAME")
        .unset("UPSERT_SECRET_VALUE");
    let mut manifest = String::from("all-or-nothing: true\nsecrets:\n");
    for (number, (name, value)) in secrets.iter().enumerate() {
        manifest.push_str(&format!(
            "  {name}:\n    value: {{ env: VALUE_{number} }}\n"
        ));
        cli = cli.env(&format!("VALUE_{number}"), value);
    }
    let path = cli.path("secrets.yaml");
    fs::write(&path, manifest).unwrap();
    cli.input("manifest", &path.display().to_string())
}

/// A run with a manifest of these secrets; their new values include `release`.
fn manifest_run(sandbox: &Sandbox, names: &[&str], release: &str) -> Cli {
    let secrets = names.iter().map(|name| (*name, new_value(name, release)));
    manifest_with(sandbox, &secrets.collect::<Vec<_>>())
}

/// A CI run: a rerun recognizes that the first attempt has ended.
fn release(sandbox: &Sandbox, release: &str) -> Cli {
    manifest_run(sandbox, &NAMES, release).github()
}

fn secret(sandbox: &Sandbox, name: &str) -> SecretView {
    sandbox.with(|world| world.secret(name)).unwrap()
}

fn value(sandbox: &Sandbox, name: &str) -> String {
    let secret = secret(sandbox, name);
    secret.current().unwrap().string.clone().unwrap()
}

fn previous_value(sandbox: &Sandbox, name: &str) -> Option<String> {
    let secret = secret(sandbox, name);
    secret.labeled("AWSPREVIOUS")?.string.clone()
}

fn values(sandbox: &Sandbox) -> [String; 3] {
    NAMES.map(|name| value(sandbox, name))
}

fn remaining_labels(sandbox: &Sandbox) -> Vec<String> {
    let names = sandbox.with(|world| world.names());
    let versions = names.iter().flat_map(|name| secret(sandbox, name).versions);
    let all = versions.flat_map(|version| version.stages);
    all.filter(|label| label.starts_with("upsert-secret-"))
        .collect()
}

#[track_caller]
fn assert_all_new(sandbox: &Sandbox, release: &str) {
    assert_eq!(values(sandbox), NAMES.map(|name| new_value(name, release)));
    assert_eq!(remaining_labels(sandbox), [""; 0]);
}

#[track_caller]
fn assert_all_old(sandbox: &Sandbox) {
    assert_eq!(values(sandbox), NAMES.map(old_value));
    assert_eq!(remaining_labels(sandbox), [""; 0]);
}

/// Puts another writer's value just before the nth call.
fn concurrent_put(sandbox: &Sandbox, operation: &str, nth: usize, name: &'static str) {
    sandbox.before(operation, nth, move |world: &mut World| {
        world.put(name, RIVAL);
    });
}

/// Fails if a line of a message has a gap, as after text wrapped in the source.
#[track_caller]
fn assert_no_gaps(outcome: &Outcome) {
    for line in outcome.stderr.replace("%0A", "\n").lines() {
        // The denied action and its resource form a table.
        let line = line.replace("action    ", "action ");
        assert!(!line.trim_start().contains("    "), "{line:?}");
    }
}

/// Kills a run while all of these calls are held, each before or after it is applied.
pub(super) fn kill_at(sandbox: &Sandbox, cli: &Cli, calls: &[(&str, usize, When)]) {
    let hold = |&(operation, nth, when): &(&str, usize, When)| sandbox.hold(operation, nth, when);
    let held: Vec<Held> = calls.iter().map(hold).collect();
    let mut child = cli.spawn();
    for (held, call) in held.iter().zip(calls) {
        assert!(held.wait_reached(WAIT_LIMIT), "{call:?} of {calls:?}");
    }
    child.kill().unwrap();
    child.wait().unwrap();
    held.iter().for_each(Held::discard);
}

/// Every write call of an undisturbed run, as (operation, nth).
fn write_calls() -> Vec<(&'static str, usize)> {
    let sandbox = existing();
    release(&sandbox, "1").run().expect(0, "updated");
    WRITES
        .into_iter()
        .flat_map(|operation| {
            (1..=call_count(&sandbox, operation)).map(move |nth| (operation, nth))
        })
        .collect()
}
