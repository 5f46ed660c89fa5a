//! `tags` and `tag-policy`: `key=value` lines, or a YAML or JSON mapping. Messages contain line numbers, but never quote text.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use upsert_secret_core::choices::TagPolicy;

use crate::diagnostics::Diagnostics;
use crate::inputs::RawInputs;
use crate::manifest;

// AWS limits (API model; TagResource).
pub(crate) const MAX_TAGS: usize = 50;
const MAX_KEY: usize = 128;
const MAX_VALUE: usize = 256;
/// Limit for the input before parsing, in bytes: enough for 50 tags of the maximum length.
const MAX_TEXT: usize = 128 * 1024;

pub(crate) fn check(
    raw: &RawInputs,
    diagnostics: &mut Diagnostics,
) -> (Option<BTreeMap<String, String>>, TagPolicy) {
    let tags = raw.tags.as_deref().map(parse);
    let tags = tags.and_then(|tags| diagnostics.accept("tags", tags));
    let policy = diagnostics.choice("tag-policy", raw.tag_policy.as_deref());
    if policy == TagPolicy::Replace && raw.tags.is_none() {
        diagnostics.reject("tag-policy", "is `replace`, but `tags` is not set");
    }
    (tags, policy)
}

fn parse(text: &str) -> Result<BTreeMap<String, String>, String> {
    if text.len() > MAX_TEXT {
        return Err(format!("is longer than {MAX_TEXT} bytes"));
    }
    let pairs = if is_mapping(text) {
        parse_mapping(text)?
    } else {
        parse_lines(text)?
    };
    if pairs.len() > MAX_TAGS {
        return Err(format!(
            "has more than {MAX_TAGS} tags, the most a secret can have"
        ));
    }
    let mut tags = BTreeMap::new();
    for (key, value) in pairs {
        check_tag(&key, &value)?;
        if tags.insert(key, value).is_some() {
            return Err("names a key twice".to_owned());
        }
    }
    Ok(tags)
}

/// Whether the text is a mapping: it starts with `{`, or its first line has a colon at the end of a word before any `=`.
fn is_mapping(text: &str) -> bool {
    let first = content_lines(text).next().map_or("", |(_, line)| line);
    let before = first.split('=').next().unwrap_or_default();
    first.starts_with('{') || before.contains(": ") || before.ends_with(':')
}

/// The lines that are neither empty nor comments, with their numbers.
fn content_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    (1..)
        .zip(text.lines().map(str::trim))
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
}

fn parse_lines(text: &str) -> Result<Vec<(String, String)>, String> {
    content_lines(text)
        .map(|(number, line)| {
            line.split_once('=')
                .map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned()))
                .ok_or_else(|| format!("line {number} is not `key=value`"))
        })
        .collect()
}

fn parse_mapping(text: &str) -> Result<Vec<(String, String)>, String> {
    if manifest::nests_too_deep(text) {
        return Err("is nested too deeply; it is a mapping of text to text".to_owned());
    }
    serde_yaml::Deserializer::from_str(text)
        .deserialize_map(Pairs)
        .map_err(|error| {
            // Only the position: the parser's own text quotes the input.
            let position = error.location().map_or_else(String::new, |at| {
                format!(" at line {}, column {}", at.line(), at.column())
            });
            format!(
                "is not a mapping of text to text{position} (a number, `true` or `null` needs quotes)"
            )
        })
}

/// Reads a mapping with its duplicate keys, so that they can be rejected: a map would silently keep the last one.
struct Pairs;

impl<'de> Visitor<'de> for Pairs {
    type Value = Vec<(String, String)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a mapping")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut pairs = Vec::new();
        while let Some(key) = map.next_key_seed(Text)? {
            pairs.push((key, map.next_value_seed(Text)?));
        }
        Ok(pairs)
    }
}

/// Reads only strings: for a `String`, serde_yaml accepts `null` as "null", and numbers such as `1.10`, which people misread.
struct Text;

impl<'de> DeserializeSeed<'de> for Text {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Visitor<'_> for Text {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text")
    }

    fn visit_str<E>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }
}

fn check_tag(key: &str, value: &str) -> Result<(), String> {
    if key.is_empty() || key.chars().count() > MAX_KEY {
        return Err(format!(
            "has a key that is empty or longer than {MAX_KEY} characters"
        ));
    }
    if value.chars().count() > MAX_VALUE {
        return Err(format!("has a value longer than {MAX_VALUE} characters"));
    }
    if key.len() >= 4 && key.as_bytes()[..4].eq_ignore_ascii_case(b"aws:") {
        return Err("has a key that begins with `aws:`, which is reserved for AWS".to_owned());
    }
    let allowed = |c: char| c.is_alphanumeric() || " _.:/=+-@".contains(c);
    if !key.chars().all(allowed) || !value.chars().all(allowed) {
        return Err(
            "has a character that tags cannot have (letters, digits, spaces and `_.:/=+-@`)"
                .to_owned(),
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Vec<(String, String)>, String> {
        parse(text).map(|tags| tags.into_iter().collect())
    }

    #[test]
    fn lines_yaml_and_json_are_equivalent() {
        let wanted = Ok(vec![
            ("stage".to_owned(), "prod=blue".to_owned()),
            ("team".to_owned(), "ml: core".to_owned()),
        ]);
        for text in [
            "team=ml: core\n\n# why\nstage = prod=blue\n",
            "team: 'ml: core'\nstage: prod=blue",
            r#"{"team": "ml: core", "stage": "prod=blue"}"#,
        ] {
            assert_eq!(parsed(text), wanted, "{text}");
        }
        assert_eq!(
            parsed("url:path=x"),
            Ok(vec![("url:path".to_owned(), "x".to_owned())])
        );
    }

    #[test]
    fn malformed_tags_are_rejected_unquoted() {
        let many: String = (0..51).map(|n| format!("k{n}=v\n")).collect();
        let long = format!("{}=v", "k".repeat(129));
        for text in [
            "made-up",
            "a=b\nmade-up",
            "k: made-up\nk: made-up",
            "k=made-up\nk=made-up",
            "k: 1",
            "k: ~",
            "k: [made-up]",
            "k: {made-up: 1",
            "- made-up: x",
            &"{a: ".repeat(30_000),
            &format!("a: {}", "[".repeat(120_000)),
            "aws:made-up=x",
            "AWS:made-up=x",
            "=made-up",
            "k=made-up\u{7}",
            &many,
            &long,
        ] {
            let Err(why) = parsed(text) else {
                panic!("{text:?} is rejected");
            };
            assert!(!why.contains("made-up"), "{why}");
        }
    }
}
