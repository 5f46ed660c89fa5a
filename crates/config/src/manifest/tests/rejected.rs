//! Invalid keys, kinds and variables, and their exact problems.

use super::*;

#[test]
fn unknown_keys_and_kinds_are_rejected() {
    assert_rejected(&[
        (
            "
secrets:
  a:
    value: { env: A }
    tag: made-up
    hunter2: made-up
    value-env: made-up
    value-file: made-up
    aws-region: made-up
    compare: auto
    compare: auto
    1: made-up
    ~: made-up
    !x y: made-up
    [a]: made-up
    <<: { if-exists: made-up }
",
            &[
                "5:5: secrets.a: has a key that it cannot have; did you mean `tags`?",
                "6:5: secrets.a: has a key that it cannot have",
                "7:5: secrets.a: has the key `value-env`; in a manifest that is `value: { env: NAME }` or `value: { file: PATH }`",
                "8:5: secrets.a: has the key `value-file`; in a manifest that is `value: { env: NAME }` or `value: { file: PATH }`",
                "9:5: secrets.a: has the key `aws-region`, which is an input of the run, not of a manifest",
                "11:5: secrets.a: has this key twice",
                "12:5: secrets.a: has a key that is not text; a number, `true` or `null` needs quotes",
                "13:5: secrets.a: has a key that is not text; a number, `true` or `null` needs quotes",
                "14:5: secrets.a: has a YAML tag (`!…`), which a manifest does not use; text that begins with `!` needs quotes",
                "15:5: secrets.a: has a key that is not text; a number, `true` or `null` needs quotes",
                "16:5: secrets.a: has a YAML merge key (`<<`), which a manifest does not use; `defaults` holds what all secrets share",
            ],
        ),
        (
            r#"
secrets:
  a: { value: { env: A } }
  "a": { value: { env: A } }
  ~: { value: { env: A } }
  "": { value: { env: A } }
  b:
  c: made-up
  d: !made-up { value: { env: A } }
  e: {}
  this ~ may be the value: { value: made-up }
"#,
            &[
                "4:3: secrets: has this key twice",
                "5:3: secrets: has a key that is not text; a number, `true` or `null` needs quotes",
                "6:3: secrets.*: has no name",
                "7:5: secrets.b: has no value; give it one, or omit the key",
                "8:6: secrets.c: must be a mapping",
                "9:6: secrets.d: has a YAML tag (`!…`), which a manifest does not use; text that begins with `!` needs quotes",
                "10:6: secrets.e: must have exactly one of `value` and `json`",
                "11:37: secrets.*.value: contains a value, which a manifest must not; name its source: `{ env: NAME }`",
            ],
        ),
        (
            r#"
secrets:
  a:
    value: { env: A }
    description:
    kms-key-id: 1234
    expected-version-id: true
    json-key: " "
    store-as: blob
    compare: 1
    if-exists: ~
    on-rotation: [made-up]
    allow-public-policy: "true"
    tags: [made-up]
    version-stages: []
    replica-regions: [eu-west-1, 1, ~, ""]
    resource-policy: [made-up]
"#,
            &[
                "5:17: secrets.a.description: has no value; give it one, or omit the key",
                "6:17: secrets.a.kms-key-id: must be text, and a number, `true` or `false` needs quotes to be text",
                "7:26: secrets.a.expected-version-id: must be text, and a number, `true` or `false` needs quotes to be text",
                "8:15: secrets.a.json-key: is empty; give it text, or omit the key",
                "9:15: secrets.a.store-as: must be `string` or `binary`",
                "10:14: secrets.a.compare: must be `auto` or `always` or `never`",
                "11:16: secrets.a.if-exists: has no value; give it one, or omit the key",
                "12:18: secrets.a.on-rotation: must be `fail` or `allow`",
                "13:26: secrets.a.allow-public-policy: must be `true` or `false`, without quotes",
                "14:11: secrets.a.tags: must be a mapping of text to text",
                "15:21: secrets.a.version-stages: must be text, or a list of texts that is not empty",
                "16:34: secrets.a.replica-regions: must be text, and a number, `true` or `false` needs quotes to be text",
                "16:37: secrets.a.replica-regions: has no value; give it one, or omit the key",
                "16:40: secrets.a.replica-regions: is empty; give it text, or omit the key",
                "17:22: secrets.a.resource-policy: must be a mapping, or text: JSON or `file:PATH`",
            ],
        ),
        (
            "
secrets:
  a:
    value: { env: A }
    tags:
      made-up: 1
      made: ~
      up: { made: up }
      up: again
      1: made-up
      $${a: x
      $$${STAGE}: x
    resource-policy:
      Statement:
        - Effect: ~
          Action: [made-up, !made up, .inf]
          Action: made-up
          Null: made-up
",
            &[
                "6:16: secrets.a.tags: must be text, and a number, `true` or `false` needs quotes to be text",
                "7:13: secrets.a.tags: has no value; give it one, or omit the key",
                "8:11: secrets.a.tags: must be text",
                "9:7: secrets.a.tags: has this key twice",
                "10:7: secrets.a.tags: has a key that is not text; a number, `true` or `null` needs quotes",
                "15:19: secrets.a.resource-policy: has nothing here, which no policy needs",
                "16:29: secrets.a.resource-policy: has a YAML tag (`!…`), which a manifest does not use; text that begins with `!` needs quotes",
                "16:39: secrets.a.resource-policy: has a number that JSON does not have",
                "17:11: secrets.a.resource-policy: has this key twice",
                "18:11: secrets.a.resource-policy: has a key that is not text; a number, `true` or `null` needs quotes",
            ],
        ),
        (
            r#"
secrets:
  a:
    value: { env: A }
    description: { made: up }
    resource-policy: ""
    version-stages: ""
    replica-regions: 1
    merge: true
"#,
            &[
                "5:18: secrets.a.description: must be text",
                "6:22: secrets.a.resource-policy: is empty; give it text, or omit the key",
                "7:21: secrets.a.version-stages: is empty; give it text, or omit the key",
                "8:22: secrets.a.replica-regions: must be text, or a list of texts that is not empty",
                "9:12: secrets.a.merge: is set, but neither `json` nor `dotenv`, whose keys it merges",
            ],
        ),
    ]);
}

#[test]
fn invalid_defaults_are_rejected() {
    assert_rejected(&[
        (
            "
defaults:
  value: { env: A }
  json: {}
  merge: true
  json-key: made-up
  value-encoding: text
  expected-version-id: made-up
  tags: made-up
  tga: made-up
  store-as: made-up
secrets:
  a: { value: { env: A } }
",
            &[
                "3:3: defaults: has the key `value`, which applies to a single secret",
                "4:3: defaults: has the key `json`, which applies to a single secret",
                "5:3: defaults: has the key `merge`, which applies to a single secret",
                "6:3: defaults: has the key `json-key`, which applies to a single secret",
                "7:3: defaults: has the key `value-encoding`, which applies to a single secret",
                "8:3: defaults: has the key `expected-version-id`, which applies to a single secret",
                "9:9: defaults.tags: must be a mapping of text to text",
                "10:3: defaults: has a key that it cannot have",
                "11:13: defaults.store-as: must be `string` or `binary`",
            ],
        ),
        (
            "
defaults: made-up
secrets:
  a: { value: { env: A } }
",
            &["2:11: defaults: must be a mapping"],
        ),
    ]);
}

#[test]
fn invalid_variables_are_rejected() {
    assert_rejected(&[(
        r#"
secrets:
  ${MISSING}/a:
    value: { file: "${EMPTY}" }
    description: ${made-up}
    tags: { "${MISSING}": "${" }
  prod/b: { value: { env: A } }
  ${STAGE}/b: { value: { secret: { id: "${MISSING}" } } }
  c:
    value: { env: "${STAGE}" }
    description: ${{ secrets.MADE_UP }}
    tags: { prod: a, "${STAGE}": b }
"#,
        &[
            "3:3: secrets.${MISSING}/a: has `${MISSING}`, but the variable MISSING is empty or not set",
            "4:20: secrets.${MISSING}/a.value.file: has `${EMPTY}`, but the variable EMPTY is empty or not set",
            "5:18: secrets.${MISSING}/a.description: has a `${…}` without the name of a variable (`${{ … }}` is workflow syntax, which is not replaced in a file); for a literal `${`, write `$${`",
            "6:13: secrets.${MISSING}/a.tags: has `${MISSING}`, but the variable MISSING is empty or not set",
            "6:27: secrets.${MISSING}/a.tags: has a `${` without a `}`; for a literal `${`, write `$${`",
            "8:3: secrets.${STAGE}/b: has the same name as another entry once variables are replaced",
            "8:40: secrets.${STAGE}/b.value.secret.id: has `${MISSING}`, but the variable MISSING is empty or not set",
            "10:19: secrets.c.value.env: is written like a reference; it takes the name of the variable alone, without `$`, `%` or braces: `env: NAME`",
            "11:18: secrets.c.description: has a `${…}` without the name of a variable (`${{ … }}` is workflow syntax, which is not replaced in a file); for a literal `${`, write `$${`",
            "12:22: secrets.c.tags: has two keys that are equal once variables are replaced",
        ],
    )]);
}
