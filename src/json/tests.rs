//! Setting keys, against a table and against serde_json.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;

fn key(text: &str) -> KeyPath {
    KeyPath::parse(text).unwrap()
}

/// The document afterwards, `=` where it stays, or the refusal.
fn put(document: &str, at: &str, value: &str) -> String {
    match set(
        document.as_bytes(),
        &key(at),
        &JsonText::json(value).unwrap(),
    ) {
        Ok(Edit::Unchanged) => "=".to_owned(),
        Ok(Edit::Changed(text)) => String::from_utf8(text.to_vec()).unwrap(),
        Err(refusal) => format!("{refusal:?}"),
    }
}

#[test]
fn only_the_bytes_of_the_one_value_change() {
    let cases = [
        (r#"{"a":1,"b":2}"#, "a", "3", r#"{"a":3,"b":2}"#),
        (
            " { \"a\" : 1.00 , \"b\":\t2e0 }\n",
            "b",
            "[]",
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
        // Without a slash at its start it is a name as it stands.
        (r#"{"a/b~":1}"#, "a/b~", "9", r#"{"a/b~":9}"#),
        (r#"{"":1}"#, "/", "9", r#"{"":9}"#),
        (r#"{"\u00e4":1}"#, "ä", "9", r#"{"\u00e4":9}"#),
        (r#"{"\ud83d\ude00":1}"#, "😀", "9", r#"{"\ud83d\ude00":9}"#),
    ];
    for (document, at, value, wanted) in cases {
        assert_eq!(put(document, at, value), wanted, "{document} {at}");
    }
}

#[test]
fn a_new_key_is_written_as_its_neighbours_are() {
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
        (r#"{"a":1}"#, "q\"uote", r#"{"a":1,"q\"uote":1}"#),
    ];
    for (document, at, wanted) in cases {
        assert_eq!(put(document, at, "1"), wanted, "{document} {at}");
    }
    let Ok(Edit::Changed(made)) = set(b"{}", &key("/a/b"), &JsonText::string("x\"\u{1}\n")) else {
        panic!("it is set");
    };
    assert_eq!(str::from_utf8(&made), Ok(r#"{"a":{"b":"x\"\u0001\n"}}"#));
}

#[test]
fn several_keys_and_some_only_where_they_are_absent() {
    let one = JsonText::string("1");
    let set = |document: &str, entries: &[(&str, bool)]| {
        let keys: Vec<_> = entries
            .iter()
            .map(|(at, absent)| (key(at), *absent))
            .collect();
        let edits = keys.iter().map(|(path, absent)| KeyEdit {
            path,
            value: &one,
            only_if_absent: *absent,
        });
        match apply_edits(document.as_bytes(), edits) {
            Ok(Edit::Changed(text)) => String::from_utf8_lossy(&text).into_owned(),
            Ok(Edit::Unchanged) => "unchanged".to_owned(),
            Err(why) => why.to_string(),
        }
    };
    assert_eq!(
        set("{}", &[("a", false), ("/b/c", true)]),
        r#"{"a":"1","b":{"c":"1"}}"#
    );
    assert_eq!(set(r#"{"a":2}"#, &[("a", true)]), "unchanged");
    assert_eq!(set(r#"{"a":null}"#, &[("a", true)]), "unchanged");
    assert_eq!(
        set(r#"{"a":2}"#, &[("a", true), ("b", true)]),
        r#"{"a":2,"b":"1"}"#
    );
    assert_eq!(set(r#"{"a":"1"}"#, &[("a", false)]), "unchanged");
    assert_eq!(
        set(r#"{"a":2}"#, &[("b", false), ("/a/x", false)]),
        EditError::ParentNotObject { level: 1 }.to_string()
    );
}

#[test]
fn documents_that_say_the_same() {
    let same = |one: &str, other: &str| is_equal_json(one.as_bytes(), other.as_bytes());
    assert!(same(
        r#"{"a":"1","b":[1, 2]}"#,
        "{ \"b\": [1,2], \"a\": \"\\u0031\" }\n"
    ));
    assert!(!same(r#"{"a":"1"}"#, r#"{"a":1}"#));
    assert!(!same(r#"{"a":"1"}"#, r#"{"a":"1","a":"1"}"#));
    assert!(!same(r#"{"a":"1"}"#, "made up"));
}

#[test]
fn an_equal_value_stays_as_it_is_written() {
    let cases = [
        (r#""A""#, r#""\u0041""#, true),
        (r#""\/""#, r#""/""#, true),
        (r#""\ud83d\ude00""#, r#""😀""#, true),
        (r#""\ud83d""#, r#""\ude00""#, false),
        ("1.0", "1", false),
        ("1e2", "1e2", true),
        (r#"{"x":1,"y":[1, 2]}"#, r#"{ "y":[1,2],"x":1 }"#, true),
        ("[1,2]", "[2,1]", false),
        (r#"{"x":1}"#, r#"{"x":1,"y":2}"#, false),
        ("true", r#""true""#, false),
        ("null", "false", false),
        (r#"{"x":1,"x":2}"#, r#"{"x":2}"#, false),
    ];
    for (held, wanted, equal) in cases {
        let document = format!(r#"{{"k":{held}}}"#);
        assert_eq!(put(&document, "k", wanted) == "=", equal, "{held} {wanted}");
    }
}

#[test]
fn what_cannot_be_set_is_refused() {
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(200), "]".repeat(200));
    let cases = [
        ("", "k", "Malformed"),
        ("text", "k", "Malformed"),
        ("\u{feff}{}", "k", "Malformed"),
        (r#"{"a":1,}"#, "k", "Malformed"),
        (r#"{"a":01}"#, "k", "Malformed"),
        (r#"{"a":1} x"#, "k", "Malformed"),
        ("{\"a\":\"\n\"}", "k", "Malformed"),
        (r#"{"a":"\x"}"#, "k", "Malformed"),
        (r#"{"a":"\u12"}"#, "k", "Malformed"),
        ("[]", "k", "NotObject"),
        (r#""text""#, "k", "NotObject"),
        ("1", "k", "NotObject"),
        (r#"{"a":1}"#, "/a/b", "ParentNotObject { level: 1 }"),
        (
            r#"{"a":{"b":[]}}"#,
            "/a/b/0",
            "ParentNotObject { level: 2 }",
        ),
        (r#"{"a":1,"a":2}"#, "a", "Twice { level: 1 }"),
        (r#"{"a":1,"\u0061":2}"#, "a", "Twice { level: 1 }"),
        (&deep, "k", "TooDeep"),
    ];
    for (document, at, wanted) in cases {
        assert_eq!(put(document, at, "1"), wanted, "{document} {at}");
    }
    let latin = set(b"{\"a\":\"\xe4\"}", &key("k"), &JsonText::string("x"));
    assert!(matches!(latin, Err(EditError::NotText)));
    // Twice elsewhere is none of our business.
    assert_eq!(put(r#"{"a":1,"a":2}"#, "b", "3"), r#"{"a":1,"a":2,"b":3}"#);
    // What is put in counts.
    let value = format!("{}{}", "[".repeat(127), "]".repeat(127));
    assert_eq!(put("{}", "/a/b/c", &value), "TooDeep");
}

#[test]
fn what_is_no_key_or_no_json_is_refused() {
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
    for text in [
        "",
        "text",
        "1 2",
        "{\"a\":1,\"a\":2}",
        "[{\"b\":1,\"\\u0062\":2}]",
        "'a'",
    ] {
        assert!(JsonText::json(text).is_err(), "{text}");
    }
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            objects(inner),
        ]
    })
}

fn objects(inner: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    prop::collection::vec(("[a-c\"\\\\é]{0,2}", inner), 0..5)
        .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>()))
}

proptest! {
    #[test]
    fn setting_is_what_serde_json_would_do_and_once_is_enough(
        document in objects(values()),
        names in prop::collection::vec("[a-c\"\\\\é]{0,2}", 1..3),
        value in values(),
        pretty in any::<bool>(),
    ) {
        let text = if pretty {
            serde_json::to_string_pretty(&document).unwrap()
        } else {
            document.to_string()
        };
        let pointer: String = names
            .iter()
            .map(|name| format!("/{}", name.replace('~', "~0").replace('/', "~1")))
            .collect();
        let rendered = JsonText::json(&value.to_string()).unwrap();
        let mut wanted = document.clone();
        let mut place = &mut wanted;
        let mut blocked = false;
        for name in &names {
            if !place.is_object() {
                blocked = true;
                break;
            }
            place = &mut place[name.as_str()];
        }
        prop_assume!(!blocked);
        *place = value;
        match set(text.as_bytes(), &key(&pointer), &rendered) {
            Err(EditError::ParentNotObject { .. }) => {
                // serde_json turns a null on the way into an object; a null of the user's stays.
                let parent = &pointer[..pointer.rfind('/').unwrap_or(0)];
                prop_assert_eq!(document.pointer(parent), Some(&Value::Null));
            }
            Err(refusal) => prop_assert!(false, "{refusal:?}"),
            Ok(Edit::Unchanged) => prop_assert_eq!(&wanted, &document),
            Ok(Edit::Changed(after)) => {
                let read: Value = serde_json::from_slice(&after).unwrap();
                prop_assert_eq!(read, wanted);
                let again = set(&after, &key(&pointer), &rendered);
                prop_assert!(matches!(again, Ok(Edit::Unchanged)));
            }
        }
    }

    #[test]
    fn nothing_breaks_it_and_what_it_takes_is_json(bytes in prop::collection::vec(
        prop_oneof![Just(b'{'), Just(b'}'), Just(b'"'), Just(b':'), Just(b','), Just(b'['), Just(b']'),
            Just(b'1'), Just(b'\\'), Just(b'u'), Just(b' '), any::<u8>()], 0..24)) {
        let ours = scan::document(&bytes).is_ok() && str::from_utf8(&bytes).is_ok();
        let theirs = serde_json::from_slice::<Value>(&bytes).is_ok();
        // It takes unpaired surrogates and numbers of any size, as the grammar does; serde_json does not.
        prop_assert!(ours || !theirs);
        let _ = set(&bytes, &key("a"), &JsonText::string("x"));
    }
}

#[test]
fn an_object_of_serde_json_is_one() {
    assert_eq!(
        put(
            &json!({"a": [1, {"b": null}]}).to_string(),
            "a",
            "[1,{\"b\":null}]"
        ),
        "="
    );
}
