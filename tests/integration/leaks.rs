//! The value never leaks: every exit class and every fault, debug on, text and JSON, with values
//! that are hard to find; and the traps that the SDK holds ready.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sandbox::Sandbox;

use crate::common::{Done, NAME, Tool};

mod scenarios;

use scenarios::{Situation, faulty_situations, situations};

/// Made up, and hard to find in a log once something has encoded them.
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

/// Forms stated here anew, not taken from the code under test.
fn forms(value: &str) -> Vec<String> {
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
fn scan(done: &Done, value: &str, what: &str) {
    let seen = done.everything();
    for form in forms(value) {
        assert!(!seen.contains(&form), "{what}: {form:?} in\n{seen}");
    }
    let mut text = seen.clone();
    for ours in ["[31;1m", "[0;33m", "[32;1m", "[0m", "[0Ksection_", "[0K"] {
        text = text.replace(&format!("\u{1b}{ours}"), "");
    }
    assert!(!text.contains('\u{1b}'), "{what}: {seen:?}");
    for line in seen.split(['\n', '\r']) {
        let meant = ["::error title=", "::warning title=", "::notice title="];
        let command = line.trim_start().starts_with("::")
            && !meant.iter().any(|start| line.starts_with(start));
        assert!(!command && !line.contains("##["), "{what}: {line}");
    }
    assert!(!seen.contains(SECRET_KEY), "{what}");
}

/// The sandbox's secret key, which must not leak either.
const SECRET_KEY: &str = "wJalrXUtnFEMI";

#[test]
fn value_never_leaks_in_any_scenario() {
    // Most of the time is waiting for retries, so four run at once; each makes its own list, since
    // what changes a situation is not Send.
    thread::scope(|scope| {
        for part in 0..4 {
            scope.spawn(move || {
                for situation in situations().into_iter().skip(part).step_by(4) {
                    for (turn, value) in VALUES.iter().enumerate() {
                        one(&situation, value, turn % 2 == 0, turn % 4 < 2);
                    }
                }
                for (turn, situation) in faulty_situations()
                    .into_iter()
                    .enumerate()
                    .skip(part)
                    .step_by(4)
                {
                    one(&situation, VALUES[turn % VALUES.len()], true, true);
                    one(&situation, VALUES[2], false, false);
                }
            });
        }
    });
}

/// All files of the call's own folder, which is its home and its working directory.
fn files(tool: &Tool) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let mut folders = vec![tool.path(".")];
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

fn one(situation: &Situation, value: &str, json: bool, github: bool) {
    let what = &situation.what;
    let sandbox = Sandbox::start();
    sandbox.with(|world| world.create(NAME, "old"));
    let mut tool = Tool::new(&sandbox, value)
        .input("description", "d")
        .env("RUNNER_DEBUG", "1")
        .env("RUST_BACKTRACE", "full");
    tool = if github { tool.github() } else { tool.gitlab() };
    tool = (situation.change)(&sandbox, tool);
    if json {
        tool = tool.more_arguments(&["--format", "json"]);
    }
    let before = files(&tool);
    let done = tool.run();
    // Neither the outputs, the report and the summary nor anything else.
    for path in files(&tool).difference(&before) {
        let written = String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned();
        for form in forms(value) {
            assert!(!written.contains(&form), "{what}: {}", path.display());
        }
    }
    assert!(
        done.code
            .is_some_and(|code| (0..=8).contains(&code) && code != 1),
        "{what}: {:?} {}",
        done.code,
        done.stderr
    );
    scan(&done, value, what);
}

#[test]
#[cfg(unix)]
fn non_utf8_variables_are_handled() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    let sandbox = Sandbox::start();
    let tool = Tool::new(&sandbox, "made-up-value");
    let not_text = OsStr::from_bytes(b"\xff\xfe");
    let mut command = tool.command();
    command.env("UNRELATED", not_text).env(not_text, "x");
    let done = tool.finish(command.spawn().unwrap());
    done.expect(0, "created");

    let mut command = tool.command();
    command.env("UPSERT_SECRET_DESCRIPTION", not_text);
    let done = tool.finish(command.spawn().unwrap());
    assert_eq!(done.code, Some(2), "{}", done.stderr);

    // As a value it is bytes, which only a binary secret can hold.
    let tool = tool.input("store-as", "binary").input("name", "bytes");
    let mut command = tool.command();
    command.env("UPSERT_SECRET_VALUE", not_text);
    tool.finish(command.spawn().unwrap()).expect(0, "created");
}

#[test]
fn decoded_base64_value_is_redacted() {
    let sandbox = Sandbox::start();
    let value = VALUES[0];
    let done = Tool::new(&sandbox, &STANDARD.encode(value))
        .input("value-encoding", "base64")
        .input("description", value)
        .input("name", "a b")
        .env("RUNNER_DEBUG", "1")
        .run();
    scan(&done, value, "decoded");
}

#[test]
fn version_id_does_not_derive_from_value() {
    let ids: Vec<_> = (0..2)
        .map(|_| {
            let sandbox = Sandbox::start();
            let done = Tool::new(&sandbox, "made-up").run();
            done.output("secret_version_id").to_owned()
        })
        .collect();
    assert_ne!(ids[0], ids[1]);
}

/// Not a test of its own: the child of the next one, which panics with the value in its payload.
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
        "others can read this process"
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
    let tool = Tool::new(&sandbox, "made-up-value");
    let child = tool.spawn();
    assert!(held.wait_reached(crate::common::PATIENCE));
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap();
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"))
        .unwrap();
    assert!(
        core.split_whitespace().filter(|word| *word == "0").count() == 2,
        "{core}"
    );
    // A process that is not dumpable belongs to root in /proc, whoever started it.
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    if let Some(line) = status.lines().find(|line| line.starts_with("CoreDumping")) {
        assert!(line.ends_with('0'), "{line}");
    }
    let arguments = std::fs::read(format!("/proc/{}/cmdline", child.id())).unwrap();
    assert!(!String::from_utf8_lossy(&arguments).contains("made-up-value"));
    held.release();
    drop(held);
    assert_eq!(tool.finish(child).code, Some(0));
}
