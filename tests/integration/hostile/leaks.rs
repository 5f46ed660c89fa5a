//! Searches the visible results of a run for secrets, without the product's redactor: for twelve bytes of a secret, as the
//! security page promises, and for any part of a quote from which a reader could decode eight bytes.

use std::fs;

use serde_json::Value;

use super::scenario::Scenario;
use crate::common::Outcome;

/// The number of consecutive bytes of a secret that must not be visible.
const PIECE: usize = 12;

/// The visible part of a secret, if any.
pub(super) fn leaked(scenario: &Scenario, outcome: &Outcome) -> Option<String> {
    let shown = readings(&shown(scenario, outcome));
    let folded: Vec<_> = shown.iter().map(|text| fold(text)).collect();
    for secret in scenario.server.secrets() {
        let text = String::from_utf8_lossy(&secret).into_owned();
        let characters: Vec<char> = text.chars().collect();
        for piece in characters.windows(PIECE) {
            let piece: String = piece.iter().collect();
            if !is_frame(&piece) && shown.iter().any(|text| text.contains(&piece)) {
                return Some(format!("{piece:?} of {text:?} is shown"));
            }
        }
        for piece in fold(&text).as_bytes().windows(PIECE) {
            let piece = str::from_utf8(piece).unwrap();
            if !is_frame(piece) && folded.iter().any(|text| text.contains(piece)) {
                return Some(format!("{piece:?} of {text:?} is shown in another layout"));
            }
        }
    }
    for quote in scenario.server.quotes() {
        for piece in quote.pieces() {
            if !is_frame(&piece) && shown.iter().any(|text| text.contains(&piece)) {
                return Some(format!(
                    "{piece:?} of the quote {:?} is shown",
                    quote.text()
                ));
            }
        }
    }
    None
}

/// Whether a text is part of the lines around a key, which are not secret.
fn is_frame(piece: &str) -> bool {
    let letters = fold(piece);
    letters.len() >= 3 && "beginmadeupkeyendmadeupkey".contains(&letters)
}

/// Everything that the run wrote to any destination.
fn shown(scenario: &Scenario, outcome: &Outcome) -> String {
    let mut all = vec![outcome.stdout.clone(), outcome.stderr.clone()];
    let mut folders = vec![scenario.cli.path(".")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                all.push(fs::read_to_string(path).unwrap());
            }
        }
    }
    all.join("\n")
}

/// The text as interpreted by its readers: a runner, a JSON parser, a page.
fn readings(text: &str) -> Vec<String> {
    let mut all = vec![text.to_owned()];
    let annotations = text.replace("%0A", "\n").replace("%0D", "\r");
    all.push(
        annotations
            .replace("%3A", ":")
            .replace("%2C", ",")
            .replace("%25", "%"),
    );
    let mut strings = String::new();
    for line in text.lines() {
        let document = line.find('{').map(|at| &line[at..]);
        if let Some(Ok(document)) = document.map(serde_json::from_str) {
            collect(&document, &mut strings);
        }
    }
    all.push(strings);
    let page = text.replace('\\', "");
    let page = page
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&#124;", "|");
    all.push(
        page.replace("&quot;", "\"")
            .replace("&#39;", "'")
            .replace("&amp;", "&"),
    );
    all
}

fn collect(document: &Value, strings: &mut String) {
    match document {
        Value::String(text) => strings.extend([text, "\n"]),
        Value::Array(items) => items.iter().for_each(|item| collect(item, strings)),
        Value::Object(members) => {
            for (name, value) in members {
                strings.extend([name, "\n"]);
                collect(value, strings);
            }
        }
        _ => {}
    }
}

/// Only letters and digits, in lowercase.
fn fold(text: &str) -> String {
    let kept = text.chars().filter(char::is_ascii_alphanumeric);
    kept.collect::<String>().to_ascii_lowercase()
}
