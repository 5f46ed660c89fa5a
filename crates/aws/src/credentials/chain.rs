//! The credential chain: the sources that all AWS tools use, in the SDK's order. The role of a token file is our own source,
//! because the SDK's sends the line feed at the end of the file as part of the token.

use aws_config::SdkConfig;
use aws_config::ecs::EcsCredentialsProvider;
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials as _, SharedCredentialsProvider};

use super::provider::{CredentialSource, provider};
use crate::behavior::BEHAVIOR;
use crate::http::Http;

/// The instance metadata service. Any failure means that it has no credentials, because something else may use its address,
/// such as the metadata service of another cloud.
struct InstanceMetadata(ImdsCredentialsProvider);

impl CredentialSource for InstanceMetadata {
    const NAME: &'static str = "Instance";

    async fn load(&self) -> Result<Credentials, CredentialsError> {
        self.0
            .provide_credentials()
            .await
            .map_err(CredentialsError::not_loaded)
    }
}

/// The chain. `token_file` is the source for the role of a token file, if one is configured.
pub(super) fn chain(
    shared: &SdkConfig,
    http: &Http,
    token_file: Option<SharedCredentialsProvider>,
) -> SharedCredentialsProvider {
    let mut config = ProviderConfig::without_region()
        .with_behavior_version(Some(BEHAVIOR()))
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
    let mut chain = CredentialsProviderChain::first_try(
        "Environment",
        EnvironmentVariableCredentialsProvider::new(),
    )
    .or_else(
        "Profile",
        ProfileFileCredentialsProvider::builder()
            .configure(&config)
            .build(),
    );
    if let Some(token_file) = token_file {
        chain = chain.or_else("WebIdentityToken", token_file);
    }
    SharedCredentialsProvider::new(
        chain
            .or_else(
                "EcsContainer",
                EcsCredentialsProvider::builder().configure(&config).build(),
            )
            .or_else(
                "Ec2InstanceMetadata",
                provider(InstanceMetadata(
                    ImdsCredentialsProvider::builder()
                        .configure(&config)
                        .build(),
                )),
            ),
    )
}
