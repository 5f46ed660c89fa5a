//! GitHub's endpoint from which a job gets its ID token.

use std::time::Duration;

use sandbox_model::ServiceError;
use serde_json::{Value, json};

use crate::identity::{
    call::IdentityCall,
    issuers::{Claims, GITHUB},
};

/// The lifetime of GitHub's tokens.
const LIFETIME: Duration = Duration::from_secs(300);

/// Of GitHub's errors, only the 403 for a job that is not running yet was recorded. The others have the statuses
/// and messages of Azure DevOps, on which the endpoint is built.
pub(crate) fn get_id_token(call: &mut IdentityCall<'_>) -> Result<Value, ServiceError> {
    if call.request.method != "GET" {
        let text = "The requested resource does not support this http method.";
        return Err(ServiceError::new(405, "MethodNotAllowed", text));
    }
    let job = call.registry.issuers.job(&call.request.path);
    let job = job.ok_or_else(|| ServiceError::new(404, "NotFound", "The job was not found."))?;
    let given = call.request.header("authorization").unwrap_or_default();
    let allowed = given.split_once(' ').is_some_and(|(scheme, token)| {
        scheme.eq_ignore_ascii_case("bearer") && token == job.bearer
    });
    if !allowed {
        return Err(ServiceError::new(401, "Unauthorized", "Unauthorized"));
    }
    if call.request.input["api-version"].as_str().is_none() {
        let text = "No api-version was supplied for the \"GET\" request.";
        return Err(ServiceError::new(
            400,
            "VssVersionNotSpecifiedException",
            text,
        ));
    }
    let subject = job.subject.clone();
    let repository = subject.split(':').nth(1).unwrap_or_default().to_owned();
    let owner = repository.split('/').next().unwrap_or_default().to_owned();
    let audience = match call.request.input["audience"].as_str() {
        Some(audience) if !audience.is_empty() => audience.to_owned(),
        _ => format!("https://github.com/{owner}"),
    };
    let claims = Claims {
        issuer: GITHUB,
        subject: &subject,
        audience: &audience,
        lifetime: LIFETIME,
        more: json!({
            "repository": repository,
            "repository_owner": owner,
            "event_name": "push",
            "runner_environment": "github-hosted",
        }),
    };
    Ok(json!({"value": call.registry.issuers.token(claims, call.now)}))
}
