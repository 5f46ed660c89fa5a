//! Releases of many secrets: staged, promoted and undone, each secret by compare-and-swap or all of them as one transaction.

use std::fs;

use sandbox::Sandbox;
use serde_json::{Value, json};

use crate::common::{Cli, Outcome, call_count, operations};
use crate::manifest::{manifest_cli, manifest_of, value};

mod inputs;
mod interruptions;

const MOVE: &str = "UpdateSecretVersionStage";
const NAMES: [&str; 4] = ["prod/a", "prod/b", "prod/c", "prod/d"];

/// Four secrets. The release changes `prod/a` and `prod/b`.
fn existing() -> Sandbox {
    let sandbox = Sandbox::start();
    sandbox.with(|world| {
        for name in NAMES {
            let old = if name < "prod/c" {
                "made-up-old"
            } else {
                "made-up-new"
            };
            world.create(name, old);
        }
    });
    sandbox
}

/// A sandbox in which the release is staged.
fn staged() -> Sandbox {
    let sandbox = existing();
    stage(&sandbox).run().expect(0, "updated");
    sandbox.clear_log();
    sandbox
}

fn cli(sandbox: &Sandbox) -> Cli {
    manifest_cli(sandbox, &manifest_of(&NAMES))
}

fn stage(sandbox: &Sandbox) -> Cli {
    let entries = manifest_of(&NAMES);
    let manifest = format!("defaults: {{ version-stages: candidate }}\n{entries}");
    manifest_cli(sandbox, &manifest).env("V", "made-up-new")
}

/// None of the manifest's variables are set.
fn promote(sandbox: &Sandbox, all_or_nothing: bool) -> Cli {
    cli(sandbox)
        .input("all-or-nothing", &all_or_nothing.to_string())
        .args(&["promote"])
        .github()
}

fn undo(sandbox: &Sandbox, release: &str, all_or_nothing: bool) -> Cli {
    cli(sandbox)
        .unset("UPSERT_SECRET_MANIFEST")
        .input("release", release)
        .input("all-or-nothing", &all_or_nothing.to_string())
        .args(&["rollback"])
        .github()
}

fn values(sandbox: &Sandbox) -> [String; 4] {
    NAMES.map(|name| value(sandbox, name).replace("made-up-", ""))
}

fn results(outcome: &Outcome) -> Value {
    serde_json::from_str(outcome.output("results")).unwrap()
}

fn private_labels(sandbox: &Sandbox) -> Vec<String> {
    let secrets = NAMES.map(|name| sandbox.with(|world| world.secret(name)).unwrap());
    let versions = secrets.into_iter().flat_map(|secret| secret.versions);
    let mut labels: Vec<_> = versions.flat_map(|version| version.stages).collect();
    labels.retain(|label| label.starts_with("upsert-secret-"));
    labels
}

#[test]
fn release_is_staged_promoted_and_undone() {
    for all_or_nothing in [false, true] {
        let sandbox = existing();
        for result in ["updated", "unchanged"] {
            let outcome = stage(&sandbox).run();
            outcome.expect(0, result);
            assert_eq!(call_count(&sandbox, "PutSecretValue"), 2);
        }
        assert_eq!(values(&sandbox), ["old", "old", "new", "new"]);

        let planned = promote(&sandbox, all_or_nothing)
            .args(&["plan"])
            .input("command", "promote")
            .run();
        assert_eq!(
            planned.counts(),
            ["0", "2", "2", "0", "0"],
            "{}",
            planned.stderr
        );
        let promoted = promote(&sandbox, all_or_nothing).run();
        assert_eq!(
            promoted.counts(),
            ["0", "2", "2", "0", "0"],
            "{}",
            promoted.stderr
        );
        assert_eq!(values(&sandbox), ["new"; 4]);
        let again = promote(&sandbox, all_or_nothing).run();
        assert_eq!(
            again.counts(),
            ["0", "0", "4", "0", "0"],
            "{}",
            again.stderr
        );

        let release = results(&promoted);
        assert!(release["prod/a"]["previous_version_id"].is_string());
        assert!(release["prod/c"]["previous_version_id"].is_null());
        for counts in [["0", "2", "0", "0", "0"], ["0", "0", "2", "0", "0"]] {
            let undone = undo(&sandbox, &release.to_string(), all_or_nothing).run();
            assert_eq!(undone.counts(), counts, "{}", undone.stderr);
            assert_eq!(undone.code, Some(0));
            assert_eq!(values(&sandbox), ["old", "old", "new", "new"]);
        }
        assert_eq!(private_labels(&sandbox), [""; 0]);
        // An undone release can be promoted again, and an undo can be undone.
        let undone = undo(&sandbox, &release.to_string(), all_or_nothing);
        promote(&sandbox, all_or_nothing).run().expect(0, "updated");
        let release = results(&undone.run());
        undo(&sandbox, &release.to_string(), all_or_nothing)
            .run()
            .expect(0, "updated");
        assert_eq!(values(&sandbox), ["new"; 4]);
    }
}

#[test]
fn upsert_of_many_is_undone_from_its_report() {
    let sandbox = existing();
    let upserted = manifest_cli(&sandbox, &manifest_of(&["prod/a", "prod/c", "prod/new"]))
        .env("V", "made-up-new")
        .gitlab()
        .run();
    assert!(
        upserted
            .stderr
            .contains("1 created, 1 updated, 1 unchanged")
    );
    assert!(
        upserted
            .report
            .contains("UPSERTED_REPORT_PATH=upsert-secret-report.json")
    );
    let run = manifest_cli(&sandbox, &manifest_of(&["prod/a", "prod/c", "prod/new"]))
        .env("V", "made-up-newer");
    let report = run.path("a report.json").display().to_string();
    let run = run.input("report-file", &report);
    run.run().expect(0, "updated");
    sandbox.clear_log();
    let undone = undo(&sandbox, &format!("file:{report}"), true).run();
    assert_eq!(
        undone.counts(),
        ["0", "3", "0", "0", "0"],
        "{}",
        undone.stderr
    );
    assert_eq!(value(&sandbox, "prod/new"), "made-up-new");
    assert_eq!(value(&sandbox, "prod/a"), "made-up-new");
    // An existing directory, and a run that wrote nothing else.
    let outputs = json!({"secret_name": "prod/b", "secret_version_id": "", "result": "unchanged"});
    let nothing = undo(&sandbox, &outputs.to_string(), false).run();
    nothing.expect(0, "unchanged");
    assert!(
        nothing.stderr.contains("there is nothing to roll back"),
        "{}",
        nothing.stderr
    );
}

#[test]
fn report_that_is_read_is_not_overwritten() {
    let sandbox = staged();
    let cli = promote(&sandbox, false).unset("GITHUB_ACTIONS").gitlab();
    let path = cli.path("upsert-secret-report.json");
    cli.run();
    let report = fs::read_to_string(&path).unwrap();
    let release = format!("file:{}", path.display());
    let given = path.display().to_string();
    let same = undo(&sandbox, &release, false)
        .input("report-file", &given)
        .run();
    assert_eq!(same.code, Some(2), "{}", same.stderr);
    assert!(
        same.stderr.contains("is another file of this run"),
        "{}",
        same.stderr
    );
    let undone = undo(&sandbox, &release, false)
        .unset("GITHUB_ACTIONS")
        .gitlab()
        .env(
            "CI_PROJECT_DIR",
            &path.parent().unwrap().display().to_string(),
        )
        .run();
    assert_eq!(undone.code, Some(0), "{}", undone.stderr);
    assert_eq!(values(&sandbox), ["old", "old", "new", "new"]);
    assert_eq!(fs::read_to_string(&path).unwrap(), report);
}

/// Only an earlier report is overwritten, and only by a run with valid inputs.
#[test]
fn report_overwrites_reports_only() {
    let sandbox = staged();
    let given = |path: &str| {
        cli(&sandbox)
            .args(&["promote"])
            .github()
            .input("report-file", path)
    };
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (settings, link) = (path("settings.env"), path("link"));
    fs::write(&settings, "A=made-up").unwrap();
    let manifest = cli(&sandbox);
    fs::hard_link(manifest.path("secrets.yaml"), &link).unwrap();
    let outputs = path("outputs");
    let cases = [
        given(&settings),
        manifest.args(&["promote"]).input("report-file", &link),
        given(&outputs).env("GITHUB_OUTPUT", &outputs),
        given(&folder.path().display().to_string()),
    ];
    for cli in cases {
        let outcome = cli.run();
        assert_eq!(outcome.code, Some(2), "{}", outcome.stderr);
        assert!(
            outcome.stderr.contains("the report cannot be written"),
            "{}",
            outcome.stderr
        );
    }
    assert_eq!(fs::read_to_string(&settings).unwrap(), "A=made-up");
    assert!(!fs::read_to_string(&link).unwrap().is_empty());
    assert_eq!(call_count(&sandbox, MOVE), 0);

    let report = path("report.json");
    given(&report).run().expect(0, "updated");
    let first = fs::read_to_string(&report).unwrap();
    for (input, unfit) in [("rate", "made-up"), ("fail-on-change", "true")] {
        let invalid = given(&report).input(input, unfit).run();
        assert_eq!(invalid.code, Some(2), "{input}");
        assert_eq!(fs::read_to_string(&report).unwrap(), first, "{input}");
    }
    given(&report).run().expect(0, "unchanged");
    assert_ne!(fs::read_to_string(&report).unwrap(), first);
}

#[test]
fn report_of_a_dry_run_is_no_release() {
    let sandbox = staged();
    let planned = promote(&sandbox, false)
        .args(&["plan", "--format", "json"])
        .input("command", "promote")
        .run();
    assert_eq!(planned.code, Some(0), "{}", planned.stderr);
    let outcome = undo(&sandbox, planned.stdout.trim(), false).run();
    assert_eq!(outcome.code, Some(2), "{}", outcome.stderr);
    assert!(
        outcome.stderr.contains("is the report of a dry run"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn summary_draws_what_moved() {
    for all_or_nothing in [false, true] {
        let sandbox = staged();
        let promoted = promote(&sandbox, all_or_nothing).run();
        let summary = &promoted.summary;
        let graphs = summary.matches("```mermaid").count();
        assert_eq!(graphs, 2, "{summary}");
        assert!(summary.contains("`prod/a`\n\n```mermaid"), "{summary}");
        let after = summary.split("subgraph after").nth(1).unwrap();
        assert!(after.contains("<br>AWSCURRENT<br>candidate"), "{summary}");
        assert!(after.contains("<br>AWSPREVIOUS"), "{summary}");
    }
}

#[test]
fn created_secrets_stay_and_are_named() {
    let sandbox = existing();
    let release = json!({"prod/new": {"result": "created", "secret_version_id": "11111111-1111-4111-8111-111111111111"}});
    let undone = undo(&sandbox, &release.to_string(), false).run();
    undone.expect(0, "unchanged");
    assert!(undone.stderr.contains("prod/new"), "{}", undone.stderr);
    assert!(operations(&sandbox).is_empty());
}

/// The number of requests depends on what changed, plus the reads of 20 secrets per call.
#[test]
fn requests_are_in_proportion_to_changes() {
    let sandbox = Sandbox::start();
    let names: Vec<_> = (0..60).map(|number| format!("s/{number}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    sandbox.with(|world| {
        for name in &names {
            world.create(name, "made-up-old");
        }
    });
    let run = |command: &str, release: &str| {
        let mut entries = manifest_of(&names);
        entries = entries.replace("s/7: { value: { env: V }", "s/7: { value: { env: W }");
        entries = entries.replace("s/31: { value: { env: V }", "s/31: { value: { env: W }");
        let stages = if command == "upsert" {
            "defaults: { version-stages: candidate }\n"
        } else {
            ""
        };
        let mut cli = manifest_cli(&sandbox, &format!("{stages}{entries}"))
            .env("V", "made-up-old")
            .env("W", release)
            .args(&[command])
            .github()
            .env("GITHUB_RUN_ID", &format!("1{}", release.len()));
        if command == "rollback" {
            cli = cli
                .unset("UPSERT_SECRET_MANIFEST")
                .input("release", release);
        }
        let outcome = cli.run();
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        let calls = operations(&sandbox);
        sandbox.clear_log();
        let count = |name: &str| calls.iter().filter(|call| *call == name).count();
        let known = [
            "BatchGetSecretValue",
            "DescribeSecret",
            "GetSecretValue",
            "PutSecretValue",
            MOVE,
        ];
        let counts = known.map(count);
        assert_eq!(counts.iter().sum::<usize>(), calls.len(), "{calls:?}");
        (outcome, counts)
    };
    // The first release labels every secret.
    run("upsert", "made-up-1");
    run("promote", "");
    assert_eq!(run("upsert", "made-up-new").1, [3, 2, 2, 2, 0]);
    let (promoted, counts) = run("promote", "");
    assert_eq!(counts, [3, 2, 0, 0, 2]);
    let (undone, counts) = run("rollback", promoted.output("results"));
    assert_eq!(counts, [0, 2, 0, 0, 2]);
    assert_eq!(undone.counts(), ["0", "2", "0", "0", "0"]);
}

#[test]
fn missing_labels_are_all_named() {
    for all_or_nothing in [false, true] {
        let sandbox = staged();
        sandbox.with(|world| world.create("prod/x", "made-up"));
        let names = ["prod/a", "prod/x", "prod/absent"];
        let outcome = manifest_cli(&sandbox, &manifest_of(&names))
            .input("all-or-nothing", &all_or_nothing.to_string())
            .args(&["promote"])
            .run();
        assert_eq!(outcome.code, Some(6), "{}", outcome.stderr);
        for text in [
            "no version of prod/x holds the label candidate",
            "prod/absent does not exist",
        ] {
            assert!(outcome.stderr.contains(text), "{}", outcome.stderr);
        }
        let moved = if all_or_nothing {
            "made-up-old"
        } else {
            "made-up-new"
        };
        assert_eq!(value(&sandbox, "prod/a"), moved);
        assert_eq!(call_count(&sandbox, MOVE), usize::from(!all_or_nothing));
    }
}

#[test]
fn later_write_stays_when_a_release_is_undone() {
    for all_or_nothing in [false, true] {
        let sandbox = staged();
        let release = results(&promote(&sandbox, false).run()).to_string();
        sandbox.with(|world| world.put("prod/b", "made-up-later"));
        let outcome = undo(&sandbox, &release, all_or_nothing).run();
        assert_eq!(outcome.code, Some(5), "{}", outcome.stderr);
        assert!(
            outcome
                .stderr
                .contains("prod/b was written after the release"),
            "{}",
            outcome.stderr
        );
        let first = if all_or_nothing { "new" } else { "old" };
        assert_eq!(values(&sandbox), [first, "later", "new", "new"]);
    }
}

#[test]
fn version_that_is_gone_is_explained() {
    for all_or_nothing in [false, true] {
        let sandbox = staged();
        let mut release = results(&promote(&sandbox, false).run());
        release["prod/b"]["previous_version_id"] = json!("99999999-9999-4999-8999-999999999999");
        let outcome = undo(&sandbox, &release.to_string(), all_or_nothing).run();
        assert_eq!(outcome.code, Some(6), "{}", outcome.stderr);
        let what = "prod/b has no version 99999999-9999-4999-8999-999999999999";
        assert!(outcome.stderr.contains(what), "{}", outcome.stderr);
        let first = if all_or_nothing { "new" } else { "old" };
        assert_eq!(values(&sandbox), [first, "new", "new", "new"]);
        assert_eq!(private_labels(&sandbox), [""; 0]);
    }
}

#[test]
fn guard_of_an_entry_stops_its_promotion() {
    let sandbox = staged();
    let other = "99999999-9999-4999-8999-999999999999";
    let manifest = format!(
        "secrets: {{ prod/a: {{ value: {{ env: V }}, expected-version-id: {other} }}, prod/b: {{ value: {{ env: V }} }} }}"
    );
    let outcome = manifest_cli(&sandbox, &manifest).args(&["promote"]).run();
    assert_eq!(outcome.code, Some(5), "{}", outcome.stderr);
    assert_eq!(values(&sandbox), ["old", "new", "new", "new"]);
}

#[test]
fn promotion_without_reading_describes_each_secret() {
    let sandbox = staged();
    let manifest = format!("defaults: {{ compare: never }}\n{}", manifest_of(&NAMES));
    let outcome = manifest_cli(&sandbox, &manifest).args(&["promote"]).run();
    assert_eq!(
        outcome.counts(),
        ["0", "2", "2", "0", "0"],
        "{}",
        outcome.stderr
    );
    assert_eq!(call_count(&sandbox, "BatchGetSecretValue"), 0);
    assert_eq!(call_count(&sandbox, "DescribeSecret"), 4);
}

#[test]
fn values_that_are_read_are_never_shown() {
    let sandbox = staged();
    let promoted = promote(&sandbox, true).env("RUNNER_DEBUG", "1").run();
    promoted.expect(0, "updated");
    assert_eq!(call_count(&sandbox, "BatchGetSecretValue"), 2);
    assert!(!promoted.all_output().contains("made-up"));
    let summary = fs::read_to_string(promoted.output("report_path"));
    assert!(summary.is_err(), "there is no RUNNER_TEMP");
}
