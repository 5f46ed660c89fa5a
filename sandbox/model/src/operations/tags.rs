//! TagResource and UntagResource.

use serde_json::Value;

use super::{call::Call, input::check_tag_count};
use crate::error::ServiceError;

pub(super) fn tag_resource(call: &mut Call<'_>) -> Result<Value, ServiceError> {
    let new = call.input.tags()?;
    let new = new.ok_or_else(|| ServiceError::constraint("Tags", "not be null"))?;
    let mut secret = call.writable_secret()?;
    let tags = secret.tags.get_or_insert_default();
    tags.extend(new);
    check_tag_count(tags)?;
    secret.changed = call.now();
    call.commit(secret);
    Ok(Value::Null)
}

pub(super) fn untag_resource(call: &mut Call<'_>) -> Result<Value, ServiceError> {
    let keys = call.input.list("TagKeys")?;
    let keys = keys.ok_or_else(|| ServiceError::constraint("TagKeys", "not be null"))?;
    let keys = keys.iter().map(|key| {
        key.as_str()
            .map(str::to_owned)
            .ok_or_else(ServiceError::serialization)
    });
    let keys = keys.collect::<Result<Vec<_>, _>>()?;
    let mut secret = call.writable_secret()?;
    if let Some(tags) = &mut secret.tags {
        tags.retain(|key, _| !keys.contains(key));
    }
    secret.changed = call.now();
    call.commit(secret);
    Ok(Value::Null)
}
