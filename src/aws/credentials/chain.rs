//! The places where every AWS tool looks, in the SDK's order. The one that is ours is the token
//! file: the SDK's takes the line feed at its end for a part of the token.

use aws_config::SdkConfig;
use aws_config::ecs::EcsCredentialsProvider;
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::provider::SharedCredentialsProvider;

use crate::aws::BEHAVIOR;
use crate::aws::http::Http;

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
                ImdsCredentialsProvider::builder()
                    .configure(&config)
                    .build(),
            ),
    )
}
