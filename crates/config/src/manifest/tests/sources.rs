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
                "3:15: secrets.a.value: contains a value, which a manifest must not; name its source: `{ env: NAME }`",
                "4:15: secrets.b.value: contains a value, which a manifest must not; name its source: `{ env: NAME }`",
                "5:15: secrets.c.value: contains a value, which a manifest must not; name its source: `{ env: NAME }`",
                "6:15: secrets.d.value: has no value; name its source: `{ env: NAME }`",
                "7:15: secrets.e.value: must be a mapping with the keys `dotenv`, `env`, `file`, `secret`, `generate`, `pointer`",
                "8:15: secrets.f.value: must have exactly one of `dotenv`, `env`, `file`, `secret`, `generate`",
                "9:15: secrets.g.value: must have exactly one of `dotenv`, `env`, `file`, `secret`, `generate`",
                "10:17: secrets.h.value: has a key that it cannot have",
                "11:17: secrets.i.value: has a key that it cannot have; did you mean `env`?",
                "12:15: secrets.j.value: has a YAML tag (`!…`), which a manifest does not use; text that begins with `!` needs quotes",
                "13:6: secrets.k: must have exactly one of `value` and `json`",
                "14:25: secrets.l.value: has the key `value-encoding`, which belongs in the entry of a secret, not here",
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
                "3:22: secrets.a.value.env: is written like a reference; it takes the name of the variable alone, without `$`, `%` or braces: `env: NAME`",
                "4:22: secrets.b.value.env: is empty; give it text, or omit the key",
                "5:22: secrets.c.value.env: must be text",
                "6:23: secrets.d.value.file: is standard input, which is for a single secret; give the path of a file",
                "7:23: secrets.e.value.file: must be text, and a number, `true` or `false` needs quotes to be text",
                "8:25: secrets.f.value.secret: must be a mapping with the keys `id`, `stage`, `region`, `role`",
                "9:25: secrets.g.value.secret: lacks the key `id`",
                "9:43: secrets.g.value.secret: has a key that it cannot have",
                "10:42: secrets.h.value.secret.region: must be text, and a number, `true` or `false` needs quotes to be text",
                "10:51: secrets.h.value.secret.role: has no value; give it one, or omit the key",
                "11:54: secrets.i.value-encoding: is for `env` and `file` only: the value of another secret is used as it is, and a generated value is text",
                "12:60: secrets.j.value-encoding: is for `env` and `file` only: the value of another secret is used as it is, and a generated value is text",
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
                "12:64: secrets.j.value.generate.classes: is listed twice",
                "13:37: secrets.k.value.generate.length: must be a whole number from 8 to 4096, without quotes",
                "14:37: secrets.l.value.generate.length: has no value; give it one, or omit the key",
            ],
        ),
    ]);
}

#[test]
fn invalid_documents_are_rejected() {
    assert_rejected(&[
        (
            "
secrets:
  a: { value: { env: A, pointer: a } }
  b: { value: { env: A, pointer: /~x } }
  c: { value: { env: A, pointer: 1 } }
  d: { value: { generate: { length: 8 }, pointer: /a } }
  e: { value: { dotenv: .env, pointer: /a } }
  f: { json: { x: { generate: { length: 8 }, pointer: /a } }, merge: true }
  g: { json: { x: { pointer: /a } } }
  h: { json: { x: { dotenv: .env } } }
  i: { value: { env: A, pointer: '' } }
  j: { value: { env: A }, value-encoding: dotenv }
",
            &[
                "3:34: secrets.a.value.pointer: must be a JSON pointer, which begins with `/`: `/database/password`",
                "4:34: secrets.b.value.pointer: begins with `/` and so is a JSON pointer, in which `~` is written `~0` and `/` `~1`",
                "5:34: secrets.c.value.pointer: must be text, and a number, `true` or `false` needs quotes to be text",
                "6:51: secrets.d.value.pointer: cannot be combined with `generate`; it is for `env`, `file` and `secret`, whose value can be a JSON document",
                "7:40: secrets.e.value.pointer: cannot be combined with `dotenv`; it is for `env`, `file` and `secret`, whose value can be a JSON document",
                "8:55: secrets.f.json.*.pointer: cannot be combined with `generate`; it is for `env`, `file` and `secret`, whose value can be a JSON document",
                "9:19: secrets.g.json.*: must have exactly one of `env`, `file`, `secret`, `generate`",
                "10:21: secrets.h.json.*: has the key `dotenv`, which is for `value` only: `value: { dotenv: PATH }`",
                "11:34: secrets.i.value.pointer: is empty; give it text, or omit the key",
                "12:43: secrets.j.value-encoding: must be `text` or `base64`",
            ],
        ),
        (
            "
secrets:
  a: { value: { dotenv: .env }, json-key: a, json-value-as: json, value-encoding: text }
  b: { value: { dotenv: .env }, store-as: binary }
  c: { value: { dotenv: '-' } }
  d: { value: { dotenv: { file: x } } }
  e: { value: { env: A }, merge: true }
  f: { value: { dotenv: .env, file: x } }
",
            &[
                "3:43: secrets.a.json-key: cannot be combined with `dotenv`, whose pairs are the keys of the document",
                "3:61: secrets.a.json-value-as: cannot be combined with `dotenv`, whose values are strings",
                "3:83: secrets.a.value-encoding: cannot be combined with `dotenv`, whose values are text",
                "4:15: secrets.b.value: is text, which cannot be combined with `store-as: binary`",
                "5:25: secrets.c.value.dotenv: is standard input, which is for a single secret; give the path of a file",
                "6:25: secrets.d.value.dotenv: must be text",
                "7:34: secrets.e.merge: is set, but neither `json` nor `dotenv`, whose keys it merges",
                "8:15: secrets.f.value: must have exactly one of `dotenv`, `env`, `file`, `secret`, `generate`",
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
                "3:14: secrets.a.json: contains a value, which a manifest must not; name the source of each key: `{ user: { env: NAME } }`",
                "4:14: secrets.b.json: has no value; give it one, or omit the key",
                "5:14: secrets.c.json: is empty; it needs at least one key",
                "6:14: secrets.d.json: must be a mapping from keys to where they come from",
                "7:25: secrets.e.json.*: contains a value, which a manifest must not; name its source: `{ env: NAME }`",
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
                "3:43: secrets.a.json-key: cannot be combined with `json`, whose keys determine where a value goes",
                "3:61: secrets.a.json-value-as: cannot be combined with `json`; it is for one of its members",
                "3:83: secrets.a.value-encoding: cannot be combined with `json`; it is for one of its members",
                "4:14: secrets.b.json: is text, which cannot be combined with `store-as: binary`",
                "5:19: secrets.c.json.*: is generated, which requires `merge: true`: without it, every run would write the whole document with a new value",
                "6:19: secrets.d.json.*: is generated, which requires `merge: true`: without it, every run would write the whole document with a new value",
                "7:19: secrets.e.json.*: is generated, and what is generated is text: `json-value-as: json` cannot be combined with it",
                "8:56: secrets.f.json.*.value-encoding: is for `env` and `file` only: the value of another secret is used as it is, and a generated value is text",
                "9:62: secrets.g.json.*.value-encoding: is for `env` and `file` only: the value of another secret is used as it is, and a generated value is text",
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
            &["4:14: secrets.a.json: is text, which cannot be combined with `store-as: binary`"],
        ),
    ]);
}
