//! `SecretStore` on AWS Secrets Manager: credentials, HTTP, TLS, proxies, rate limits, retries and the diagnosis of errors.
//! No other crate uses the AWS SDK. This one decides nothing about secrets, and must not let an `SdkError` out, because its
//! text can contain the whole request.

mod call_gate;
mod client;
mod credentials;
mod diagnosis;
mod error;
mod fault;
mod http;
mod profile;
mod proxies;
mod rate_limit;
mod retry_classifier;
mod roots;

pub use call_gate::{CallGate, CallObserver};
pub use client::SecretsManager;

use std::sync::Arc;
use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_config::identity::IdentityCache;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_types::region::Region;
use aws_types::sdk_ua_metadata::FrameworkMetadata;
use upsert_secret_core::connection::Connection;
use upsert_secret_core::failure::Failure;
use upsert_secret_core::store::Subject;

use error::{AwsError, ErrorKind};

/// Timeout of a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(3_100);
/// Timeout of one attempt. The first use of a KMS key can take seconds.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);
/// The fewest attempts of a call in a run with a rate limit.
const RATE_LIMITED_ATTEMPTS: u32 = 10;
const FIRST_BACKOFF: Duration = Duration::from_millis(400);
const MAX_BACKOFF: Duration = Duration::from_secs(8);

/// A store with credentials, and warnings about its configuration.
pub struct Connected {
    /// The store.
    pub store: SecretsManager,
    /// Settings that may be mistakes.
    pub warnings: Vec<String>,
}

/// Loads credentials and configures the client, from a checked connection, the environment and the shared configuration
/// files. Messages name `subject` as the secret.
///
/// # Errors
/// No region, unreadable certificates, an invalid setting, no usable credentials, or credentials of an account that is not
/// allowed.
pub async fn connect(
    connection: &Connection,
    gate: Arc<CallGate>,
    subject: Subject<'_>,
) -> Result<Connected, Failure> {
    let region = connection.region.clone().unwrap_or_default();
    try_connect(connection, gate)
        .await
        .map_err(|error| diagnosis::explain_aws_error(error, subject, &region))
}

async fn try_connect(connection: &Connection, gate: Arc<CallGate>) -> Result<Connected, AwsError> {
    let roots = roots::configured_roots(&connection.settings.trust)
        .map_err(|why| AwsError::new("configuration", ErrorKind::Roots(why)))?;
    let region = match &connection.region {
        Some(region) => Region::new(region.clone()),
        None => profile::region()
            .await
            .ok_or_else(|| AwsError::new("configuration", ErrorKind::NoRegion))?,
    };
    let http = http::Http::new(roots, &connection.settings.proxies);
    let anonymous = loader(connection, &gate, region.clone(), &http)
        .load()
        .await;
    let warnings = profile::check(&anonymous, &connection.identity).await?;
    let provider = credentials::provider(&connection.identity, &anonymous, &http, &gate);
    // Loaded inside a call, credentials would count against the timeout of its attempts, and a failure to load them would
    // look like a failure of the call.
    let provider = credentials::prefetch(provider)
        .await
        .map_err(|error| AwsError::from_credentials_error(&error))?;
    let config = anonymous
        .to_builder()
        .credentials_provider(provider)
        // Providers have timeouts of their own. The SDK's default would cut them short.
        .identity_cache(
            IdentityCache::lazy()
                .load_timeout(connection.timeout)
                .build(),
        )
        .build();
    credentials::check_account(&connection.identity, &config, &gate).await?;
    Ok(Connected {
        store: SecretsManager::new(&config, region.to_string(), gate),
        warnings,
    })
}

/// The SDK's configuration, without credentials.
fn loader(
    connection: &Connection,
    gate: &CallGate,
    region: Region,
    http: &http::Http,
) -> aws_config::ConfigLoader {
    // Calls of a rate-limited run are throttled together, until the rate has dropped enough.
    let attempts = match connection.settings.max_attempts {
        few @ 2.. if gate.is_rate_limited() => few.max(RATE_LIMITED_ATTEMPTS),
        few => few,
    };
    let retries = RetryConfig::standard()
        .with_max_attempts(attempts)
        .with_initial_backoff(FIRST_BACKOFF)
        .with_max_backoff(MAX_BACKOFF);
    // A run with a short timeout still has time for a retry.
    let attempt = ATTEMPT_TIMEOUT.min(connection.timeout / 4);
    let timeouts = TimeoutConfig::builder()
        // Shorter than the attempt's, so that the message is about the connection.
        .connect_timeout(CONNECT_TIMEOUT.min(attempt * 3 / 4))
        .operation_attempt_timeout(attempt)
        .build();
    // Pinned, so that an update of the SDK does not change defaults.
    let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .region(region)
        .retry_config(retries)
        .timeout_config(timeouts)
        .http_client(http.sdk_client())
        .no_credentials();
    // Users set the app id themselves.
    if let Ok(tool) = FrameworkMetadata::new("upsert-secret", Some(env!("CARGO_PKG_VERSION"))) {
        loader = loader.framework_metadata(tool);
    }
    loader
}
