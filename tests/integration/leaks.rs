//! The value never leaks: every exit code and every fault, with debug output on, as text and as
//! JSON, with values that are hard to redact, and with SDK settings that would print request
//! bodies.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sandbox::Sandbox;

use crate::common::{Cli, NAME, Outcome};

mod credentials;
mod quotes;
mod scenarios;

use scenarios::{Scenario, fault_scenarios, scenarios};

/// Made-up values that are hard to recognize in a log once they are encoded.
const VALUES: &[&str] = &[
    "sk-made-up-0123456789abcdef",
    "sk_live_made_up_0123456789",
    "-----BEGIN MADE UP KEY-----\nbWFkZSB1cCBrZXkgbWF0ZXJpYWw\nc2Vjb25kIGxpbmUgb2YgaXQ=\n-----END MADE UP KEY-----\n",
    r#"{"user":"made-up-user","password":"p\"q\\made-up/<&>'secret'"}"#,
    "bWFkZS11cC12YWx1ZS10aGF0LWlzLWJhc2U2NA==",
    "q'uo\"te$HOME`id`%41 made;up|<tag>&amp;",
    "pa\u{df}wort-\u{1f511}-\u{202e}made-up\u{7}",
    "::set-output name=x::made-up ##[error]made-up",
];

/// Encodings of a value, defined independently of the code under test.
fn encoded_forms(value: &str) -> Vec<String> {
    let mut forms = vec![
        value.to_owned(),
        format!("{value:?}").trim_matches('"').to_owned(),
        serde_json::to_string(value).unwrap()[1..]
            .trim_end_matches('"')
            .to_owned(),
        value.bytes().map(|byte| format!("%{byte:02X}")).collect(),
        value.bytes().map(|byte| format!("{byte:02x}")).collect(),
    ];
    for skip in 0..3 {
        forms.push(
            STANDARD
                .encode(&value.as_bytes()[skip..])
                .trim_end_matches('=')
                .to_owned(),
        );
    }
    forms.extend(value.lines().map(|line| line.trim().to_owned()));
    forms.retain(|form| form.len() >= 8);
    forms
}

#[track_caller]
fn assert_no_leak(outcome: &Outcome, value: &str, context: &str) {
    let seen = outcome.all_output();
    for form in encoded_forms(value) {
        assert!(!seen.contains(&form), "{context}: {form:?} in\n{seen}");
    }
    let mut text = seen.clone();
    for ours in ["[31;1m", "[0;33m", "[32;1m", "[0m", "[0Ksection_", "[0K"] {
        text = text.replace(&format!("\u{1b}{ours}"), "");
    }
    assert!(!text.contains('\u{1b}'), "{context}: {seen:?}");
    for line in seen.split(['\n', '\r']) {
        let allowed = ["::error title=", "::warning title=", "::notice title="];
        let command = line.trim_start().starts_with("::")
            && !allowed.iter().any(|start| line.starts_with(start));
        assert!(!command && !line.contains("##["), "{context}: {line}");
    }
    assert!(!seen.contains(SECRET_KEY), "{context}");
}

/// Start of the sandbox's secret access key, which must not leak either.
const SECRET_KEY: &str = "wJalrXUtnFEMI";

#[test]
fn value_never_leaks_in_any_scenario() {
    // Most of the time is spent waiting for retries, so four threads run at once. Each builds its
    // own list, because the closures are not `Send`.
    thread::scope(|scope| {
        for part in 0..4 {
            scope.spawn(move || {
                for scenario in scenarios().into_iter().skip(part).step_by(4) {
                    for (turn, value) in VALUES.iter().enumerate() {
                        check_scenario(&scenario, value, turn % 2 == 0, turn % 4 < 2);
                    }
                }
                for (turn, scenario) in fault_scenarios()
                    .into_iter()
                    .enumerate()
                    .skip(part)
                    .step_by(4)
                {
                    check_scenario(&scenario, VALUES[turn % VALUES.len()], true, true);
                    check_scenario(&scenario, VALUES[2], false, false);
                }
            });
        }
    });
}

/// All files in the run's directory, which is its home and working directory.
fn files(cli: &Cli) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let mut folders = vec![cli.path(".")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.insert(path);
            }
        }
    }
    found
}

fn check_scenario(scenario: &Scenario, value: &str, json: bool, github: bool) {
    let context = &scenario.what;
    let sandbox = Sandbox::start();
    sandbox.with(|world| world.create(NAME, "old"));
    let mut cli = Cli::new(&sandbox, value)
        .input("description", "d")
        .env("RUNNER_DEBUG", "1")
        .env("RUST_BACKTRACE", "full");
    cli = if github { cli.github() } else { cli.gitlab() };
    cli = (scenario.arrange)(&sandbox, cli);
    if json {
        cli = cli.extra_args(&["--format", "json"]);
    }
    let before = files(&cli);
    let outcome = cli.run();
    // No file that the run wrote contains the value: outputs, report, summary or any other.
    for path in files(&cli).difference(&before) {
        let written = String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned();
        for form in encoded_forms(value) {
            assert!(!written.contains(&form), "{context}: {}", path.display());
        }
    }
    assert!(
        outcome
            .code
            .is_some_and(|code| (0..=8).contains(&code) && code != 1),
        "{context}: {:?} {}",
        outcome.code,
        outcome.stderr
    );
    assert_no_leak(&outcome, value, context);
}

#[test]
#[cfg(unix)]
fn non_utf8_variables_are_handled() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    let sandbox = Sandbox::start();
    let cli = Cli::new(&sandbox, "made-up-value");
    let not_text = OsStr::from_bytes(b"\xff\xfe");
    let mut command = cli.command();
    command.env("UNRELATED", not_text).env(not_text, "x");
    let outcome = cli.finish(command.spawn().unwrap());
    outcome.expect(0, "created");

    let mut command = cli.command();
    command.env("UPSERT_SECRET_DESCRIPTION", not_text);
    let outcome = cli.finish(command.spawn().unwrap());
    assert_eq!(outcome.code, Some(2), "{}", outcome.stderr);

    // As a value these are bytes, which only a binary secret can hold.
    let cli = cli.input("store-as", "binary").input("name", "bytes");
    let mut command = cli.command();
    command.env("UPSERT_SECRET_VALUE", not_text);
    cli.finish(command.spawn().unwrap()).expect(0, "created");
}

#[test]
fn decoded_base64_value_is_redacted() {
    let sandbox = Sandbox::start();
    let value = VALUES[0];
    let outcome = Cli::new(&sandbox, &STANDARD.encode(value))
        .input("value-encoding", "base64")
        .input("description", value)
        .input("name", "a b")
        .env("RUNNER_DEBUG", "1")
        .run();
    assert_no_leak(&outcome, value, "decoded");
}

#[test]
fn version_id_does_not_derive_from_value() {
    let ids: Vec<_> = (0..2)
        .map(|_| {
            let sandbox = Sandbox::start();
            let outcome = Cli::new(&sandbox, "made-up").run();
            outcome.output("secret_version_id").to_owned()
        })
        .collect();
    assert_ne!(ids[0], ids[1]);
}

/// The child process of the next test: it panics with the value in its payload.
#[test]
fn panicking_child() {
    let Ok(value) = std::env::var("MADE_UP_PANIC_PAYLOAD") else {
        return;
    };
    upsert_secret::harden::process();
    upsert_secret::harden::panics();
    #[cfg(target_os = "linux")]
    assert!(
        rustix::process::dumpable_behavior()
            .is_ok_and(|now| now == rustix::process::DumpableBehavior::NotDumpable),
        "the process is dumpable"
    );
    let caught = std::panic::catch_unwind(|| panic!("request body: {value}"));
    assert!(caught.is_err());
}

#[test]
fn panic_reports_location_without_payload() {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "leaks::panicking_child", "--nocapture"])
        .env("MADE_UP_PANIC_PAYLOAD", VALUES[0])
        .env("RUST_BACKTRACE", "full")
        .output()
        .unwrap();
    let seen = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(
        seen.contains("upsert-secret: internal error at leaks.rs:"),
        "{seen}"
    );
    assert!(!seen.contains(VALUES[0]), "{seen}");
    assert!(output.status.success(), "{seen}");
}

#[test]
#[cfg(target_os = "linux")]
fn process_exposes_no_core_dump_or_argv() {
    let sandbox = Sandbox::start();
    let held = sandbox.hold("DescribeSecret", 1, sandbox::When::BeforeApply);
    let cli = Cli::new(&sandbox, "made-up-value");
    let child = cli.spawn();
    assert!(held.wait_reached(crate::common::WAIT_LIMIT));
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap();
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"))
        .unwrap();
    assert!(
        core.split_whitespace().filter(|word| *word == "0").count() == 2,
        "{core}"
    );
    // In `/proc`, the files of a process that is not dumpable belong to root.
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    if let Some(line) = status.lines().find(|line| line.starts_with("CoreDumping")) {
        assert!(line.ends_with('0'), "{line}");
    }
    let arguments = std::fs::read(format!("/proc/{}/cmdline", child.id())).unwrap();
    assert!(!String::from_utf8_lossy(&arguments).contains("made-up-value"));
    held.release();
    drop(held);
    assert_eq!(cli.finish(child).code, Some(0));
}
