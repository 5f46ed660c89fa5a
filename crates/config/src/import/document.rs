//! The manifest of existing secrets, as text. Every entry passes the manifest checks, and a run with it changes no metadata.

use std::fmt::Write as _;

use upsert_secret_core::failure::{Class, Failure};
use upsert_secret_core::outcome::counted;

use super::entry::entry;
use super::found::{FoundSecret, left_out};
use super::names::VariableNames;
use crate::manifest::{MAX_BYTES, has_too_many_parts};

/// The maximum number of secrets in one import.
pub const MAX_SECRETS: usize = 10_000;
/// The maximum number of secrets that a failure names.
const MAX_NAMED: usize = 10;

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
    let (mut text, mut names) = (heading(region), VariableNames::default());
    let (mut entries, mut incomplete, mut reasons) = (0, 0, Vec::new());
    for secret in found {
        match left_out(&secret.metadata, region) {
            Some(why) => reasons.push(format!("{} {why}", secret.metadata.name)),
            None => {
                let entry = entry(secret, region, &mut names);
                text.push_str(&entry.text);
                entries += 1;
                incomplete += usize::from(!entry.is_complete);
            }
        }
        if text.len() > MAX_BYTES {
            break;
        }
    }
    if entries == 0 {
        return Err(nothing_left(&reasons, region));
    }
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

#[cfg(test)]
mod tests {
    use super::super::found::secret;
    use super::*;
    use upsert_secret_core::state::PolicyView;

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
