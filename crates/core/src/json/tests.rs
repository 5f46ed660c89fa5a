//! Edits and equality of JSON text, tested with tables and against serde_json.

use super::*;

mod edit;
mod equality;
mod leaves;
mod lookup;
mod properties;
mod values;

#[test]
fn key_path_out_of_bounds_is_rejected() {
    let long = "x".repeat(1_025);
    let deep = "/a".repeat(33);
    for (text, wanted) in [
        ("/~2", KeyPathError::Escape),
        ("/a~", KeyPathError::Escape),
        ("/~é", KeyPathError::Escape),
        ("a\tb", KeyPathError::Control),
        (long.as_str(), KeyPathError::TooLong),
        (deep.as_str(), KeyPathError::TooLong),
    ] {
        assert_eq!(KeyPath::parse(text), Err(wanted), "{text}");
    }
    for text in [&long[1..], &deep[2..]] {
        assert!(KeyPath::parse(text).is_ok(), "{text}");
    }
}

#[test]
fn json_text_that_is_ambiguous_is_rejected() {
    for text in [
        "",
        "text",
        "1 2",
        "{\"a\":1,\"a\":2}",
        "[{\"b\":1,\"\\u0062\":2}]",
        "{\"a\":{\"\\ud800\":1,\"\\uD800\":1}}",
        "'a'",
    ] {
        let rejected = Some(NotJson {
            byte_order_mark: false,
        });
        assert_eq!(JsonText::json(text).err(), rejected, "{text}");
    }
    let marked = JsonText::json("\u{feff}{}").err();
    assert!(marked.is_some_and(|why| why.byte_order_mark));
    for text in [" {\"a\":1,\"b\":[{\"a\":1}]}\n", "1.00", "\"\\ud800\""] {
        assert!(JsonText::json(text).is_ok(), "{text}");
    }
}
