//! The operations on resource policies. Their syntax and meaning are in `resource_policy.rs`.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::call::Call;
use crate::{
    arn,
    error::ServiceError,
    resource_policy::{Principal, ResourcePolicy},
};

const MAX_LENGTH: usize = 20_480;

pub(super) fn put_resource_policy(call: &mut Call<'_>) -> Result<Value, ServiceError> {
    let document = call.input.required("ResourcePolicy", 1, MAX_LENGTH)?;
    let document = document.to_owned();
    let block = call.input.flag("BlockPublicPolicy")?;
    let mut secret = call.writable_secret()?;
    let policy = parse_policy(call, &document)?;
    if block && policy.is_public() {
        // The message of an older user guide.
        return Err(ServiceError::new(
            400,
            "PublicPolicyException",
            "You can't attach a resource-based policy that allows broad access to the secret.",
        ));
    }
    // The model lets a caller lock itself out: only ValidateResourcePolicy is documented to check for that.
    secret.policy = Some(document);
    secret.changed = call.now();
    let answer = json!({"ARN": secret.arn, "Name": secret.name});
    call.commit(secret);
    Ok(answer)
}

pub(super) fn get_resource_policy(call: &mut Call<'_>) -> Result<Value, ServiceError> {
    let secret = call.active_secret()?;
    let mut answer = json!({"ARN": secret.arn, "Name": secret.name});
    if let Some(policy) = secret.policy {
        answer["ResourcePolicy"] = json!(policy);
    }
    Ok(answer)
}

/// Deleting a missing policy succeeds; that was not recorded.
pub(super) fn delete_resource_policy(call: &mut Call<'_>) -> Result<Value, ServiceError> {
    let mut secret = call.writable_secret()?;
    if secret.policy.take().is_some() {
        secret.changed = call.now();
    }
    let answer = json!({"ARN": secret.arn, "Name": secret.name});
    call.commit(secret);
    Ok(answer)
}

/// The names of the checks and the messages were not recorded. A document that PutResourcePolicy calls malformed
/// fails in the same way here, because the API model gives this operation that error.
pub(super) fn validate_resource_policy(call: &mut Call<'_>) -> Result<Value, ServiceError> {
    let document = call.input.required("ResourcePolicy", 1, MAX_LENGTH)?;
    let document = document.to_owned();
    let secret = match call.input.text("SecretId", 1, 2048)? {
        Some(_) => Some(call.active_secret()?),
        None => {
            call.authorize(call.action, "*", None)?;
            None
        }
    };
    let policy = parse_policy(call, &document)?;
    let mut errors = Vec::new();
    let mut report = |check: &str, text: &str| {
        errors.push(json!({"CheckName": check, "ErrorMessage": text}));
    };
    if policy.is_public() {
        report(
            "PublicAccess",
            "The resource policy allows broad access to the secret.",
        );
    }
    let needed = ["PutResourcePolicy", "DeleteResourcePolicy"];
    if needed
        .iter()
        .any(|action| call.denied_by(&policy, action, secret.as_ref()))
    {
        report(
            "CallerLockout",
            "The resource policy would not let you change or delete it.",
        );
    }
    Ok(json!({
        "PolicyValidationPassed": errors.is_empty(),
        "ValidationErrors": errors,
    }))
}

/// Parses a document and checks that all principals it names exist.
fn parse_policy(call: &mut Call<'_>, document: &str) -> Result<ResourcePolicy, ServiceError> {
    let malformed = |text| ServiceError::new(400, "MalformedPolicyDocumentException", text);
    let policy = ResourcePolicy::parse(document)
        .ok_or_else(|| malformed("This policy has invalid syntax."))?;
    let named: BTreeSet<&Principal> = policy.principals().collect();
    let mut supported = true;
    for principal in named {
        // Not `all`, which stops at the first: the request counts for every principal it names.
        supported &= principal_exists(call, principal);
    }
    supported
        .then_some(policy)
        .ok_or_else(|| malformed("This resource policy contains an unsupported principal"))
}

/// Whether a policy can name the principal. All accounts and AWS services exist, users and roles only if added.
fn principal_exists(call: &mut Call<'_>, principal: &Principal) -> bool {
    let known = &mut call.world.principals;
    match principal {
        Principal::Everyone | Principal::Account(_) => true,
        Principal::Service(name) => name.ends_with(".amazonaws.com"),
        Principal::Arn(arn) => {
            // A session can be named as soon as its role can.
            known.lookup(arn) || arn::role_of_session(arn).is_some_and(|role| known.lookup(&role))
        }
        Principal::Unsupported => false,
    }
}
