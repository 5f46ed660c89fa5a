//! The settings of the shared configuration files besides credentials. They get the same checks as variables, because the
//! SDK treats an invalid setting as "not set".

use aws_config::SdkConfig;
use aws_config::profile::ProfileFileRegionProvider;
use aws_config::profile::load;
use aws_runtime::env_config::file::EnvConfigFiles;
use aws_types::os_shim_internal::{Env, Fs};
use aws_types::region::Region;
use aws_types::service_config::ServiceConfigKey;

use upsert_secret_core::connection::Identity;
use upsert_secret_core::region::is_region;
use upsert_secret_core::url::{Endpoint, endpoint};

use crate::error::{AwsError, ErrorKind};

/// The region of the profile.
pub(crate) async fn region() -> Option<Region> {
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
pub(crate) async fn check(
    shared: &SdkConfig,
    identity: &Identity,
) -> Result<Vec<String>, AwsError> {
    let wrong = |key, why| AwsError::new("configuration", ErrorKind::Setting { key, why });
    // The SDK goes on to the machine's own role then, which may be anybody's.
    if let Ok(name) = std::env::var("AWS_PROFILE")
        && !name.is_empty()
        && !exists(&name).await
    {
        return Err(wrong(
            "AWS_PROFILE",
            "names a profile that is not in the shared configuration files",
        ));
    }
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
    let mut warnings = Vec::new();
    let asks_sts = identity.role.is_some()
        || identity.token_file_role.is_some()
        || !identity.allowed_accounts.is_empty();
    let services = ["Secrets Manager", "STS"];
    for service in &services[..1 + usize::from(asks_sts)] {
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
            Some(Endpoint::Protected) => {}
            Some(Endpoint::Unencrypted) => warnings.push(format!(
                "the endpoint of {service} is a plain http:// address on another host: what is sent crosses that network unencrypted"
            )),
            None => {
                return Err(wrong("endpoint_url", "must be a URL such as `https://host:port`"));
            }
        }
    }
    Ok(warnings)
}

/// Whether the shared files can be read and have the profile.
async fn exists(name: &str) -> bool {
    load(&Fs::real(), &Env::real(), &EnvConfigFiles::default(), None)
        .await
        .is_ok_and(|found| found.get_profile(name).is_some())
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
