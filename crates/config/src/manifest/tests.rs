//! What good files come to; what bad ones are told is in the rooms below.

use super::keys::ENTRY;
use super::*;
use crate::inputs::{self, RawInputs};

mod hostile;
mod refused;
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

fn good(text: &str) -> Manifest {
    match parse(text.as_bytes(), &lookup) {
        Ok(manifest) => manifest,
        Err(problems) => panic!("{}", told(&problems)),
    }
}

fn told(problems: &[Problem]) -> String {
    let lines: Vec<_> = problems.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

/// Every file is refused, and this is what is told.
fn refused(cases: &[(&str, &[&str])]) {
    for (text, wanted) in cases {
        let Err(problems) = parse(text.as_bytes(), &lookup) else {
            panic!("is accepted:\n{text}");
        };
        assert_eq!(told(&problems), wanted.join("\n"), "in\n{text}");
    }
}

/// The inputs that are given, as text.
fn given(raw: &RawInputs) -> String {
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
        as_json: false,
    }
}

#[test]
fn the_example_of_the_documents() {
    let manifest = good(GOOD);
    assert_eq!(manifest.all_or_nothing, None);
    let origin = SecretRef {
        id: "staging/model/upstream".to_owned(),
        stage: Some("AWSCURRENT".to_owned()),
        region: None,
        role: None,
    };
    let recipe = GenerateSpec {
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
            ValueSpec::Value(Reference::Env("MODEL_API_KEY".to_owned())),
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
            ValueSpec::Value(Reference::File("tls.key".to_owned())),
            "store-as=binary\n",
        ),
        (
            "prod/model/upstream",
            ValueSpec::Value(Reference::Secret(origin)),
            "",
        ),
        (
            "prod/model/session-key",
            ValueSpec::Value(Reference::Generate(recipe)),
            "",
        ),
    ];
    assert_eq!(manifest.entries.len(), wanted.len());
    for (target, (name, holds, inputs)) in manifest.entries.iter().zip(wanted) {
        assert_eq!(target.name, name);
        assert_eq!(target.spec, holds);
        let raw = target.inputs();
        assert_eq!(raw.name.as_deref(), Some(name));
        assert_eq!(given(&raw), format!("{inputs}{shared}"));
    }
}

#[test]
fn an_entry_wins_over_defaults_and_adds_tags_to_theirs() {
    let manifest = good(
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
        .map(|target| given(&target.inputs()))
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
fn every_shape_comes_to_the_text_of_its_input() {
    let manifest = good(
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
    assert_eq!(given(&manifest.entries[0].inputs()), wanted);
}

#[test]
fn variables_are_replaced_in_what_is_public_and_nowhere_else() {
    let manifest = good(
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
    assert_eq!(given(&a.inputs()), wanted);
    assert!(matches!(
        &a.spec,
        ValueSpec::Value(Reference::Secret(SecretRef { id, role: Some(role), .. })) if id == "prod/b" && role == "${STAGE}"
    ));
    assert!(matches!(
        &b.spec,
        ValueSpec::Json { members, merge: false }
            if members[0].key.to_string() == "${STAGE}"
                && members[0].reference == Reference::File("keys/prod".to_owned())
    ));
}

#[test]
fn json_is_yaml_and_a_byte_order_mark_is_no_part_of_it() {
    let text = "\u{feff}{\n\t\"$schema\": \"x\",\n\t\"secrets\": {\"a\": {\"json\": {\"/k\\u00fc/~1\": \
        {\"env\": \"A\", \"value-encoding\": \"base64\", \"json-value-as\": \"json\"}}}}\n}\r\n";
    let manifest = good(text);
    let wanted = ValueSpec::Json {
        members: vec![Member {
            base64: true,
            as_json: true,
            ..member("/kü/~1", "A")
        }],
        merge: false,
    };
    assert_eq!(manifest.entries[0].spec, wanted);
}

/// Aliases are not the way to share, but do no harm.
#[test]
fn aliases_stand_for_what_they_name() {
    let manifest =
        good("secrets:\n  a: &a { value: &v { env: A } }\n  b: *a\n  c: { value: *v }\n");
    assert_eq!(manifest.entries.len(), 3);
    for target in manifest.entries {
        assert_eq!(
            target.spec,
            ValueSpec::Value(Reference::Env("A".to_owned()))
        );
    }
}

#[test]
fn thousands_of_secrets_share_what_defaults_say() {
    let policy = "x".repeat(20_000);
    let mut text = format!("defaults: {{ resource-policy: {policy} }}\nsecrets:\n");
    for n in 0..10_000 {
        text.push_str(&format!(
            "  prod/model/key-{n}:\n    description: Key {n}\n    value: {{ env: KEY_{n} }}\n"
        ));
    }
    let manifest = good(&text);
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
fn later_problems_are_placed_where_the_input_came_from() {
    let mut manifest = good(GOOD);
    let mut found = Vec::new();
    for target in manifest.entries.drain(..) {
        found.extend([
            target.problem("kms-key-id", "is of no use"),
            target.problem("name", "is no name"),
            target.problem("store-as", "is wrong"),
        ]);
        if target.name == "prod/model/database" {
            found.push(target.member_problem(1, "is not set"));
            found.push(target.problem("json", "is wrong"));
        }
    }
    insta::assert_snapshot!(told(&locate_problems(GOOD.as_bytes(), found.clone())), @"
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
    // In another file there is nothing to find, and nothing to panic about.
    for other in ["", "secrets: 1", "secrets: { 1: 2 }", "\u{1}"] {
        let problems = locate_problems(other.as_bytes(), found.clone());
        assert!(problems.iter().all(|problem| problem.path.is_empty()));
    }
}

#[test]
fn every_key_is_an_input_or_says_what_it_means() {
    for key in ENTRY {
        assert!(!key.meaning().is_empty(), "{}", key.name);
        let plain = !matches!(key.name, "value" | "json" | "merge");
        let known = inputs::all().iter().any(|input| input.name == key.name);
        assert!(known || !plain, "{}", key.name);
        assert_eq!(
            RawInputs::default().set(key.name, String::new()),
            plain,
            "{}",
            key.name
        );
    }
}

#[test]
fn the_schema_knows_every_key() {
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
