//! The endpoints from which a machine gets its role's credentials: the instance metadata service of EC2 (version 2
//! only) and the endpoint for containers (ECS, EKS). Their errors were not recorded; the statuses are documented.

use std::time::Duration;

use sandbox_model::{REGION, ServiceError};
use serde_json::{Value, json};

use crate::{
    identity::{arn::role_name, call::IdentityCall, registry::IssuedSession},
    random, time,
};

const TTL: &str = "x-aws-ec2-metadata-token-ttl-seconds";
const INSTANCE: &str = "i-0a1b2c3d4e5f60718";

/// The lifetime of the credentials that EC2 and ECS issue.
const LIFETIME: Duration = Duration::from_secs(6 * 3600);

pub(crate) fn get_metadata_token(call: &mut IdentityCall<'_>) -> Result<Value, ServiceError> {
    instance_role(call)?;
    if call.request.method != "PUT" {
        return Err(plain_error(405, "Method Not Allowed"));
    }
    let ttl = call.request.header(TTL).and_then(|ttl| ttl.parse().ok());
    let ttl = ttl.filter(|ttl| (1..=21_600_u64).contains(ttl));
    let ttl = ttl.ok_or_else(|| plain_error(400, "Bad Request"))?;
    let token = random::base64(42);
    let ends = call.now + Duration::from_secs(ttl);
    call.registry.metadata.add_token(&token, ends);
    Ok(json!({"token": token, "ttl": ttl.to_string()}))
}

pub(crate) fn get_metadata_role(call: &mut IdentityCall<'_>) -> Result<Value, ServiceError> {
    let role = instance_role_with_token(call)?;
    Ok(json!(role_name(&role)))
}

pub(crate) fn get_metadata_credentials(call: &mut IdentityCall<'_>) -> Result<Value, ServiceError> {
    let role = instance_role_with_token(call)?;
    if call.request.path.rsplit('/').next() != Some(role_name(&role)) {
        return Err(plain_error(404, "Not Found"));
    }
    let issued = call
        .registry
        .issue_session(&role, INSTANCE, LIFETIME, call.now);
    let mut answer = credentials(&issued);
    answer["Code"] = json!("Success");
    answer["Type"] = json!("AWS-HMAC");
    answer["LastUpdated"] = json!(time::iso8601(call.now));
    Ok(answer)
}

pub(crate) fn get_metadata_region(call: &mut IdentityCall<'_>) -> Result<Value, ServiceError> {
    instance_role_with_token(call)?;
    Ok(json!(REGION))
}

pub(crate) fn get_container_credentials(
    call: &mut IdentityCall<'_>,
) -> Result<Value, ServiceError> {
    let container = call.registry.metadata.container(&call.request.path);
    let container = container.ok_or_else(|| plain_error(404, "Not Found"))?;
    if call.request.header("authorization") != Some(&container.authorization) {
        return Err(plain_error(401, "Unauthorized"));
    }
    let role = container.role.clone();
    let task = random::uuid().replace('-', "");
    let issued = call
        .registry
        .issue_session(&role, &task, LIFETIME, call.now);
    let mut answer = credentials(&issued);
    answer["RoleArn"] = json!(role);
    Ok(answer)
}

/// The instance's role; a 404 if the sandbox is not an instance.
fn instance_role(call: &IdentityCall<'_>) -> Result<String, ServiceError> {
    let role = call.registry.metadata.instance().map(str::to_owned);
    role.ok_or_else(|| plain_error(404, "Not Found"))
}

/// Like [`instance_role`], but requires a valid metadata token.
fn instance_role_with_token(call: &IdentityCall<'_>) -> Result<String, ServiceError> {
    let role = instance_role(call)?;
    let token = call.request.header("x-aws-ec2-metadata-token");
    let metadata = &call.registry.metadata;
    if token.is_some_and(|token| metadata.accepts_token(token, call.now)) {
        Ok(role)
    } else {
        Err(plain_error(401, "Unauthorized"))
    }
}

fn credentials(issued: &IssuedSession) -> Value {
    json!({
        "AccessKeyId": issued.key.id,
        "SecretAccessKey": issued.key.secret,
        "Token": issued.key.session_token,
        "Expiration": time::iso8601(issued.expires),
    })
}

fn plain_error(status: u16, title: &str) -> ServiceError {
    ServiceError::new(status, &title.replace(' ', ""), title)
}
