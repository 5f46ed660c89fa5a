//! Failures in a manifest run: their exit code, what they stop, and what is reported.

use insta::assert_snapshot;
use sandbox::{Fault, Policy, Sandbox, When};

use super::{manifest_cli, manifest_of, numbered_manifest, offline_cli, secret, value};
use crate::common::{
    Outcome, WAIT_LIMIT, allow_all_except, normalized_stderr, operations, send_signal,
};

#[test]
fn exit_code_is_most_severe_failure() {
    // Severity: denied (4), refused by state (6), conflict (5), quota (8), bad input, which is not 2 once `good` is written.
    let cases: [(&[&str], i32); 5] = [
        (&["denied", "rotated", "expected", "full", "large"], 4),
        (&["rotated", "expected", "full", "large"], 6),
        (&["expected", "full", "large"], 5),
        (&["full", "large"], 8),
        (&["large"], 6),
    ];
    for (names, code) in cases {
        let sandbox = Sandbox::start();
        sandbox.set_policy(
            &sandbox.default_key_id(),
            allow_all_except(&[("CreateSecret", "denied")]),
        );
        sandbox.with(|world| {
            world.create("rotated", "old");
            world.set_rotation("rotated", true);
            world.create("expected", "old");
            world.create("full", "0");
            for number in 1..100 {
                world.put("full", &number.to_string());
            }
            world.create_binary("source", b"\xff");
        });
        let mut manifest = manifest_of(&["good"]);
        for name in names {
            manifest.push_str(&match *name {
                "expected" => "  expected: { value: { env: V }, expected-version-id: 00000000-0000-4000-8000-000000000000 }\n".to_owned(),
                // The source is binary, the target a string.
                "large" => "  large: { value: { secret: { id: source } }, store-as: string }\n".to_owned(),
                name => format!("  {name}: {{ value: {{ env: V }} }}\n"),
            });
        }
        let outcome = manifest_cli(&sandbox, &manifest).env("V", "made-up").run();
        assert_eq!(outcome.code, Some(code), "{names:?}: {}", outcome.stderr);
        let failed = names.len().to_string();
        assert_eq!(
            outcome.counts(),
            ["1", "0", "0", failed.as_str(), "0"],
            "{}",
            outcome.stderr
        );
        assert_eq!(value(&sandbox, "good"), "made-up");
    }
}

#[test]
fn several_failures_are_listed() {
    let sandbox = Sandbox::start();
    sandbox.with(|world| {
        for name in ["a", "b"] {
            world.create(name, "old");
            world.set_rotation(name, true);
        }
    });
    let outcome = manifest_cli(&sandbox, &manifest_of(&["a", "b", "c"]))
        .env("V", "made-up")
        .run();
    let reported = |outcome: &Outcome| {
        let text = normalized_stderr(outcome);
        let lines = text
            .lines()
            .map(|line| line.split(" (").next().unwrap().to_owned());
        lines.collect::<Vec<_>>().join("\n")
    };
    assert_snapshot!(reported(&outcome), @r"
    3 secrets in eu-west-1: 1 created, 2 failed
      created  c  version [id]
    error: 2 of 3 secrets failed
      why:  a has rotation enabled: the next rotation would replace the value
              next: set `on-rotation: allow` to write it anyway, or turn off rotation
            b has rotation enabled: the next rotation would replace the value
              next: set `on-rotation: allow` to write it anyway, or turn off rotation
      next: fix the cause and run again: completed changes are found and kept
      exit: 6
    ");
    let outcome = manifest_cli(&sandbox, &manifest_of(&["a"]))
        .env("V", "made-up")
        .run();
    assert_snapshot!(reported(&outcome), @r"
    1 secret in eu-west-1: 1 failed
    error: a has rotation enabled: the next rotation would replace the value
      next: set `on-rotation: allow` to write it anyway, or turn off rotation
      exit: 6
    ");
}

#[test]
fn fail_fast_starts_no_more_secrets() {
    let sandbox = Sandbox::start();
    sandbox.set_policy(
        &sandbox.default_key_id(),
        allow_all_except(&[("BatchGetSecretValue", "*"), ("CreateSecret", "s/*")]),
    );
    let cli = manifest_cli(&sandbox, &numbered_manifest(200))
        .env("V", "made-up")
        .input("fail-fast", "true");
    let outcome = cli.run();
    assert_eq!(outcome.code, Some(4));
    let failed: usize = outcome.output("failed").parse().unwrap();
    let left: usize = outcome.output("not_tried").parse().unwrap();
    assert!(
        failed >= 1 && left >= 100 && failed + left == 200,
        "{failed} {left}"
    );
    let outcome = cli.input("fail-fast", "false").run();
    assert_eq!(outcome.counts(), ["0", "0", "0", "200", "0"]);
}

#[test]
fn outage_stops_the_run_early() {
    let sandbox = Sandbox::start();
    let mut cli = manifest_cli(&sandbox, &numbered_manifest(300))
        .env("V", "made-up")
        .env("AWS_MAX_ATTEMPTS", "1");
    for nth in 1..2_000 {
        for operation in ["BatchGetSecretValue", "DescribeSecret", "GetSecretValue"] {
            sandbox.fault(operation, nth, Fault::Unavailable);
        }
    }
    cli = cli.input("timeout", "50s");
    let outcome = cli.run();
    assert_eq!(outcome.code, Some(7), "{}", outcome.stderr);
    let left: usize = outcome.output("not_tried").parse().unwrap();
    assert!(left >= 100, "{left}");
}

#[test]
fn missing_source_fails_only_its_entry() {
    let sandbox = Sandbox::start();
    let manifest = "
secrets:
  a: { value: { secret: { id: nowhere } } }
  b: { value: { env: V } }
";
    let outcome = manifest_cli(&sandbox, manifest).env("V", "made-up").run();
    assert_eq!(outcome.code, Some(6));
    assert_eq!(outcome.counts(), ["1", "0", "0", "1", "0"]);
    assert!(
        outcome
            .stderr
            .contains("nowhere in eu-west-1, the source of the value, does not exist"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn signal_reports_completed_work() {
    for (name, code) in [("INT", 130), ("TERM", 143)] {
        let sandbox = Sandbox::start();
        let cli = manifest_cli(&sandbox, &numbered_manifest(100))
            .env("V", "made-up")
            .input("rate", "10")
            .github();
        let held = sandbox.hold("CreateSecret", 5, When::BeforeApply);
        let child = cli.spawn();
        assert!(held.wait_reached(WAIT_LIMIT));
        send_signal(&child, name);
        let outcome = cli.finish(child);
        held.discard();
        assert_eq!(outcome.code, Some(code), "{}", outcome.stderr);
        let created: usize = outcome.output("created").parse().unwrap();
        let there = sandbox.with(|world| world.names().len());
        assert!(
            created >= 4 && created == there,
            "{created} {there} {}",
            outcome.stderr
        );
        let left: usize = outcome.output("not_tried").parse().unwrap();
        assert!(left > 0, "{}", outcome.stderr);
    }
}

#[test]
fn timeout_reports_progress() {
    let sandbox = Sandbox::start();
    let cli = manifest_cli(&sandbox, &numbered_manifest(100))
        .env("V", "made-up")
        .input("rate", "10");
    let outcome = cli.input("timeout", "2s").run();
    assert_eq!(outcome.code, Some(7), "{}", outcome.stderr);
    assert!(
        outcome
            .stderr
            .contains("the run did not end within UPSERT_SECRET_TIMEOUT, which is 2 s"),
        "{}",
        outcome.stderr
    );
    assert!(outcome.output("created").parse::<usize>().unwrap() >= 8);
}

#[test]
fn timeout_names_calls_without_answer() {
    let sandbox = Sandbox::start();
    sandbox.with(|world| world.create("a", "made-up"));
    let held: Vec<_> = (1..20)
        .map(|nth| sandbox.hold("CreateSecret", nth, When::BeforeApply))
        .collect();
    let outcome = manifest_cli(&sandbox, &manifest_of(&["a", "b", "c"]))
        .env("V", "made-up")
        .input("timeout", "3s")
        .run();
    held.into_iter().for_each(|call| call.discard());
    assert_eq!(outcome.code, Some(7), "{}", outcome.stderr);
    for text in [
        "error: the run did not end within UPSERT_SECRET_TIMEOUT, which is 3 s: 2 secrets in progress\n",
        "it was waiting for answers to 2 calls of CreateSecret",
    ] {
        assert!(outcome.stderr.contains(text), "{text}: {}", outcome.stderr);
    }
}

#[test]
fn two_problems_are_two_error_lines() {
    let manifest = "secrets:\n  a: { value: { env: MISSING } }\n  b: { value: { env: MISSING }, compare: x }\n";
    let outcome = offline_cli(manifest)
        .env("AWS_REGION", "eu-west-1")
        .env("AWS_ACCESS_KEY_ID", "AKIAMADEUPMADEUPMADE")
        .env("AWS_SECRET_ACCESS_KEY", "made-up")
        .run();
    assert_eq!(outcome.code, Some(2), "{}", outcome.stderr);
    let errors = outcome
        .stderr
        .lines()
        .filter(|line| line.starts_with("error: "));
    assert_eq!(errors.count(), 3, "{}", outcome.stderr);
    let others = outcome
        .stderr
        .lines()
        .filter(|line| !line.starts_with("error: "));
    let others: Vec<_> = others.filter(|line| !line.starts_with("  ")).collect();
    assert_eq!(others, [""; 0], "{}", outcome.stderr);
}

#[test]
fn timeout_reports_graver_failure() {
    let sandbox = Sandbox::start();
    sandbox.with(|world| {
        world.create("a", "made-up");
        world.schedule_deletion("a");
    });
    let held: Vec<_> = (1..20)
        .map(|nth| sandbox.hold("CreateSecret", nth, When::BeforeApply))
        .collect();
    let outcome = manifest_cli(&sandbox, &manifest_of(&["a", "b"]))
        .env("V", "made-up")
        .input("timeout", "3s")
        .run();
    held.into_iter().for_each(|call| call.discard());
    assert_eq!(outcome.code, Some(6), "{}", outcome.stderr);
    for text in [
        "error: the run did not end within UPSERT_SECRET_TIMEOUT, which is 3 s: 1 secret in progress",
        "error: a is scheduled for deletion",
        "it was waiting for an answer to CreateSecret",
    ] {
        assert!(outcome.stderr.contains(text), "{}", outcome.stderr);
    }
}

/// The counts of a run that is canceled while its first write is pending, and gets the response only afterward.
fn cancelled_during_write(operation: &str, inputs: &str, fault: Option<Fault>) -> [String; 5] {
    let sandbox = Sandbox::start();
    if operation != "CreateSecret" {
        sandbox.with(|world| world.create("a", "old"));
    }
    let is_lost = fault.is_none();
    if let Some(fault) = fault {
        // Also the retries, should one come before the signal is noticed.
        for nth in 1..10 {
            sandbox.fault(operation, nth, fault.clone());
        }
    }
    let manifest = format!("secrets:\n  a: {{ value: {{ env: V }}{inputs} }}\n");
    let cli = manifest_cli(&sandbox, &manifest)
        .env("V", "made-up")
        .github();
    let when = if is_lost {
        When::AfterApply
    } else {
        When::BeforeApply
    };
    let held = sandbox.hold(operation, 1, when);
    let retry = is_lost.then(|| sandbox.hold(operation, 2, When::BeforeApply));
    let child = cli.spawn();
    assert!(held.wait_reached(WAIT_LIMIT));
    send_signal(&child, "TERM");
    if is_lost {
        held.discard();
    } else {
        held.release();
    }
    let outcome = cli.finish(child);
    drop(retry);
    assert_eq!(outcome.code, Some(143), "{}", outcome.stderr);
    outcome.counts().map(str::to_owned)
}

#[test]
fn write_that_may_have_arrived_is_tried() {
    for (operation, inputs) in [
        ("CreateSecret", ""),
        ("PutSecretValue", ""),
        ("UpdateSecret", ", description: d"),
        ("TagResource", ", tags: { k: v }"),
    ] {
        let counts = cancelled_during_write(operation, inputs, None);
        assert_eq!(counts[4], "0", "{operation}: not tried");
    }
}

#[test]
fn write_that_was_rejected_is_not_tried() {
    let counts = cancelled_during_write("PutSecretValue", "", Some(Fault::Throttle));
    assert_eq!(counts, ["0", "0", "0", "0", "1"]);
}

#[test]
fn denied_reads_write_without_comparing() {
    let sandbox = Sandbox::start();
    sandbox.with(|world| {
        world.create("a", "old");
        world.create("b", "made-up");
    });
    let cli = manifest_cli(&sandbox, &manifest_of(&["a", "b"])).env("V", "made-up");
    // BatchGetSecretValue is denied for all secrets.
    let policy = r#"{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},
        {"Effect":"Deny","Action":"secretsmanager:BatchGetSecretValue","Resource":"*"}]}"#;
    sandbox.set_policy(&sandbox.default_key_id(), Policy::from_json(policy));
    let outcome = cli.run();
    outcome.expect(0, "updated");
    assert!(
        outcome.stderr.contains("BatchGetSecretValue is denied"),
        "{}",
        outcome.stderr
    );
    assert_eq!(outcome.counts(), ["0", "1", "1", "0", "0"]);
    // GetSecretValue is denied for one secret.
    sandbox.set_policy(
        &sandbox.default_key_id(),
        allow_all_except(&[("GetSecretValue", "a")]),
    );
    let outcome = cli.env("V", "made-up-2").run();
    assert_eq!(
        outcome.counts(),
        ["0", "2", "0", "0", "0"],
        "{}",
        outcome.stderr
    );
    assert!(
        outcome
            .stderr
            .contains("a: permission to read the current value"),
        "{}",
        outcome.stderr
    );
    assert_eq!(value(&sandbox, "a"), "made-up-2");
    assert_eq!(secret(&sandbox, "a").versions.len(), 3);
}

#[test]
fn invalid_inputs_are_rejected_offline() {
    let sandbox = Sandbox::start();
    let one = manifest_of(&["a"]);
    let cli = || manifest_cli(&sandbox, &one).env("V", "made-up");
    let missing = cli().path("missing.yaml").display().to_string();
    let cases = [
        (
            cli().input("value", "made-up"),
            "UPSERT_SECRET_VALUE applies to one secret",
        ),
        (
            cli().input("tags", "a=b"),
            "UPSERT_SECRET_TAGS applies to one secret",
        ),
        (
            cli().input("version-id-key", "short"),
            "error: UPSERT_SECRET_VERSION_ID_KEY must have at least 16 bytes",
        ),
        (
            cli().input("rate", "0"),
            "UPSERT_SECRET_RATE must be a number from 1 to 1000",
        ),
        (
            cli().input("fail-fast", "yes"),
            "UPSERT_SECRET_FAIL_FAST must be `false` or `true`",
        ),
        (
            cli().input("command", "rollback"),
            "`rollback` with UPSERT_SECRET_MANIFEST requires UPSERT_SECRET_RELEASE",
        ),
        (cli().input("manifest", &missing), "cannot be read"),
        (cli().input("manifest", "/"), "it is not a regular file"),
        (
            offline_cli("")
                .unset("UPSERT_SECRET_MANIFEST")
                .input("only", "a")
                .input("name", "a")
                .input("value", "made-up"),
            "UPSERT_SECRET_ONLY is for runs of many secrets\n  next: set UPSERT_SECRET_MANIFEST, run `rollback` with UPSERT_SECRET_RELEASE, run `import`, or omit it",
        ),
        (
            manifest_cli(&sandbox, "secrets: {}"),
            "secrets.yaml:1:10: secrets: is empty; it needs at least one secret",
        ),
        (
            manifest_cli(&sandbox, "secrets: { a: { value: made-up } }"),
            "secrets.yaml:1:24: secrets.a.value: contains a value",
        ),
    ];
    for (cli, why) in cases {
        let outcome = cli.run();
        assert_eq!(outcome.code, Some(2), "{why}: {}", outcome.stderr);
        assert!(outcome.stderr.contains(why), "{why}: {}", outcome.stderr);
        assert!(!outcome.stderr.contains("made-up"), "{}", outcome.stderr);
    }
    assert_eq!(operations(&sandbox), [""; 0]);
    // `--manifest` takes precedence over the environment variable.
    let cli = cli();
    let file = cli.path("secrets.yaml").display().to_string();
    let outcome = cli
        .input("manifest", &missing)
        .args(&["--manifest", &file])
        .run();
    outcome.expect(0, "created");
}
