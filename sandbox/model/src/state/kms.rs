//! The part of KMS that Secrets Manager depends on: which keys and aliases exist, and which keys are disabled.

use std::collections::{BTreeMap, BTreeSet};

/// The keys of one account and region.
#[derive(Clone)]
pub(crate) struct Kms {
    /// Key IDs by every name a request can use: the key ID itself and aliases.
    names: BTreeMap<String, String>,
    disabled: BTreeSet<String>,
}

impl Kms {
    pub(crate) const fn new() -> Self {
        Self {
            names: BTreeMap::new(),
            disabled: BTreeSet::new(),
        }
    }

    /// Adds a key under its ID and one more name, which may be the ID again.
    pub(crate) fn add(&mut self, id: &str, name: &str) {
        self.names.insert(id.to_owned(), id.to_owned());
        self.names.insert(name.to_owned(), id.to_owned());
    }

    /// Disables a key and returns whether it exists.
    pub(crate) fn disable(&mut self, id_or_alias: &str) -> bool {
        let id = self.names.get(id_or_alias).cloned();
        id.is_some_and(|id| {
            self.disabled.insert(id);
            true
        })
    }

    /// The aliases of the key with this ARN.
    pub(crate) fn aliases(&self, arn: &str) -> Vec<String> {
        let of_this = |(name, id): (&String, &String)| {
            (name.starts_with("alias/") && arn.ends_with(&format!(":key/{id}")))
                .then(|| name.clone())
        };
        self.names.iter().filter_map(of_this).collect()
    }

    /// The ARN of an enabled key, by any name that [`Kms::known`] accepts.
    pub(crate) fn usable(&self, wanted: &str, account: &str, region: &str) -> Option<String> {
        let arn = self.known(wanted, account, region)?;
        let (_, id) = arn.split_once(":key/")?;
        (!self.disabled.contains(id)).then_some(arn)
    }

    /// The ARN of a key of this account and region, by its key ID, alias, key ARN or alias ARN.
    pub(crate) fn known(&self, wanted: &str, account: &str, region: &str) -> Option<String> {
        let here = format!("arn:aws:kms:{region}:{account}:");
        let local = match wanted.strip_prefix(&here) {
            Some(resource) => resource.strip_prefix("key/").unwrap_or(resource),
            None => wanted,
        };
        let id = self.names.get(local)?;
        Some(format!("{here}key/{id}"))
    }
}

/// Whether the name stands for the AWS managed key of Secrets Manager.
pub(crate) fn is_default(key: &str) -> bool {
    key.is_empty()
        || key == "alias/aws/secretsmanager"
        || key.ends_with(":alias/aws/secretsmanager")
}
