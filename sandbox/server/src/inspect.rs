//! Pages for shell scripts: `GET /_sandbox/log` and `GET /_sandbox/secrets`. They show the length of a value, never
//! the value.

use sandbox_model::{ACCOUNT, REGION};
use serde_json::{Map, Value, json};

use crate::{shared::Shared, wire::EncodedResponse};

pub(crate) fn answer(shared: &Shared, path: &str) -> EncodedResponse {
    match path {
        "/_sandbox/log" => EncodedResponse::plain(200, "application/x-ndjson", log(shared)),
        "/_sandbox/secrets" => {
            EncodedResponse::plain(200, "application/json", format!("{}\n", secrets(shared)))
        }
        _ => EncodedResponse::plain(404, "text/plain", "not here\n"),
    }
}

fn log(shared: &Shared) -> String {
    let lines = shared.log.entries().into_iter().map(|entry| {
        let line = json!({
            "operation": entry.operation,
            "principal": entry.principal,
            "caller": entry.caller,
            "role": entry.identity.role,
            "session": entry.identity.session,
            "duration": entry.identity.duration,
            "audience": entry.identity.audience,
            "region": entry.region,
            "status": entry.status,
            "error": entry.error,
            "applied": entry.applied,
        });
        format!("{line}\n")
    });
    lines.collect()
}

/// The secrets by name, or by ARN for those of another account or region.
fn secrets(shared: &Shared) -> Value {
    let state = shared.lock();
    let mut all = Map::new();
    for (account, region, secret) in state.world.all_secrets() {
        let home = account == ACCOUNT && region == REGION;
        let versions = secret.versions.iter().map(|version| {
            let string = version.string.as_ref().map(String::len);
            let binary = version.binary.as_ref().map(Vec::len);
            json!({
                "id": version.id,
                "labels": version.stages,
                "length": string.or(binary),
            })
        });
        let replicas = secret.replicas.iter().map(|replica| {
            json!({
                "region": replica.region,
                "status": replica.status,
                "message": replica.message,
            })
        });
        let shown = json!({
            "arn": secret.arn,
            "deleted": secret.deleted,
            "versions": versions.collect::<Vec<_>>(),
            "policy": secret.policy.is_some(),
            "replicas": replicas.collect::<Vec<_>>(),
        });
        all.insert(if home { secret.name } else { secret.arn }, shown);
    }
    Value::Object(all)
}
