//! The profile: its region and the settings other than credentials. They are checked like environment variables, because the
//! SDK ignores an invalid setting. Must not handle credentials.

mod files;
mod syntax;

use std::borrow::Cow;

use aws_config::SdkConfig;
use aws_config::profile::{ProfileFileRegionProvider, ProfileSet, load};
use aws_runtime::env_config::file::EnvConfigFiles;
use aws_types::os_shim_internal::{Env, Fs};
use aws_types::region::Region;
use aws_types::service_config::ServiceConfigKey;

use upsert_secret_core::connection::Identity;
use upsert_secret_core::region::is_region;
use upsert_secret_core::url::{Endpoint, endpoint};

use crate::call_gate::CallGate;
use crate::error::{AwsError, ErrorKind};
use crate::fault::MissingProfile;
use crate::known_secrets;

pub(crate) use files::{SharedFiles, read};

/// The default profile if `AWS_PROFILE` is not set.
const DEFAULT: &str = "default";

/// The profile from `AWS_PROFILE` or the default one, with the files that were searched for it.
pub(crate) struct Profiles {
    files: SharedFiles,
    name: String,
    all: ProfileSet,
}

impl Profiles {
    /// Parses the files, and registers the secrets of all profiles for redaction: the SDK uses one profile's keys to assume the
    /// role of another.
    ///
    /// # Errors
    /// The SDK rejects what this program accepted.
    pub(crate) async fn parse(files: SharedFiles, gate: &CallGate) -> Result<Self, AwsError> {
        let given = std::env::var("AWS_PROFILE").unwrap_or_default();
        let name = if given.is_empty() {
            DEFAULT.to_owned()
        } else {
            given
        };
        let selected = Some(Cow::Owned(name.clone()));
        let all = load(&Fs::real(), &Env::real(), &files.sdk, selected)
            .await
            .map_err(|_| AwsError::new("configuration", ErrorKind::Configuration))?;
        for profile in all.profiles().filter_map(|name| all.get_profile(name)) {
            known_secrets::register_profile(|setting| profile.get(setting), gate);
        }
        Ok(Self { files, name, all })
    }

    /// The files for the SDK.
    pub(crate) fn sdk_files(&self) -> EnvConfigFiles {
        self.files.sdk.clone()
    }

    /// The name of the profile.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The region of the profile, if it is valid.
    pub(crate) async fn region(&self) -> Option<Region> {
        use aws_config::meta::region::ProvideRegion as _;
        ProfileFileRegionProvider::builder()
            .profile_files(self.sdk_files())
            .profile_name(self.name())
            .build()
            .region()
            .await
            .filter(|region| is_region(region.as_ref()))
    }

    /// Whether the profile's credentials come from a role and are issued by STS.
    pub(crate) fn has_role(&self) -> bool {
        let profile = self.all.get_profile(self.name());
        profile.is_some_and(|profile| profile.get("role_arn").is_some())
    }

    /// Checks that the profile and its source profiles exist. A missing profile that the run needs is an error: the SDK would
    /// continue with the next source of credentials, such as the role of the machine. A missing profile that the run does not
    /// need is a leftover in the environment, and causes a warning.
    ///
    /// # Errors
    /// A profile that the run needs does not exist.
    pub(crate) fn check_exists(
        &self,
        for_credentials: bool,
        for_region: bool,
    ) -> Result<Option<String>, AwsError> {
        let mut sources: Vec<&str> = Vec::new();
        let mut next = Some(self.name());
        if self.name == DEFAULT && self.all.get_profile(DEFAULT).is_none() {
            next = None;
        }
        while let Some(name) = next.filter(|name| !sources.contains(name)) {
            let Some(profile) = self.all.get_profile(name) else {
                let is_needed = for_credentials || for_region && sources.is_empty();
                let missing = self.missing(name, sources.last().copied());
                return if is_needed {
                    let kind = ErrorKind::MissingProfile(Box::new(missing));
                    Err(AwsError::new("configuration", kind))
                } else {
                    Ok(sources.is_empty().then(|| missing.warning()))
                };
            };
            let ends_here = profile.get("role_arn").is_none()
                || profile.get("web_identity_token_file").is_some()
                || !sources.is_empty() && profile.get("aws_access_key_id").is_some();
            sources.push(name);
            next = profile.get("source_profile").filter(|_| !ends_here);
        }
        Ok(None)
    }

    fn missing(&self, name: &str, source_of: Option<&str>) -> MissingProfile {
        MissingProfile {
            name: name.to_owned(),
            source_of: source_of.map(str::to_owned),
            has_bare_section: self.files.has_bare_section(name),
            places: self.files.places.clone(),
        }
    }
}

/// Checks the settings of the profile and of the variables that override them. Returns warnings. `has_role` says whether the
/// credentials come from a profile's role.
///
/// # Errors
/// An invalid setting, or settings that contradict each other.
pub(crate) fn check_settings(
    shared: &SdkConfig,
    identity: &Identity,
    has_role: bool,
) -> Result<Vec<String>, AwsError> {
    let invalid = |key, why| AwsError::new("configuration", ErrorKind::Setting { key, why });
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
    let uses_sts = has_role
        || identity.role.is_some()
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

/// A setting of a service, from the environment or the profile.
pub(crate) fn load_setting(
    shared: &SdkConfig,
    service: &str,
    env: &str,
    key: &str,
) -> Option<String> {
    let key = ServiceConfigKey::builder()
        .service_id(service)
        .env(env)
        .profile(key)
        .build()
        .ok()?;
    shared.service_config()?.load_config(key)
}
