//! Outputs as meta-data of a Buildkite build, through a fake agent.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use sandbox::{Policy, Sandbox};

use super::outputs_of_creation;
use super::runners::job;
use crate::common::{Cli, NAME};

/// An agent that keeps meta-data in files, and the names of the variables that it gets.
fn with_agent(cli: Cli, script: &str) -> Cli {
    let folder = cli.path("bin");
    fs::create_dir(&folder).unwrap();
    fs::create_dir(cli.path("meta-data")).unwrap();
    let agent = folder.join("buildkite-agent");
    let data = cli.path("meta-data").display().to_string();
    fs::write(&agent, format!("#!/bin/sh\ndata='{data}'\n{script}\n")).unwrap();
    fs::set_permissions(&agent, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:/usr/bin:/bin", folder.display());
    cli.env("PATH", &path)
        .env("BUILDKITE_AGENT_ACCESS_TOKEN", "made-up-agent-token")
}

const KEEP: &str = r#"[ "$1 $2" = "meta-data set" ] && [ $# = 3 ] || exit 64
env | cut -d = -f 1 >"$data/environment"
cat >"$data/$(echo "$3" | tr / _)""#;

#[test]
fn agent_sets_meta_data() {
    let sandbox = Sandbox::start();
    let cli = with_agent(job(&sandbox, "Buildkite"), KEEP);
    let outcome = cli.run();
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert_eq!(outcome.stdout, "");
    let data = |key: &str| fs::read_to_string(cli.path("meta-data").join(key)).unwrap();
    let name = NAME.replace('/', "_");
    for (output, value) in outputs_of_creation(&sandbox) {
        let value = if value.is_empty() { "none" } else { &value };
        assert_eq!(data(&format!("upsert-secret:{name}:{output}")), value);
    }
    assert!(
        outcome.stderr.contains(&format!(
            "\noutputs: meta-data of this build, such as upsert-secret:{NAME}:secret_id\n"
        )),
        "{}",
        outcome.stderr
    );
    let seen = data("environment");
    assert!(seen.contains("BUILDKITE_AGENT_ACCESS_TOKEN\n"), "{seen}");
    assert!(
        !seen.contains("UPSERT_SECRET") && !seen.contains("AWS"),
        "{seen}"
    );
}

/// All steps of a build share its meta-data, and a retried job finds the meta-data of its first attempt.
#[test]
fn failed_run_leaves_no_earlier_output() {
    let sandbox = Sandbox::start();
    let cli = with_agent(job(&sandbox, "Buildkite"), KEEP);
    cli.run().expect(0, "");
    let cli = cli.input(
        "expected-version-id",
        "00000000-0000-4000-8000-000000000009",
    );
    let cli = cli.input("value", "made-up-2");
    let outcome = cli.run();
    assert_eq!(outcome.code, Some(5), "{}", outcome.stderr);
    let name = NAME.replace('/', "_");
    for (output, value) in outputs_of_creation(&sandbox) {
        let key = format!("upsert-secret:{name}:{output}");
        let data = fs::read_to_string(cli.path("meta-data").join(key)).unwrap();
        let is_known = ["secret_id", "secret_name", "region"].contains(&output);
        assert_eq!(data, if is_known { &value } else { "none" }, "{output}");
    }
}

/// A run that knows only its region, which a manifest run stores under the same key.
#[test]
fn denied_run_sets_no_meta_data() {
    let sandbox = Sandbox::start();
    let denied = ["DescribeSecret", "GetSecretValue", "CreateSecret"];
    let denied = denied.map(|operation| format!("secretsmanager:{operation}"));
    let denied: Vec<&str> = denied.iter().map(String::as_str).collect();
    sandbox.set_policy(&sandbox.default_key_id(), Policy::deny(&denied));
    let cli = with_agent(job(&sandbox, "Buildkite"), KEEP);
    let outcome = cli.run();
    assert_eq!(outcome.code, Some(4), "{}", outcome.stderr);
    assert!(!outcome.stderr.contains("outputs:"), "{}", outcome.stderr);
    let set = fs::read_dir(cli.path("meta-data")).unwrap().count();
    assert_eq!(set, 0);
}

#[test]
fn agent_that_writes_much_is_awaited() {
    let sandbox = Sandbox::start();
    let much = "head -c 300000 /dev/zero | tr '\\0' x >&2";
    let outcome = with_agent(job(&sandbox, "Buildkite"), much).run();
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let failing = format!("echo made-up reason >&2\n{much}\nexit 3");
    let outcome = with_agent(job(&sandbox, "Buildkite"), &failing).run();
    assert_eq!(outcome.code, Some(7), "{}", outcome.stderr);
    assert!(
        outcome.stderr.contains("failed: exit status: 3"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn agent_failure_prints_outputs() {
    let sandbox = Sandbox::start();
    let fail = "echo 'fatal: 401 ##vso[made-up] Unauthorized' >&2\nexit 3";
    for script in [fail, "exec no-such-program"] {
        let outcome = with_agent(job(&sandbox, "Buildkite"), script).run();
        assert_eq!(outcome.code, Some(7), "{}", outcome.stderr);
        assert!(
            outcome.stdout.starts_with("secret_id=arn:aws:"),
            "{}",
            outcome.stdout
        );
        assert!(
            outcome
                .stderr
                .contains("as meta-data of the build; they are on standard output instead"),
            "{}",
            outcome.stderr
        );
        assert!(!outcome.stderr.contains("##vso"), "{}", outcome.stderr);
        assert!(
            outcome
                .stderr
                .contains("buildkite-agent meta-data set failed: exit status: "),
            "{}",
            outcome.stderr
        );
    }
    // JSON has the IDs.
    let cli = with_agent(job(&sandbox, "Buildkite"), "exit 3").args(&["--format", "json"]);
    let outcome = cli.run();
    assert_eq!(outcome.code, Some(7), "{}", outcome.stderr);
    let object: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(object["secret_name"], NAME);
}
