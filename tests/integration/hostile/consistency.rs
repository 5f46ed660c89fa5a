//! Checks that exit code, text, outputs, JSON, report and summary agree after any run.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use super::scenario::{Platform, Scenario};
use crate::common::Outcome;

const COUNTS: [&str; 5] = ["created", "updated", "unchanged", "failed", "not_tried"];

/// A contradiction, a panic, or termination by a signal.
pub(super) fn problem(scenario: &Scenario, outcome: &Outcome) -> Option<String> {
    check(scenario, outcome).err()
}

fn ensure(holds: bool, what: &str) -> Result<(), String> {
    holds.then_some(()).ok_or_else(|| what.to_owned())
}

fn check(scenario: &Scenario, outcome: &Outcome) -> Result<(), String> {
    let code = outcome.code.ok_or("ended by a signal")?;
    ensure(
        [0, 2, 3, 4, 5, 6, 7, 8].contains(&code),
        "unexpected exit code",
    )?;
    for sign in ["panicked", "internal error", "please report"] {
        ensure(!outcome.stderr.contains(sign), "the program has a bug")?;
    }
    let says = format!("exit: {code} (");
    ensure(
        code == 0 || outcome.stderr.contains(&says),
        "the text has another exit code",
    )?;
    ensure(
        code != 0 || !outcome.stderr.contains("exit: "),
        "an error, and exit code 0",
    )?;
    let outputs = outputs(scenario, outcome)?;
    let document = if scenario.json {
        let document: Value = serde_json::from_str(&outcome.stdout)
            .map_err(|_| "standard output is not one JSON object".to_owned())?;
        check_document(&document, &outputs, code)?;
        Some(document)
    } else {
        None
    };
    check_outputs(scenario, &outputs, code)?;
    if let Some(path) = outputs.get("report_path") {
        let report =
            fs::read_to_string(scenario.cli.path(path)).map_err(|_| "no report".to_owned())?;
        let report: Value = serde_json::from_str(&report).map_err(|_| "a broken report")?;
        check_document(&report, &outputs, code)?;
        let without_time = |report: &Value| {
            let mut report = report.clone();
            report["milliseconds"].take();
            report["notices"].take();
            report
        };
        if let Some(document) = &document {
            ensure(
                without_time(document) == without_time(&report),
                "the report and standard output differ",
            )?;
        }
    }
    Ok(())
}

/// The outputs from the platform's destination, without prefix and in lowercase.
fn outputs(scenario: &Scenario, outcome: &Outcome) -> Result<BTreeMap<String, String>, String> {
    let (text, prefix) = match scenario.platform {
        Platform::GitHub => {
            let file = fs::read_to_string(scenario.cli.path("output"));
            (file.unwrap_or_default(), "")
        }
        Platform::GitLab => (outcome.report.clone(), "UPSERTED_"),
        // They are the one document.
        Platform::Plain if scenario.json => (String::new(), ""),
        Platform::Plain => (outcome.stdout.clone(), ""),
    };
    let mut outputs = BTreeMap::new();
    for line in text.lines() {
        let (name, value) = line.split_once('=').ok_or("an output that is no line")?;
        let name = name
            .strip_prefix(prefix)
            .ok_or("an output without prefix")?;
        let is_name = name.bytes().all(|b| b.is_ascii_alphabetic() || b == b'_');
        let is_value = value.bytes().all(|b| b.is_ascii_graphic()) || name == "results";
        ensure(is_name && is_value, "an output that is not flat")?;
        let before = outputs.insert(name.to_ascii_lowercase(), value.to_owned());
        ensure(before.is_none(), "an output twice")?;
    }
    Ok(outputs)
}

fn check_outputs(
    scenario: &Scenario,
    outputs: &BTreeMap<String, String>,
    code: i32,
) -> Result<(), String> {
    if outputs.is_empty() {
        let elsewhere = scenario.json && scenario.platform == Platform::Plain;
        return ensure(code != 0 || elsewhere, "success without outputs");
    }
    let get = |name: &str| outputs.get(name).map_or("", String::as_str);
    let (result, changed) = (get("result"), get("changed"));
    let expected = match result {
        "created" | "updated" => "true",
        "unchanged" => "false",
        "" => "",
        _ => return Err("an unknown result".to_owned()),
    };
    ensure(changed == expected, "`result` and `changed` disagree")?;
    ensure(code != 0 || !result.is_empty(), "success without a result")?;
    if code == 0 && scenario.entries.is_none() {
        // `if-exists: skip` and a plan of a new secret have no version.
        ensure(!get("secret_name").is_empty(), "success without a name")?;
    }
    for name in ["secret_version_id", "previous_version_id"] {
        let id = get(name);
        let is_id = id.is_empty() || (32..=64).contains(&id.len());
        ensure(is_id, "a version id that AWS does not make")?;
    }
    ensure(
        get("secret_id").is_empty() || get("secret_id").starts_with("arn:aws:secretsmanager:"),
        "a `secret_id` that is no ARN",
    )?;
    let Some(entries) = scenario.entries else {
        return Ok(());
    };
    if COUNTS.iter().all(|name| get(name).is_empty()) {
        return ensure(code != 0, "success without counts");
    }
    let count = |name: &str| get(name).parse::<usize>();
    let mut sum = 0;
    for name in COUNTS {
        sum += count(name).map_err(|_| format!("{name} is no number"))?;
    }
    ensure(sum == entries, "the counts are not those of the manifest")?;
    let unfinished = count("failed").unwrap_or(0) + count("not_tried").unwrap_or(0);
    ensure(
        code != 0 || unfinished == 0,
        "failed secrets, and exit code 0",
    )
}

/// Compares a JSON document with the outputs and the exit code.
fn check_document(
    document: &Value,
    outputs: &BTreeMap<String, String>,
    code: i32,
) -> Result<(), String> {
    let error = &document["error"];
    ensure(
        error.is_object() == (code != 0),
        "`error` and exit code disagree",
    )?;
    let same = error.is_null() || error["exit_code"] == code;
    ensure(same, "`error.exit_code` is another one")?;
    for (name, value) in outputs {
        let there = match &document[name] {
            Value::Null => continue,
            Value::String(text) => text.clone(),
            Value::Array(items) => {
                let items = items.iter().map(|item| item.as_str().unwrap_or_default());
                items.collect::<Vec<_>>().join(",")
            }
            other => other.to_string(),
        };
        ensure(
            there == *value,
            &format!("the output `{name}` and JSON differ"),
        )?;
    }
    let Some(secrets) = document["secrets"].as_object() else {
        return Ok(());
    };
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for secret in secrets.values() {
        let result = secret["result"].as_str().ok_or("a secret without result")?;
        *counts.entry(result).or_default() += 1;
        let failed = result == "failed";
        ensure(
            secret["error"].is_null() || failed,
            "an error of a secret that did not fail",
        )?;
    }
    for (word, count) in counts {
        let name = word.replace(' ', "_");
        ensure(
            document[&name] == count,
            &format!("`{name}` is not counted"),
        )?;
    }
    Ok(())
}
