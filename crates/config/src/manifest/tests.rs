//! Valid manifests; submodules test invalid ones.

use super::keys::ENTRY;
use super::*;
use crate::inputs::{self, RawInputs};

mod hostile;
mod rejected;
mod sources;
mod unreadable;

const GOOD: &str = "\
# yaml-language-server: $schema=https://made-up.example/manifest.schema.json
defaults:
  kms-key-id: alias/models
  tags: { team: ml }
secrets:
  prod/model/api-key:
    description: API key for AI model deployment workflow
    value: { env: MODEL_API_KEY }
  prod/model/database:
    json:
      user: { env: DB_USER }
      password: { env: DB_PASSWORD }
    merge: true
  prod/model/tls-key:
    value: { file: tls.key }
    store-as: binary
  prod/model/upstream:
    value: { secret: { id: staging/model/upstream, stage: AWSCURRENT } }
  prod/model/session-key:
    value: { generate: { length: 48 } }
";

fn lookup(name: &str) -> Option<String> {
    match name {
        "STAGE" => Some("prod".to_owned()),
        "TWICE" => Some("${STAGE}".to_owned()),
        "EMPTY" => Some(String::new()),
        _ => None,
    }
}

fn parse_valid(text: &str) -> Manifest {
    match parse(text.as_bytes(), &lookup) {
        Ok(manifest) => manifest,
        Err(problems) => panic!("{}", lines(&problems)),
    }
}

fn lines(problems: &[Problem]) -> String {
    let lines: Vec<_> = problems.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

/// Asserts that each manifest is rejected with exactly these problems.
fn assert_rejected(cases: &[(&str, &[&str])]) {
    for (text, wanted) in cases {
        let Err(problems) = parse(text.as_bytes(), &lookup) else {
            panic!("is accepted:\n{text}");
        };
        assert_eq!(lines(&problems), wanted.join("\n"), "in\n{text}");
    }
}

/// The inputs that are given, as text.
fn given_inputs(raw: &RawInputs) -> String {
    let lines = [
        ("store-as", &raw.store_as),
        ("description", &raw.description),
        ("kms-key-id", &raw.kms_key_id),
        ("tags", &raw.tags),
        ("replica-regions", &raw.replica_regions),
        ("resource-policy", &raw.resource_policy),
        ("allow-public-policy", &raw.allow_public_policy),
        ("version-stages", &raw.version_stages),
    ]
    .map(|(name, text)| text.as_ref().map(|text| format!("{name}={text}")));
    let lines: Vec<_> = lines.into_iter().flatten().collect();
    assert_eq!(raw.given().len(), lines.len() + 1, "{:?}", raw.given());
    lines.join("\n")
}

fn member(key: &str, variable: &str) -> Member {
    Member {
        key: upsert_secret_core::json::KeyPath::parse(key).unwrap(),
        reference: Reference::Env(variable.to_owned()),
        base64: false,
        pointer: None,
        as_json: false,
        node: 0,
    }
}

fn single(reference: Reference) -> ValueSpec {
    ValueSpec::Value {
        reference,
        pointer: None,
    }
}

/// The spec of an entry as [`member`] builds it, without nodes.
fn spec_without_nodes(entry: &Entry) -> ValueSpec {
    let mut spec = entry.spec.clone();
    if let ValueSpec::Json { members, .. } = &mut spec {
        for member in members {
            member.node = 0;
        }
    }
    spec
}

#[test]
fn documented_example_is_parsed() {
    let manifest = parse_valid(GOOD);
    assert_eq!(manifest.all_or_nothing, None);
    let secret = SecretRef {
        id: "staging/model/upstream".to_owned(),
        stage: Some("AWSCURRENT".to_owned()),
        region: None,
        role: None,
    };
    let spec = GenerateSpec {
        length: 48,
        classes: vec![
            CharacterClass::Lower,
            CharacterClass::Upper,
            CharacterClass::Digits,
        ],
    };
    let shared = "kms-key-id=alias/models\ntags={\"team\":\"ml\"}";
    let wanted = [
        (
            "prod/model/api-key",
            single(Reference::Env("MODEL_API_KEY".to_owned())),
            "description=API key for AI model deployment workflow\n",
        ),
        (
            "prod/model/database",
            ValueSpec::Json {
                members: vec![member("user", "DB_USER"), member("password", "DB_PASSWORD")],
                merge: true,
            },
            "",
        ),
        (
            "prod/model/tls-key",
            single(Reference::File("tls.key".to_owned())),
            "store-as=binary\n",
        ),
        ("prod/model/upstream", single(Reference::Secret(secret)), ""),
        (
            "prod/model/session-key",
            single(Reference::Generate(spec)),
            "",
        ),
    ];
    assert_eq!(manifest.entries.len(), wanted.len());
    for (entry, (name, spec, inputs)) in manifest.entries.iter().zip(wanted) {
        assert_eq!(entry.name, name);
        assert_eq!(spec_without_nodes(entry), spec);
        let raw = entry.inputs();
        assert_eq!(raw.name.as_deref(), Some(name));
        assert_eq!(given_inputs(&raw), format!("{inputs}{shared}"));
    }
}

#[test]
fn entry_overrides_defaults_and_merges_tags() {
    let manifest = parse_valid(
        "
defaults: { store-as: binary, tags: { team: ml, stage: dev }, resource-policy: file:policy.json }
all-or-nothing: true
secrets:
  a: { value: { env: A }, store-as: string, tags: { stage: '', owner: me } }
  b: { value: { env: B }, tags: {} }
",
    );
    assert_eq!(manifest.all_or_nothing, Some(true));
    let inputs: Vec<_> = (manifest.entries.iter())
        .map(|entry| given_inputs(&entry.inputs()))
        .collect();
    assert_eq!(
        inputs,
        [
            "store-as=string\ntags={\"owner\":\"me\",\"stage\":\"\",\"team\":\"ml\"}\nresource-policy=file:policy.json",
            "store-as=binary\ntags={\"stage\":\"dev\",\"team\":\"ml\"}\nresource-policy=file:policy.json",
        ]
    );
}

#[test]
fn every_shape_becomes_input_text() {
    let manifest = parse_valid(
        "
secrets:
  a:
    value: { env: A }
    description: >
      In a block
      of text
    tags: {}
    replica-regions: [eu-west-1, eu-west-2=alias/key]
    resource-policy:
      Version: 2012-10-17
      Statement: [{ Effect: Deny, Condition: { Bool: { 'aws:SecureTransport': false }, N: [1, -2, 1.5] } }]
    allow-public-policy: false
    version-stages: [AWSCURRENT, blue]
",
    );
    let wanted = "description=In a block of text\ntags={}\nreplica-regions=eu-west-1\neu-west-2=alias/key\n\
        resource-policy={\"Statement\":[{\"Condition\":{\"Bool\":{\"aws:SecureTransport\":false},\"N\":[1,-2,1.5]},\
        \"Effect\":\"Deny\"}],\"Version\":\"2012-10-17\"}\nallow-public-policy=false\nversion-stages=AWSCURRENT,blue";
    assert_eq!(given_inputs(&manifest.entries[0].inputs()), wanted);
}

#[test]
fn variables_expand_in_public_texts_only() {
    let manifest = parse_valid(
        "
secrets:
  ${STAGE}/a:
    value: { secret: { id: '${STAGE}/b', role: '${STAGE}' } }
    description: for ${TWICE}, $${STAGE}
    tags: { '${STAGE}': '${STAGE}' }
    kms-key-id: ${STAGE}
  b: { json: { '${STAGE}': { file: 'keys/${STAGE}' } } }
",
    );
    let [a, b] = &manifest.entries[..] else {
        panic!("two secrets");
    };
    assert_eq!(a.name, "prod/a");
    let wanted =
        "description=for ${STAGE}, ${STAGE}\nkms-key-id=${STAGE}\ntags={\"prod\":\"prod\"}";
    assert_eq!(given_inputs(&a.inputs()), wanted);
    assert!(matches!(
        &a.spec,
        ValueSpec::Value { reference: Reference::Secret(SecretRef { id, role: Some(role), .. }), pointer: None } if id == "prod/b" && role == "${STAGE}"
    ));
    assert!(matches!(
        &b.spec,
        ValueSpec::Json { members, merge: false }
            if members[0].key.to_string() == "${STAGE}"
                && members[0].reference == Reference::File("keys/prod".to_owned())
    ));
}

#[test]
fn json_with_byte_order_mark_is_parsed() {
    let text = "\u{feff}{\n\t\"$schema\": \"x\",\n\t\"secrets\": {\"a\": {\"json\": {\"/k\\u00fc/~1\": \
        {\"env\": \"A\", \"value-encoding\": \"base64\", \"json-value-as\": \"json\"}}}}\n}\r\n";
    let manifest = parse_valid(text);
    let wanted = ValueSpec::Json {
        members: vec![Member {
            base64: true,
            as_json: true,
            ..member("/kü/~1", "A")
        }],
        merge: false,
    };
    assert_eq!(spec_without_nodes(&manifest.entries[0]), wanted);
}

#[test]
fn pointer_and_dotenv_are_parsed() {
    let manifest = parse_valid(
        "
secrets:
  a: { value: { env: A, pointer: /a/~1b }, json-value-as: json }
  b: { value: { secret: { id: x }, pointer: / } }
  c: { json: { k: { file: f, pointer: '/a ', json-value-as: json } } }
  d: { value: { dotenv: '${STAGE}.env' } }
  e: { value: { dotenv: .env }, merge: true }
",
    );
    let pointer = |text: &str| upsert_secret_core::json::KeyPath::parse(text).ok();
    let secret = SecretRef {
        id: "x".to_owned(),
        stage: None,
        region: None,
        role: None,
    };
    let dotenv = |path: &str, merge| ValueSpec::Dotenv {
        reference: Reference::Dotenv(path.to_owned()),
        merge,
    };
    let specs: Vec<_> = manifest.entries.iter().map(spec_without_nodes).collect();
    assert_eq!(
        specs,
        [
            ValueSpec::Value {
                reference: Reference::Env("A".to_owned()),
                pointer: pointer("/a/~1b"),
            },
            ValueSpec::Value {
                reference: Reference::Secret(secret),
                pointer: pointer("/"),
            },
            ValueSpec::Json {
                members: vec![Member {
                    reference: Reference::File("f".to_owned()),
                    pointer: pointer("/a "),
                    as_json: true,
                    ..member("k", "")
                }],
                merge: false,
            },
            dotenv("prod.env", false),
            dotenv(".env", true),
        ]
    );
}

#[test]
fn aliases_are_resolved() {
    let manifest =
        parse_valid("secrets:\n  a: &a { value: &v { env: A } }\n  b: *a\n  c: { value: *v }\n");
    assert_eq!(manifest.entries.len(), 3);
    for entry in manifest.entries {
        assert_eq!(entry.spec, single(Reference::Env("A".to_owned())));
    }
}

#[test]
fn thousands_of_entries_share_defaults() {
    let policy = "x".repeat(20_000);
    let mut text = format!("defaults: {{ resource-policy: {policy} }}\nsecrets:\n");
    for n in 0..10_000 {
        text.push_str(&format!(
            "  prod/model/key-{n}:\n    description: Key {n}\n    value: {{ env: KEY_{n} }}\n"
        ));
    }
    let manifest = parse_valid(&text);
    assert_eq!(manifest.entries.len(), 10_000);
    let last = &manifest.entries[9_999];
    assert_eq!(last.name, "prod/model/key-9999");
    assert_eq!(last.inputs().resource_policy.as_ref(), Some(&policy));
    assert!(std::sync::Arc::ptr_eq(
        &last.defaults,
        &manifest.entries[0].defaults
    ));
}

#[test]
fn later_problems_get_position_of_input() {
    let mut manifest = parse_valid(GOOD);
    let mut problems = Vec::new();
    for entry in manifest.entries.drain(..) {
        problems.extend([
            entry.problem("kms-key-id", "is of no use"),
            entry.problem("name", "is no name"),
            entry.problem("store-as", "is wrong"),
        ]);
        if entry.name == "prod/model/database" {
            problems.push(entry.member_problem(1, "is not set"));
            problems.push(entry.problem("json", "is wrong"));
        }
    }
    insta::assert_snapshot!(lines(&locate_problems(GOOD.as_bytes(), problems.clone())), @"
    3:15: defaults.kms-key-id: is of no use
    6:3: secrets.prod/model/api-key: is no name
    6:3: secrets.prod/model/api-key.store-as: is wrong
    9:3: secrets.prod/model/database: is no name
    9:3: secrets.prod/model/database.store-as: is wrong
    11:7: secrets.prod/model/database.json: is wrong
    12:17: secrets.prod/model/database.json.*: is not set
    14:3: secrets.prod/model/tls-key: is no name
    16:15: secrets.prod/model/tls-key.store-as: is wrong
    17:3: secrets.prod/model/upstream: is no name
    17:3: secrets.prod/model/upstream.store-as: is wrong
    19:3: secrets.prod/model/session-key: is no name
    19:3: secrets.prod/model/session-key.store-as: is wrong
    ");
    // A shorter text has no positions for them.
    for other in ["", "secrets: 1", "\u{1}"] {
        let problems = locate_problems(other.as_bytes(), problems.clone());
        assert!(problems.iter().all(|problem| problem.position.is_none()));
    }
}

#[test]
fn every_key_has_a_meaning() {
    for key in ENTRY {
        assert!(!key.meaning().is_empty(), "{}", key.name);
        let plain = !matches!(key.name, "value" | "json" | "merge");
        let known = inputs::all().iter().any(|input| input.name == key.name);
        assert!(known || !plain, "{}", key.name);
        assert_eq!(
            !RawInputs::from_texts(vec![(key.name, String::new())])
                .given()
                .is_empty(),
            plain,
            "{}",
            key.name
        );
    }
}

#[test]
fn schema_has_every_key() {
    let schema = schema();
    let known = &schema["definitions"]["entry"]["properties"];
    let shared = &schema["properties"]["defaults"]["properties"];
    for key in ENTRY {
        assert!(known[key.name].is_object(), "{}", key.name);
        assert_eq!(
            shared[key.name].is_object(),
            key.in_defaults,
            "{}",
            key.name
        );
    }
}
