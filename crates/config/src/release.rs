//! The results of an earlier run, which `rollback` undoes: the output `results`, the report of a run, or the outputs of one
//! secret, as JSON. Reads them and determines which secrets the run changed. Independent of their current state.

use std::collections::HashSet;

use serde_json::{Map, Value};
use upsert_secret_core::outcome::counted;
use upsert_secret_core::target::Target;

use crate::checks::labels::is_version_id;
use crate::files;

/// The maximum size of a report: about 50,000 secrets.
const MAX_REPORT: usize = 16 * 1024 * 1024;
/// The maximum number of names in a notice.
const MAX_NAMES: usize = 10;
/// Marks a path instead of JSON.
const FILE_PREFIX: &str = "file:";

/// The versions that a run made current.
#[derive(Debug, Default)]
pub(crate) struct Release {
    /// In report order.
    pub(crate) moves: Vec<Moved>,
    /// The other secrets of a run that failed: an unfinished transaction of the run includes them as well.
    pub(crate) others: Vec<Target>,
    /// Notices for the user about what stays unchanged.
    pub(crate) notices: Vec<String>,
}

/// A move of AWSCURRENT.
#[derive(Debug)]
pub(crate) struct Moved {
    /// The secret.
    pub(crate) target: Target,
    /// The version that became current.
    pub(crate) from: String,
    /// The version that was current before.
    pub(crate) to: String,
}

/// Reads a release from JSON, or from a file in `file:PATH`. The region is the run's, if known.
///
/// # Errors
/// The reason it is not such a report, as text that follows the name of the input. It quotes only secret names.
pub(crate) fn read(
    given: &str,
    region: Option<&str>,
    is_picked: &dyn Fn(&str) -> bool,
) -> Result<Release, String> {
    let text = match given.strip_prefix(FILE_PREFIX) {
        None => given.as_bytes().to_vec(),
        Some(path) => match files::read(path.trim(), MAX_REPORT) {
            Ok(Some(text)) => text,
            Ok(None) => return Err("names a file of more than 16 MiB".to_owned()),
            Err(why) => return Err(format!("names {why}")),
        },
    };
    parse(&text, region, is_picked)
}

fn parse(
    text: &[u8],
    region: Option<&str>,
    is_picked: &dyn Fn(&str) -> bool,
) -> Result<Release, String> {
    if text.trim_ascii().is_empty() {
        return Err(EMPTY.to_owned());
    }
    // The parser's error could quote the text.
    let Ok(Value::Object(report)) = serde_json::from_slice(text) else {
        return Err(NO_JSON.to_owned());
    };
    match report.get("region") {
        None | Some(Value::Null | Value::Object(_)) => {}
        Some(Value::String(of_run)) if region.is_none_or(|region| region == of_run) => {}
        Some(Value::String(_)) => return Err("is in another region than this run".to_owned()),
        Some(_) => return Err(NOT_A_RESULT.to_owned()),
    }
    let mut release = Release::default();
    let (mut stay, mut unchanged) = (Vec::new(), 0_usize);
    let mut is_complete = true;
    let mut names = HashSet::new();
    let secrets = secrets(report)?;
    let mut picks_none = !secrets.is_empty();
    for (name, entry) in secrets {
        let Value::Object(entry) = entry else {
            return Err(NOT_A_RESULT.to_owned());
        };
        let target = Target::parse(&name)
            .map_err(|_| "has a key that is not the name of a secret".to_owned())?;
        if !is_picked(&name) {
            continue;
        }
        picks_none = false;
        if !names.insert(target.name.clone()) {
            return Err(format!("has the secret {} twice", target.name));
        }
        let arn = entry.get("secret_id").and_then(Value::as_str);
        let arn = arn.and_then(|arn| Target::parse(arn).ok());
        let is_elsewhere = |target: &Target| {
            target
                .region()
                .zip(region)
                .is_some_and(|(of_arn, region)| of_arn != region)
        };
        if is_elsewhere(&target) || arn.as_ref().is_some_and(is_elsewhere) {
            return Err(format!(
                "has {name}, which is in another region than this run"
            ));
        }
        if entry.contains_key("plan") {
            return Err("is the report of a dry run, which changed nothing".to_owned());
        }
        let result = entry.get("result").and_then(Value::as_str);
        is_complete &= matches!(result, Some("created" | "updated" | "unchanged"));
        match (
            version(&entry, "secret_version_id", &name)?,
            version(&entry, "previous_version_id", &name)?,
        ) {
            (Some(from), Some(to)) if from != to => {
                release.moves.push(Moved { target, from, to });
                continue;
            }
            (None, _) if !entry.contains_key("result") => return Err(NOT_A_RESULT.to_owned()),
            _ if matches!(result, Some("created" | "updated")) => stay.push(name),
            _ if result == Some("unchanged") => unchanged += 1,
            _ => {}
        }
        release.others.push(target);
    }
    if is_complete {
        release.others.clear();
    }
    if picks_none {
        return Err("has no secret that `only` matches".to_owned());
    }
    if release.moves.is_empty() {
        let text = "the release replaced no existing value: there is nothing to roll back";
        release.notices.push(text.to_owned());
    }
    if !stay.is_empty() {
        let more = stay.len().saturating_sub(MAX_NAMES);
        stay.truncate(MAX_NAMES);
        let mut names = stay.join(", ");
        if more > 0 {
            names.push_str(&format!(" and {more} more"));
        }
        release.notices.push(format!(
            "created secrets, first values and metadata of the release stay, because nothing is ever \
             deleted: {names}"
        ));
    }
    if unchanged > 0 {
        release.notices.push(format!(
            "the release left {} unchanged, so there is nothing to undo there; if its job was retried, also undo the earlier \
             attempt with its own results",
            counted(unchanged, "secret")
        ));
    }
    Ok(release)
}

const EMPTY: &str = "is empty: a run that was killed leaves an empty report";
const NO_JSON: &str = "must be a JSON object, the output `results` of a run, or `file:` and the path of its report; Linux limits a variable to 128 KiB, so a long one has to be a file";
const NOT_A_RESULT: &str = "has a member that is not the result of a secret: give the output `results` of a run, or its report";

/// The results by name, from wherever the report contains them.
fn secrets(mut report: Map<String, Value>) -> Result<Map<String, Value>, String> {
    if report.values().all(Value::is_object) {
        return Ok(report);
    }
    if let Some(Value::Object(secrets)) = report.remove("secrets") {
        return Ok(secrets);
    }
    // The outputs of a single-secret run.
    let name = ["secret_name", "secret_id"]
        .into_iter()
        .find_map(|key| report.get(key)?.as_str());
    match name.map(str::to_owned) {
        Some(name) => Ok(Map::from_iter([(name, Value::Object(report))])),
        None => Err(NOT_A_RESULT.to_owned()),
    }
}

/// The version ID of a result; an empty one counts as none.
fn version(entry: &Map<String, Value>, key: &str, name: &str) -> Result<Option<String>, String> {
    match entry.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(id)) if id.is_empty() => Ok(None),
        Some(Value::String(id)) if is_version_id(id) => Ok(Some(id.clone())),
        Some(_) => Err(format!("has no version ID in `{key}` of {name}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const V1: &str = "11111111-1111-4111-8111-111111111111";
    const V2: &str = "22222222-2222-4222-8222-222222222222";

    fn moved(text: &str) -> Result<Vec<String>, String> {
        let release = parse(text.as_bytes(), Some("eu-west-1"), &|name| {
            name != "skipped"
        })?;
        let moves = release.moves.into_iter();
        Ok(moves
            .map(|moved| {
                format!(
                    "{} {} {}",
                    moved.target.id,
                    &moved.from[..1],
                    &moved.to[..1]
                )
            })
            .chain(release.notices)
            .collect())
    }

    #[test]
    fn every_form_of_a_release_is_read() {
        let ids = format!(r#""secret_version_id":"{V2}","previous_version_id":"{V1}""#);
        let results = format!(
            r#"{{"b":{{"result":"updated",{ids}}},"secrets":{{"result":"failed",{ids}}},"same":{{"result":"unchanged","secret_version_id":"{V1}"}},
               "new":{{"result":"created","secret_version_id":"{V1}"}},"skipped":{{{ids}}},"none":{{"result":"not_tried"}}}}"#
        );
        let stays = "created secrets, first values and metadata of the release stay, because nothing is \
                     ever deleted: new";
        let unchanged = "the release left 1 secret unchanged, so there is nothing to undo there; if its job was retried, also undo \
            the earlier attempt with its own results";
        let wanted = ["b 2 1", "secrets 2 1", stays, unchanged].map(str::to_owned);
        assert_eq!(moved(&results).unwrap(), wanted);
        let report = format!(
            r#"{{"result":"updated","changed":true,"region":"eu-west-1","secrets":{results}}}"#
        );
        assert_eq!(moved(&report).unwrap(), wanted);
        let single = format!(r#"{{"secret_name":"one","result":"updated","changed":true,{ids}}}"#);
        assert_eq!(moved(&single).unwrap(), ["one 2 1"]);
        for nothing in ["{}", r#"{"secrets":{},"result":"unchanged"}"#] {
            assert!(moved(nothing).unwrap()[0].contains("nothing to roll back"));
        }
    }

    #[test]
    fn anything_else_is_rejected_unquoted() {
        let arn = |region| format!("arn:aws:secretsmanager:{region}:111122223333:secret:a-AbCdEf");
        for (text, why) in [
            ("made-up-text", "must be a JSON object"),
            ("", "is empty"),
            (" \n", "is empty"),
            (r#"{"a":{}}"#, "not the result of a secret"),
            (
                r#"{"secrets":{"a":{"result":"updated"}}}"#,
                "not the result of a secret",
            ),
            (
                r#"{"region":7,"secret_name":"a","result":"updated"}"#,
                "not the result of a secret",
            ),
            (r#"{"a":{"result":"updated","plan":[]}}"#, "dry run"),
            (
                r#"{"secret_name":"a","result":"updated","plan":[]}"#,
                "dry run",
            ),
            (r#"["made-up-text"]"#, "must be a JSON object"),
            (r#"{"a":"made-up-text"}"#, "not the result of a secret"),
            (
                r#"{"a":{},"b":"made-up-text"}"#,
                "not the result of a secret",
            ),
            (
                r#"{"secrets":{"a":"made-up-text"},"result":null}"#,
                "not the result of a secret",
            ),
            (r#"{"made-up-text \u0000":{}}"#, "not the name of a secret"),
            (
                r#"{"a":{"secret_version_id":"made-up-text"}}"#,
                "no version ID in `secret_version_id` of a",
            ),
            (
                r#"{"a":{"previous_version_id":7}}"#,
                "no version ID in `previous_version_id` of a",
            ),
            (
                r#"{"region":"us-east-1","secrets":{}}"#,
                "in another region",
            ),
            (
                &format!(r#"{{"a":{{"secret_id":"{}"}}}}"#, arn("us-east-1")),
                "in another region",
            ),
            (
                &format!(r#"{{"{}":{{}}}}"#, arn("us-east-1")),
                "in another region",
            ),
        ] {
            let said = moved(text).unwrap_err();
            assert!(
                said.contains(why) && !said.contains("made-up-text"),
                "{text}: {said}"
            );
        }
        let text = format!(
            r#"{{"a":{{"secret_id":"{}","result":"failed"}}}}"#,
            arn("eu-west-1")
        );
        assert!(moved(&text).is_ok());
    }
}
