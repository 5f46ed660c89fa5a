//! The manifest of existing secrets, as text. Settings that a manifest cannot express, or that a run would not write, become
//! comments with the reason. Every entry passes the manifest checks, and a run with it changes no metadata.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Map, Value};
use upsert_secret_core::failure::{Class, Failure};
use upsert_secret_core::outcome::counted;
use upsert_secret_core::plan::is_default_key;
use upsert_secret_core::state::{PolicyView, Replica, ReplicaStatus, SecretMetadata};

use super::names::VariableNames;
use super::yaml::{json, scalar};
use crate::checks::{policy, replicas, tags};
use crate::diagnostics::Diagnostics;
use crate::inputs::RawInputs;
use crate::manifest::{MAX_BYTES, has_too_many_parts};
use crate::request;
use crate::spelling::Spelling;

/// The maximum number of secrets in one import.
pub const MAX_SECRETS: usize = 10_000;
/// The maximum number of secrets that a failure names.
const MAX_NAMED: usize = 10;

/// A secret that matches.
pub struct FoundSecret {
    /// Its metadata, with its replicas if they could be read.
    pub metadata: SecretMetadata,
    /// Whether it has replicas that could not be read.
    pub hides_replicas: bool,
    /// Its resource policy.
    pub policy: PolicyView,
}

/// A manifest of secrets that exist.
#[derive(Debug)]
pub struct Imported {
    /// The YAML text.
    pub text: String,
    /// The number of its entries.
    pub entries: usize,
    /// The number of secrets that are commented out.
    pub left_out: usize,
    /// The number of incomplete entries. Comments list what they lack.
    pub incomplete: usize,
}

/// The reason a secret cannot be an entry; `None` if it can. `region` is the region of the run.
pub fn left_out(secret: &SecretMetadata, region: &str) -> Option<String> {
    let primary = secret.primary_region.as_deref();
    if secret.deleted {
        return Some("is scheduled for deletion".to_owned());
    }
    if secret.owning_service.is_some() {
        return Some(
            "is managed by another AWS service, and only that service can write it".to_owned(),
        );
    }
    if let Some(primary) = primary.filter(|primary| *primary != region) {
        return Some(format!("is a replica; its primary is in {primary}"));
    }
    let rotates = "has rotation enabled: the next rotation would replace a value from a manifest";
    secret.rotation_enabled.then(|| rotates.to_owned())
}

/// The failure for an import of too many secrets.
pub fn too_many() -> Failure {
    too_large(format!("more than {MAX_SECRETS} secrets match"))
}

fn too_large(what: String) -> Failure {
    Failure::new(
        Class::Input,
        what,
        "import fewer at a time: `only` selects them by name, such as `prod/*`",
    )
}

/// The manifest of these secrets in a region, sorted by name.
///
/// # Errors
/// None of them can be an entry, or the manifest would exceed the maximum size.
pub fn manifest(found: &[FoundSecret], region: &str) -> Result<Imported, Failure> {
    let mut writer = Writer {
        region,
        names: VariableNames::default(),
        text: heading(region),
        incomplete: 0,
    };
    let (mut entries, mut reasons) = (0, Vec::new());
    for secret in found {
        match left_out(&secret.metadata, region) {
            Some(why) => reasons.push(format!("{} {why}", secret.metadata.name)),
            None => {
                entries += 1;
                writer.write_entry(secret);
            }
        }
        if writer.text.len() > MAX_BYTES {
            break;
        }
    }
    if entries == 0 {
        return Err(nothing_left(&reasons, region));
    }
    let Writer {
        mut text,
        incomplete,
        ..
    } = writer;
    if !reasons.is_empty() {
        text.push_str("# Omitted:\n");
    }
    for reason in &reasons {
        let _ = writeln!(text, "# {reason}");
    }
    if text.len() > MAX_BYTES {
        return Err(too_large(format!(
            "the manifest of these secrets would exceed {MAX_BYTES} bytes, the limit of a manifest"
        )));
    }
    if has_too_many_parts(&text) {
        return Err(too_large(
            "the manifest of these secrets would have more than a million keys and items, which no manifest may have"
                .to_owned(),
        ));
    }
    Ok(Imported {
        text,
        entries,
        left_out: reasons.len(),
        incomplete,
    })
}

fn heading(region: &str) -> String {
    format!(
        "# yaml-language-server: $schema=https://github.com/upsert-secret/upsert-secret/raw/v{}/manifest.schema.json\n\
         # Secrets in {region}. No value was read: put each one into the variable that its entry names, or change `value`.\n\
         # An entry whose secret is binary (SecretBinary) also needs `store-as: binary`.\n\
         secrets:\n",
        env!("CARGO_PKG_VERSION")
    )
}

fn nothing_left(reasons: &[String], region: &str) -> Failure {
    if reasons.is_empty() {
        return Failure::new(
            Class::Refused,
            format!("found no secret in {region}"),
            "check `only`, `aws-region` and the account; ListSecrets can show a new secret minutes late",
        );
    }
    let mut lines: Vec<_> = reasons.iter().take(MAX_NAMED).cloned().collect();
    if reasons.len() > MAX_NAMED {
        lines.push(format!("and {} more", reasons.len() - MAX_NAMED));
    }
    let secrets = counted(reasons.len(), "secret");
    Failure::new(
        Class::Refused,
        format!("of {secrets} that match, none can be in a manifest"),
        "select other secrets with `only`, or another region with `aws-region`",
    )
    .because(lines.join("\n"))
}

struct Writer<'a> {
    region: &'a str,
    names: VariableNames,
    text: String,
    incomplete: usize,
}

impl Writer<'_> {
    fn write_entry(&mut self, found: &FoundSecret) {
        let secret = &found.metadata;
        let raw = raw_inputs(found);
        let missing = missing(found, &raw, self.region);
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
        self.incomplete += usize::from(!missing.is_empty());
        let _ = writeln!(self.text, "  {}:", scalar(&secret.name));
        for (input, missing) in &missing {
            let _ = match missing {
                Missing::All(why) => writeln!(self.text, "    # {input} is omitted: {why}"),
                Missing::Part(what) => writeln!(self.text, "    # {input} lacks {what}"),
            };
        }
        let variable = self.names.of_secret(&secret.name);
        let _ = writeln!(self.text, "{lines}    value: {{ env: {variable} }}");
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

    use super::*;

    fn secret(name: &str, change: impl FnOnce(&mut SecretMetadata)) -> FoundSecret {
        let mut metadata = SecretMetadata {
            name: name.to_owned(),
            ..SecretMetadata::default()
        };
        change(&mut metadata);
        FoundSecret {
            metadata,
            hides_replicas: false,
            policy: PolicyView::NotRequested,
        }
    }

    /// The lines of the only entry, without its name and value.
    fn entry(found: FoundSecret) -> Vec<String> {
        let text = manifest(&[found], "eu-west-1").unwrap().text;
        let lines = text.lines().skip_while(|line| *line != "  a:").skip(1);
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
            assert_eq!(entry(found), [wanted]);
        }
    }

    #[test]
    fn metadata_of_aws_is_not_asked_for() {
        let own = secret("a", |a| {
            a.kms_key_id = Some("alias/aws/secretsmanager".to_owned());
            a.tags = [("aws:cloudformation:stack-id".to_owned(), "x".to_owned())].into();
        });
        assert_eq!(entry(own), Vec::<String>::new());
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
            entry(found),
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
        assert_eq!(entry(with_policy(policy(10_000))).len(), 10);
        assert_eq!(entry(with_policy(policy(20_370))).len(), 2);
        let comment = entry(with_policy(policy(20_480)));
        assert_eq!(
            comment,
            ["# resource-policy is omitted: it is longer than 20480 characters"]
        );
    }

    #[test]
    fn manifest_is_no_larger_than_a_manifest_may_be() {
        let described = |count: usize| -> Vec<_> {
            let numbers = 0..count;
            let text = || Some("x".repeat(2_000));
            numbers
                .map(|number| secret(&number.to_string(), |it| it.description = text()))
                .collect()
        };
        let fitting = MAX_BYTES / 2_100;
        let imported = manifest(&described(fitting), "eu-west-1").unwrap();
        assert!(imported.text.len() <= MAX_BYTES);
        let failure = manifest(&described(fitting + 500), "eu-west-1").unwrap_err();
        assert_eq!(failure.class, Class::Input);
        assert_eq!(failure.next, too_many().next);
        // Comments count.
        let deleted = |count: usize| {
            (0..count).map(|number| secret(&format!("{number:0>500}"), |it| it.deleted = true))
        };
        let mut found: Vec<_> = deleted(MAX_BYTES / 500).collect();
        found.push(secret("a", |_| {}));
        assert!(manifest(&found, "eu-west-1").is_err());
        // Keys and items count too; a policy has many of them.
        let actions = ["\"a:b\""; 1_500].join(",");
        let policy = format!(
            r#"{{"Statement":[{{"Effect":"Deny","Principal":"*","Action":[{actions}],"Resource":"*"}}]}}"#
        );
        let governed = |count: usize| -> Vec<_> {
            (0..count)
                .map(|number| secret(&number.to_string(), |_| {}))
                .map(|found| FoundSecret {
                    policy: PolicyView::Known(Some(policy.clone())),
                    ..found
                })
                .collect()
        };
        assert!(manifest(&governed(100), "eu-west-1").is_ok());
        let failure = manifest(&governed(1_000), "eu-west-1").unwrap_err();
        assert!(failure.what.contains("keys and items"), "{failure}");
    }
}
