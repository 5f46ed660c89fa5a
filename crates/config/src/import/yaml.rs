//! Writes text as YAML that a manifest reader parses back unchanged, and in which nothing is hidden from people, controls a
//! terminal, or commands a CI runner. Independent of keys.

use upsert_secret_core::value::is_invisible;

/// Words that some version of YAML does not read as text.
const NOT_TEXT: [&str; 9] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];

/// A text as a scalar, unquoted if it is certain to be read back unchanged.
pub(super) fn scalar(text: &str) -> String {
    if is_plain(text) {
        text.to_owned()
    } else {
        quoted(text)
    }
}

fn is_plain(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && !text.ends_with([' ', ':'])
        && !text.contains(": ")
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b" _./:=+@-".contains(&b))
        && !NOT_TEXT.iter().any(|word| text.eq_ignore_ascii_case(word))
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    let mut before = None;
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            c if is_unsafe(c, before) => quoted.push_str(&match u32::from(c) {
                code @ 0..=0xffff => format!("\\u{code:04x}"),
                code => format!("\\U{code:08x}"),
            }),
            c => quoted.push(c),
        }
        before = Some(c);
    }
    quoted.push('"');
    quoted
}

/// Whether a character is escaped: it is invisible, not allowed in YAML, or completes `##`, which starts commands to CI
/// runners.
fn is_unsafe(c: char, before: Option<char>) -> bool {
    c != ' ' && is_invisible(c)
        || matches!(c, '\u{2028}'..='\u{202e}' | '\u{fffe}' | '\u{ffff}' | '\u{e0000}'..='\u{e007f}')
        || c == '#' && before == Some('#')
}

/// A JSON document with one member or item per line, or on one line. Preserves the order of keys and the format of numbers.
pub(super) fn json(document: &str, in_lines: bool) -> String {
    let mut text = String::new();
    let mut depth = 0_usize;
    let mut before = None;
    let (mut in_string, mut is_escaped) = (false, false);
    let new_line = |text: &mut String, depth: usize| {
        if in_lines {
            text.push('\n');
            text.push_str(&"  ".repeat(depth));
        }
    };
    for c in document.chars() {
        match c {
            c if in_string && is_unsafe(c, before) => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    text.push_str(&format!("\\u{unit:04x}"));
                }
            }
            '"' if !is_escaped => {
                in_string = !in_string;
                text.push(c);
            }
            c if in_string => text.push(c),
            '{' | '[' => {
                depth += 1;
                text.push(c);
                new_line(&mut text, depth);
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                new_line(&mut text, depth);
                text.push(c);
            }
            ',' => {
                text.push(c);
                new_line(&mut text, depth);
            }
            ':' => text.push_str(": "),
            c if c.is_ascii_whitespace() => {}
            c => text.push(c),
        }
        is_escaped = c == '\\' && in_string && !is_escaped;
        before = Some(c);
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    #[test]
    fn only_certain_text_is_plain() {
        for text in [
            "prod/model/api-key",
            "API key for AI model deployment workflow",
            "alias/models",
            "arn:aws:kms:eu-west-1:111122223333:key/1234abcd",
        ] {
            assert_eq!(scalar(text), text);
        }
        for text in [
            "", " a", "a ", "a: b", "a:", "a #b", "No", "TRUE", "null", "1", "1e3", ".5", "-",
            "- a", "~", "a\nb", "=", "@a", "'a'", "a, b", "a{", "é",
        ] {
            assert_eq!(scalar(text), quoted(text), "{text}");
        }
    }

    #[test]
    fn quoted_text_hides_and_commands_nothing() {
        let cases = [
            ("a\"b\\c", r#""a\"b\\c""#),
            ("a\n\tb\r", r#""a\n\tb\u000d""#),
            ("\u{1b}[31m", r#""\u001b[31m""#),
            ("a\u{202e}b\u{feff}", r#""a\u202eb\ufeff""#),
            ("##[error]x", r##""#\u0023[error]x""##),
            ("###", r##""#\u0023\u0023""##),
            ("\u{e0041}", r#""\U000e0041""#),
            ("schön 鍵", "\"schön 鍵\""),
        ];
        for (text, wanted) in cases {
            assert_eq!(scalar(text), wanted);
        }
    }

    #[test]
    fn json_keeps_order_and_notation() {
        let document = r#"{"b":[1.0,{"a":"x: \"y\", {\\"}], "a" : null}"#;
        let lines = json(document, true);
        let wanted = "{\n  \"b\": [\n    1.0,\n    {\n      \"a\": \"x: \\\"y\\\", {\\\\\"\n    }\n  ],\n  \"a\": null\n}";
        assert_eq!(lines, wanted);
        assert_eq!(
            json(document, false),
            r#"{"b": [1.0,{"a": "x: \"y\", {\\"}],"a": null}"#
        );
        assert_eq!(
            json("{\"a\":\"##vso[\u{202e}\u{e0041}\"}", false),
            r##"{"a": "#\u0023vso[\u202e\udb40\udc41"}"##
        );
    }

    proptest! {
        #[test]
        fn scalar_is_read_as_the_same_text(text in any::<String>()) {
            let read: Value = serde_yaml::from_str(&scalar(&text)).unwrap();
            prop_assert_eq!(read, Value::String(text));
        }

        #[test]
        fn json_is_the_same_document(keys in prop::collection::vec(any::<String>(), 0..4), text in any::<String>()) {
            let members = keys.into_iter().map(|key| (key, Value::from(vec![text.clone(), String::new()])));
            let document = Value::Object(members.collect());
            for in_lines in [true, false] {
                let read: Value = serde_json::from_str(&json(&document.to_string(), in_lines)).unwrap();
                prop_assert_eq!(&read, &document);
            }
        }
    }
}
