//! The entry of one secret. Metadata that a manifest cannot express, or that a run would not write, becomes a comment with the
//! reason.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Map, Value};
use upsert_secret_core::plan::is_default_key;
use upsert_secret_core::state::{PolicyView, Replica, ReplicaStatus, SecretMetadata};

use super::found::FoundSecret;
use super::names::VariableNames;
use super::yaml::{json, scalar};
use crate::checks::{policy, replicas, tags};
use crate::diagnostics::Diagnostics;
use crate::inputs::RawInputs;
use crate::request;
use crate::spelling::Spelling;

/// An entry of a manifest.
pub(super) struct Entry {
    /// The YAML text, indented.
    pub(super) text: String,
    /// Whether it has all metadata of the secret.
    pub(super) is_complete: bool,
}

/// The entry of a secret in a region.
pub(super) fn entry(found: &FoundSecret, region: &str, names: &mut VariableNames) -> Entry {
    let secret = &found.metadata;
    let raw = raw_inputs(found);
    let missing = missing(found, &raw, region);
    let mut lines = String::new();
    let mut add = |input: &str, text: String| match missing.get(input) {
        Some(Missing::All(_)) => {}
        _ => lines += &format!("    {input}:{text}\n"),
    };
    if let Some(text) = &raw.description {
        add("description", format!(" {}", expanded(text)));
    }
    if let Some(key) = &raw.kms_key_id {
        add("kms-key-id", format!(" {}", scalar(key)));
    }
    if raw.tags.is_some() {
        let tags = own_tags(secret);
        let tags =
            tags.map(|(key, value)| format!("\n      {}: {}", expanded(key), expanded(value)));
        add("tags", tags.collect());
    }
    if let Some(regions) = &raw.replica_regions {
        let regions = regions.lines();
        let regions = regions.map(|region| format!("\n      - {}", scalar(region)));
        add("replica-regions", regions.collect());
    }
    if let Some(document) = &raw.resource_policy {
        let document = document.lines().map(|line| format!("\n      {line}"));
        add(
            "resource-policy",
            format!(" |{}", document.collect::<String>()),
        );
    }
    let mut text = format!("  {}:\n", scalar(&secret.name));
    for (input, missing) in &missing {
        let _ = match missing {
            Missing::All(why) => writeln!(text, "    # {input} is omitted: {why}"),
            Missing::Part(what) => writeln!(text, "    # {input} lacks {what}"),
        };
    }
    let variable = names.of_secret(&secret.name);
    let _ = writeln!(text, "{lines}    value: {{ env: {variable} }}");
    Entry {
        text,
        is_complete: missing.is_empty(),
    }
}

/// A setting that is missing from an entry.
enum Missing {
    /// The whole key, and why.
    All(String),
    /// A part of it, with the reason.
    Part(String),
}

/// The text of a key in which variables are expanded.
fn expanded(text: &str) -> String {
    scalar(&text.replace("${", "$${"))
}

/// The tags, excluding AWS tags.
fn own_tags(secret: &SecretMetadata) -> impl Iterator<Item = (&String, &String)> {
    let is_own = |key: &str| {
        !key.get(..4)
            .is_some_and(|start| start.eq_ignore_ascii_case("aws:"))
    };
    secret.tags.iter().filter(move |(key, _)| is_own(key))
}

fn has_failed(replica: &Replica) -> bool {
    matches!(replica.status, ReplicaStatus::Failed(_))
}

/// The metadata as the inputs of an entry.
fn raw_inputs(found: &FoundSecret) -> RawInputs {
    let secret = &found.metadata;
    let tags: Map<_, _> = own_tags(secret)
        .map(|(key, value)| (key.clone(), value.as_str().into()))
        .collect();
    let replicas = secret
        .replicas
        .iter()
        .filter(|replica| !has_failed(replica));
    let replicas: Vec<_> = replicas
        .map(|replica| match &replica.kms_key_id {
            Some(key) if !is_default_key(key) => format!("{}={key}", replica.region),
            _ => replica.region.clone(),
        })
        .collect();
    let policy = match &found.policy {
        PolicyView::Known(Some(document)) => Some(document),
        _ => None,
    };
    RawInputs {
        description: secret.description.clone(),
        kms_key_id: secret.kms_key_id.clone().filter(|key| !is_default_key(key)),
        tags: (!tags.is_empty()).then(|| Value::from(tags).to_string()),
        replica_regions: (!replicas.is_empty()).then(|| replicas.join("\n")),
        resource_policy: policy.map(|document| {
            let lines = json(document, true);
            // White space counts.
            match lines.chars().count() {
                0..=policy::MAX_POLICY => lines,
                _ => json(document, false),
            }
        }),
        ..RawInputs::default()
    }
}

/// The settings that the entry lacks, by key.
fn missing(found: &FoundSecret, raw: &RawInputs, region: &str) -> BTreeMap<&'static str, Missing> {
    let mut diagnostics = Diagnostics::new(Spelling::Input);
    request::check_metadata(raw, Some(region), &mut diagnostics);
    tags::check(raw, &mut diagnostics);
    replicas::check(raw, Some(region), &mut diagnostics);
    policy::check(raw, &mut diagnostics);
    let mut missing = BTreeMap::new();
    let failed = found.metadata.replicas.iter().filter(|it| has_failed(it));
    let failed: Vec<_> = failed.map(|replica| replica.region.as_str()).collect();
    if !failed.is_empty() {
        let what = format!("{}, where replication has failed", failed.join(" and "));
        missing.insert("replica-regions", Missing::Part(what));
    }
    let (rejections, _) = diagnostics.into_rejections();
    for (input, why) in rejections {
        missing.insert(input, Missing::All(format!("it {why}")));
    }
    let mut leave_out = |input, why: &str| missing.insert(input, Missing::All(why.to_owned()));
    if raw
        .description
        .as_ref()
        .is_some_and(|text| text.trim() != text)
    {
        let why = "it begins or ends with white space, which a manifest does not keep";
        leave_out("description", why);
    }
    if found.hides_replicas {
        leave_out("replica-regions", "DescribeSecret is denied");
    }
    if matches!(found.policy, PolicyView::Denied(_)) {
        leave_out("resource-policy", "GetResourcePolicy is denied");
    }
    missing
}

#[cfg(test)]
mod tests {
    use upsert_secret_core::quote::ForeignText;

    use super::super::found::secret;
    use super::*;

    /// The lines of an entry, without the name and the value.
    fn lines(found: &FoundSecret) -> Vec<String> {
        let entry = entry(found, "eu-west-1", &mut VariableNames::default());
        let lines = entry.text.lines().skip(1);
        let lines = lines.take_while(|line| !line.contains("value: {"));
        lines.map(|line| line.trim_start().to_owned()).collect()
    }

    fn with_policy(policy: String) -> FoundSecret {
        FoundSecret {
            policy: PolicyView::Known(Some(policy)),
            ..secret("a", |_| {})
        }
    }

    #[test]
    fn unsuitable_metadata_is_a_comment() {
        let tag = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let cases = [
            (
                secret("a", |a| {
                    a.kms_key_id = Some("arn:aws:kms:us-east-1:111122223333:key/1".to_owned());
                }),
                "# kms-key-id is omitted: it is a KMS key of us-east-1, and only keys of eu-west-1 can encrypt a secret there",
            ),
            (
                secret("a", |a| a.tags = [tag("a", "b"), tag("c", "#")].into()),
                "# tags is omitted: it has a character that tags cannot have (letters, digits, spaces and `_.:/=+-@`)",
            ),
            (
                secret("a", |a| a.description = Some("text\n".to_owned())),
                "# description is omitted: it begins or ends with white space, which a manifest does not keep",
            ),
            (
                with_policy("[]".to_owned()),
                "# resource-policy is omitted: it is not a JSON object",
            ),
        ];
        for (found, wanted) in cases {
            assert_eq!(lines(&found), [wanted]);
        }
    }

    #[test]
    fn metadata_of_aws_is_not_asked_for() {
        let own = secret("a", |a| {
            a.kms_key_id = Some("alias/aws/secretsmanager".to_owned());
            a.tags = [("aws:cloudformation:stack-id".to_owned(), "x".to_owned())].into();
        });
        assert_eq!(lines(&own), Vec::<String>::new());
    }

    #[test]
    fn replicas_have_their_keys() {
        let replica = |region: &str, key: Option<&str>, status| Replica {
            region: region.to_owned(),
            kms_key_id: key.map(str::to_owned),
            status,
        };
        let found = secret("a", |a| {
            a.replicas = vec![
                replica("us-east-1", Some("alias/models"), ReplicaStatus::InProgress),
                replica(
                    "us-east-2",
                    Some("alias/aws/secretsmanager"),
                    ReplicaStatus::InSync,
                ),
                replica(
                    "us-west-1",
                    None,
                    ReplicaStatus::Failed(ForeignText::new("made up")),
                ),
            ];
        });
        assert_eq!(
            lines(&found),
            [
                "# replica-regions lacks us-west-1, where replication has failed",
                "replica-regions:",
                "- us-east-1=alias/models",
                "- us-east-2",
            ]
        );
    }

    #[test]
    fn long_policy_is_on_one_line() {
        let policy = |length: usize| {
            let sid = "x".repeat(length);
            format!(
                r#"{{"Statement":{{"Sid":"{sid}","Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}}}}"#
            )
        };
        assert_eq!(lines(&with_policy(policy(10_000))).len(), 10);
        assert_eq!(lines(&with_policy(policy(20_370))).len(), 2);
        let comment = lines(&with_policy(policy(20_480)));
        assert_eq!(
            comment,
            ["# resource-policy is omitted: it is longer than 20480 characters"]
        );
    }
}
