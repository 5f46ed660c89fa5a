//! Owns the services on a machine that hand its role's credentials to whoever runs there: the instance metadata
//! service of EC2 (version 2 only) and the endpoint for containers (ECS, EKS). Both are silent until a test asks for
//! them. Their errors have no recorded words; the statuses are documented.

use std::time::{Duration, SystemTime};

use sandbox_model::{REGION, ServiceError};
use serde_json::{Value, json};

use super::{Ask, session::Minted};
use crate::{random, time};

const TTL: &str = "x-aws-ec2-metadata-token-ttl-seconds";
const INSTANCE: &str = "i-0a1b2c3d4e5f60718";

/// How long the credentials last that EC2 and ECS hand out.
const LASTS: Duration = Duration::from_secs(6 * 3600);

#[derive(Default)]
pub(crate) struct Metadata {
    /// The ARN of the instance's role.
    instance: Option<String>,
    /// The tokens of the instance metadata service, and when they end.
    tokens: Vec<(String, SystemTime)>,
    containers: Vec<Container>,
}

struct Container {
    path: String,
    authorization: String,
    role: String,
}

impl Metadata {
    pub(crate) fn set_instance(&mut self, role: &str) {
        self.instance = Some(role.to_owned());
    }

    /// Makes a container with a role; answers the path to ask at, and what to authorize with.
    pub(crate) fn add_container(&mut self, role: &str) -> (String, String) {
        let path = format!("/v2/credentials/{}", random::uuid());
        let authorization = random::base64(60);
        self.containers.push(Container {
            path: path.clone(),
            authorization: authorization.clone(),
            role: role.to_owned(),
        });
        (path, authorization)
    }
}

pub(crate) fn get_metadata_token(ask: &mut Ask<'_>) -> Result<Value, ServiceError> {
    instance(ask)?;
    if ask.incoming.method != "PUT" {
        return Err(plain(405, "Method Not Allowed"));
    }
    let ttl = ask.incoming.header(TTL).and_then(|ttl| ttl.parse().ok());
    let ttl = ttl.filter(|ttl| (1..=21_600_u64).contains(ttl));
    let ttl = ttl.ok_or_else(|| plain(400, "Bad Request"))?;
    let token = random::base64(42);
    let ends = ask.now + Duration::from_secs(ttl);
    ask.identity.metadata.tokens.push((token.clone(), ends));
    Ok(json!({"token": token, "ttl": ttl.to_string()}))
}

pub(crate) fn get_metadata_role(ask: &mut Ask<'_>) -> Result<Value, ServiceError> {
    let role = with_token(ask)?;
    Ok(json!(name(&role)))
}

pub(crate) fn get_metadata_credentials(ask: &mut Ask<'_>) -> Result<Value, ServiceError> {
    let role = with_token(ask)?;
    if ask.incoming.path.rsplit('/').next() != Some(name(&role)) {
        return Err(plain(404, "Not Found"));
    }
    let minted = ask.identity.mint(&role, INSTANCE, LASTS, ask.now);
    let mut answer = shown(&minted);
    answer["Code"] = json!("Success");
    answer["Type"] = json!("AWS-HMAC");
    answer["LastUpdated"] = json!(time::iso8601(ask.now));
    Ok(answer)
}

pub(crate) fn get_metadata_region(ask: &mut Ask<'_>) -> Result<Value, ServiceError> {
    with_token(ask)?;
    Ok(json!(REGION))
}

pub(crate) fn get_container_credentials(ask: &mut Ask<'_>) -> Result<Value, ServiceError> {
    let containers = &ask.identity.metadata.containers;
    let container = containers.iter().find(|c| c.path == ask.incoming.path);
    let container = container.ok_or_else(|| plain(404, "Not Found"))?;
    if ask.incoming.header("authorization") != Some(&container.authorization) {
        return Err(plain(401, "Unauthorized"));
    }
    let role = container.role.clone();
    let task = random::uuid().replace('-', "");
    let minted = ask.identity.mint(&role, &task, LASTS, ask.now);
    let mut answer = shown(&minted);
    answer["RoleArn"] = json!(role);
    Ok(answer)
}

/// The instance's role, if this is an instance.
fn instance(ask: &Ask<'_>) -> Result<String, ServiceError> {
    let role = ask.identity.metadata.instance.clone();
    role.ok_or_else(|| plain(404, "Not Found"))
}

/// The same, for a request that came with a good token.
fn with_token(ask: &Ask<'_>) -> Result<String, ServiceError> {
    let role = instance(ask)?;
    let given = ask.incoming.header("x-aws-ec2-metadata-token");
    let mut tokens = ask.identity.metadata.tokens.iter();
    let good = tokens.any(|(token, ends)| Some(token.as_str()) == given && *ends > ask.now);
    if good {
        Ok(role)
    } else {
        Err(plain(401, "Unauthorized"))
    }
}

fn name(role: &str) -> &str {
    role.rsplit('/').next().unwrap_or_default()
}

fn shown(minted: &Minted) -> Value {
    json!({
        "AccessKeyId": minted.key.id,
        "SecretAccessKey": minted.key.secret,
        "Token": minted.key.session_token,
        "Expiration": time::iso8601(minted.expires),
    })
}

fn plain(status: u16, title: &str) -> ServiceError {
    ServiceError::new(status, &title.replace(' ', ""), title)
}
