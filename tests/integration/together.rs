//! `all-or-nothing`: whatever happens at whatever moment, after the next run all secrets of a manifest are new or none
//! is, nobody else's write is undone, and no label of ours stays.

use std::fs;

use sandbox::{Fault, Policy, Sandbox, SecretView, When, World};

use crate::common::{Done, PATIENCE, Tool, calls, operations};

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

#[test]
fn all_are_staged_before_one_is_current() {
    let sandbox = existing();
    let done = release(&sandbox, "1").run();
    done.expect(0, "updated");
    assert_eq!(totals(&done), ["0", "3", "0", "0", "0"]);
    assert_all(&sandbox, "1");
    // Twenty a call, one look each, put, flip, label off.
    let log = operations(&sandbox);
    let first_flip = log
        .iter()
        .position(|op| op == "UpdateSecretVersionStage")
        .unwrap();
    assert!(
        !log[first_flip..].contains(&"PutSecretValue".to_owned()),
        "{log:?}"
    );
    for (operation, number) in [
        ("BatchGetSecretValue", 1),
        ("DescribeSecret", 3),
        ("PutSecretValue", 3),
        ("UpdateSecretVersionStage", 6),
    ] {
        assert_eq!(calls(&sandbox, operation), number, "{operation}");
    }
    for name in NAMES {
        let previous = secret(&sandbox, name)
            .labeled("AWSPREVIOUS")
            .unwrap()
            .string
            .clone();
        assert_eq!(previous, Some(old(name)));
    }
    sandbox.clear_log();
    let again = release(&sandbox, "1").run();
    again.expect(0, "unchanged");
    assert_eq!(operations(&sandbox), ["BatchGetSecretValue"]);
}

#[test]
fn a_secret_that_cannot_be_written_leaves_all_as_they_were() {
    // What the sandbox refuses, whether it is known before anything is staged, and the exit code.
    let deny = |action: &str| {
        Policy::from_json(&format!(
            r#"{{"Statement":[{{"Effect":"Allow","Action":"*","Resource":"*"}},
                {{"Effect":"Deny","Action":"secretsmanager:{action}","Resource":"*:secret:prod/b-*"}}]}}"#
        ))
    };
    for (action, code) in [
        ("DescribeSecret", 4),
        ("PutSecretValue", 4),
        ("UpdateSecretVersionStage", 4),
    ] {
        let sandbox = existing();
        sandbox.set_policy(&sandbox.default_key_id(), deny(action));
        let done = release(&sandbox, "1").run();
        assert_eq!(done.code, Some(code), "{action}: {}", done.stderr);
        assert_eq!(done.output("result"), "", "{action}");
        assert_eq!(
            totals(&done),
            ["0", "0", "0", "1", "2"],
            "{action}: {}",
            done.stderr
        );
        assert!(
            done.stderr.contains("so none was made current"),
            "{}",
            done.stderr
        );
        sandbox.set_policy(&sandbox.default_key_id(), Policy::allow_all());
        assert_eq!(values(&sandbox), NAMES.map(old), "{action}");
        // A label that might not be taken off is taken off by the next run.
        release(&sandbox, "1").run().expect(0, "updated");
        assert_all(&sandbox, "1");
    }
    let sandbox = existing();
    sandbox.with(|world| world.set_rotation("prod/c", true));
    let done = release(&sandbox, "1").run();
    assert_eq!(done.code, Some(6), "{}", done.stderr);
    assert_eq!(calls(&sandbox, "PutSecretValue"), 0);
    assert_none(&sandbox);
}

#[test]
fn a_rival_at_any_moment_keeps_its_write_and_nobody_is_half_new() {
    for name in NAMES {
        for (operation, most) in [("PutSecretValue", 3), ("UpdateSecretVersionStage", 6)] {
            for nth in 1..=most {
                let sandbox = existing();
                rival(&sandbox, operation, nth, name);
                let done = release(&sandbox, "1").run();
                let place = format!("{name} before {operation} {nth}: {}", done.stderr);
                // After the flips nobody is in the way any more.
                let current = |other: &str| match (done.code, other == name) {
                    (_, true) => "made-up-rival".to_owned(),
                    (Some(0), false) => new(other, "1"),
                    (_, false) => old(other),
                };
                assert!(matches!(done.code, Some(0 | 5)), "{place}");
                assert_eq!(values(&sandbox), NAMES.map(current), "{place}");
                assert_eq!(labels(&sandbox), [""; 0], "{place}");
                if operation == "PutSecretValue" {
                    assert_eq!(done.code, Some(5), "{place}");
                    assert!(done.stderr.contains("so none was made current"), "{place}");
                }
            }
        }
    }
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

/// A run that is killed while the nth call of an operation waits, applied or not.
fn killed(sandbox: &Sandbox, tool: &Tool, operation: &str, nth: usize, when: When) {
    let held = sandbox.hold(operation, nth, when);
    let mut child = tool.spawn();
    assert!(held.wait_reached(PATIENCE), "{operation} {nth}");
    child.kill().unwrap();
    child.wait().unwrap();
    held.discard();
}

#[test]
fn killed_at_any_request_the_next_run_makes_all_new() {
    let writes = writes();
    assert!(writes.len() >= 9);
    for (operation, nth) in writes {
        for when in [When::BeforeApply, When::AfterApply] {
            let sandbox = existing();
            let tool = release(&sandbox, "1");
            killed(&sandbox, &tool, operation, nth, when);
            let done = tool.run();
            assert_eq!(
                done.code,
                Some(0),
                "{operation} {nth} {when:?}: {}",
                done.stderr
            );
            assert_all(&sandbox, "1");
        }
    }
}

#[test]
fn killed_at_any_request_and_then_failing_none_is_new_or_all_are() {
    for (operation, nth) in writes() {
        for when in [When::BeforeApply, When::AfterApply] {
            let sandbox = existing();
            let tool = release(&sandbox, "1");
            killed(&sandbox, &tool, operation, nth, when);
            // The next one can write everything but the last secret.
            let deny = r#"{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},
                {"Effect":"Deny","Action":"secretsmanager:PutSecretValue","Resource":"*:secret:prod/c-*"}]}"#;
            sandbox.set_policy(&sandbox.default_key_id(), Policy::from_json(deny));
            let done = tool.run();
            let place = format!("{operation} {nth} {when:?}: {}", done.stderr);
            if done.code == Some(0) {
                // They had all been flipped, or only the put was denied that is needed no more.
                assert_eq!(
                    values(&sandbox),
                    NAMES.map(|name| new(name, "1")),
                    "{place}"
                );
            } else {
                assert_eq!(done.code, Some(4), "{place}");
                assert_eq!(values(&sandbox), NAMES.map(old), "{place}");
            }
            sandbox.set_policy(&sandbox.default_key_id(), Policy::allow_all());
            tool.run();
            assert_all(&sandbox, "1");
        }
    }
}

#[test]
fn killed_while_it_takes_back_the_next_run_makes_all_new_or_leaves_all() {
    let conflict = || {
        let sandbox = existing();
        rival(&sandbox, "UpdateSecretVersionStage", 1, "prod/c");
        sandbox
    };
    let sandbox = conflict();
    assert_eq!(release(&sandbox, "1").run().code, Some(5));
    let all = calls(&sandbox, "UpdateSecretVersionStage");
    assert!(
        all >= 8,
        "three flips, two of them back, three labels off: {all}"
    );
    for nth in 1..=all {
        for when in [When::BeforeApply, When::AfterApply] {
            for deny in ["", "prod/c"] {
                let sandbox = conflict();
                let tool = release(&sandbox, "1");
                killed(&sandbox, &tool, "UpdateSecretVersionStage", nth, when);
                if !deny.is_empty() {
                    let deny = format!(
                        r#"{{"Statement":[{{"Effect":"Allow","Action":"*","Resource":"*"}},
                        {{"Effect":"Deny","Action":"secretsmanager:PutSecretValue","Resource":"*:secret:{deny}-*"}}]}}"#
                    );
                    sandbox.set_policy(&sandbox.default_key_id(), Policy::from_json(&deny));
                    let done = tool.run();
                    let place = format!("{nth} {when:?}: {}", done.stderr);
                    // A call that was never applied had no rival before it.
                    let no_rival = nth == 1 && when == When::BeforeApply;
                    if no_rival && done.code == Some(0) {
                        // The last secret had been flipped: its put is needed no more.
                        assert_eq!(
                            values(&sandbox),
                            NAMES.map(|name| new(name, "1")),
                            "{place}"
                        );
                    } else {
                        assert_eq!(done.code, Some(4), "{place}");
                        let there = |name: &str| match name {
                            "prod/c" if !no_rival => "made-up-rival".to_owned(),
                            _ => old(name),
                        };
                        assert_eq!(values(&sandbox), NAMES.map(there), "{place}");
                    }
                    sandbox.set_policy(&sandbox.default_key_id(), Policy::allow_all());
                }
                let done = tool.run();
                assert_eq!(done.code, Some(0), "{nth} {when:?}: {}", done.stderr);
                assert_all(&sandbox, "1");
            }
        }
    }
}

#[test]
fn killed_half_way_another_release_finds_all_or_none() {
    for (operation, nth) in writes() {
        let sandbox = existing();
        killed(
            &sandbox,
            &release(&sandbox, "1"),
            operation,
            nth,
            When::AfterApply,
        );
        let done = release(&sandbox, "2").run();
        assert_eq!(done.code, Some(0), "{operation} {nth}: {}", done.stderr);
        assert_all(&sandbox, "2");

        let sandbox = existing();
        killed(
            &sandbox,
            &release(&sandbox, "1"),
            operation,
            nth,
            When::AfterApply,
        );
        rival(&sandbox, "PutSecretValue", 3, "prod/c");
        let done = release(&sandbox, "2").run();
        let place = format!("{operation} {nth}: {}", done.stderr);
        assert_eq!(done.code, Some(5), "{place}");
        let [a, b, c] = values(&sandbox);
        assert_eq!(c, "made-up-rival", "{place}");
        // The first run had decided, or it had not.
        let decided = operation == "UpdateSecretVersionStage" && nth >= 4;
        let then = |name: &str| if decided { new(name, "1") } else { old(name) };
        assert_eq!([a, b], [then("prod/a"), then("prod/b")], "{place}");
        assert_eq!(labels(&sandbox), [""; 0], "{place}");
    }
}

#[test]
fn a_lost_answer_at_any_request_is_no_reason_to_stop() {
    for (operation, nth) in writes() {
        for fault in [
            Fault::LostAfter,
            Fault::ResetBefore,
            Fault::CutBody,
            Fault::Throttle,
        ] {
            let sandbox = existing();
            sandbox.fault(operation, nth, fault.clone());
            let done = release(&sandbox, "1").run();
            assert_eq!(
                done.code,
                Some(0),
                "{operation} {nth} {fault:?}: {}",
                done.stderr
            );
            assert_eq!(totals(&done), ["0", "3", "0", "0", "0"]);
            assert_all(&sandbox, "1");
        }
    }
}

#[test]
fn a_run_of_somebody_else_that_was_killed_is_waited_for_and_then_finished() {
    let sandbox = existing();
    // Two secrets have been flipped, one has not.
    let held = [
        (1, When::BeforeApply),
        (2, When::AfterApply),
        (3, When::AfterApply),
    ]
    .map(|(nth, when)| sandbox.hold("UpdateSecretVersionStage", nth, when));
    let tool = release(&sandbox, "1");
    let mut child = tool.spawn();
    assert!(held.iter().all(|held| held.wait_reached(PATIENCE)));
    child.kill().unwrap();
    child.wait().unwrap();
    held.iter().for_each(sandbox::Held::discard);
    let done = release(&sandbox, "1").env("GITHUB_RUN_ID", "4712").run();
    done.expect(0, "updated");
    assert!(done.stderr.contains("had not ended"), "{}", done.stderr);
    assert!(
        done.stderr.contains("waiting for another run"),
        "{}",
        done.stderr
    );
    assert_all(&sandbox, "1");
}

#[test]
fn two_at_once_end_with_the_values_of_one() {
    let sandbox = existing();
    let (one, other) = (
        release(&sandbox, "1").env("GITHUB_RUN_ID", "1"),
        release(&sandbox, "2").env("GITHUB_RUN_ID", "2"),
    );
    // The first is in the middle of its flips while the second begins.
    let held = sandbox.hold("UpdateSecretVersionStage", 2, When::BeforeApply);
    let first = one.spawn();
    assert!(held.wait_reached(PATIENCE));
    let looks = sandbox.hold("DescribeSecret", 3, When::AfterApply);
    let second = other.spawn();
    assert!(looks.wait_reached(PATIENCE));
    looks.release();
    held.release();
    let (one, other) = (one.finish(first), other.finish(second));
    assert!(
        [one.code, other.code].contains(&Some(0)),
        "{}{}",
        one.stderr,
        other.stderr
    );
    let now = values(&sandbox);
    let of = |release: &str| NAMES.map(|name| new(name, release));
    assert!(
        now == of("1") || now == of("2"),
        "{now:?} {}{}",
        one.stderr,
        other.stderr
    );
    assert_eq!(labels(&sandbox), [""; 0]);
}

/// Another run has taken this one for dead while it was staging, and so has marked nothing of it; it has put versions of its
/// own beside half of the secrets by the time at which this one finds that it is over.
#[test]
fn a_run_that_was_taken_for_dead_takes_all_of_its_flips_back() {
    let sandbox = existing();
    sandbox.before(
        "UpdateSecretVersionStage",
        NAMES.len() + 1,
        move |world: &mut World| {
            let witness = world.secret("prod/a").unwrap();
            let mark = |label: &String| label.starts_with("upsert-secret-all-");
            let mut versions = witness.versions.iter();
            let marked = versions
                .find(|version| version.stages.iter().any(mark))
                .unwrap();
            let label = marked
                .stages
                .iter()
                .find(|label| mark(label))
                .unwrap()
                .clone();
            let other = format!(
                "{}{}",
                &label[..label.len() - 36],
                "00000000-0000-4000-8000-000000000000"
            );
            // The label goes with a version that holds nothing else, and on to one of the other run.
            world.put_staged(
                "prod/a",
                "made-up-other",
                "11111111-1111-4111-8111-111111111111",
                &[label.as_str()],
            );
            world.put_staged(
                "prod/b",
                "made-up-other",
                "22222222-2222-4222-8222-222222222222",
                &[other.as_str()],
            );
        },
    );
    let done = release(&sandbox, "1").run();
    assert_eq!(done.code, Some(5), "{}", done.stderr);
    assert_eq!(values(&sandbox), NAMES.map(old), "{}", done.stderr);
}

#[test]
fn a_new_secret_is_created_while_the_others_are_staged_and_stays() {
    let sandbox = existing();
    let names = ["prod/a", "prod/new", "prod/c"];
    rival(&sandbox, "UpdateSecretVersionStage", 1, "prod/c");
    let tool = run_of(&sandbox, &names, "1").github();
    let done = tool.run();
    assert_eq!(done.code, Some(5), "{}", done.stderr);
    assert_eq!(totals(&done), ["1", "0", "0", "1", "1"], "{}", done.stderr);
    assert_eq!(value(&sandbox, "prod/new"), new("prod/new", "1"));
    assert_eq!(value(&sandbox, "prod/a"), old("prod/a"));
    let done = tool.run();
    done.expect(0, "updated");
    assert_eq!(totals(&done), ["0", "2", "1", "0", "0"], "{}", done.stderr);
}

#[test]
fn what_is_not_a_value_is_written_after_the_flips_and_keys_before() {
    let sandbox = existing();
    sandbox.with(|world| world.add_kms_key("alias/models"));
    let tool = run_of(&sandbox, &NAMES, "1");
    let path = tool.path("secrets.yaml");
    let manifest = fs::read_to_string(&path).unwrap();
    let defaults =
        "defaults:\n  description: words\n  tags: { team: ml }\n  kms-key-id: alias/models\n";
    fs::write(&path, format!("{defaults}{manifest}")).unwrap();
    tool.run().expect(0, "updated");
    assert_all(&sandbox, "1");
    for name in NAMES {
        let secret = secret(&sandbox, name);
        assert_eq!(secret.description.as_deref(), Some("words"));
        assert_eq!(secret.tags["team"], "ml");
        assert_eq!(
            secret.current().unwrap().kms_key_id.as_deref(),
            Some("alias/models")
        );
        // One version each: nothing is written twice.
        assert_eq!(secret.versions.len(), 2);
    }
    // The new versions shall have the key, whoever may encrypt older ones anew.
    let log = operations(&sandbox);
    let at = |operation: &str| log.iter().position(|op| op == operation);
    assert!(at("UpdateSecret") < at("PutSecretValue"), "{log:?}");
    sandbox.clear_log();
    tool.run().expect(0, "unchanged");
    assert_eq!(calls(&sandbox, "DescribeSecret"), 3);
    assert!(
        operations(&sandbox)
            .iter()
            .all(|op| !WRITES.contains(&op.as_str()))
    );
}

#[test]
fn values_that_may_not_be_read_are_written_once() {
    let sandbox = existing();
    let deny = r#"{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},
        {"Effect":"Deny","Action":["secretsmanager:GetSecretValue","secretsmanager:BatchGetSecretValue"],"Resource":"*"}]}"#;
    sandbox.set_policy(&sandbox.default_key_id(), Policy::from_json(deny));
    let tool = run_of(&sandbox, &NAMES, "1").github();
    let path = tool.path("secrets.yaml");
    let manifest = fs::read_to_string(&path).unwrap();
    fs::write(
        &path,
        format!("defaults: {{ description: words }}\n{manifest}"),
    )
    .unwrap();
    tool.run().expect(0, "updated");
    assert_all(&sandbox, "1");
    for name in NAMES {
        assert_eq!(secret(&sandbox, name).versions.len(), 2, "{name}");
    }
}

#[test]
fn a_signal_between_two_flips_leaves_it_to_the_next_run() {
    let sandbox = existing();
    let tool = release(&sandbox, "1");
    let held = sandbox.hold("UpdateSecretVersionStage", 2, When::BeforeApply);
    let child = tool.spawn();
    assert!(held.wait_reached(PATIENCE));
    crate::common::signal(&child, "TERM");
    let done = tool.finish(child);
    held.discard();
    assert_eq!(done.code, Some(143), "{}", done.stderr);
    tool.run();
    assert_all(&sandbox, "1");
}
