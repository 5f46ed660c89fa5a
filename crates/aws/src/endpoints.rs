//! The service endpoints, as the SDK resolves them for a configuration, for use before the first request. Must not send
//! requests.

use aws_config::SdkConfig;
use aws_sdk_secretsmanager::config::endpoint as secrets_manager;
use aws_sdk_secretsmanager::config::endpoint::ResolveEndpoint as _;
use aws_sdk_sts::config::endpoint as sts;
use aws_sdk_sts::config::endpoint::ResolveEndpoint as _;
use http::Uri;

use crate::profile::load_setting;

/// The Secrets Manager endpoint; `None` if the SDK knows none for the configuration.
pub(crate) async fn of_secrets_manager(shared: &SdkConfig) -> Option<Uri> {
    let params = secrets_manager::Params::builder()
        .set_region(shared.region().map(ToString::to_string))
        .set_use_fips(shared.use_fips())
        .set_use_dual_stack(shared.use_dual_stack())
        .set_endpoint(own_endpoint(shared, "Secrets Manager"))
        .build()
        .ok()?;
    let resolver = secrets_manager::DefaultResolver::new();
    let endpoint = resolver.resolve_endpoint(&params).await;
    endpoint.ok()?.url().parse().ok()
}

/// The STS endpoint; `None` if the SDK knows none for the configuration.
pub(crate) async fn of_sts(shared: &SdkConfig) -> Option<Uri> {
    let params = sts::Params::builder()
        .set_region(shared.region().map(ToString::to_string))
        .set_use_fips(shared.use_fips())
        .set_use_dual_stack(shared.use_dual_stack())
        .set_endpoint(own_endpoint(shared, "STS"))
        .build()
        .ok()?;
    let endpoint = sts::DefaultResolver::new().resolve_endpoint(&params).await;
    endpoint.ok()?.url().parse().ok()
}

fn own_endpoint(shared: &SdkConfig, service: &str) -> Option<String> {
    load_setting(shared, service, "AWS_ENDPOINT_URL", "endpoint_url")
}
