//! DeleteSecret and RestoreSecret.

use std::time::Duration;

use serde_json::{Value, json};

use super::call::{Call, check_secret_id};
use crate::{arn, error::ServiceError, state::Deletion, time};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

pub(super) fn delete_secret(call: &mut Call<'_>) -> Result<Value, ServiceError> {
    let force = call.input.flag("ForceDeleteWithoutRecovery")?;
    let window = call.input.integer("RecoveryWindowInDays")?;
    if force && window.is_some() {
        return Err(ServiceError::invalid_parameter(
            "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.",
        ));
    }
    let days = u32::try_from(window.unwrap_or(30)).ok();
    let Some(days) = days.filter(|days| (7..=30).contains(days)) else {
        return Err(ServiceError::invalid_parameter(
            "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).",
        ));
    };
    let now = call.now();
    let mut secret = match call.authorized_secret() {
        Err(error) if force && error == ServiceError::no_secret() => {
            let id = call.input.required("SecretId", 1, 2048)?;
            check_secret_id(id)?;
            let name = arn::partial_name(id).unwrap_or(id);
            let suffix = call.world.random.arn_suffix();
            let arn = arn::secret(call.caller.account(), call.region, name, &suffix);
            return Ok(json!({"ARN": arn, "Name": name, "DeletionDate": time::epoch(now)}));
        }
        found => found?,
    };
    if secret.is_replica() {
        return Err(ServiceError::replica());
    }
    let regions: Vec<_> = secret
        .replicas()
        .iter()
        .map(|replica| replica.region.as_str())
        .collect();
    if !regions.is_empty() {
        return Err(ServiceError::invalid_parameter(format!(
            "You can't delete secret {} that still has replica regions [{}]",
            secret.name,
            regions.join(", ")
        )));
    }
    let name = secret.name.clone();
    let due = if force { now } else { now + DAY * days };
    let answer = json!({"ARN": secret.arn, "Name": name, "DeletionDate": time::epoch(due)});
    if force {
        call.store_mut().force_delete(&name, now);
        return Ok(answer);
    }
    if secret.deletion.is_some() {
        return Err(ServiceError::marked_for_deletion());
    }
    secret.deletion = Some(Deletion { due });
    call.commit(secret);
    Ok(answer)
}

pub(super) fn restore_secret(call: &mut Call<'_>) -> Result<Value, ServiceError> {
    let mut secret = call.authorized_secret()?;
    secret.deletion = None;
    let answer = json!({"ARN": secret.arn, "Name": secret.name});
    call.commit(secret);
    Ok(answer)
}
