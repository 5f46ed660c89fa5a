//! The destinations of outputs, the summary, annotations and masks.

use std::fs;
use std::process::{Command, Stdio};

use sandbox::Sandbox;

use crate::common::{Cli, NAME, call_count, current_value};

#[test]
fn github_outputs_go_to_step_file() {
    let sandbox = Sandbox::start();
    let cli = Cli::new(&sandbox, "made-up").github();
    fs::write(cli.path("output"), "earlier=1\n").unwrap();
    let outcome = cli.run();
    outcome.expect(0, "created");
    assert_eq!(outcome.stdout, "");
    let file = fs::read_to_string(cli.path("output")).unwrap();
    let names: Vec<_> = file
        .lines()
        .map(|line| line.split_once('=').unwrap().0)
        .collect();
    assert_eq!(
        names,
        [
            "earlier",
            "secret_id",
            "secret_name",
            "secret_version_id",
            "previous_version_id",
            "version_stages",
            "result",
            "changed",
            "restored",
            "region"
        ]
    );
    assert!(
        outcome
            .summary
            .contains("### Secret created: `prod/model/api-key`"),
        "{}",
        outcome.summary
    );
    assert!(
        outcome
            .summary
            .contains(outcome.output("secret_version_id"))
    );
}

#[test]
fn output_file_replaces_platform_default() {
    let sandbox = Sandbox::start();
    let cli = Cli::new(&sandbox, "made-up");
    let file = cli.path("ids").display().to_string();
    let cli = cli.input("output-file", &file);
    let outcome = cli.run();
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(0), ""));
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains("secret_id=arn:aws:"), "{text}");

    // The last line of an existing file may lack its newline.
    fs::write(&file, "A=1").unwrap();
    assert_eq!(cli.run().code, Some(0));
    let text = fs::read_to_string(file).unwrap();
    assert!(text.starts_with("A=1\nsecret_id="), "{text}");
}

/// The error is found before anything is written to AWS.
#[test]
#[cfg(target_os = "linux")]
fn full_device_stops_run_and_closed_pipe_does_not() {
    let sandbox = Sandbox::start();
    let file = Cli::new(&sandbox, "made-up").input("output-file", "/dev/full");
    let github = Cli::new(&sandbox, "made-up")
        .github()
        .env("GITHUB_OUTPUT", "/dev/full");
    for cli in [file, github] {
        let outcome = cli.run();
        assert_eq!(outcome.code, Some(2), "{}", outcome.stderr);
        assert!(outcome.stderr.contains("outputs cannot be written"));
        assert!(
            outcome
                .stderr
                .contains("cannot open /dev/full: there is no space left")
        );
    }
    for arguments in [&[][..], &["--format", "json"]] {
        let cli = Cli::new(&sandbox, "made-up").args(arguments);
        let full = fs::File::options().write(true).open("/dev/full").unwrap();
        let child = cli.command().stdout(full).spawn().unwrap();
        let outcome = cli.finish(child);
        assert_eq!(outcome.code, Some(2), "{}", outcome.stderr);
        assert!(outcome.stderr.contains("outputs cannot be written"));
    }
    assert!(sandbox.log().is_empty());
    for arguments in [&[][..], &["--format", "json"]] {
        let cli = Cli::new(&sandbox, "made-up").args(arguments);
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let child = cli.command().stdout(writer).spawn().unwrap();
        assert_eq!(cli.finish(child).code, Some(0));
    }
}

/// A file size limit simulates a full disk: the file can be opened, but not written.
#[test]
#[cfg(target_os = "linux")]
fn outputs_that_cannot_be_written_are_printed() {
    let sandbox = Sandbox::start();
    let cli = Cli::new(&sandbox, "made-up").github();
    let program = cli.command().get_program().to_owned();
    let mut command = cli.command();
    let mut limited = Command::new("sh");
    limited
        .args(["-c", "trap '' XFSZ; ulimit -f 0; exec \"$1\"", "sh"])
        .arg(program)
        .env_clear()
        .envs(
            command
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .stdin(Stdio::null());
    command = limited;
    let outcome = command.output().unwrap();
    let stdout = String::from_utf8(outcome.stdout).unwrap();
    let stderr = String::from_utf8(outcome.stderr).unwrap();
    assert_eq!(outcome.status.code(), Some(7), "{stderr}");
    assert!(stdout.contains("secret_id=arn:aws:"), "{stdout}");
    assert!(
        stderr.contains("they are on standard output instead"),
        "{stderr}"
    );
    assert_eq!(current_value(&sandbox).as_deref(), Some("made-up"));
}

#[test]
#[cfg(unix)]
fn pipe_without_reader_does_not_outlive_timeout() {
    let sandbox = Sandbox::start();
    for (variable, code, says) in [
        (
            "GITHUB_STEP_SUMMARY",
            0,
            "no summary was written: cannot open",
        ),
        ("GITHUB_OUTPUT", 2, "outputs cannot be written"),
        ("UPSERT_SECRET_OUTPUT_FILE", 2, "outputs cannot be written"),
    ] {
        let cli = Cli::new(&sandbox, "made-up")
            .github()
            .input("timeout", "1s");
        let path = cli.path("pipe").display().to_string();
        let made = Command::new("mkfifo").arg(&path).status().unwrap();
        assert!(made.success());
        let outcome = cli.env(variable, &path).run();
        assert_eq!(outcome.code, Some(code), "{variable}: {}", outcome.stderr);
        assert!(
            outcome.stderr.contains(says),
            "{variable}: {}",
            outcome.stderr
        );
    }
    assert_eq!(call_count(&sandbox, "CreateSecret"), 1);
}

#[test]
#[cfg(unix)]
fn outputs_reach_reader_of_pipe() {
    let sandbox = Sandbox::start();
    let cli = Cli::new(&sandbox, "made-up");
    let path = cli.path("pipe").display().to_string();
    let made = Command::new("mkfifo").arg(&path).status().unwrap();
    assert!(made.success());
    let cli = cli.input("output-file", &path);
    let child = cli.spawn();
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(cli.finish(child).code, Some(0));
    assert!(text.contains("secret_id=arn:aws:"), "{text}");
}

#[test]
fn json_is_one_object_on_stdout() {
    let sandbox = Sandbox::start();
    let cli = Cli::new(&sandbox, "made-up").args(&["upsert", "--format", "json"]);
    let outcome = cli.run();
    let object: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(object["result"], "created");
    assert_eq!(object["changed"], true);
    assert_eq!(object["previous_version_id"], serde_json::Value::Null);
    assert_eq!(object["secret_name"], NAME);

    let failed = Cli::new(&sandbox, "").args(&["--format", "json"]).run();
    let object: serde_json::Value = serde_json::from_str(&failed.stdout).unwrap();
    assert_eq!(object["error"]["exit_code"], 2);
    assert!(failed.stderr.contains("there is no value"));
}

#[test]
fn masks_only_values_unknown_to_runner() {
    let sandbox = Sandbox::start();
    let encoded =
        || Cli::new(&sandbox, "bWFkZS11cC1rZXkKc2Vjb25kJWxpbmU=").input("value-encoding", "base64");
    let plain = encoded().run();
    assert!(!plain.stdout.contains("made-up-key"));
    let by_hand = encoded().github().run();
    assert!(!by_hand.stdout.contains("add-mask"), "not the action");
    let action = encoded().github().env("UPSERT_SECRET_ACTION", "true").run();
    assert_eq!(
        action.stdout,
        "::add-mask::made-up-key\n::add-mask::second%25line\n"
    );
    let known = Cli::new(&sandbox, "made-up")
        .github()
        .env("UPSERT_SECRET_ACTION", "true")
        .run();
    assert_eq!(known.stdout, "", "the runner already masks a secret");
}

#[test]
fn output_containing_value_warns() {
    let sandbox = Sandbox::start();
    // The value is part of the name, so the runner finds it in the ARN and drops that job output.
    let outcome = Cli::new(&sandbox, "model").github().run();
    outcome.expect(0, "created");
    let warned: Vec<_> = outcome
        .stderr
        .lines()
        .filter(|line| line.starts_with("::warning "))
        .collect();
    assert_eq!(warned.len(), 2, "{}", outcome.stderr);
    assert!(warned[0].contains("the output secret_id contains"));
    assert!(warned[1].contains("the output secret_name contains"));
    assert!(
        outcome.output("secret_id").contains(NAME),
        "outputs are not redacted"
    );
}

#[test]
fn annotation_is_one_line_with_fixed_title() {
    let sandbox = Sandbox::start();
    let outcome = Cli::new(&sandbox, "made-up")
        .input("name", "a b")
        .github()
        .run();
    let errors: Vec<_> = outcome
        .stderr
        .lines()
        .filter(|line| line.starts_with("::"))
        .collect();
    assert_eq!(errors.len(), 1, "{}", outcome.stderr);
    assert!(
        errors[0].starts_with("::error title=upsert-secret failed::UPSERT_SECRET_NAME must have"),
        "{}",
        errors[0]
    );
    assert!(errors[0].contains("%0A"));
}

#[test]
fn trace_shows_only_calls() {
    let sandbox = Sandbox::start();
    let outcome = Cli::new(&sandbox, "made-up").env("RUNNER_DEBUG", "1").run();
    let traced: Vec<_> = outcome
        .stderr
        .lines()
        .filter(|line| line.starts_with("debug: "))
        .collect();
    assert_eq!(traced.len(), 3, "{}", outcome.stderr);
    assert!(traced[2].starts_with("debug: CreateSecret attempt 1: 200 after "));
    // No log subscriber reads `RUST_LOG`.
    let noisy = Cli::new(&sandbox, "made-up").env("RUST_LOG", "trace").run();
    assert!(!noisy.stderr.contains("TRACE"));
}
