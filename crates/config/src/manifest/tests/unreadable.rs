//! Files that are not manifests, and their exact problems.

use super::*;

#[test]
fn whole_file_problems_are_explained() {
    assert_rejected(&[
(
"
# nothing in it
",
&["the file is empty"]),
(
"
defaults: {}
",
&["2:1: lacks the key `secrets`"]),
(
"
- a
",
&["2:1: must be a mapping with the keys `defaults`, `secrets`, `all-or-nothing`, `$schema`"]),
(
"
made-up
",
&["2:1: must be a mapping with the keys `defaults`, `secrets`, `all-or-nothing`, `$schema`"]),
(
"
secrets:
",
&["2:9: secrets: has no value; give it one, or omit the key"]),
(
"
secrets: []
",
&["2:10: secrets: must be a mapping from names of secrets to what they hold"]),
(
"
secrets: {}
all-or-nothing: yes
$schema: 1
extra: 1
1: 2
",
&[
    "2:10: secrets: is empty; it needs at least one secret",
    "3:17: all-or-nothing: must be `true` or `false`, without quotes",
    "4:10: $schema: must be text, and a number, `true` or `false` needs quotes to be text",
    "5:1: has a key that it cannot have",
    "6:1: has a key that is not text; a number, `true` or `null` needs quotes",
]),
(
"
secrets:
  a: { value: { env: A } }
---
secrets: {}
",
&["4:1: begins a second document; a manifest is one"]),
(
"
--- # the first
secrets: { a: { value: { env: A } } }
---
",
&["4:1: begins a second document; a manifest is one"]),
(
"
secrets: &all
  a: *all
",
&["2:10: is nested too deeply"]),
(
"
secrets: { a: [&a [x, x, x, x], &b [*a, *a, *a, *a], &c [*b, *b, *b, *b], &d [*c, *c, *c, *c], &e [*d, *d, *d, *d], &f [*e, *e, *e, *e], &g [*f, *f, *f, *f]] }
",
&["the file repeats too much by aliases (`*name`); `defaults` holds what all secrets share"]),
]);
}

#[test]
fn invalid_yaml_is_explained() {
    assert_rejected(&[
        (
            "secrets:\n\ta: made-up\n",
            &["2:1: has a tab for indentation, which YAML does not allow; use spaces"],
        ),
        (
            "secrets:\n  a:\n    description: made-up\n\tvalue: made-up\n",
            &["4:1: has a tab for indentation, which YAML does not allow; use spaces"],
        ),
        (
            "secrets:\n  a:\n    description: |\n\tmade-up\n",
            &["4:1: has a tab for indentation, which YAML does not allow; use spaces"],
        ),
        (
            "{\n\t\"secrets\": 1,\n\t\"a\" \"b\"\n}",
            &[
                "3:6: does not fit here: a list in `[]` or a mapping in `{}` lacks a comma or its end",
            ],
        ),
        (
            "secrets:\n  a: \"\u{1}\"\n",
            &["2:7: is a character that YAML does not allow; in quotes it can be written `\\xNN`"],
        ),
        (
            "secrets:\n  \u{feff}a: made-up\n",
            &["2:3: is a character that YAML does not allow; in quotes it can be written `\\xNN`"],
        ),
        (
            "
secrets:
  a:
    description: made-up: made-up
",
            &[
                "4:25: has a `:` where none can be: a line above it may be indented wrongly, and text with `: ` in it needs quotes",
            ],
        ),
        (
            "
secrets:
  a:
    value: { env: A }
   description: made-up
",
            &[
                "5:4: does not fit what is above it: the indentation differs, or a quoted text continues after its quotes",
            ],
        ),
        (
            "
secrets:
  a:
    description: 'made'up
",
            &[
                "4:24: does not fit what is above it: the indentation differs, or a quoted text continues after its quotes",
            ],
        ),
        (
            "
secrets:
  a:
    tags: [made
  b: up]
",
            &[
                "5:4: does not fit here: a list in `[]` or a mapping in `{}` lacks a comma or its end",
            ],
        ),
        (
            "
secrets:
  a:
    value: { file: - }
",
            &[
                "4:20: has nothing where something must be: a `]` or `}` is missing or too many, or text such as `-` needs quotes",
            ],
        ),
        (
            r#"
secrets:
  a:
    description: "made up
    value: { env: A }
"#,
            &["4:18: begins a quote that is not closed"],
        ),
        (
            r#"
"made up
"#,
            &["2:1: begins a quote that is not closed"],
        ),
        (
            "
secrets:
  a:
    description: @made-up
",
            &["4:18: begins with a character that text can only have in quotes"],
        ),
        (
            r#"
secrets:
  a:
    description: "made-\q"
"#,
            &[
                "4:24: has an escape (`\\`) that YAML does not know; in single quotes `\\` is itself",
            ],
        ),
        (
            r#"
secrets:
  a:
    description: "made-\up"
"#,
            &[
                "4:26: has an escape (`\\x`, `\\u`) without its digits; in single quotes `\\` is itself",
            ],
        ),
        (
            r#"
secrets:
  a:
    description: "\ud83d\ude00"
"#,
            &["4:21: has an escape (`\\u`) of half a character; write the character itself"],
        ),
        (
            "
secrets:
  a:
    description: *made-up
",
            &[
                "4:18: is an alias (`*`) of something that is not there; text that begins with `*` needs quotes",
            ],
        ),
        (
            "
secrets:
  a:
    description: !made!up x
",
            &[
                "4:18: has a YAML tag (`!…`), which a manifest does not use; text that begins with `!` needs quotes",
            ],
        ),
        (
            "
secrets:
  - a: made-up
  b: made-up
",
            &[
                "4:3: does not fit the list above it: an item begins with `- `, and the indentation must be the same",
            ],
        ),
        (
            "
secrets:
  a: - made-up
",
            &[
                "3:6: has a list where none can be; it begins on a line of its own, or is written `[a, b]`",
            ],
        ),
        (
            "
secrets:
  a: !!int made-up
",
            &["3:6: is not valid YAML"],
        ),
    ]);
}

#[test]
fn invalid_encoding_is_rejected() {
    let large = vec![b' '; MAX_BYTES + 1];
    let nested = "[".repeat(2_000);
    // Brackets in quotes do not close.
    let quoted = "[']'".repeat(2_000);
    let many = format!("[{}", "a,".repeat(1_000_001));
    let deep = "[".repeat(200) + &"]".repeat(200);
    let cases: &[(&[u8], &str)] = &[
        (&large, "the file has more than 16777216 bytes"),
        (b"\xff\xfea\0", "the file is UTF-16; save it as UTF-8"),
        (b"\xfe\xff\0a", "the file is UTF-16; save it as UTF-8"),
        (
            b"\xef\xbb\xbfa:\n  \xc3\xbc\xff",
            "2:4: is not valid UTF-8; save the file as UTF-8",
        ),
        (nested.as_bytes(), "1:257: is nested too deeply"),
        (quoted.as_bytes(), "1:1025: is nested too deeply"),
        (
            many.as_bytes(),
            "1:2000002: is more than a manifest may hold: a million keys and items; spread the secrets over several files",
        ),
        (deep.as_bytes(), "1:129: is nested too deeply"),
        (b"\xef\xbb\xbf", "the file is empty"),
        (b"", "the file is empty"),
        (b"~", "the file is empty"),
    ];
    for (bytes, wanted) in cases {
        let Err(problems) = parse(bytes, &lookup) else {
            panic!("is accepted, and not {wanted}");
        };
        assert_eq!(lines(&problems), *wanted);
    }
}

/// A few aliases that each expand to a lot, within libyaml's own limit.
#[test]
fn alias_expansion_is_bounded() {
    let much = "x,".repeat(100_000);
    let often = "*much,".repeat(100_000);
    let text = format!("[&much [{much}], {often}]");
    let wanted =
        "the file repeats too much by aliases (`*name`); `defaults` holds what all secrets share";
    assert_rejected(&[(&text, &[wanted])]);
    let text = format!("[&much \"{}\\x41\", {often}]", "x".repeat(100_000));
    assert_rejected(&[(&text, &[wanted])]);
}

#[test]
fn repeated_mistake_is_reported_50_times() {
    let text: String = (0..200).map(|n| format!("  s{n}: made-up\n")).collect();
    let text = format!("secrets:\n{text}");
    let Err(problems) = parse(text.as_bytes(), &lookup) else {
        panic!("is accepted");
    };
    assert_eq!(problems.len(), 51);
    assert_eq!(
        problems[49].to_string(),
        "51:8: secrets.s49: must be a mapping"
    );
    assert_eq!(problems[50].to_string(), "and 150 more");
}

/// A reference in place of a variable name or of quoted text.
#[test]
fn unquoted_reference_is_explained() {
    let unquoted = "has `${…}` without quotes inside `{}` or `[]`; write `\"${NAME}\"`, and after `env:` the name alone, without `$` and braces";
    let reference = "is written like a reference; it takes the name of the variable alone, without `$`, `%` or braces: `env: NAME`";
    for (text, position, wanted) in [
        (
            "secrets:\n  a: { value: { env: ${FOO} } }\n",
            "2:23",
            unquoted,
        ),
        (
            "secrets:\n  a: { value: { file: ${FOO} } }\n",
            "2:24",
            unquoted,
        ),
        (
            "secrets:\n  a: { value: { env: ${{ secrets.FOO }} } }\n",
            "2:23",
            unquoted,
        ),
        (
            "secrets:\n  a: { value: { file: /tmp/${FOO} } }\n",
            "2:29",
            unquoted,
        ),
        ("secrets:\n  a: { tags: [${FOO}] }\n", "2:16", unquoted),
        (
            "secrets:\n  a: { value: { env: '${FOO}' } }\n",
            "2:22: secrets.a.value.env",
            reference,
        ),
        (
            "secrets:\n  a: { value: { env: $FOO } }\n",
            "2:22: secrets.a.value.env",
            reference,
        ),
        (
            "secrets:\n  a: { value: { env: '%FOO%' } }\n",
            "2:22: secrets.a.value.env",
            reference,
        ),
    ] {
        assert_rejected(&[(text, &[&format!("{position}: {wanted}")])]);
    }
}
