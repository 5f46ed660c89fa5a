//! Outputs, report and summary of a manifest run, none of which contains a value.

use std::fs;

use sandbox::{Fault, Sandbox};
use serde_json::Value;

use super::{manifest_cli, manifest_of, numbered_manifest, value};

#[test]
fn github_gets_counts_results_and_report() {
    let sandbox = Sandbox::start();
    sandbox.with(|world| {
        world.create("b", "old");
        world.create("c", "made-up");
        world.create("d", "old");
        world.set_rotation("d", true);
    });
    let cli = manifest_cli(&sandbox, &manifest_of(&["a", "b", "c", "d"]))
        .env("V", "made-up")
        .github();
    let temp = cli.path("");
    let cli = cli.env("RUNNER_TEMP", &temp.display().to_string());
    let cli = cli.args(&["--format", "json"]);
    let outcome = cli.run();
    assert_eq!(outcome.code, Some(6));
    for (name, expected) in [
        ("created", "1"),
        ("updated", "1"),
        ("unchanged", "1"),
        ("failed", "1"),
        ("not_tried", "0"),
        ("result", "updated"),
        ("changed", "true"),
        ("region", "eu-west-1"),
    ] {
        assert_eq!(outcome.output(name), expected, "{name}");
    }
    let results: Value = serde_json::from_str(outcome.output("results")).unwrap();
    let of = |name: &str| results[name]["result"].as_str().unwrap().to_owned();
    assert_eq!(
        ["a", "b", "c", "d"].map(of),
        ["created", "updated", "unchanged", "failed"]
    );
    assert!(
        results["a"]["secret_id"]
            .as_str()
            .unwrap()
            .starts_with("arn:aws:secretsmanager:")
    );
    assert!(results["b"]["previous_version_id"].is_string());
    let report = fs::read_to_string(outcome.output("report_path")).unwrap();
    let (report, printed): (Value, Value) = (
        serde_json::from_str(&report).unwrap(),
        serde_json::from_str(&outcome.stdout).unwrap(),
    );
    assert_eq!(report["secrets"], printed["secrets"]);
    assert_eq!(printed["secrets"]["d"]["error"]["exit_code"], 6);
    assert_eq!(printed["error"]["exit_code"], 6);
    // Failures come first, then changes.
    let rows: Vec<_> = outcome
        .summary
        .lines()
        .filter(|line| line.starts_with("| `"))
        .collect();
    let first = |row: &&str| row.split('`').nth(1).unwrap().to_owned();
    assert_eq!(
        rows.iter().map(first).collect::<Vec<_>>(),
        ["d", "a", "b", "c"]
    );
}

/// The runner determines the directory, which may have any name.
#[test]
#[cfg(unix)]
fn report_path_rejects_only_line_breaks() {
    for (folder, is_output) in [
        ("with a space", true),
        (" \u{fc}ml\u{e4}uts = 100% 'quoted' $(x) ", true),
        ("two\nlines", false),
    ] {
        let sandbox = Sandbox::start();
        let cli = manifest_cli(&sandbox, &manifest_of(&["a"]))
            .env("V", "made-up")
            .github();
        let temp = cli.path(folder);
        fs::create_dir(&temp).unwrap();
        let cli = cli.env("RUNNER_TEMP", &temp.display().to_string());
        let outcome = cli.run();
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        let warning = "the output report_path is omitted";
        assert_eq!(outcome.stderr.contains(warning), !is_output, "{folder:?}");
        let files: Vec<_> = fs::read_dir(&temp).unwrap().collect();
        let [Ok(file)] = &files[..] else {
            panic!("one report: {files:?}");
        };
        let path = file.path().display().to_string();
        let expected = if is_output { path.as_str() } else { "" };
        assert_eq!(outcome.output("report_path"), expected);
    }
}

#[test]
fn names_that_contain_values_keep_their_ids() {
    let sandbox = Sandbox::start();
    // One succeeds, one fails.
    sandbox.with(|world| {
        world.create("db/bobby-user", "old");
        world.set_rotation("db/bobby-user", true);
    });
    let manifest = "
secrets:
  db/alice-user: { value: { env: A } }
  db/bobby-user: { value: { env: B } }
";
    let cli = manifest_cli(&sandbox, manifest)
        .env("A", "alice")
        .env("B", "bobby")
        .github();
    let temp = cli.path("").display().to_string();
    let cli = cli.env("RUNNER_TEMP", &temp).args(&["--format", "json"]);
    let outcome = cli.run();
    assert_eq!(outcome.code, Some(6), "{}", outcome.stderr);
    let report = fs::read_to_string(outcome.output("report_path")).unwrap();
    let report: Value = serde_json::from_str(&report).unwrap();
    let printed: Value = serde_json::from_str(&outcome.stdout).unwrap();
    let results: Value = serde_json::from_str(outcome.output("results")).unwrap();
    for secrets in [&report["secrets"], &printed["secrets"], &results] {
        assert_eq!(secrets.as_object().unwrap().len(), 2, "{secrets}");
        assert_eq!(secrets["db/alice-user"]["result"], "created");
        assert_eq!(secrets["db/bobby-user"]["result"], "failed");
        for name in ["db/alice-user", "db/bobby-user"] {
            let id = secrets[name]["secret_id"].as_str().unwrap();
            assert!(id.contains(name), "{id}");
        }
    }
    for text in [&outcome.stderr, &outcome.summary] {
        assert!(!text.contains("alice") && !text.contains("bobby"), "{text}");
    }
    for row in ["| `db/***-user` (no. 1) |", "| `db/***-user` (no. 2) |"] {
        assert!(outcome.summary.contains(row), "{}", outcome.summary);
    }
}

#[test]
fn complete_failure_has_no_result_anywhere() {
    let sandbox = Sandbox::start();
    sandbox.with(|world| {
        for name in ["a", "b"] {
            world.create(name, "old");
            world.set_rotation(name, true);
        }
    });
    let cli = manifest_cli(&sandbox, &manifest_of(&["a", "b"]))
        .env("V", "made-up")
        .github();
    let temp = cli.path("").display().to_string();
    let cli = cli.env("RUNNER_TEMP", &temp).args(&["--format", "json"]);
    let outcome = cli.run();
    assert_eq!(outcome.code, Some(6), "{}", outcome.stderr);
    let report = fs::read_to_string(outcome.output("report_path")).unwrap();
    let report: Value = serde_json::from_str(&report).unwrap();
    let printed: Value = serde_json::from_str(&outcome.stdout).unwrap();
    for name in ["result", "changed"] {
        assert_eq!(outcome.outputs[name], "", "{name}");
        assert_eq!(
            (&report[name], &printed[name]),
            (&Value::Null, &Value::Null)
        );
    }
    assert_eq!(report["failed"], 2);
    assert_eq!(outcome.output("failed"), "2");
}

#[test]
fn oversized_results_are_omitted_with_warning() {
    let sandbox = Sandbox::start();
    let long = "x".repeat(400);
    let names: Vec<_> = (0..500).map(|number| format!("{long}/{number}")).collect();
    sandbox.with(|world| {
        for name in &names {
            world.create(name, "made-up");
        }
    });
    let manifest = manifest_of(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let cli = manifest_cli(&sandbox, &manifest)
        .env("V", "made-up")
        .github();
    // The step's summary is almost full.
    let full = " ".repeat(1024 * 1024 - 20_000);
    fs::write(cli.path("summary"), &full).unwrap();
    let outcome = cli.run();
    outcome.expect(0, "unchanged");
    assert_eq!(outcome.output("results"), "");
    assert!(
        outcome.stderr.contains("`results` is omitted"),
        "{}",
        outcome.stderr
    );
    assert!(outcome.summary.len() <= 1024 * 1024);
    let shown = outcome
        .summary
        .lines()
        .filter(|line| line.starts_with("| `"))
        .count();
    assert!(shown > 5);
    let rest = format!("{} more secrets are not shown", names.len() - shown);
    assert!(outcome.summary.contains(&rest), "{rest}");
}

#[test]
fn gitlab_report_has_counts() {
    let sandbox = Sandbox::start();
    let outcome = manifest_cli(&sandbox, &numbered_manifest(3))
        .env("V", "made-up")
        .gitlab()
        .run();
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    for line in [
        "UPSERTED_CREATED=3",
        "UPSERTED_RESULT=created",
        "UPSERTED_NOT_TRIED=0",
    ] {
        assert!(
            outcome.report.lines().any(|there| there == line),
            "{}",
            outcome.report
        );
    }
    assert!(
        !outcome.stderr.contains("GitLab rejects"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn values_never_leak() {
    let manifest = "
secrets:
  a: { value: { env: A } }
  b: { value: { env: B }, value-encoding: base64 }
  c: { value: { file: '${FILE}' } }
  d: { json: { k: { env: D }, l: { secret: { id: source } } } }
  e: { value: { generate: { length: 32 } } }
";
    let secrets = [
        "made-up-plain-a",
        "made-up-decoded-b",
        "made-up-of-a-file",
        "made-up-member-d",
        "made-up-of-a-source",
    ];
    let faults: [Option<(&str, Fault)>; 5] = [
        None,
        Some(("CreateSecret", Fault::QuoteValue)),
        Some(("BatchGetSecretValue", Fault::MalformedGet)),
        Some(("CreateSecret", Fault::MalformedBody)),
        Some((
            "CreateSecret",
            Fault::Error {
                status: 400,
                code: "InvalidParameterException".to_owned(),
                message: "made-up-decoded-b is made-up-member-d".to_owned(),
            },
        )),
    ];
    for fault in faults {
        for command in ["upsert", "plan"] {
            let sandbox = Sandbox::start();
            sandbox.with(|world| world.create("source", "made-up-of-a-source"));
            let cli = manifest_cli(&sandbox, manifest)
                .env("A", "made-up-plain-a")
                .env("B", "bWFkZS11cC1kZWNvZGVkLWI=")
                .env("D", "made-up-member-d")
                .env("RUNNER_DEBUG", "1")
                .input("command", command)
                .github();
            let file = cli.path("value");
            fs::write(&file, "made-up-of-a-file").unwrap();
            let temp = cli.path("").display().to_string();
            let cli = cli
                .env("FILE", &file.display().to_string())
                .env("RUNNER_TEMP", &temp);
            if let Some((operation, fault)) = &fault {
                for nth in 1..=3 {
                    sandbox.fault(operation, nth, fault.clone());
                }
            }
            let outcome = cli.run();
            let report = fs::read_to_string(outcome.output("report_path")).unwrap();
            let everything = outcome.all_output() + &report;
            for secret in secrets {
                assert!(!everything.contains(secret), "{secret}: {everything}");
            }
            assert!(
                !everything.contains("bWFkZS11cC1kZWNvZGVkLWI"),
                "{everything}"
            );
            if sandbox.with(|world| world.secret("e")).is_some() {
                assert!(!everything.contains(&value(&sandbox, "e")));
            }
            assert!(
                !everything.contains("::add-mask::"),
                "masks are only for the action"
            );
        }
    }
}

#[test]
fn action_masks_values_unknown_to_runner() {
    let sandbox = Sandbox::start();
    sandbox.with(|world| world.create("source", "made-up-of-a-source"));
    let manifest = "
secrets:
  a: { value: { env: A }, value-encoding: base64 }
  b: { value: { secret: { id: source } } }
  c: { value: { generate: { length: 32 } } }
  d: { value: { env: D } }
";
    let outcome = manifest_cli(&sandbox, manifest)
        .env("A", "bWFkZS11cC1kZWNvZGVkLWI=")
        .env("D", "made-up-plain")
        .env("UPSERT_SECRET_ACTION", "true")
        .github()
        .run();
    outcome.expect(0, "created");
    let generated = value(&sandbox, "c");
    for masked in [
        "made-up-decoded-b",
        "made-up-of-a-source",
        generated.as_str(),
    ] {
        assert!(
            outcome.stdout.contains(&format!("::add-mask::{masked}\n")),
            "{}",
            outcome.stdout
        );
    }
    assert!(
        !outcome.stdout.contains("made-up-plain"),
        "the runner already masks it"
    );
}
