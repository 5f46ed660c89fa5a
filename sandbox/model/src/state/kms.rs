//! Owns the few things about KMS that Secrets Manager shows: which keys and aliases exist.

use std::collections::{BTreeMap, BTreeSet};

/// The keys of one account and region.
#[derive(Clone)]
pub(crate) struct Kms {
    /// What a caller may write, to the id of the key.
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

    /// Adds a key with one more name for it, an alias or the id again.
    pub(crate) fn add(&mut self, id: &str, name: &str) {
        self.names.insert(id.to_owned(), id.to_owned());
        self.names.insert(name.to_owned(), id.to_owned());
    }

    /// Disables a key; `false` if there is none.
    pub(crate) fn disable(&mut self, id_or_alias: &str) -> bool {
        let id = self.names.get(id_or_alias).cloned();
        id.is_some_and(|id| {
            self.disabled.insert(id);
            true
        })
    }

    /// The aliases of a key.
    pub(crate) fn aliases(&self, arn: &str) -> Vec<String> {
        let of_this = |(name, id): (&String, &String)| {
            (name.starts_with("alias/") && arn.ends_with(&format!(":key/{id}")))
                .then(|| name.clone())
        };
        self.names.iter().filter_map(of_this).collect()
    }

    /// The ARN of a key that can be used, by what [`Kms::known`] takes.
    pub(crate) fn usable(&self, wanted: &str, account: &str, region: &str) -> Option<String> {
        let arn = self.known(wanted, account, region)?;
        let (_, id) = arn.split_once(":key/")?;
        (!self.disabled.contains(id)).then_some(arn)
    }

    /// The ARN of the key that a key id, alias, key ARN or alias ARN names here.
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

/// Whether this names the key that comes with the service.
pub(crate) fn is_default(key: &str) -> bool {
    key.is_empty()
        || key == "alias/aws/secretsmanager"
        || key.ends_with(":alias/aws/secretsmanager")
}
