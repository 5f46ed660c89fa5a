//! Arbitrary and damaged files: parsing never panics, and problems never quote the file.

use proptest::prelude::*;
use serde_yaml::Value;

use super::*;

/// No secret or variable has a name in this format.
const MARKER: &str = "hunter2~made-up";

/// Variants of a file, each with the marker in place of or next to one node.
fn marked(value: &Value) -> Vec<Value> {
    let marker = Value::from(MARKER);
    let pair = Value::Mapping([(marker.clone(), marker.clone())].into_iter().collect());
    let mut files = vec![marker.clone(), Value::Sequence(vec![marker.clone()]), pair];
    match value {
        Value::Mapping(pairs) => {
            for (key, value) in pairs {
                let with = |name: &Value, value: Value| {
                    let pairs = pairs.iter().map(|(known, old)| match known == key {
                        true => (name.clone(), value.clone()),
                        false => (known.clone(), old.clone()),
                    });
                    Value::Mapping(pairs.collect())
                };
                files.push(with(&marker, value.clone()));
                files.extend(marked(value).into_iter().map(|value| with(key, value)));
            }
            let added = pairs.clone().into_iter().chain([(marker.clone(), marker)]);
            files.push(Value::Mapping(added.collect()));
        }
        Value::Sequence(items) => {
            for (nth, item) in items.iter().enumerate() {
                files.extend(marked(item).into_iter().map(|item| {
                    let mut items = items.clone();
                    items[nth] = item;
                    Value::Sequence(items)
                }));
            }
        }
        _ => {}
    }
    files
}

/// A manifest with every key.
const FULL: &str = "
defaults: { kms-key-id: alias/models, tags: { team: ml }, if-exists: update }
all-or-nothing: true
secrets:
  prod/${STAGE}/all:
    value: { secret: { id: 'staging/${STAGE}', stage: blue, region: eu-west-1, role: arn } }
    store-as: string
    json-key: key
    json-value-as: string
    description: for ${STAGE}
    tags: { a: '${STAGE}' }
    tag-policy: merge
    replica-regions: [eu-west-1, eu-west-2]
    resource-policy: { Statement: [{ Effect: Deny, Action: '*' }] }
    allow-public-policy: false
    version-stages: [AWSCURRENT]
    compare: auto
  prod/members:
    json:
      a: { env: A, value-encoding: base64 }
      /b/c: { file: b, json-value-as: json }
      d: { generate: { length: 8, classes: [lower, digits] } }
    merge: true
";

#[test]
fn file_text_is_never_quoted() {
    let mut rejected = 0;
    for text in [GOOD, FULL] {
        let _ = parse_valid(text);
        for file in marked(&serde_yaml::from_str(text).unwrap()) {
            let text = serde_yaml::to_string(&file).unwrap();
            if let Err(problems) = parse(text.as_bytes(), &lookup) {
                let report = lines(&problems);
                assert!(!report.contains("hunter2"), "{report}\n{text}");
                assert!(!report.contains("made-up"), "{report}\n{text}");
                rejected += 1;
            }
        }
    }
    // Not all of them are rejected: some keys accept any text.
    assert!(rejected > 200, "{rejected}");
}

/// Asserts that parsing does not panic, and that problems have positions in the file and do not quote it.
fn check(bytes: &[u8]) -> Result<(), TestCaseError> {
    if let Err(problems) = parse(bytes, &lookup) {
        prop_assert!(!problems.is_empty());
        let report = lines(&problems);
        prop_assert!(!report.contains("hunter2"), "{}", report);
        // Line endings of YAML 1.1.
        let lines = String::from_utf8_lossy(bytes)
            .split(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'])
            .count();
        for problem in &problems {
            let line = problem.position.map_or(1, |position| position.line);
            prop_assert!((1..=lines).contains(&line), "{}", report);
            prop_assert_eq!(report.lines().count(), problems.len());
        }
    }
    Ok(())
}

/// Pieces of YAML.
const PIECES: &[&str] = &[
    "secrets:",
    "\n",
    "\n  ",
    "\n    ",
    "\t",
    ": ",
    "- ",
    "? ",
    "{",
    "}",
    "[",
    "]",
    ", ",
    "a",
    "b: ",
    "'",
    "\"",
    "&a ",
    "*a",
    "!t ",
    "!!int ",
    "|\n",
    ">",
    "# ",
    "---\n",
    "...\n",
    "%YAML 1.2\n",
    "<<: ",
    "~",
    "1",
    "true",
    "value: ",
    "json: ",
    "env: ",
    "generate: ",
    "tags: ",
    "${",
    "$${",
    "}",
    "\\",
    "\u{e9}",
    "\u{2028}",
    "\u{feff}",
    "\r",
    "\r\n",
];

proptest! {
    #[test]
    fn arbitrary_bytes_do_not_panic(bytes: Vec<u8>) {
        check(&bytes)?;
    }

    #[test]
    fn arbitrary_yaml_pieces_do_not_panic(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..40), good in any::<bool>()) {
        let start = if good { "secrets:\n  a: " } else { "" };
        check(format!("{start}{}", pieces.concat()).as_bytes())?;
    }

    /// A valid manifest with the marker and a piece inserted and a part cut out.
    #[test]
    fn damaged_manifest_does_not_panic(
        full: bool,
        at in any::<prop::sample::Index>(),
        piece in prop::sample::select(PIECES),
        cut in any::<prop::sample::Index>(),
        length in 0..4_usize,
    ) {
        let mut text = if full { FULL } else { GOOD }.to_owned();
        text.insert_str(at.index(text.len()), MARKER);
        text.insert_str(cut.index(text.len()), piece);
        let from = cut.index(text.len() - length);
        let to = from + length;
        if text.is_char_boundary(from) && text.is_char_boundary(to) {
            text.replace_range(from..to, "");
        }
        check(text.as_bytes())?;
    }
}
