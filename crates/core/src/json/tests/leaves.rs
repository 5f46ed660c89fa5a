//! The strings and numbers of documents.

use proptest::prelude::*;
use serde_json::Value;

use super::super::for_each_leaf;
use super::values::values;

fn leaves(document: &str) -> Vec<String> {
    let mut leaves = Vec::new();
    for_each_leaf(document, &mut |leaf| leaves.push(leaf.to_owned()));
    leaves
}

#[test]
fn leaves_are_complete() {
    for (document, wanted) in [
        (
            r#" {"a": "x\ty", "b": [1.00, {"c": ""}]} "#,
            &["x\ty", "1.00", ""][..],
        ),
        (r#"{"a": "x", "a": "y", "\ud800": 1}"#, &["x", "y", "1"]),
        (
            r#"["x", 1e999, -12345678901234567890123]"#,
            &["x", "1e999", "-12345678901234567890123"],
        ),
        (r#"["x", "\ud800y"]"#, &["x", "\u{fffd}y"]),
        (r#"[null, true, false, {}, []]"#, &[]),
        (r#""x""#, &["x"]),
        (r#"{"a": "x"} x"#, &[]),
    ] {
        assert_eq!(leaves(document), wanted, "{document}");
    }
    assert_eq!(
        leaves(&format!("{}1{}", "[".repeat(128), "]".repeat(128))),
        [""; 0]
    );
}

fn collect(value: &Value, leaves: &mut Vec<String>) {
    match value {
        Value::String(text) => leaves.push(text.clone()),
        Value::Number(number) => leaves.push(number.to_string()),
        Value::Array(items) => items.iter().for_each(|item| collect(item, leaves)),
        Value::Object(members) => members.values().for_each(|item| collect(item, leaves)),
        Value::Null | Value::Bool(_) => {}
    }
}

proptest! {
    #[test]
    fn leaves_agree_with_serde_json(document in values()) {
        let mut wanted = Vec::new();
        collect(&document, &mut wanted);
        prop_assert_eq!(leaves(&document.to_string()), wanted);
    }
}
