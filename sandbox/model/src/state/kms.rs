//! The part of KMS that Secrets Manager depends on: which keys and aliases exist, which of them are usable, and the messages
//! with which KMS rejects the others.

use std::collections::BTreeMap;

/// The keys of one account and region.
#[derive(Clone)]
pub(crate) struct Kms {
    /// Key IDs by every name a request can use: the key ID itself and aliases.
    names: BTreeMap<String, String>,
    /// Keys that cannot be used, by their IDs.
    unusable: BTreeMap<String, Unusable>,
}

/// The reason an existing key cannot be used.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unusable {
    Disabled,
    PendingDeletion,
    /// The key policy does not allow the caller to use it.
    Denied,
}

/// An error of KMS. Secrets Manager passes its message on, except for a denial.
pub(crate) struct KmsError {
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

impl Kms {
    pub(crate) const fn new() -> Self {
        Self {
            names: BTreeMap::new(),
            unusable: BTreeMap::new(),
        }
    }

    /// Adds a key under its ID and one more name, which may be the ID again.
    pub(crate) fn add(&mut self, id: &str, name: &str) {
        self.names.insert(id.to_owned(), id.to_owned());
        self.names.insert(name.to_owned(), id.to_owned());
    }

    /// Makes a key unusable and returns whether it exists.
    pub(crate) fn set_unusable(&mut self, id_or_alias: &str, why: Unusable) -> bool {
        let id = self.names.get(id_or_alias).cloned();
        id.is_some_and(|id| {
            self.unusable.insert(id, why);
            true
        })
    }

    /// Removes a key and its aliases, as at the end of its waiting period, and returns whether it existed.
    pub(crate) fn remove(&mut self, id_or_alias: &str) -> bool {
        let id = self.names.get(id_or_alias).cloned();
        id.is_some_and(|id| {
            self.names.retain(|_, other| *other != id);
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

    /// The ARN of a key that can be used, by its key ID, alias, key ARN or alias ARN, as seen from this account and region.
    pub(crate) fn usable(
        &self,
        wanted: &str,
        account: &str,
        region: &str,
    ) -> Result<String, KmsError> {
        let here = format!("arn:aws:kms:{region}:{account}:");
        let error = |code, message| Err(KmsError { code, message });
        let resource = match wanted.strip_prefix(&here) {
            Some(resource) => resource,
            None if wanted.starts_with("arn:") => {
                let of_key = wanted.split(':').nth(3).unwrap_or_default();
                if of_key != region {
                    return error("NotFoundException", format!("Invalid arn {of_key}"));
                }
                // A key of another account may exist: KMS does not reveal it.
                return error("AccessDeniedException", String::new());
            }
            None => wanted,
        };
        let local = resource.strip_prefix("key/").unwrap_or(resource);
        let Some(id) = self.names.get(local) else {
            let message = if local.starts_with("alias/") {
                format!("Alias {here}{local} is not found.")
            } else {
                format!("Key '{here}key/{local}' does not exist")
            };
            return error("NotFoundException", message);
        };
        let arn = format!("{here}key/{id}");
        match self.unusable.get(id) {
            None => Ok(arn),
            Some(Unusable::Disabled) => error("DisabledException", format!("{arn} is disabled.")),
            Some(Unusable::PendingDeletion) => error(
                "KMSInvalidStateException",
                format!("{arn} is pending deletion."),
            ),
            Some(Unusable::Denied) => error("AccessDeniedException", String::new()),
        }
    }
}

/// Whether the name refers to the AWS managed key of Secrets Manager.
pub(crate) fn is_default(key: &str) -> bool {
    key.is_empty()
        || key == "alias/aws/secretsmanager"
        || key.ends_with(":alias/aws/secretsmanager")
}
