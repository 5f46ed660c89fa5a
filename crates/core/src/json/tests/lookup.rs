//! Elements of documents by path, and differences between two documents.

use proptest::prelude::*;
use serde_json::Value;

use super::super::difference::difference;
use super::super::{KeyPath, LookupError, lookup};
use super::values::{NAME, values};

fn find(document: &str, pointer: &str) -> Result<String, LookupError> {
    let element = lookup(document.as_bytes(), &KeyPath::parse(pointer).unwrap())?;
    Ok(element.json().to_owned())
}

fn text(document: &str, pointer: &str) -> Result<String, LookupError> {
    let element = lookup(document.as_bytes(), &KeyPath::parse(pointer).unwrap())?;
    Ok(element.into_text()?.to_string())
}

#[test]
fn element_is_found_as_written() {
    let document = r#" {"a": {"b/c": [1.00, {"~": "x"}], "b": null}, "": true} "#;
    for (pointer, wanted) in [
        ("/a/b~1c/0", "1.00"),
        ("/a/b~1c/1/~0", r#""x""#),
        ("/a/b", "null"),
        ("/", "true"),
        ("/a/b~1c", r#"[1.00, {"~": "x"}]"#),
    ] {
        assert_eq!(find(document, pointer).as_deref(), Ok(wanted), "{pointer}");
    }
}

#[test]
fn element_that_is_not_there_is_explained() {
    let absent = |pointer: &str| LookupError::Absent {
        pointer: pointer.to_owned(),
    };
    let leaf = |pointer: &str, kind| LookupError::NoMembers {
        pointer: pointer.to_owned(),
        kind,
    };
    let deep = "[".repeat(200) + &"]".repeat(200);
    for (document, pointer, wanted) in [
        (r#"{"a":{}}"#, "/a/b/c", absent("/a/b")),
        (r#"{"a":[1]}"#, "/a/1", absent("/a/1")),
        (r#"{"a":[1]}"#, "/a/00", absent("/a/00")),
        (r#"{"a":[1]}"#, "/a/+0", absent("/a/+0")),
        (r#"{"a":[1]}"#, "/a/-", absent("/a/-")),
        (r#"{"a":"hidden"}"#, "/a/b", leaf("/a", "a string")),
        (r#""hidden""#, "/a", absent("/a")),
        ("hidden", "/a", LookupError::Malformed),
        ("", "/a", LookupError::Malformed),
        ("\u{feff}{}", "/a", LookupError::ByteOrderMark),
        (&deep, "/0", LookupError::TooDeep),
        (
            r#"{"a":{"b":1,"\u0062":2}}"#,
            "/a/b",
            LookupError::Duplicate {
                pointer: "/a/b".to_owned(),
            },
        ),
    ] {
        let found = find(document, pointer);
        assert_eq!(found, Err(wanted), "{document}");
        let shown = found.unwrap_err().to_string();
        assert!(!shown.contains("hidden"), "{shown}");
    }
    let path = KeyPath::parse("/a").unwrap();
    assert_eq!(lookup(b"\xff", &path).err(), Some(LookupError::NotUtf8));
}

#[test]
fn text_is_the_content_of_a_string() {
    let document = r#"{"a":"x\n\u00fc\ud83d\ude00\/","b":"","c":"\ud83d","d":5}"#;
    assert_eq!(text(document, "/a").as_deref(), Ok("x\nü😀/"));
    assert_eq!(text(document, "/b").as_deref(), Ok(""));
    let pointer = "/c".to_owned();
    assert_eq!(
        text(document, "/c"),
        Err(LookupError::UnpairedSurrogate { pointer })
    );
    let (pointer, kind) = ("/d".to_owned(), "a number");
    assert_eq!(
        text(document, "/d"),
        Err(LookupError::NotString { pointer, kind })
    );
}

proptest! {
    #[test]
    fn lookup_agrees_with_serde_json(document in values(), names in prop::collection::vec(prop_oneof![NAME, "[0-3]"], 1..4)) {
        let pointer: String = names
            .iter()
            .map(|name| format!("/{}", name.replace('~', "~0").replace('/', "~1")))
            .collect();
        let found = find(&document.to_string(), &pointer).ok();
        let found = found.map(|json| serde_json::from_str::<Value>(&json).unwrap());
        prop_assert_eq!(found.as_ref(), document.pointer(&pointer));
    }
}

/// The differences as `added | changed | removed`.
fn differences(stored: &str, wanted: &str, keys: &[&str]) -> Option<String> {
    let keys: Vec<_> = keys
        .iter()
        .map(|key| KeyPath::parse(key).unwrap())
        .collect();
    let found = difference(
        stored.as_bytes(),
        wanted.as_bytes(),
        &keys.iter().collect::<Vec<_>>(),
    )?;
    let list = |keys: &[&KeyPath]| {
        let names: Vec<_> = keys.iter().map(ToString::to_string).collect();
        names.join(",")
    };
    Some(format!(
        "{} | {} | {}",
        list(&found.added),
        list(&found.changed),
        found.removed
    ))
}

#[test]
fn difference_names_given_keys_only() {
    for (stored, wanted, keys, expected) in [
        (
            r#"{"z":1,"b":2,"x":{"y":1},"w":4}"#,
            r#"{"b":3,"a":1,"w": 4}"#,
            &["b", "a", "w"][..],
            Some("a | b | 2"),
        ),
        (
            r#"{"p":{"a":1,"b":2,"c":3}}"#,
            r#"{"p":{"d":1,"a":1,"b":3},"x":1}"#,
            &["/p/d", "x", "/p/b", "/p/a"],
            Some("/p/d,x | /p/b | 1"),
        ),
        (
            r#"{"p":"x"}"#,
            r#"{"p":{"a":1}}"#,
            &["/p/a"],
            Some("/p/a |  | 1"),
        ),
        // Keys inside a value are not named.
        (
            r#"{"p":{"a":1}}"#,
            r#"{"p":{"b":1}}"#,
            &["p"],
            Some(" | p | 0"),
        ),
        (r#"{"a":1}"#, r#"{"\u0061": 1}"#, &["a"], Some(" |  | 0")),
        // Generated keys that already exist.
        (
            r#"{"a":1}"#,
            r#"{"a":1,"b":2}"#,
            &["a", "b"],
            Some("b |  | 0"),
        ),
        ("[]", r#"{"a":1}"#, &["a"], None),
        ("made-up", r#"{"a":1}"#, &["a"], None),
        (r#"{"a":1,"a":1}"#, r#"{"a":1}"#, &["a"], None),
    ] {
        assert_eq!(
            differences(stored, wanted, keys).as_deref(),
            expected,
            "{stored} {wanted}"
        );
    }
}
