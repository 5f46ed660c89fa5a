//! The bytes that an edit changes, and the documents that it rejects.

use serde_json::Value;

use super::super::{JsonKey, JsonText, KeyPath, apply_edits};

/// A path, a JSON value, and whether only an absent key is set.
type Parts<'a> = (&'a str, &'a str, bool);

/// The document after the edits, `=` if nothing changes, or the name of the error.
pub(super) fn edited(document: &[u8], edits: &[Parts<'_>]) -> String {
    let edits: Vec<_> = edits
        .iter()
        .map(|(path, value, seeds)| JsonKey {
            path: KeyPath::parse(path).unwrap(),
            text: JsonText::json(value).unwrap(),
            seeds: *seeds,
        })
        .collect();
    match apply_edits(document, &edits) {
        Ok(None) => "=".to_owned(),
        Ok(Some(text)) => text.to_string(),
        Err(error) => format!("{error:?}"),
    }
}

pub(super) fn set(document: &str, path: &str, value: &str) -> String {
    edited(document.as_bytes(), &[(path, value, false)])
}

#[test]
fn set_of_existing_key_changes_only_its_value() {
    let cases = [
        (r#"{"a":1,"b":2}"#, "a", "3", r#"{"a":3,"b":2}"#),
        (
            " { \"a\" : 1.00 , \"b\":\t2e0 }\n",
            "b",
            " [] ",
            " { \"a\" : 1.00 , \"b\":\t[] }\n",
        ),
        (
            r#"{"a":{"b":{"c":1}},"z":0}"#,
            "/a/b/c",
            "2",
            r#"{"a":{"b":{"c":2}},"z":0}"#,
        ),
        (r#"{"a/b":1,"~":2}"#, "/a~1b", "9", r#"{"a/b":9,"~":2}"#),
        (r#"{"a/b":1,"~":2}"#, "/~0", "9", r#"{"a/b":1,"~":9}"#),
        // Without a leading slash, a path is a single name.
        (r#"{"a/b~":1}"#, "a/b~", "9", r#"{"a/b~":9}"#),
        (r#"{"":1}"#, "/", "9", r#"{"":9}"#),
        (r#"{"\u00e4":1}"#, "ä", "9", r#"{"\u00e4":9}"#),
        (r#"{"\ud83d\ude00":1}"#, "😀", "9", r#"{"\ud83d\ude00":9}"#),
        // Names are matched by content, regardless of their order.
        (
            r#"{"\uffff":0,"😀":1}"#,
            "😀",
            "9",
            r#"{"\uffff":0,"😀":9}"#,
        ),
        // Unpaired surrogates are valid JSON but cannot be represented in a `str`.
        (
            r#"{"\ud800":1,"s":"\ud800","a":"\udc00"}"#,
            "a",
            "9",
            r#"{"\ud800":1,"s":"\ud800","a":9}"#,
        ),
        // A name that has a special meaning when serde_json reads a `Value`.
        (
            r#"{"$serde_json::private::RawValue":1,"a":1}"#,
            "a",
            "9",
            r#"{"$serde_json::private::RawValue":1,"a":9}"#,
        ),
        // A duplicate that is not on the path is preserved.
        (r#"{"a":1,"a":2}"#, "b", "3", r#"{"a":1,"a":2,"b":3}"#),
        // Equal values are preserved as written.
        (r#"{"k":"\u0041"}"#, "k", r#""A""#, "="),
        (
            r#"{"k":{ "y":[1, 2],"x":1 }}"#,
            "k",
            r#"{"x":1,"y":[1,2]}"#,
            "=",
        ),
        (r#"{"k":1.0}"#, "k", "1", r#"{"k":1}"#),
        (
            r#"{"k":{"x":1,"x":2}}"#,
            "k",
            r#"{"x":2}"#,
            r#"{"k":{"x":2}}"#,
        ),
    ];
    for (document, path, value, wanted) in cases {
        assert_eq!(set(document, path, value), wanted, "{document} {path}");
    }
}

#[test]
fn set_of_new_key_copies_the_format() {
    let cases = [
        ("{}", "k", r#"{"k":1}"#),
        (r#"{"a":1}"#, "k", r#"{"a":1,"k":1}"#),
        (r#"{"a": 1}"#, "k", r#"{"a": 1, "k": 1}"#),
        (r#"{ "a": 1 }"#, "k", r#"{ "a": 1, "k": 1 }"#),
        (
            "{\n  \"a\": {},\n  \"b\": 2\n}\n",
            "k",
            "{\n  \"a\": {},\n  \"b\": 2,\n  \"k\": 1\n}\n",
        ),
        (r#"{"a":1}"#, "/x/y", r#"{"a":1,"x":{"y":1}}"#),
        (r#"{"a":{"b":2}}"#, "/a/c", r#"{"a":{"b":2,"c":1}}"#),
        (r#"{"a":{}}"#, "/a/c", r#"{"a":{"c":1}}"#),
        (r#"{"a":1}"#, "q\"uote", r#"{"a":1,"q\"uote":1}"#),
    ];
    for (document, path, wanted) in cases {
        assert_eq!(set(document, path, "1"), wanted, "{document} {path}");
    }
}

#[test]
fn string_is_escaped() {
    let edit = JsonKey {
        path: KeyPath::parse("/a/b").unwrap(),
        text: JsonText::string("x\"\\\u{1}\u{7f}\n\r\t😀"),
        seeds: false,
    };
    let text = apply_edits(b"{}", &[edit]).unwrap().unwrap();
    assert_eq!(
        *text,
        "{\"a\":{\"b\":\"x\\\"\\\\\\u0001\u{7f}\\n\\r\\t😀\"}}"
    );
}

#[test]
fn several_edits_apply_together() {
    let cases: [(&str, &[Parts<'_>], &str); 10] = [
        ("{}", &[], "="),
        (
            "{}",
            &[("z", "1", false), ("/b/c", "2", true), ("/b/a", "3", false)],
            r#"{"z":1,"b":{"c":2,"a":3}}"#,
        ),
        (r#"{"a":2}"#, &[("a", "1", true)], "="),
        (r#"{"a":null}"#, &[("a", "1", true)], "="),
        (
            r#"{"a":2}"#,
            &[("a", "1", true), ("b", "1", true)],
            r#"{"a":2,"b":1}"#,
        ),
        (
            r#"{"a":1,"b":2}"#,
            &[("b", "2", false), ("a", "1", false)],
            "=",
        ),
        (
            r#"{ "x": {"y": 1}, "a": {"b": 2 } }"#,
            &[
                ("/a/c", "3", false),
                ("k", "4", false),
                ("/a/b", "5", false),
                ("/x/y", "6", false),
            ],
            r#"{ "x": {"y": 6}, "a": {"b": 5, "c": 3 }, "k": 4 }"#,
        ),
        (
            r#"{"a":2}"#,
            &[("b", "1", false), ("/a/x", "1", false)],
            r#"ParentNotObject { pointer: "/a", kind: "a number" }"#,
        ),
        ("{}", &[("a", "1", false), ("/a", "1", false)], "Overlap"),
        ("{}", &[("/a/b", "1", false), ("a", "{}", true)], "Overlap"),
    ];
    for (document, edits, wanted) in cases {
        assert_eq!(
            edited(document.as_bytes(), edits),
            wanted,
            "{document} {edits:?}"
        );
    }
}

#[test]
fn document_that_cannot_be_edited_is_rejected() {
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(127), "]".repeat(127));
    let cases = [
        ("", "k", "Malformed"),
        ("text", "k", "Malformed"),
        ("\u{feff}{}", "k", "ByteOrderMark"),
        (r#"{"a":1,}"#, "k", "Malformed"),
        (r#"{"a":01}"#, "k", "Malformed"),
        (r#"{"a":1} x"#, "k", "Malformed"),
        ("{\"a\":\"\n\"}", "k", "Malformed"),
        (r#"{"a":"\x"}"#, "k", "Malformed"),
        (r#"{"a":"\u12"}"#, "k", "Malformed"),
        ("[]", "k", "NotObject"),
        (r#""text""#, "k", "NotObject"),
        ("1", "k", "NotObject"),
        (r#"{"a":1,"a":2}"#, "a", r#"Duplicate { pointer: "/a" }"#),
        (
            r#"{"a":1,"\u0061":2}"#,
            "a",
            r#"Duplicate { pointer: "/a" }"#,
        ),
        (
            r#"{"a":{"b":1,"b":1}}"#,
            "/a/b",
            r#"Duplicate { pointer: "/a/b" }"#,
        ),
        (
            r#"{"a":{},"a":{}}"#,
            "/a/b",
            r#"Duplicate { pointer: "/a" }"#,
        ),
        (&deep, "k", "TooDeep"),
    ];
    for (document, path, wanted) in cases {
        assert_eq!(set(document, path, "1"), wanted, "{document} {path}");
    }
    assert_eq!(edited(b"{\"a\":\"\xe4\"}", &[("k", "1", false)]), "NotUtf8");
}

#[test]
fn element_without_keys_is_named() {
    for (value, wanted) in [
        (
            r#""made up""#,
            "`/a~1b` is a string, and only an object has keys",
        ),
        ("[{}]", "`/a~1b` is an array, and only an object has keys"),
        ("-1", "`/a~1b` is a number, and only an object has keys"),
        ("null", "`/a~1b` is `null`, and only an object has keys"),
        (
            "false",
            "`/a~1b` is `true` or `false`, and only an object has keys",
        ),
        (
            r#"{"c":""}"#,
            "`/a~1b/c` is a string, and only an object has keys",
        ),
        (r#"{"c":1,"c":1}"#, "`/a~1b/c` exists twice"),
    ] {
        let document = format!(r#"{{"a/b":{value}}}"#);
        let edit = JsonKey {
            path: KeyPath::parse("/a~1b/c/d").unwrap(),
            text: JsonText::string("made up"),
            seeds: false,
        };
        let why = apply_edits(document.as_bytes(), &[edit]).unwrap_err();
        assert_eq!(why.to_string(), wanted, "{document}");
    }
}

#[test]
fn result_that_would_be_too_deep_is_rejected() {
    for (depth, wanted) in [(124, true), (125, false)] {
        let value = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let result = set("{}", "/a/b/c", &value);
        assert_eq!(result != "TooDeep", wanted, "{depth}");
        assert_eq!(serde_json::from_str::<Value>(&result).is_ok(), wanted);
    }
}

#[test]
fn large_document_takes_many_edits() {
    let members: Vec<_> = (0..30_000)
        .map(|n| format!("\"key-{n}\":\"{n:020}\""))
        .collect();
    let document = format!("{{{}}}", members.join(","));
    let edits: Vec<_> = (0..30_000)
        .map(|n| JsonKey {
            path: KeyPath::parse(&format!("key-{}", n * 2)).unwrap(),
            text: JsonText::string("new"),
            seeds: false,
        })
        .collect();
    let text = apply_edits(document.as_bytes(), &edits).unwrap().unwrap();
    let read: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(read.as_object().unwrap().len(), 45_000);
    for (key, wanted) in [
        ("key-1", "00000000000000000001"),
        ("key-2", "new"),
        ("key-59998", "new"),
    ] {
        assert_eq!(read[key], wanted, "{key}");
    }
}
