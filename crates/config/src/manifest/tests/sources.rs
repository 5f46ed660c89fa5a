//! Invalid sources of values, and their exact problems.

use super::*;

#[test]
fn invalid_sources_are_rejected() {
    assert_rejected(&[
        (
            "
secrets:
  a: { value: made-up }
  b: { value: 1234 }
  c: { value: true }
  d: { value: }
  e: { value: [made-up] }
  f: { value: {} }
  g: { value: { env: A, file: b } }
  h: { value: { made-up: x } }
  i: { value: { enf: A } }
  j: { value: !env A }
  k: { value: { env: A }, json: { a: { env: A } } }
  l: { value: { env: A, value-encoding: base64 } }
",
            &[
                "3:15: secrets.a.value: holds a value itself, which a manifest never does; say where it comes from: `{ env: NAME }`",
                "4:15: secrets.b.value: holds a value itself, which a manifest never does; say where it comes from: `{ env: NAME }`",
                "5:15: secrets.c.value: holds a value itself, which a manifest never does; say where it comes from: `{ env: NAME }`",
                "6:15: secrets.d.value: has no value; say where it comes from: `{ env: NAME }`",
                "7:15: secrets.e.value: must be a mapping with the keys `env`, `file`, `secret`, `generate`",
                "8:15: secrets.f.value: must have exactly one of `env`, `file`, `secret` and `generate`",
                "9:15: secrets.g.value: must have exactly one of `env`, `file`, `secret` and `generate`",
                "10:17: secrets.h.value: has a key that it cannot have",
                "11:17: secrets.i.value: has a key that it cannot have; did you mean `env`?",
                "12:15: secrets.j.value: has a YAML tag (`!…`), which a manifest does not use; text that begins with `!` needs quotes",
                "13:6: secrets.k: must have exactly one of `value` and `json`",
                "14:25: secrets.l.value: has the key `value-encoding`, which belongs into the entry of a secret, not here",
            ],
        ),
        (
            r#"
secrets:
  a: { value: { env: $MADE_UP } }
  b: { value: { env: "" } }
  c: { value: { env: [made-up] } }
  d: { value: { file: "-" } }
  e: { value: { file: 1 } }
  f: { value: { secret: made-up } }
  g: { value: { secret: { stage: made-up, account: "1" } } }
  h: { value: { secret: { id: a, region: 1, role: ~ } } }
  i: { value: { secret: { id: a } }, value-encoding: text }
  j: { value: { generate: { length: 8 } }, value-encoding: base64 }
"#,
            &[
                "3:22: secrets.a.value.env: is not the name of a variable; it takes the name of the variable that holds the value, without `$`, not the value itself",
                "4:22: secrets.b.value.env: is empty; give it text, or leave the key out",
                "5:22: secrets.c.value.env: must be text",
                "6:23: secrets.d.value.file: is standard input, which is for a single secret; give the path of a file",
                "7:23: secrets.e.value.file: must be text, and a number, `true` or `false` needs quotes to be text",
                "8:25: secrets.f.value.secret: must be a mapping with the keys `id`, `stage`, `region`, `role`",
                "9:25: secrets.g.value.secret: lacks the key `id`",
                "9:43: secrets.g.value.secret: has a key that it cannot have",
                "10:42: secrets.h.value.secret.region: must be text, and a number, `true` or `false` needs quotes to be text",
                "10:51: secrets.h.value.secret.role: has no value; give it one, or leave the key out",
                "11:54: secrets.i.value-encoding: goes with `env` and `file` only: another secret is taken as it is, and a generated value is text",
                "12:60: secrets.j.value-encoding: goes with `env` and `file` only: another secret is taken as it is, and a generated value is text",
            ],
        ),
        (
            r#"
secrets:
  a: { value: { generate: 48 } }
  b: { value: { generate: {} } }
  c: { value: { generate: { length: "48" } } }
  d: { value: { generate: { length: 7 } } }
  e: { value: { generate: { length: 4097 } } }
  f: { value: { generate: { length: -8 } } }
  g: { value: { generate: { length: 8.5 } } }
  h: { value: { generate: { length: 8, classes: [] } } }
  i: { value: { generate: { length: 8, classes: lower } } }
  j: { value: { generate: { length: 8, classes: [lower, emoji, lower] } } }
  k: { value: { generate: { length: 340282366920938463463374607431768211456 } } }
  l: { value: { generate: { length: } } }
"#,
            &[
                "3:27: secrets.a.value.generate: must be a mapping with the keys `length`, `classes`",
                "4:27: secrets.b.value.generate: lacks the key `length`",
                "5:37: secrets.c.value.generate.length: must be a whole number from 8 to 4096, without quotes",
                "6:37: secrets.d.value.generate.length: must be a whole number from 8 to 4096, without quotes",
                "7:37: secrets.e.value.generate.length: must be a whole number from 8 to 4096, without quotes",
                "8:37: secrets.f.value.generate.length: must be a whole number from 8 to 4096, without quotes",
                "9:37: secrets.g.value.generate.length: must be a whole number from 8 to 4096, without quotes",
                "10:49: secrets.h.value.generate.classes: must be a list of some of `lower`, `upper`, `digits`, `symbols`",
                "11:49: secrets.i.value.generate.classes: must be a list of some of `lower`, `upper`, `digits`, `symbols`",
                "12:57: secrets.j.value.generate.classes: must be `lower` or `upper` or `digits` or `symbols`",
                "12:64: secrets.j.value.generate.classes: is in the list already",
                "13:37: secrets.k.value.generate.length: must be a whole number from 8 to 4096, without quotes",
                "14:37: secrets.l.value.generate.length: has no value; give it one, or leave the key out",
            ],
        ),
    ]);
}

#[test]
fn invalid_members_are_rejected() {
    assert_rejected(&[
        (
            "
secrets:
  a: { json: made-up }
  b: { json: }
  c: { json: {} }
  d: { json: [made-up] }
  e: { json: { made-up: made-up } }
  f: { json: { made-up: { env: A, made-up: x } } }
  g: { json: { a: { env: A }, a: { env: B } } }
  h: { json: { a: { env: A }, /a: { env: B } } }
  i: { json: { /a/b: { env: A }, a: { env: B }, /a~1b: { env: C } } }
  j: { json: { /~: { env: A } } }
  k: { json: { 1: { env: A } } }
",
            &[
                "3:14: secrets.a.json: holds a value itself, which a manifest never does; say for each key where it comes from: `{ user: { env: NAME } }`",
                "4:14: secrets.b.json: has no value; give it one, or leave the key out",
                "5:14: secrets.c.json: is empty; it needs one key at least",
                "6:14: secrets.d.json: must be a mapping from keys to where they come from",
                "7:25: secrets.e.json.*: holds a value itself, which a manifest never does; say where it comes from: `{ env: NAME }`",
                "8:35: secrets.f.json.*: has a key that it cannot have",
                "9:31: secrets.g.json: has this key twice",
                "10:31: secrets.h.json.*: is the same key as another member",
                "11:16: secrets.i.json.*: is inside the key of another member",
                "12:16: secrets.j.json.*: begins with `/` and so is a JSON pointer, in which `~` is written `~0` and `/` `~1`",
                "13:16: secrets.k.json: has a key that is not text; a number, `true` or `null` needs quotes",
            ],
        ),
        (
            r#"
secrets:
  a: { json: { a: { env: A } }, json-key: a, json-value-as: json, value-encoding: text }
  b: { json: { a: { env: A } }, store-as: binary }
  c: { json: { a: { generate: { length: 8 } } } }
  d: { json: { a: { generate: { length: 8 } } }, merge: false }
  e: { json: { a: { generate: { length: 8 }, json-value-as: json } }, merge: true }
  f: { json: { a: { secret: { id: b }, value-encoding: text } } }
  g: { json: { a: { generate: { length: 8 }, value-encoding: text } }, merge: true }
  h: { json: { a: { env: A, value-encoding: made-up, json-value-as: made-up } } }
  i: { json: { a: { env: A } }, merge: "true" }
"#,
            &[
                "3:43: secrets.a.json-key: does not go with `json`, whose keys say where a value goes",
                "3:61: secrets.a.json-value-as: does not go with `json`; it is for one of its members",
                "3:83: secrets.a.value-encoding: does not go with `json`; it is for one of its members",
                "4:14: secrets.b.json: is text, which does not go with `store-as: binary`",
                "5:19: secrets.c.json.*: is generated, which needs `merge: true`: without it the whole document is written, and this would be new in every run",
                "6:19: secrets.d.json.*: is generated, which needs `merge: true`: without it the whole document is written, and this would be new in every run",
                "7:19: secrets.e.json.*: is generated, and what is generated is text: `json-value-as: json` does not go with it",
                "8:56: secrets.f.json.*.value-encoding: goes with `env` and `file` only: another secret is taken as it is, and a generated value is text",
                "9:62: secrets.g.json.*.value-encoding: goes with `env` and `file` only: another secret is taken as it is, and a generated value is text",
                "10:45: secrets.h.json.*.value-encoding: must be `text` or `base64`",
                "10:69: secrets.h.json.*.json-value-as: must be `string` or `json`",
                "11:40: secrets.i.merge: must be `true` or `false`, without quotes",
            ],
        ),
        (
            "
defaults: { store-as: binary }
secrets:
  a: { json: { a: { env: A } } }
  b: { json: { a: { env: A } }, store-as: string, compare: auto }
  c: { value: { env: A } }
",
            &["4:14: secrets.a.json: is text, which does not go with `store-as: binary`"],
        ),
    ]);
}
