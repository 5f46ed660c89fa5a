//! A secret that matches an import, and whether it can be an entry of a manifest.

use upsert_secret_core::state::{PolicyView, SecretMetadata};

/// A secret that matches.
pub struct FoundSecret {
    /// Its metadata, with its replicas if they could be read.
    pub metadata: SecretMetadata,
    /// Whether it has replicas that could not be read.
    pub hides_replicas: bool,
    /// Its resource policy.
    pub policy: PolicyView,
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

/// A secret without metadata, after a change.
#[cfg(test)]
pub(super) fn secret(name: &str, change: impl FnOnce(&mut SecretMetadata)) -> FoundSecret {
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
