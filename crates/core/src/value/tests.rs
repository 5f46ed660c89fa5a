//! Limits, kinds, decoding, and the texts that are rejected or cause warnings.

use super::*;

fn make(bytes: &[u8], kind: Kind) -> Result<SecretValue, ValueError> {
    SecretValue::new(SecretBytes::new(bytes.to_vec()), kind)
}

#[test]
fn value_out_of_limits_is_rejected() {
    use Kind::{Binary, String};
    let full = vec![b'x'; MAX_BYTES];
    let over = vec![b'x'; MAX_BYTES + 1];
    let cases: &[(&[u8], Kind, Option<ValueError>)] = &[
        (b"", String, Some(ValueError::Empty)),
        (b"", Binary, Some(ValueError::Empty)),
        (b"***", String, Some(ValueError::Mask)),
        (b"[MASKED]\n", Binary, Some(ValueError::Mask)),
        (b"\xff\xfea\0", String, Some(ValueError::Utf16)),
        (b"\xfe\xff\0a", String, Some(ValueError::Utf16)),
        (b"made up \xff", String, Some(ValueError::NotUtf8)),
        (b"\xff\xfea\0", Binary, None),
        (&full, String, None),
        (&over, String, Some(ValueError::TooLarge)),
        (b" ", String, Some(ValueError::Blank)),
        (b"\r\n", Binary, Some(ValueError::Blank)),
        (b"\0\0", String, Some(ValueError::Blank)),
        (b"\0\0", Binary, None),
        (b"\n\0", String, Some(ValueError::Blank)),
        ("\u{feff}\r\n".as_bytes(), String, Some(ValueError::Blank)),
        ("\u{a0}\u{3000}".as_bytes(), String, Some(ValueError::Blank)),
        (
            "\u{200b}\u{2060}".as_bytes(),
            String,
            Some(ValueError::Blank),
        ),
        (
            "\u{200e}\u{202c}".as_bytes(),
            String,
            Some(ValueError::Blank),
        ),
        ("\u{a0}x".as_bytes(), String, None),
    ];
    for (bytes, kind, wanted) in cases {
        let text = std::string::String::from_utf8_lossy(&bytes[..bytes.len().min(20)]);
        assert_eq!(make(bytes, *kind).err(), *wanted, "{text:?}");
    }
}

#[test]
fn string_and_binary_are_never_equal() {
    let (Ok(string), Ok(binary)) = (make(b"a", Kind::String), make(b"a", Kind::Binary)) else {
        panic!("both are valid");
    };
    assert!(string != binary);
    assert!(string == string);
}

#[test]
fn base64_may_be_wrapped_and_unpadded() {
    let decode = |text: &str| {
        decode_base64(&SecretBytes::new(text.as_bytes().to_vec()))
            .map(|bytes| bytes.expose().to_vec())
    };
    assert_eq!(decode("aGVs\nbG8="), Ok(b"hello".to_vec()));
    assert_eq!(decode("aGVsbG8"), Ok(b"hello".to_vec()));
    assert_eq!(decode("aGVs*G8="), Err(ValueError::NotBase64));
    assert_eq!(decode(""), Ok(Vec::new()));
}

/// References that are never values: rejected in a variable, stored with a warning when read from a file.
#[test]
fn unreplaced_reference_in_variable_is_rejected() {
    for text in [
        "$MODEL_API_KEY",
        "$KEY2\n",
        "\u{feff}$_KEY ",
        "$(MODEL_API_KEY)",
        "$(system.accessToken)\n",
        "${MODEL_API_KEY}",
        "${model.key}",
        "${MODEL_API_KEY:-none}",
        "${env:MODEL_API_KEY}",
        "$env:MODEL_API_KEY",
        "$Env:model_key",
        "%MODEL_API_KEY%",
        "${{ secrets.MODEL_API_KEY }}",
        "$[[ inputs.key ]]",
    ] {
        let bytes = text.as_bytes();
        assert_eq!(check_variable(bytes), Err(ValueError::Reference), "{text}");
        let from_file = make(bytes, Kind::String).map(|value| value.text_warnings("it"));
        let wanted = "it has the form of a reference to a variable; it is stored exactly as given";
        let warned = from_file.is_ok_and(|all| all.iter().any(|warning| warning == wanted));
        assert!(warned, "{text}");
    }
    assert_eq!(check_variable(b" ***\n"), Err(ValueError::Mask));
}

#[test]
fn similar_text_is_a_value() {
    let is_suspicious = |text: &str| {
        assert_eq!(check_variable(text.as_bytes()), Ok(()), "{text}");
        make(text.as_bytes(), Kind::String).map(|value| !value.text_warnings("it").is_empty())
    };
    for text in ["$made_up", "$MadeUp1", "$1MADE", "$100"] {
        assert_eq!(is_suspicious(text), Ok(true), "{text}");
    }
    for text in [
        "$(made up)",
        "$()x",
        "${1a}",
        "x$(MADE_UP)",
        "$(MADE)$(UP)",
        "${MADE}:${UP}",
        "${{a}}${{b}}",
        "$MADE-UP",
        "$MADE$UP",
        "made$UP",
        "%made%",
        "100%",
        "%41%",
        "MADE_UP",
        "$$$$",
    ] {
        assert_eq!(is_suspicious(text), Ok(false), "{text}");
    }
}

#[test]
fn suspicious_characters_are_warned_about() {
    let cases: &[(&str, &[&str])] = &[
        ("key-made-up", &[]),
        ("key made up\u{a0}or not", &[]),
        ("key-made-up\n", &["ends with white space"]),
        (" key-made-up \n", &["begins and ends with white space"]),
        (
            "\u{feff}key-made-up",
            &["begins with a byte order mark (U+FEFF)"],
        ),
        (
            "\u{feff}key-made-up\n",
            &[
                "begins with a byte order mark (U+FEFF)",
                "ends with white space",
            ],
        ),
        ("\u{a0}key", &["begins with a no-break space (U+00A0)"]),
        ("key\u{2007}", &["ends with a no-break space (U+2007)"]),
        ("key\u{202f}", &["ends with a no-break space (U+202F)"]),
        ("key\u{3000}", &["ends with an ideographic space (U+3000)"]),
        ("key\u{2003}", &["ends with a space (U+2003)"]),
        ("key\u{200b}", &["ends with a zero-width space (U+200B)"]),
        (
            "\u{200d}key\u{200d}",
            &["begins and ends with an invisible character (U+200D)"],
        ),
        (
            "key\u{2060}",
            &["ends with an invisible character (U+2060)"],
        ),
        (
            "\u{200e}key",
            &["begins with an invisible character (U+200E)"],
        ),
        (
            "key\u{202c}",
            &["ends with an invisible character (U+202C)"],
        ),
        ("key\u{1b}", &["ends with a control character (U+001B)"]),
        (
            "key-made-up\0",
            &["contains a NUL character, at which many programs stop reading"],
        ),
        (
            "\0key\u{a0}",
            &[
                "ends with a no-break space (U+00A0)",
                "contains a NUL character, at which many programs stop reading",
            ],
        ),
        (
            "k\0e\0y\0",
            &["has a NUL character between all others, as UTF-16 has"],
        ),
        (
            "\0k\0e\0y",
            &["has a NUL character between all others, as UTF-16 has"],
        ),
        (
            "k\0e\0y",
            &["has a NUL character between all others, as UTF-16 has"],
        ),
        (
            "line\r\nline",
            &["contains a carriage return (Windows line endings?)"],
        ),
    ];
    for (text, wanted) in cases {
        let value = make(text.as_bytes(), Kind::String);
        let found = value.map(|value| value.text_warnings("it"));
        let wanted = wanted
            .iter()
            .map(|what| format!("it {what}; it is stored exactly as given"));
        assert_eq!(found, Ok(wanted.collect()), "{text:?}");
    }
    let binary = make(b"\x00\x0d\x0a\x0a", Kind::Binary);
    assert_eq!(binary.map(|value| value.warnings("it")), Ok(Vec::new()));
    let short = make(b"ab", Kind::String).map(|value| value.warnings("it").len());
    assert_eq!(short, Ok(1));
}
