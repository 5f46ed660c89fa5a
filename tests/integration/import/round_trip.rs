//! A manifest printed by `import` describes the state in AWS: with the values in their variables, a run changes nothing.

use std::collections::BTreeMap;
use std::fs;

use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use sandbox::Sandbox;
use serde_json::{Value, json};
use upsert_secret_config::manifest::{Reference, ValueSpec, parse};

use super::{POLICY, create, import_cli};

/// A secret that AWS accepts.
#[derive(Clone, Debug)]
struct Secret {
    description: Option<String>,
    key: Option<&'static str>,
    tags: BTreeMap<String, String>,
    replicas: Vec<&'static str>,
    policy: Option<&'static str>,
    rotates: bool,
}

/// Any text, and text with a meaning in YAML, in manifests and on terminals.
fn descriptions() -> impl Strategy<Value = String> {
    let special = select(vec![
        "a: b",
        "# a",
        "- a",
        "${HOME}",
        "$${A}",
        "'a'",
        "\"a\"",
        "\\",
        "null",
        "1e3",
        "\u{1b}[31m",
        "\u{202e}",
        "a\r\nb",
        "{a}",
        "[",
        "&a *a",
        "%a",
        "!a",
        "|\n a",
        ">",
        "@",
        "`a`",
        "\u{feff}",
        "\u{85}",
        " ",
        "##[a]",
        "é鍵🔑",
    ]);
    let text = prop_oneof![
        special.prop_map(str::to_owned),
        "\\PC{0,20}",
        any::<String>()
    ];
    proptest::collection::vec(text, 1..4)
        .prop_map(|parts| parts.concat().chars().take(2_048).collect())
}

fn secrets() -> impl Strategy<Value = Secret> {
    let tags = proptest::collection::btree_map(
        "[a-zA-Zäé0-9 _.:/=+@-]{1,12}",
        "[a-zA-Zäé0-9 _.:/=+@-]{0,12}",
        0..4,
    );
    let policy = r#"{ "Statement": [ { "Effect": "Deny", "Principal": "*", "Action": "secretsmanager:DeleteSecret", "Resource": "*" } ] }"#;
    (
        option::of(descriptions()),
        option::of(select(vec![
            "alias/models",
            "11111111-2222-4333-8444-555555555555",
        ])),
        tags,
        subsequence(vec!["eu-west-2", "us-east-1"], 0..=2),
        option::of(select(vec![POLICY, policy])),
        proptest::bool::weighted(0.1),
    )
        .prop_map(
            |(description, key, tags, replicas, policy, rotates)| Secret {
                description,
                key,
                tags: tags
                    .into_iter()
                    .filter(|(key, _)| !key.starts_with("aws:"))
                    .collect(),
                replicas,
                policy,
                rotates,
            },
        )
}

fn account(secrets: &BTreeMap<String, Secret>) -> Sandbox {
    let sandbox = Sandbox::start();
    sandbox.with(|world| {
        for key in ["alias/models", "11111111-2222-4333-8444-555555555555"] {
            world.add_kms_key(key);
        }
    });
    for (name, secret) in secrets {
        let mut input = json!({});
        if let Some(text) = &secret.description {
            input["Description"] = json!(text);
        }
        if let Some(key) = secret.key {
            input["KmsKeyId"] = json!(key);
        }
        if !secret.tags.is_empty() {
            let tags = secret.tags.iter();
            input["Tags"] = tags
                .map(|(key, value)| json!({"Key": key, "Value": value}))
                .collect();
        }
        create(&sandbox, name, input);
        sandbox.with(|world| {
            for region in &secret.replicas {
                world.replicate(name, region);
            }
            if let Some(policy) = secret.policy {
                world.put_resource_policy(name, policy);
            }
            if secret.rotates {
                world.set_rotation(name, true);
            }
        });
    }
    sandbox
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn imported_manifest_changes_nothing(
        secrets in proptest::collection::btree_map("[a-zA-Z0-9/_+=.@-]{1,12}", secrets(), 1..6),
    ) {
        let sandbox = account(&secrets);
        let cli = import_cli(&sandbox, &[]).input("include-resource-policies", "true");
        let outcome = cli.run();
        if secrets.values().all(|secret| secret.rotates) {
            prop_assert_eq!(outcome.code, Some(6));
            return Ok(());
        }
        prop_assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        let parsed = parse(outcome.stdout.as_bytes(), &|_| None);
        let parsed = parsed.map_err(|problems| TestCaseError::fail(format!("{problems:?}\n{}", outcome.stdout)))?;
        let kept = secrets.iter().filter(|(_, secret)| !secret.rotates).collect::<BTreeMap<_, _>>();
        prop_assert_eq!(parsed.entries.len(), kept.len());

        let path = cli.path("secrets.yaml");
        fs::write(&path, &outcome.stdout).unwrap();
        let mut cli = import_cli(&sandbox, &[]).unset("UPSERT_SECRET_INCLUDE_RESOURCE_POLICIES");
        for entry in &parsed.entries {
            let secret = kept[&entry.name];
            let inputs = entry.inputs();
            let description = secret.description.clone().filter(|text| !text.is_empty() && text.trim() == text);
            prop_assert_eq!(&inputs.description, &description, "{}", outcome.stdout);
            prop_assert_eq!(inputs.kms_key_id.as_deref(), secret.key);
            let tags = inputs.tags.map(|tags| serde_json::from_str(&tags).unwrap());
            let wanted = (!secret.tags.is_empty()).then(|| json!(secret.tags));
            prop_assert_eq!(tags, wanted);
            let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
            prop_assert_eq!(inputs.resource_policy.as_deref().map(read), secret.policy.map(read));
            let ValueSpec::Value {
                reference: Reference::Env(variable),
                ..
            } = &entry.spec
            else {
                panic!("{:?}", entry.spec);
            };
            cli = cli.env(variable, "made-up-value");
        }
        sandbox.clear_log();
        let planned = cli.input("manifest", &path.display().to_string()).args(&["plan"]).run();
        prop_assert_eq!(planned.code, Some(0), "{}\n{}", planned.stderr, outcome.stdout);
        prop_assert_eq!(planned.output("result"), "unchanged", "{}\n{}", planned.stderr, outcome.stdout);
    }
}
