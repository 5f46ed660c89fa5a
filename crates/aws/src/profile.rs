//! Settings of the shared configuration files other than credentials. They are checked like environment variables, because
//! the SDK ignores an invalid setting. Credentials are none of this module's business.

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

/// The region of the profile, if it is valid.
pub(crate) async fn region() -> Option<Region> {
    use aws_config::meta::region::ProvideRegion as _;
    ProfileFileRegionProvider::default()
        .region()
        .await
        .filter(|region| is_region(region.as_ref()))
}

/// Checks the settings of the profile and of the variables that override them. Returns warnings.
///
/// # Errors
/// An unknown profile, an invalid setting, or settings that contradict each other.
pub(crate) async fn check(
    shared: &SdkConfig,
    identity: &Identity,
) -> Result<Vec<String>, AwsError> {
    let invalid = |key, why| AwsError::new("configuration", ErrorKind::Setting { key, why });
    // The SDK would continue with the next source of credentials, such as the role of the machine.
    if let Ok(name) = std::env::var("AWS_PROFILE")
        && !name.is_empty()
        && !profile_exists(&name).await
    {
        return Err(invalid(
            "AWS_PROFILE",
            "names a profile that is not in the shared configuration files",
        ));
    }
    let mut restricted = None;
    for (env, key) in [
        ("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint"),
        ("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint"),
    ] {
        let flag = load_setting(shared, "Secrets Manager", env, key);
        match flag.map(|flag| flag.to_ascii_lowercase()).as_deref() {
            None | Some("false") => {}
            Some("true") => restricted = Some(key),
            Some(_) => return Err(invalid(key, "must be `true` or `false`")),
        }
    }
    let mut warnings = Vec::new();
    let uses_sts = identity.role.is_some()
        || identity.token_file_role.is_some()
        || !identity.allowed_accounts.is_empty();
    let services = ["Secrets Manager", "STS"];
    for service in &services[..1 + usize::from(uses_sts)] {
        let Some(url) = load_setting(shared, service, "AWS_ENDPOINT_URL", "endpoint_url") else {
            continue;
        };
        if let Some(key) = restricted {
            return Err(invalid(
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
                return Err(invalid("endpoint_url", "must be a URL such as `https://host:port`"));
            }
        }
    }
    Ok(warnings)
}

/// Whether the shared configuration files can be read and have the profile.
async fn profile_exists(name: &str) -> bool {
    load(&Fs::real(), &Env::real(), &EnvConfigFiles::default(), None)
        .await
        .is_ok_and(|profiles| profiles.get_profile(name).is_some())
}

fn load_setting(shared: &SdkConfig, service: &str, env: &str, key: &str) -> Option<String> {
    let key = ServiceConfigKey::builder()
        .service_id(service)
        .env(env)
        .profile(key)
        .build()
        .ok()?;
    shared.service_config()?.load_config(key)
}
