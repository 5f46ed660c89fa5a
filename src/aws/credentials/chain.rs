//! The places where every AWS tool looks, in the SDK's order. The one that is ours is the token
//! file: the SDK's takes the line feed at its end for a part of the token.

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

use super::{Place, provided};

use crate::aws::BEHAVIOR;
use crate::aws::http::Http;

/// The instance's metadata service, last in the chain. Whatever answers on its address off AWS (another
/// cloud's service, an error, a page, nobody) means that this is no place with credentials.
struct Instance(ImdsCredentialsProvider);

impl Place for Instance {
    const NAME: &'static str = "Instance";

    async fn find(&self) -> Result<Credentials, CredentialsError> {
        self.0
            .provide_credentials()
            .await
            .map_err(CredentialsError::not_loaded)
    }
}

/// The chain; `of_file` is the role of a token file, where there is one.
pub(super) fn places(
    shared: &SdkConfig,
    http: &Http,
    of_file: Option<SharedCredentialsProvider>,
) -> SharedCredentialsProvider {
    let mut config = ProviderConfig::without_region()
        .with_behavior_version(Some(BEHAVIOR()))
        .with_region(shared.region().cloned())
        .with_use_fips(shared.use_fips())
        .with_use_dual_stack(shared.use_dual_stack())
        .with_http_client(http.shared());
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
    if let Some(of_file) = of_file {
        chain = chain.or_else("WebIdentityToken", of_file);
    }
    SharedCredentialsProvider::new(
        chain
            .or_else(
                "EcsContainer",
                EcsCredentialsProvider::builder().configure(&config).build(),
            )
            .or_else(
                "Ec2InstanceMetadata",
                provided(Instance(
                    ImdsCredentialsProvider::builder()
                        .configure(&config)
                        .build(),
                )),
            ),
    )
}
