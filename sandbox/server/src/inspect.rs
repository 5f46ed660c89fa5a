//! Owns the pages shell scripts look at: `GET /_sandbox/log` and `GET /_sandbox/secrets`.
//! They show the length of a value, never the value.

use serde_json::{Map, Value, json};

use crate::{http::Shared, wire::Answer};

pub(crate) fn answer(shared: &Shared, path: &str) -> Answer {
    match path {
        "/_sandbox/log" => Answer::plain(200, "application/x-ndjson", log(shared)),
        "/_sandbox/secrets" => {
            Answer::plain(200, "application/json", format!("{}\n", secrets(shared)))
        }
        _ => Answer::plain(404, "text/plain", "not here\n"),
    }
}

fn log(shared: &Shared) -> String {
    let lines = shared.log.entries().into_iter().map(|entry| {
        let line = json!({
            "operation": entry.operation,
            "principal": entry.principal,
            "caller": entry.caller,
            "role": entry.asked.role,
            "session": entry.asked.session,
            "duration": entry.asked.duration,
            "audience": entry.asked.audience,
            "region": entry.region,
            "status": entry.status,
            "error": entry.error,
            "applied": entry.applied,
        });
        format!("{line}\n")
    });
    lines.collect()
}

/// The secrets by name; those of another account or region by their ARN.
fn secrets(shared: &Shared) -> Value {
    let inner = shared.lock();
    let mut all = Map::new();
    for (account, region, store) in inner.world.stores() {
        let home = account == crate::state::ACCOUNT && region == crate::state::REGION;
        for secret in store.secrets.values() {
            let versions = secret.versions.iter().map(|version| {
                json!({
                    "id": version.id,
                    "labels": version.stages,
                    "length": version.content.len(),
                })
            });
            let replicas = secret.replicas().iter().map(|replica| {
                json!({
                    "region": replica.region,
                    "status": replica.status(),
                    "message": replica.message(),
                })
            });
            let key = if home { &secret.name } else { &secret.arn };
            let shown = json!({
                "arn": secret.arn,
                "deleted": secret.deletion.is_some(),
                "versions": versions.collect::<Vec<_>>(),
                "policy": secret.policy.is_some(),
                "replicas": replicas.collect::<Vec<_>>(),
            });
            all.insert(key.clone(), shown);
        }
    }
    Value::Object(all)
}
