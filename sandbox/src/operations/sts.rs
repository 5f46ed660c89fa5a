//! Owns STS GetCallerIdentity.

use serde_json::{Value, json};

use super::Call;
use crate::refusal::Refusal;

/// Needs no permission, as on AWS.
pub(super) fn get_caller_identity(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let caller = call.caller;
    Ok(json!({
        "Arn": caller.arn,
        "UserId": caller.key_id,
        "Account": caller.account,
    }))
}
