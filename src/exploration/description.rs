//! Texts and hashes of worlds, requests and responses, for reports of violations and to recognize a state.

use std::hash::{DefaultHasher, Hash as _};

use sandbox_model::World;
use serde_json::Value;
use upsert_secret_core::store::Call;

/// A response, or why there is none.
pub(super) fn outcome(answer: Option<&Call<Value>>) -> String {
    match answer {
        None => "died".to_owned(),
        Some(Ok(answer)) => brief(answer),
        Some(Err(error)) => error.code().unwrap_or("no answer").to_owned(),
    }
}

/// Adds everything that tells two worlds apart.
pub(super) fn hash_world(world: &World, hasher: &mut DefaultHasher) {
    for (_, _, secret) in world.all_secrets() {
        (secret.name, secret.deleted, secret.description, secret.tags).hash(hasher);
        for version in secret.versions {
            (version.id, version.stages, version.string).hash(hasher);
        }
    }
}

/// The parts of a request or response that help a reader of the path.
pub(super) fn brief(value: &Value) -> String {
    let keys = [
        "SecretId",
        "Name",
        "VersionStage",
        "RemoveFromVersionId",
        "MoveToVersionId",
        "ClientRequestToken",
        "SecretString",
        "VersionStages",
        "VersionIdsToStages",
        "SecretIdList",
        "SecretValues",
        "VersionId",
    ];
    let members = value.as_object().into_iter().flatten();
    let members = members.filter(|(key, _)| keys.contains(&key.as_str()));
    members
        .map(|(_, value)| value.to_string())
        .collect::<Vec<_>>()
        .join(" ")
}

/// The secrets of a world and their versions, one per line.
pub(super) fn describe_world(world: &World) -> String {
    let mut text = String::new();
    for (_, _, secret) in world.all_secrets() {
        text += &format!("  {} deleted={}\n", secret.name, secret.deleted);
        for version in secret.versions {
            text += &format!(
                "    {} {:?} {:?}\n",
                version.id, version.stages, version.string
            );
        }
    }
    text
}
