//! Properties of edits, with serde_json as the reference.

use proptest::prelude::*;
use serde_json::Value;

use super::super::is_equal_json;
use super::edit::{edited, set};
use super::values::{NAME, objects, values};

fn pointer(names: &[String]) -> String {
    names
        .iter()
        .map(|name| format!("/{}", name.replace('~', "~0").replace('/', "~1")))
        .collect()
}

/// The result of the same edit in serde_json; `None` if an ancestor is not an object.
fn expected(mut document: Value, names: &[String], value: &Value) -> Option<Value> {
    let mut place = &mut document;
    for name in names {
        place = place
            .as_object_mut()?
            .entry(name)
            .or_insert_with(|| Value::Object(serde_json::Map::new()));
    }
    *place = value.clone();
    Some(document)
}

const SPACE: &str = "[ \t\r\n]{0,2}";

/// A member as written, including white space. Its name is never one that a test sets.
fn raw_member() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec![r#""b""#, r#""\u00e4""#, r#""\ud800""#, r#""c\"}""#]);
    let value = prop::sample::select(vec![
        "1.00",
        "-0",
        "2E+5",
        r#""\ud800""#,
        r#""\u0041}""#,
        "[ 1 ,2]",
        r#"{ "target" : 1 }"#,
        "null",
    ]);
    (SPACE, name, SPACE, SPACE, value, SPACE)
        .prop_map(|(a, name, b, c, value, d)| format!("{a}{name}{b}:{c}{value}{d}"))
}

proptest! {
    #[test]
    fn edits_match_serde_json_and_are_idempotent(
        document in objects(values()),
        edits in prop::collection::vec((prop::collection::vec(NAME, 1..3), values(), any::<bool>()), 1..4),
        pretty in any::<bool>(),
    ) {
        let text = if pretty {
            serde_json::to_string_pretty(&document).unwrap()
        } else {
            document.to_string()
        };
        let overlap = (0..edits.len()).any(|one| (0..edits.len()).any(|other| {
            one != other && edits[one].0.starts_with(&edits[other].0)
        }));
        let wanted = edits.iter().try_fold(document.clone(), |document, (names, value, only_if_absent)| {
            match document.pointer(&pointer(names)) {
                Some(_) if *only_if_absent => Some(document),
                _ => expected(document, names, value),
            }
        });
        let parts: Vec<_> = edits
            .iter()
            .map(|(names, value, only_if_absent)| (pointer(names), value.to_string(), *only_if_absent))
            .collect();
        let parts: Vec<_> = parts.iter().map(|(path, value, absent)| (&path[..], &value[..], *absent)).collect();
        let result = edited(text.as_bytes(), &parts);
        if overlap {
            prop_assert_eq!(result, "Overlap");
        } else if let Some(wanted) = wanted {
            let after = if result == "=" { &text } else { &result };
            prop_assert_eq!(result == "=", wanted == document);
            prop_assert_eq!(serde_json::from_str::<Value>(after).unwrap(), wanted);
            prop_assert_eq!(edited(after.as_bytes(), &parts), "=");
        } else {
            prop_assert!(result.starts_with("ParentNotObject"), "{}", result);
        }
    }

    #[test]
    fn edit_keeps_every_other_byte(
        before in prop::collection::vec(raw_member(), 0..4),
        after in prop::collection::vec(raw_member(), 0..4),
        space in prop::array::uniform5(SPACE),
        nested in any::<bool>(),
    ) {
        let document = |value: &str| {
            let [a, b, c, d, e] = &space;
            let target = format!("{a}\"target\"{b}:{c}{value}{d}");
            let members = [&before[..], &[target], &after[..]].concat().join(",");
            if nested {
                format!("{e}{{ \"b\":[],\"outer\":{{{members}}}{e},\"c\": 1.0}}")
            } else {
                format!("{{{members}}}{e}")
            }
        };
        let path = if nested { "/outer/target" } else { "target" };
        prop_assert_eq!(set(&document("\"old\""), path, "\"new\""), document("\"new\""));
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(
        prop_oneof![Just(b'{'), Just(b'}'), Just(b'"'), Just(b':'), Just(b','), Just(b'['), Just(b']'),
            Just(b'1'), Just(b'\\'), Just(b'u'), Just(b' '), any::<u8>()], 0..24)) {
        let result = edited(&bytes, &[("/a/b", "1", false)]);
        let is_object = serde_json::from_slice::<Value>(&bytes).is_ok_and(|value| value.is_object());
        // Except for duplicates, everything that serde_json reads as an object can be edited.
        let refused = ["Malformed", "NotObject", "NotUtf8", "TooDeep"].contains(&&result[..]);
        prop_assert!(!(is_object && refused), "{}", result);
        let _ = is_equal_json(&bytes, &bytes);
    }
}
