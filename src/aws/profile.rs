//! What the shared configuration files say besides credentials: the same checks that variables get,
//! before the SDK takes nonsense for "not set".

use aws_config::SdkConfig;
use aws_config::profile::ProfileFileRegionProvider;
use aws_types::region::Region;
use aws_types::service_config::ServiceConfigKey;

use super::{AwsError, ErrorKind};
use crate::request::{Endpoint, endpoint, is_region};

/// The region of the profile.
pub(super) async fn region() -> Option<Region> {
    use aws_config::meta::region::ProvideRegion as _;
    ProfileFileRegionProvider::default()
        .region()
        .await
        .filter(|region| is_region(region.as_ref()))
}

/// Checks what the environment and the profile set together; comes back with what may be a mistake.
///
/// # Errors
/// A setting that cannot be meant.
pub(super) fn check(shared: &SdkConfig) -> Result<Vec<String>, AwsError> {
    let wrong = |key, why| AwsError::new("configuration", ErrorKind::Setting { key, why });
    let mut special = None;
    for (env, key) in [
        ("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint"),
        ("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint"),
    ] {
        match setting(shared, "Secrets Manager", env, key).map(|flag| flag.to_ascii_lowercase()) {
            None => {}
            Some(flag) if flag == "false" => {}
            Some(flag) if flag == "true" => special = Some(key),
            Some(_) => return Err(wrong(key, "must be `true` or `false`")),
        }
    }
    let mut doubts = Vec::new();
    for service in ["Secrets Manager", "STS"] {
        let Some(url) = setting(shared, service, "AWS_ENDPOINT_URL", "endpoint_url") else {
            continue;
        };
        if let Some(key) = special {
            return Err(wrong(
                key,
                "cannot be met by an endpoint_url of your own; unset one of them",
            ));
        }
        match endpoint(&url) {
            Some(Endpoint::Safe) => {}
            Some(Endpoint::Clear) => doubts.push(format!(
                "the endpoint of {service} is a plain http:// address on another host: what is sent crosses that network unencrypted"
            )),
            None => {
                return Err(wrong("endpoint_url", "must be a URL such as `https://host:port`"));
            }
        }
    }
    Ok(doubts)
}

fn setting(shared: &SdkConfig, service: &str, env: &str, key: &str) -> Option<String> {
    let key = ServiceConfigKey::builder()
        .service_id(service)
        .env(env)
        .profile(key)
        .build()
        .ok()?;
    shared.service_config()?.load_config(key)
}
