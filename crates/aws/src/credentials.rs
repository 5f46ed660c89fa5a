//! The credentials of a run: those of the requested role, or those of the credential chain. Tokens and keys stay in this
//! process, and must not be written to a file or a variable. The SDK prints providers for debugging, so no provider may derive
//! `Debug`.

mod github;
mod retry;
mod roles;
mod services;

use std::sync::{Arc, Mutex, PoisonError};

use aws_config::SdkConfig;
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::Credentials;
use aws_credential_types::credential_fn::provide_credentials_fn;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use tokio::runtime::Handle;
use upsert_secret_core::connection::{Identity, Role, TokenSource};

use crate::call_gate::{CallGate, send};
use crate::caller::KeyPair;
use crate::error::{AwsError, ErrorKind};
use crate::http::Http;
use crate::known_secrets::registered;
use crate::profile::Profiles;
use crate::thread;

/// The credentials provider of a run. `shared` is a configuration without credentials.
pub(crate) fn provider(
    identity: &Identity,
    shared: &SdkConfig,
    profiles: &Profiles,
    http: &Http,
    gate: &Arc<CallGate>,
) -> SharedCredentialsProvider {
    let assumed = |role: &Arc<Role>, config: &SdkConfig| {
        registered(roles::provider(role, config, http, gate), gate)
    };
    let chain = || {
        let token_file = identity.token_file_role.as_ref();
        let token_file = token_file.map(|role| assumed(role, shared));
        registered(checked(chain(shared, profiles, http, token_file)), gate)
    };
    match &identity.role {
        None => chain(),
        Some(role) if matches!(role.source, TokenSource::Credentials { .. }) => {
            let with_chain = shared.to_builder().credentials_provider(chain()).build();
            assumed(role, &with_chain)
        }
        Some(role) => assumed(role, shared),
    }
}

/// Whether the environment has keys. They come first in the chain, and the config crate has checked that they are complete, so
/// no other source is used then.
pub(crate) fn are_in_environment() -> bool {
    std::env::var_os("AWS_ACCESS_KEY_ID").is_some_and(|key| !key.is_empty())
}

/// Loads credentials now, and checks their format. The returned provider yields them first, and those of `inner`
/// afterwards.
pub(crate) async fn prefetch(
    inner: SharedCredentialsProvider,
) -> Result<(SharedCredentialsProvider, Option<KeyPair>), CredentialsError> {
    let credentials = inner.provide_credentials().await?;
    let key_pair = KeyPair::of(credentials.access_key_id(), credentials.session_token());
    let prefetched = Mutex::new(Some(credentials));
    let provider = SharedCredentialsProvider::new(provide_credentials_fn(move || {
        let first = prefetched
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let inner = inner.clone();
        async move {
            match first {
                Some(credentials) => Ok(credentials),
                None => inner.provide_credentials().await,
            }
        }
    }));
    Ok((provider, key_pair))
}

/// Rejects credentials of an account that is not in `allowed-account-ids`. The account of a role is in its ARN, which the
/// config crate has already checked.
pub(crate) async fn check_account(
    identity: &Identity,
    shared: &SdkConfig,
    gate: &Arc<CallGate>,
) -> Result<(), AwsError> {
    if identity.allowed_accounts.is_empty() || identity.role.is_some() {
        return Ok(());
    }
    let sts = aws_sdk_sts::Client::new(shared);
    let (output, call) = send!(gate, "GetCallerIdentity", sts.get_caller_identity())?;
    let is_account = |id: &String| id.len() == 12 && id.bytes().all(|b| b.is_ascii_digit());
    let account = output.account.filter(is_account);
    let account = account.ok_or_else(|| call.unreadable())?;
    if identity.allowed_accounts.contains(&account) {
        Ok(())
    } else {
        Err(AwsError::new(
            call.operation,
            ErrorKind::AccountNotAllowed { account },
        ))
    }
}

/// The credential chain: the sources that all AWS tools use, in the SDK's order. The role of a token file is our own source,
/// because the SDK's source sends the line feed at the end of the file as part of the token.
fn chain(
    shared: &SdkConfig,
    profiles: &Profiles,
    http: &Http,
    token_file: Option<SharedCredentialsProvider>,
) -> CredentialsProviderChain {
    let environment = EnvironmentVariableCredentialsProvider::new();
    let environment = CredentialsProviderChain::first_try("Environment", environment);
    if are_in_environment() {
        return environment;
    }
    let mut config = ProviderConfig::without_region()
        .with_behavior_version(shared.behavior_version())
        .with_region(shared.region().cloned())
        .with_use_fips(shared.use_fips())
        .with_use_dual_stack(shared.use_dual_stack())
        .with_http_client(http.sdk_client());
    if let Some(retries) = shared.retry_config() {
        config = config.with_retry_config(retries.clone());
    }
    if let Some(limits) = shared.timeout_config() {
        config = config.with_timeout_config(limits.clone());
    }
    let profile = ProfileFileCredentialsProvider::builder()
        .configure(&config)
        .profile_files(profiles.sdk_files())
        .profile_name(profiles.name());
    let mut chain = environment.or_else("Profile", off_thread(profile.build()));
    if let Some(token_file) = token_file {
        chain = chain.or_else("WebIdentityToken", token_file);
    }
    chain
        .or_else(
            "EcsContainer",
            off_thread(services::container(&config, http)),
        )
        .or_else("Ec2InstanceMetadata", services::instance(&config, http))
}

/// Runs the provider on a separate thread. The SDK reads files that a profile or a variable names, such as a token file, on the
/// thread that also handles the time limit and signals, and a pipe without a writer would block that thread.
fn off_thread(inner: impl ProvideCredentials + 'static) -> SharedCredentialsProvider {
    let inner = SharedCredentialsProvider::new(inner);
    SharedCredentialsProvider::new(provide_credentials_fn(move || {
        let inner = inner.clone();
        async move {
            let runtime = Handle::current();
            let provider = inner.clone();
            match thread::start(move || runtime.block_on(provider.provide_credentials())) {
                Ok(loaded) => loaded
                    .await
                    .unwrap_or_else(|| Err(CredentialsError::unhandled("the provider panicked"))),
                Err(thread::NoThread) => inner.provide_credentials().await,
            }
        }
    }))
}

/// Rejects credentials that are not valid in a header. A line break in a key, for example from a profile, would make the signer
/// panic.
fn checked(inner: CredentialsProviderChain) -> SharedCredentialsProvider {
    let inner = Arc::new(inner);
    SharedCredentialsProvider::new(provide_credentials_fn(move || {
        let inner = Arc::clone(&inner);
        async move {
            let credentials = inner.provide_credentials().await?;
            if is_printable(&credentials) {
                Ok(credentials)
            } else {
                Err(CredentialsError::invalid_configuration(
                    "a key contains a character that no key has",
                ))
            }
        }
    }))
}

fn is_printable(credentials: &Credentials) -> bool {
    [
        Some(credentials.access_key_id()),
        Some(credentials.secret_access_key()),
        credentials.session_token(),
    ]
    .into_iter()
    .flatten()
    .all(|key| key.bytes().all(|byte| byte.is_ascii_graphic()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_with_line_breaks_are_not_printable() {
        let with = |id: &str, key: &str, token: Option<&str>| {
            is_printable(&Credentials::new(
                id,
                key,
                token.map(str::to_owned),
                None,
                "test",
            ))
        };
        assert!(with("AKIAEXAMPLE", "made/up+key", Some("token==")));
        assert!(with("AKIAEXAMPLE", "made/up+key", None));
        assert!(!with("AKIAEXAMPLE\n", "made/up+key", None));
        assert!(!with("AKIAEXAMPLE", "made up", None));
        assert!(!with("AKIAEXAMPLE", "made/up+key", Some("token\r")));
    }
}
