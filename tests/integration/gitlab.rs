//! GitLab CI: the dotenv report under the rules of GitLab's own parser, the log, file variables,
//! and retried jobs.

use std::collections::BTreeMap;
use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sandbox::{Fault, Sandbox};

use crate::common::{Cli, NAME, Outcome, current_value, version_count};

/// Parses a dotenv report as GitLab does (`parse_dotenv_artifact_service.rb`, `has_variable.rb`),
/// or returns GitLab's reason to reject it. Written independently of the code under test.
fn parse_dotenv(report: &str) -> Result<BTreeMap<String, String>, String> {
    if report.len() >= 5 * 1024 {
        return Err("Dotenv Artifact Too Big".to_owned());
    }
    let mut variables = BTreeMap::new();
    for line in report.split_inclusive('\n') {
        let line = line.strip_suffix('\n').unwrap_or(line);
        let (key, value) = line.split_once('=').ok_or("Invalid Format")?;
        let key = key.trim().to_owned();
        if key.is_empty() || !key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            return Err("Key can contain only letters, digits and '_'.".to_owned());
        }
        // A later job would expand these characters.
        if value.contains(['$', '%']) {
            return Err(format!("{key} is expanded"));
        }
        variables.insert(key, value.trim().to_owned());
    }
    if variables.len() > 20 {
        return Err("Dotenv files cannot have more than 20 variables".to_owned());
    }
    Ok(variables)
}

const REPORT: &str = "upsert-secret.env";

fn report_variables(cli: &Cli) -> BTreeMap<String, String> {
    parse_dotenv(&fs::read_to_string(cli.path(REPORT)).unwrap()).unwrap()
}

/// The log as GitLab renders it: the text outside sections, and the sections as (header, content).
/// Panics on an escape sequence that is not ours.
fn rendered_log(outcome: &Outcome) -> (String, Vec<(String, String)>) {
    let mut text = outcome.stderr.clone();
    for ours in ["\u{1b}[31;1m", "\u{1b}[0;33m", "\u{1b}[32;1m", "\u{1b}[0m"] {
        text = text.replace(ours, "");
    }
    let (mut outside, mut sections) = (String::new(), Vec::new());
    let mut open: Option<(String, String, String)> = None;
    for line in text.lines() {
        let mark = line
            .strip_prefix("\u{1b}[0Ksection_")
            .and_then(|rest| rest.split_once("\r\u{1b}[0K"));
        match (mark, &mut open) {
            (Some((mark, head)), None) => {
                let mut parts = mark.splitn(3, ':');
                assert_eq!(parts.next(), Some("start"));
                parts.next().unwrap().parse::<u64>().unwrap();
                let name = parts.next().unwrap().strip_suffix("[collapsed=true]");
                open = Some((name.unwrap().to_owned(), head.to_owned(), String::new()));
            }
            (Some((mark, rest)), Some((name, head, inside))) => {
                assert!(mark.starts_with("end:") && mark.ends_with(&format!(":{name}")));
                assert_eq!(rest, "");
                sections.push((head.clone(), inside.clone()));
                open = None;
            }
            (None, Some((.., inside))) => inside.push_str(&format!("{line}\n")),
            (None, None) => outside.push_str(&format!("{line}\n")),
        }
    }
    assert!(open.is_none(), "unclosed section: {text:?}");
    let all: String = sections.iter().map(|(h, d)| format!("{h}{d}")).collect();
    let unexpected = |c: char| c.is_control() && c != '\n';
    assert!(
        !outside.contains(unexpected) && !all.contains(unexpected),
        "{text:?}"
    );
    (outside, sections)
}

#[test]
fn outputs_append_to_dotenv_report() {
    let sandbox = Sandbox::start();
    let cli = Cli::new(&sandbox, "made-up").gitlab();
    fs::write(cli.path(REPORT), "EARLIER=1").unwrap();
    let outcome = cli.run();
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(0), ""));
    let report = fs::read_to_string(cli.path(REPORT)).unwrap();
    let names: Vec<_> = report
        .lines()
        .map(|line| line.split_once('=').unwrap().0)
        .collect();
    assert_eq!(
        names,
        [
            "EARLIER",
            "UPSERTED_SECRET_ID",
            "UPSERTED_SECRET_NAME",
            "UPSERTED_SECRET_VERSION_ID",
            "UPSERTED_PREVIOUS_VERSION_ID",
            "UPSERTED_VERSION_STAGES",
            "UPSERTED_RESULT",
            "UPSERTED_CHANGED",
            "UPSERTED_RESTORED",
            "UPSERTED_REGION",
        ]
    );
    let variables = report_variables(&cli);
    let secret = sandbox.with(|world| world.secret(NAME)).unwrap();
    assert_eq!(variables["UPSERTED_SECRET_ID"], secret.arn);
    assert_eq!(variables["UPSERTED_SECRET_NAME"], NAME);
    let version = secret.current().unwrap().id.clone();
    assert_eq!(variables["UPSERTED_SECRET_VERSION_ID"], version);
    assert_eq!(variables["UPSERTED_PREVIOUS_VERSION_ID"], "");
    assert_eq!(variables["UPSERTED_RESULT"], "created");
}

#[test]
fn output_file_has_dotenv_format() {
    let sandbox = Sandbox::start();
    let cli = Cli::new(&sandbox, "made-up").gitlab();
    let path = cli.path("other.env");
    let cli = cli.input("output-file", &path.display().to_string());
    assert_eq!(cli.run().code, Some(0));
    assert!(!cli.path(REPORT).exists());
    let variables = parse_dotenv(&fs::read_to_string(path).unwrap()).unwrap();
    assert_eq!(variables["UPSERTED_RESULT"], "created");
}

#[test]
fn repeated_run_replaces_its_outputs() {
    let sandbox = Sandbox::start();
    let mut cli = Cli::new(&sandbox, "made-up-1").gitlab();
    // Runners keep the project directory, so the report must not grow with each run.
    for round in 0..20 {
        cli = cli.input("value", &format!("made-up-{round}"));
        assert_eq!(cli.run().code, Some(0));
    }
    assert_eq!(report_variables(&cli).len(), 9);
    assert_eq!(report_variables(&cli)["UPSERTED_RESULT"], "updated");

    // A run that fails before it knows the ID must not leave the ID of another secret.
    let cli = cli.input("name", "a b");
    fs::write(cli.path(REPORT), "UPSERTED_SECRET_ID=of-another\nOTHER=1\n").unwrap();
    assert_eq!(cli.run().code, Some(2));
    assert_eq!(fs::read_to_string(cli.path(REPORT)).unwrap(), "OTHER=1\n");
}

#[test]
fn invalid_report_warns_and_keeps_content() {
    let sandbox = Sandbox::start();
    let long = format!("A={}\n", "x".repeat(4_900));
    let huge = format!("A={}\n", "x".repeat(80_000));
    let many: String = (0..12).map(|n| format!("A_{n}=1\n")).collect();
    let cases = [
        ("A=1\n\n", "line 2 is empty"),
        ("A=1\nmade-up junk\n", "line 2 is not `NAME=value`"),
        ("# made-up = junk\n", "the name in line 1 has other"),
        (&long, "it has 5120 bytes or more"),
        (&huge, "it has 5120 bytes or more"),
        (&many, "it sets 21 variables"),
    ];
    for (before, why) in cases {
        let cli = Cli::new(&sandbox, "made-up").gitlab();
        fs::write(cli.path(REPORT), before).unwrap();
        let outcome = cli.run();
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        let (log, _) = rendered_log(&outcome);
        let warning = log.lines().find(|line| line.starts_with("WARNING: "));
        let warning = warning.unwrap_or_else(|| panic!("{why}: {log}"));
        assert!(warning.contains(why), "{warning}");
        assert!(!warning.contains("junk"), "{warning}");
        let after = fs::read_to_string(cli.path(REPORT)).unwrap();
        assert!(parse_dotenv(&after).is_err(), "{before:?} is valid");
        let ours = after.strip_prefix(before).unwrap();
        assert_eq!(parse_dotenv(ours).unwrap().len(), 9);
    }
    let fine = Cli::new(&sandbox, "made-up").gitlab();
    fs::write(fine.path(REPORT), "A=1\r\nB= '2' # 3").unwrap();
    assert!(!fine.run().stderr.contains("WARNING"));
    assert_eq!(report_variables(&fine).len(), 11);
}

#[test]
fn output_with_dollar_sign_is_omitted() {
    let sandbox = Sandbox::start();
    sandbox.with(|world| {
        world.create(NAME, "made-up");
        let id = world.secret(NAME).unwrap().current().unwrap().id.clone();
        // Anyone may choose a staging label.
        world.move_stage(NAME, "in$HOME", &id, None);
    });
    let cli = Cli::new(&sandbox, "made-up").gitlab();
    let outcome = cli.run();
    assert_eq!(outcome.code, Some(0));
    assert!(
        rendered_log(&outcome)
            .0
            .contains("WARNING: the output version_stages is omitted: it has a `$`")
    );
    assert!(!report_variables(&cli).contains_key("UPSERTED_VERSION_STAGES"));
    assert_eq!(report_variables(&cli)["UPSERTED_RESULT"], "unchanged");
}

#[test]
fn retried_job_keeps_version() {
    let sandbox = Sandbox::start();
    let run = |change: fn(Cli) -> Cli| {
        let cli = Cli::new(&sandbox, "made-up").gitlab();
        let cli = change(cli.input("compare", "never"));
        assert_eq!(cli.run().code, Some(0));
        report_variables(&cli)["UPSERTED_SECRET_VERSION_ID"].clone()
    };
    let first = run(|cli| cli);
    assert_eq!(first, run(|cli| cli.env("CI_JOB_ID", "1002")));
    assert_eq!(version_count(&sandbox), 1);
    let others = [
        run(|cli| cli.env("CI_PIPELINE_ID", "4712")),
        run(|cli| cli.env("CI_JOB_NAME", "store: [eu]")),
        run(|cli| cli.env("CI_PROJECT_ID", "43")),
        run(|cli| cli.env("CI_SERVER_URL", "https://other.example")),
        // Without one of these variables the run cannot be identified.
        run(|cli| cli.unset("CI_PIPELINE_ID")),
        run(|cli| cli.unset("CI_PIPELINE_ID")),
    ];
    assert!(!others.contains(&first));
    assert_eq!(version_count(&sandbox), 7);
}

#[test]
fn log_folds_details() {
    let sandbox = Sandbox::start();
    let cli = Cli::new(&sandbox, "made-up")
        .gitlab()
        .input("description", "made-up description");
    let outcome = cli.run();
    assert!(
        outcome
            .stderr
            .contains("\u{1b}[32;1mcreated prod/model/api-key")
    );
    let (log, sections) = rendered_log(&outcome);
    assert_eq!(log, "");
    let [(head, details)] = &sections[..] else {
        panic!("{sections:?}");
    };
    assert!(head.starts_with("created prod/model/api-key in eu-west-1"));
    assert!(details.contains("created the secret with a description"));
    assert!(details.contains(&report_variables(&cli)["UPSERTED_SECRET_ID"]));

    let plain = cli.env("NO_COLOR", "1");
    let outcome = plain.run();
    assert!(!outcome.stderr.contains("\u{1b}[32"), "{}", outcome.stderr);
    assert_eq!(rendered_log(&outcome).1.len(), 1);

    let traced = plain.env("CI_DEBUG_TRACE", "true").run();
    assert!(
        rendered_log(&traced)
            .0
            .contains("debug: DescribeSecret attempt 1")
    );
}

#[test]
fn log_shows_failure_unfolded() {
    let sandbox = Sandbox::start();
    let outcome = Cli::new(&sandbox, "").gitlab().run();
    assert_eq!(outcome.code, Some(2));
    let (log, sections) = rendered_log(&outcome);
    assert!(sections.is_empty());
    assert!(
        outcome
            .stderr
            .starts_with("\u{1b}[31;1mERROR: there is no value")
    );
    assert!(log.contains("A protected variable is absent"), "{log}");
    assert!(!log.contains("fork"), "that is GitHub's reason: {log}");

    let outcome = Cli::new(&sandbox, "").gitlab().env("NO_COLOR", "1").run();
    assert!(!outcome.stderr.contains('\u{1b}'));
    // An empty NO_COLOR does not count (no-color.org).
    let outcome = Cli::new(&sandbox, "").gitlab().env("NO_COLOR", "").run();
    assert!(outcome.stderr.contains('\u{1b}'));
}

#[test]
fn foreign_escape_sequences_are_escaped() {
    let sandbox = Sandbox::start();
    let message = "\u{1b}[0Ksection_start:1:x[collapsed=true]\r\u{1b}[0Khidden \u{1b}[8m";
    let fault = Fault::Error {
        status: 400,
        code: "ValidationException".to_owned(),
        message: message.to_owned(),
    };
    sandbox.fault("CreateSecret", 1, fault);
    let outcome = Cli::new(&sandbox, "made-up").gitlab().run();
    assert_eq!(outcome.code, Some(2), "{}", outcome.stderr);
    let (log, sections) = rendered_log(&outcome);
    assert!(sections.is_empty(), "{sections:?}");
    assert!(log.contains("AWS answered: …"), "{log}");
}

#[test]
fn value_like_escape_sequence_is_redacted() {
    let sandbox = Sandbox::start();
    for value in ["[32;1mcreated", "[collapsed=true]", "\u{1b}[31;1mERROR"] {
        let cli = Cli::new(&sandbox, value).gitlab();
        for cli in [cli, Cli::new(&sandbox, value).gitlab().input("name", "a b")] {
            let outcome = cli.run();
            assert!(!outcome.all_output().contains(value), "{}", outcome.stderr);
        }
    }
}

/// The name is long enough to be taken for a piece of the path.
#[test]
fn file_variable_requires_value_file() {
    let sandbox = Sandbox::start();
    let content = "-----BEGIN MADE UP-----\nline\n-----END MADE UP-----\n";
    let job = || {
        let cli = Cli::new(&sandbox, "").gitlab();
        // The runner puts file variables beside the project directory.
        let project = cli.path("project").display().to_string();
        let file = cli.path("project.tmp/MODEL_SERVING_CERTIFICATE");
        fs::create_dir_all(cli.path("project")).unwrap();
        fs::create_dir_all(cli.path("project.tmp")).unwrap();
        fs::write(&file, content).unwrap();
        cli.env("CI_PROJECT_DIR", &project)
            .env("MODEL_SERVING_CERTIFICATE", &file.display().to_string())
    };
    let path = |cli: &Cli| {
        cli.path("project.tmp/MODEL_SERVING_CERTIFICATE")
            .display()
            .to_string()
    };

    let by_name = job().input("value-env", "MODEL_SERVING_CERTIFICATE");
    let cli = job();
    let by_value = path(&cli);
    let by_value = cli.input("value", &by_value);
    let encoded = job()
        .input("value-env", "MODEL_SERVING_CERTIFICATE")
        .input("value-encoding", "base64");
    for cli in [by_name, by_value, encoded] {
        let outcome = cli.run();
        assert_eq!(outcome.code, Some(2), "{}", outcome.stderr);
        let (log, _) = rendered_log(&outcome);
        assert!(
            log.contains("MODEL_SERVING_CERTIFICATE is a variable of type file"),
            "{log}"
        );
        assert!(
            log.contains("UPSERT_SECRET_VALUE_FILE=\"$MODEL_SERVING_CERTIFICATE\""),
            "{log}"
        );
    }
    assert_eq!(current_value(&sandbox), None);

    let cli = job();
    let file = path(&cli);
    let outcome = cli.input("value-file", &file).run();
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert_eq!(current_value(&sandbox).as_deref(), Some(content));
    assert!(!outcome.all_output().contains("BEGIN MADE UP"));
}

#[test]
fn json_has_no_masks_or_colors() {
    let sandbox = Sandbox::start();
    let outcome = Cli::new(&sandbox, "")
        .gitlab()
        .input("value-env", "MODEL_API_KEY")
        .input("value-encoding", "base64")
        .env("MODEL_API_KEY", &STANDARD.encode("made-up-value"))
        .args(&["--format", "json"])
        .run();
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert!(!outcome.all_output().contains("made-up-value"));
    let object: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(object["result"], "created");
    assert!(!outcome.stdout.contains("\\u001b"));
    assert_eq!(current_value(&sandbox).as_deref(), Some("made-up-value"));
}
