//! Owns the few things about KMS that Secrets Manager shows: which keys and aliases exist.

use std::collections::BTreeMap;

use crate::random;

/// The keys of one account and region: what a caller may write, to the id of the key.
#[derive(Default)]
pub(crate) struct Kms(BTreeMap<String, String>);

impl Kms {
    pub(crate) fn add(&mut self, id_or_alias: &str) {
        let id = if id_or_alias.starts_with("alias/") {
            random::uuid()
        } else {
            id_or_alias.to_owned()
        };
        self.0.insert(id.clone(), id.clone());
        self.0.insert(id_or_alias.to_owned(), id);
    }

    /// The ARN of the key that a key id, alias, key ARN or alias ARN names here.
    pub(crate) fn arn(&self, wanted: &str, account: &str, region: &str) -> Option<String> {
        let here = format!("arn:aws:kms:{region}:{account}:");
        let local = match wanted.strip_prefix(&here) {
            Some(resource) => resource.strip_prefix("key/").unwrap_or(resource),
            None => wanted,
        };
        let id = self.0.get(local)?;
        Some(format!("{here}key/{id}"))
    }
}

/// Whether this names the key that comes with the service.
pub(crate) fn is_default(key: &str) -> bool {
    key.is_empty()
        || key == "alias/aws/secretsmanager"
        || key.ends_with(":alias/aws/secretsmanager")
}
