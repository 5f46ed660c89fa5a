//! What is different on Windows: paths with drives, devices, line endings, names of variables in any case, text that is not
//! Unicode, and no signals. Run by `.ci/run windows`, under wine, whose drive `Z:` is the root of this machine.

use std::fs;
use std::path::Path;

use sandbox::{Sandbox, When};

use crate::common::{Cli, NAME, WAIT_LIMIT, current_value, send_signal};

/// A path of this machine, as Windows programs write it.
fn on_drive(path: &Path) -> String {
    format!("Z:{}", path.display()).replace('/', r"\")
}

/// The same environment, with files on a drive.
fn github(sandbox: &Sandbox) -> Cli {
    let cli = Cli::new(sandbox, "made-up").github();
    let output = on_drive(&cli.path("output"));
    let summary = on_drive(&cli.path("summary"));
    cli.env("GITHUB_OUTPUT", &output)
        .env("GITHUB_STEP_SUMMARY", &summary)
}

fn outputs(cli: &Cli) -> String {
    fs::read_to_string(cli.path("output")).unwrap()
}

#[test]
#[ignore = "needs the binary for Windows"]
fn paths_have_drives() {
    let sandbox = Sandbox::start();
    let cli = github(&sandbox);
    let outcome = cli.run();
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert!(outputs(&cli).contains("\nresult=created\n"));
    assert!(outcome.summary.contains("### Secret created"));
    // Other steps end lines as Windows does.
    fs::write(cli.path("output"), "earlier=1\r\n").unwrap();
    assert_eq!(cli.run().code, Some(0));
    assert!(outputs(&cli).starts_with("earlier=1\r\nsecret_id="));
}

#[test]
#[ignore = "needs the binary for Windows"]
fn paths_may_be_long_and_not_ascii() {
    let sandbox = Sandbox::start();
    let cli = github(&sandbox);
    let folder = cli
        .path("ключ é 日本")
        .join("long".repeat(50))
        .join("x".repeat(200));
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("value"), "made-up of a file").unwrap();
    let cli = cli
        .unset("UPSERT_SECRET_VALUE")
        .input("value-file", &on_drive(&folder.join("value")))
        .input("output-file", &on_drive(&folder.join("ids")));
    let outcome = cli.run();
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert_eq!(
        current_value(&sandbox).as_deref(),
        Some("made-up of a file")
    );
    let ids = fs::read_to_string(folder.join("ids")).unwrap();
    assert!(ids.contains("\nresult=created\n"), "{ids}");

    let manifest = folder.join("manifest.yml");
    let value = on_drive(&folder.join("value"));
    let text = format!("secrets:\r\n  {NAME}:\r\n    value: {{ file: '{value}' }}\r\n");
    fs::write(&manifest, text).unwrap();
    let cli = cli
        .unset("UPSERT_SECRET_VALUE_FILE")
        .unset("UPSERT_SECRET_NAME")
        .input("manifest", &on_drive(&manifest));
    let outcome = cli.run();
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let ids = fs::read_to_string(folder.join("ids")).unwrap();
    assert!(ids.contains("\nunchanged=1\n"), "{ids}");
}

#[test]
#[ignore = "needs the binary for Windows"]
fn line_endings_are_part_of_a_value() {
    let sandbox = Sandbox::start();
    let value = "made\r\nup\n%PATH% é";
    let cli = Cli::new(&sandbox, value).input("tags", "a=1\r\nb=2\r\n");
    cli.run().expect(0, "created");
    assert_eq!(current_value(&sandbox).as_deref(), Some(value));
    let tags = sandbox.with(|world| world.secret(NAME).unwrap().tags);
    assert_eq!(format!("{tags:?}").matches("\\r").count(), 0, "{tags:?}");
}

#[test]
#[ignore = "needs the binary for Windows"]
fn null_device_takes_outputs() {
    let sandbox = Sandbox::start();
    for name in ["NUL", "nul", r"\\.\NUL"] {
        let by_input = Cli::new(&sandbox, "made-up").input("output-file", name);
        let by_runner = github(&sandbox)
            .env("GITHUB_OUTPUT", name)
            .env("GITHUB_STEP_SUMMARY", name);
        let by_gitlab = Cli::new(&sandbox, "made-up")
            .gitlab()
            .input("output-file", name);
        for cli in [by_input, by_runner, by_gitlab] {
            let outcome = cli.run();
            assert_eq!(outcome.code, Some(0), "{name}: {}", outcome.stderr);
            assert_eq!(outcome.stdout, "", "{name}");
            assert!(!outcome.stderr.contains("written"), "{}", outcome.stderr);
        }
    }
}

#[test]
#[ignore = "needs the binary for Windows"]
fn names_of_variables_have_any_case() {
    let sandbox = Sandbox::start();
    let cli = github(&sandbox);
    let output = on_drive(&cli.path("output"));
    let region = sandbox
        .env()
        .into_iter()
        .find(|(name, _)| *name == "AWS_REGION");
    let cli = cli
        .unset("UPSERT_SECRET_NAME")
        .unset("GITHUB_OUTPUT")
        .unset("AWS_REGION")
        .env("Upsert_Secret_Name", "prod/other")
        .env("github_output", &output)
        .env("Aws_Region", &region.unwrap().1);
    let outcome = cli.run();
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert!(outputs(&cli).contains("secret_name=prod/other\n"));
    let outcome = cli.env("upsert_secret_nane", "x").run();
    assert_eq!(outcome.code, Some(2), "{}", outcome.stderr);
    assert!(
        outcome.stderr.contains("UPSERT_SECRET_NANE"),
        "{}",
        outcome.stderr
    );
}

#[test]
#[ignore = "needs the binary for Windows"]
fn half_a_surrogate_pair_is_rejected() {
    let sandbox = Sandbox::start();
    for (variable, cli) in [
        ("UPSERT_SECRET_VALUE", Cli::new(&sandbox, "unused")),
        (
            "MODEL_API_KEY",
            Cli::new(&sandbox, "unused")
                .unset("UPSERT_SECRET_VALUE")
                .input("value-env", "MODEL_API_KEY"),
        ),
        ("UPSERT_SECRET_DESCRIPTION", Cli::new(&sandbox, "made-up")),
    ] {
        let cli = cli.env("LONE_SURROGATE", variable);
        let outcome = cli.finish(cli.spawn());
        assert_eq!(outcome.code, Some(2), "{variable}: {}", outcome.stderr);
        assert!(!outcome.stderr.contains("made up"), "{}", outcome.stderr);
    }
    // Variables that are not inputs are ignored.
    let cli = Cli::new(&sandbox, "made-up").env("LONE_SURROGATE", "OTHER");
    cli.finish(cli.spawn()).expect(0, "created");
}

/// An empty variable of the SDK makes the program start itself again, and a console sends its events to both.
#[test]
#[ignore = "needs the binary for Windows"]
fn cancel_reaches_program_started_again() {
    for (name, code) in [("INT", 130), ("TERM", 143)] {
        let sandbox = Sandbox::start();
        let held = sandbox.hold("CreateSecret", 1, When::BeforeApply);
        let cli = github(&sandbox).env("AWS_PROFILE", "");
        let child = cli.spawn();
        assert!(held.wait_reached(WAIT_LIMIT));
        send_signal(&child, name);
        held.release();
        drop(held);
        let outcome = cli.finish(child);
        assert_eq!(outcome.code, Some(code), "{}", outcome.stderr);
        assert!(outputs(&cli).contains("\nresult=created\n"));
        assert!(outcome.stderr.contains("cancelled"), "{}", outcome.stderr);
    }
}

/// A second request to end must not cut off the report.
#[test]
#[ignore = "needs the binary for Windows"]
fn second_cancel_keeps_the_report() {
    let sandbox = Sandbox::start();
    let held = sandbox.hold("CreateSecret", 1, When::BeforeApply);
    let cli = github(&sandbox);
    let child = cli.spawn();
    assert!(held.wait_reached(WAIT_LIMIT));
    send_signal(&child, "INT");
    send_signal(&child, "TERM");
    held.release();
    drop(held);
    let outcome = cli.finish(child);
    assert!(
        matches!(outcome.code, Some(130 | 143)),
        "{}",
        outcome.stderr
    );
    assert!(outcome.summary.contains("cancelled"), "{}", outcome.summary);
}
