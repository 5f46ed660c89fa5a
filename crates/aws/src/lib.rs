//! AWS Secrets Manager as the store of `upsert-secret`, and the only crate that knows the AWS SDK, HTTP and TLS. It retries
//! what is safe to retry and turns every error into code, message and request id. It decides nothing about secrets, and
//! never lets an `SdkError` out: the text of one can contain the whole request.

mod behavior;
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
mod retry_delay;
mod roots;

pub use call_gate::{CallGate, CallObserver};
pub use client::SecretsManager;

use std::sync::Arc;
use std::time::Duration;

use aws_config::identity::IdentityCache;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_types::region::Region;
use aws_types::sdk_ua_metadata::FrameworkMetadata;
use upsert_secret_core::connection::Connection;
use upsert_secret_core::failure::Failure;
use upsert_secret_core::store::Subject;

use behavior::BEHAVIOR;
use error::{AwsError, ErrorKind};
use roots::Trust;

/// A connection that is not there after this long will not come.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(3_100);
/// One attempt; a KMS key used for the first time can take seconds.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);
/// Attempts of a call at least, where many pass at the same time.
const MANY_ATTEMPTS: u32 = 10;
const FIRST_BACKOFF: Duration = Duration::from_millis(400);
const MAX_BACKOFF: Duration = Duration::from_secs(8);

/// A store that is ready, and what may be a mistake in its configuration.
pub struct Connected {
    /// The store.
    pub store: SecretsManager,
    /// Warnings about the configuration.
    pub warnings: Vec<String>,
}

/// Connects to Secrets Manager with a checked connection, the environment and the shared configuration files. `subject`
/// is what the run is about, for messages.
///
/// # Errors
/// No region, certificates that cannot be read, no usable credentials, or credentials of an account that is not allowed.
pub async fn connect(
    connection: &Connection,
    gate: Arc<CallGate>,
    subject: Subject<'_>,
) -> Result<Connected, Failure> {
    let region = connection.region.clone().unwrap_or_default();
    try_connect(connection, gate)
        .await
        .map_err(|error| diagnosis::of_aws_error(&error, subject, &region))
}

async fn try_connect(connection: &Connection, gate: Arc<CallGate>) -> Result<Connected, AwsError> {
    let trust = Trust::load(&connection.settings.trust)
        .map_err(|why| AwsError::new("configuration", ErrorKind::Trust(why)))?;
    let region = match &connection.region {
        Some(region) => Region::new(region.clone()),
        None => profile::region()
            .await
            .ok_or_else(|| AwsError::new("configuration", ErrorKind::NoRegion))?,
    };
    let http = http::Http::new(trust, &connection.settings.proxies);
    let anonymous = loader(connection, &gate, region.clone(), &http)
        .load()
        .await;
    let warnings = profile::check(&anonymous, &connection.identity).await?;
    let provider = credentials::provider(&connection.identity, &anonymous, &http, &gate);
    // Before anything else, and not within the time limit of an attempt, which would cut it off and start over; and so
    // that its failure is reported as what it is.
    let provider = credentials::prefetch(provider)
        .await
        .map_err(|error| AwsError::of_credentials(&error))?;
    let shared = anonymous
        .to_builder()
        .credentials_provider(provider)
        // Renewal has limits of its own, and the run has one for everything.
        .identity_cache(
            IdentityCache::lazy()
                .load_timeout(connection.timeout)
                .build(),
        )
        .build();
    credentials::check_account(&connection.identity, &shared, &gate).await?;
    Ok(Connected {
        store: SecretsManager::new(&shared, region.to_string(), gate),
        warnings,
    })
}

/// The SDK's configuration, still without credentials.
fn loader(
    connection: &Connection,
    gate: &CallGate,
    region: Region,
    http: &http::Http,
) -> aws_config::ConfigLoader {
    // Where many calls pass, one is throttled for what the others do; it takes seconds until the rate is right.
    let attempts = match connection.settings.max_attempts {
        few @ 2.. if gate.is_rate_limited() => few.max(MANY_ATTEMPTS),
        few => few,
    };
    let retries = RetryConfig::standard()
        .with_max_attempts(attempts)
        .with_initial_backoff(FIRST_BACKOFF)
        .with_max_backoff(MAX_BACKOFF);
    // A short `timeout` still leaves room for a retry.
    let attempt = ATTEMPT_TIMEOUT.min(connection.timeout / 4);
    let timeouts = TimeoutConfig::builder()
        // Shorter than the attempt, so that it is what is reported.
        .connect_timeout(CONNECT_TIMEOUT.min(attempt * 3 / 4))
        .operation_attempt_timeout(attempt)
        .build();
    let mut loader = aws_config::defaults(BEHAVIOR())
        .region(region)
        .retry_config(retries)
        .timeout_config(timeouts)
        .http_client(http.shared())
        .no_credentials();
    // The framework slot, not the app id, which is the user's.
    if let Ok(tool) = FrameworkMetadata::new("upsert-secret", Some(env!("CARGO_PKG_VERSION"))) {
        loader = loader.framework_metadata(tool);
    }
    loader
}
