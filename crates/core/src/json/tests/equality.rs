//! The JSON texts that are equal values.

use proptest::prelude::*;
use serde_json::Value;

use super::super::is_equal_json;
use super::values::values;

#[test]
fn equal_texts_are_the_same_value() {
    let cases = [
        (r#""A""#, r#""\u0041""#, true),
        (r#""\/""#, r#""/""#, true),
        (
            r#""\b\f\n\r\t""#,
            r#""\u0008\u000C\u000a\u000d\u0009""#,
            true,
        ),
        (r#""\"\\""#, r#""\u0022\u005c""#, true),
        (r#""\\u0041""#, r#""A""#, false),
        (r#""\ud83d\ude00""#, r#""😀""#, true),
        (r#""\ud83d""#, r#""\uD83D""#, true),
        (r#""\ud83d""#, r#""\ude00""#, false),
        (r#""a""#, r#""ab""#, false),
        ("1.0", "1", false),
        ("1e2", "1e2", true),
        (
            "123456789012345678901234567890",
            "123456789012345678901234567891",
            false,
        ),
        (r#"{"x":1,"y":[1, 2]}"#, r#" { "y":[1,2],"x":1 } "#, true),
        (r#"{"\u0078":1}"#, r#"{"x":1}"#, true),
        (r#"{"x":1}"#, r#"{"y":1}"#, false),
        (r#"{"x":1}"#, r#"{"x":1,"y":2}"#, false),
        ("[1,2]", "[2,1]", false),
        ("[1,2]", "[1]", false),
        ("[]", "{}", false),
        ("true", r#""true""#, false),
        ("1", r#""1""#, false),
        ("null", "false", false),
        // Duplicate names: parsers disagree on the value, so there is nothing to compare.
        (r#"{"x":1,"x":2}"#, r#"{"x":2}"#, false),
        (r#"{"x":1,"x":1}"#, r#"{"x":1,"x":1}"#, false),
        (
            r#"[{"a":{"x":1,"\u0078":1}}]"#,
            r#"[{"a":{"x":1,"\u0078":1}}]"#,
            false,
        ),
        // Not JSON.
        ("made up", "made up", false),
        ("", "", false),
        ("1", "1,", false),
    ];
    for (one, other, equal) in cases {
        let pair = (one.as_bytes(), other.as_bytes());
        assert_eq!(is_equal_json(pair.0, pair.1), equal, "{one} {other}");
        assert_eq!(is_equal_json(pair.1, pair.0), equal, "{other} {one}");
    }
    assert!(!is_equal_json(b"\"\xe4\"", b"\"\xe4\""));
}

#[test]
fn equality_at_depth_limit_matches_serde_json() {
    for (depth, equal) in [(127, true), (128, false), (100_000, false)] {
        let text = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(
            is_equal_json(text.as_bytes(), text.as_bytes()),
            equal,
            "{depth}"
        );
        assert_eq!(
            serde_json::from_str::<Value>(&text).is_ok(),
            equal,
            "{depth}"
        );
    }
}

#[test]
fn depth_counts_nesting_not_siblings() {
    for sibling in ["[]", "{}"] {
        let text = format!("[{}]", vec![sibling; 1_000].join(","));
        assert!(is_equal_json(text.as_bytes(), text.as_bytes()), "{sibling}");
    }
}

/// The same value, with the members of every object in reverse order and each string in `\u` escapes.
fn respelled(value: &Value) -> String {
    let string = |text: &str| {
        let units: String = text
            .encode_utf16()
            .map(|unit| format!("\\u{unit:04X}"))
            .collect();
        format!("\"{units}\"")
    };
    match value {
        Value::String(text) => string(text),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(respelled).collect();
            format!("[ {} ]", items.join("\t,\n"))
        }
        Value::Object(members) => {
            let members: Vec<_> = members
                .iter()
                .rev()
                .map(|(name, value)| format!("{} : {}", string(name), respelled(value)))
                .collect();
            format!("{{ {} }}", members.join(" , "))
        }
        scalar => scalar.to_string(),
    }
}

proptest! {
    #[test]
    fn equality_ignores_order_and_spelling(value in values()) {
        prop_assert!(is_equal_json(value.to_string().as_bytes(), respelled(&value).as_bytes()));
    }

    #[test]
    fn equality_matches_serde_json(one in values(), other in values()) {
        let equal = is_equal_json(one.to_string().as_bytes(), respelled(&other).as_bytes());
        prop_assert_eq!(equal, one == other);
    }
}
