//! `SecretStore` on AWS Secrets Manager: credentials, HTTP, TLS, proxies, rate limits, retries and the diagnosis of errors. No
//! other crate uses the AWS SDK. Must not make decisions about secrets, or expose an `SdkError`, because its text can contain
//! the whole request.

mod call_gate;
mod caller;
mod client;
mod clock;
mod credentials;
mod diagnosis;
mod endpoints;
mod error;
mod fault;
mod http;
mod known_secrets;
mod pending;
mod profile;
mod proxies;
mod rate_limit;
mod retry_classifier;
mod roots;
mod text_file;
mod thread;

pub use call_gate::{CallGate, CallObserver};
pub use client::SecretsManager;
pub use pending::PendingCall;

use std::sync::Arc;
use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_config::identity::IdentityCache;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_types::region::Region;
use aws_types::sdk_config::StalledStreamProtectionConfig;
use aws_types::sdk_ua_metadata::FrameworkMetadata;
use upsert_secret_core::connection::Connection;
use upsert_secret_core::failure::Failure;
use upsert_secret_core::store::Subject;

use caller::Caller;
use error::{AwsError, ErrorKind};
use http::{ConnectLimit, Http};

/// The initial time limit of a connection. It grows as connections exceed it.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(3_100);
/// The maximum time limit of a connection.
const LONGEST_CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The time limit of a response. The first use of a KMS key can take seconds.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(10);
/// The number of concurrent requests to Secrets Manager that a run starts with: DescribeSecret and GetSecretValue.
const FIRST_REQUESTS: usize = 2;
/// The minimum number of attempts per call in a run with a rate limit.
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

/// Loads credentials and configures the client, from a checked connection, the environment and the shared configuration files.
/// Messages name `subject` as the secret.
///
/// # Errors
/// No region, unreadable certificates, an invalid setting, no usable credentials, or credentials of an account that is not
/// allowed.
pub async fn connect(
    connection: &Connection,
    gate: Arc<CallGate>,
    subject: Subject<'_>,
) -> Result<Connected, Failure> {
    let mut caller = Caller {
        region: connection.region.clone().unwrap_or_default(),
        ci: connection.settings.ci,
        key_pair: None,
    };
    try_connect(connection, gate, &mut caller)
        .await
        .map_err(|error| diagnosis::explain_aws_error(error, subject, &caller))
}

/// `caller` is completed along the way, for the diagnosis of an error.
async fn try_connect(
    connection: &Connection,
    gate: Arc<CallGate>,
    caller: &mut Caller,
) -> Result<Connected, AwsError> {
    let (roots, files) = read_files(connection).await;
    let invalid = |kind| AwsError::new("configuration", kind);
    let roots = roots.map_err(|why| invalid(ErrorKind::Roots(why)))?;
    let files = files.map_err(|why| invalid(ErrorKind::SharedFile(why)))?;
    let profiles = profile::Profiles::parse(files, &gate).await?;
    let identity = &connection.identity;
    let for_credentials = identity.uses_chain() && !credentials::are_in_environment();
    let leftover = profiles.check_exists(for_credentials, connection.region.is_none())?;
    let region = match &connection.region {
        Some(region) => Region::new(region.clone()),
        None => profiles
            .region()
            .await
            .ok_or_else(|| invalid(ErrorKind::NoRegion))?,
    };
    caller.region = region.to_string();
    let limits = TimeLimits::within(connection.timeout);
    let connect_limit = ConnectLimit::new(limits.connect, limits.longest_connect);
    let http = Http::new(roots, &connection.settings.proxies, connect_limit, &gate);
    let anonymous = loader(connection, &gate, region.clone(), &http, limits)
        .profile_files(profiles.sdk_files())
        .profile_name(profiles.name())
        .load()
        .await;
    let mut warnings =
        profile::check_settings(&anonymous, identity, for_credentials && profiles.has_role())?;
    warnings.extend(leftover);
    if let Some(endpoint) = endpoints::of_secrets_manager(&anonymous).await {
        let checked = http.check_proxy(&endpoint);
        checked.map_err(|fault| invalid(ErrorKind::Network(fault)))?;
        // If keys are available, the first requests are sent immediately.
        if identity.role.is_some() || for_credentials || !identity.allowed_accounts.is_empty() {
            http.open_early(&endpoint, FIRST_REQUESTS);
        }
    }
    if identity.role.is_some()
        && let Some(endpoint) = endpoints::of_sts(&anonymous).await
    {
        http.open_early(&endpoint, 1);
    }
    let provider = credentials::provider(identity, &anonymous, &profiles, &http, &gate);
    // If credentials were loaded inside a call, they would count against the time limit of its attempts, and a failure to load
    // them would look like a failure of the call.
    let (provider, key_pair) = credentials::prefetch(provider)
        .await
        .map_err(|error| AwsError::from_credentials_error(&error))?;
    caller.key_pair = key_pair;
    let config = anonymous
        .to_builder()
        .credentials_provider(provider)
        .time_source(http.clock_correction())
        // Providers have their own time limits. The SDK's default would cut them short.
        .identity_cache(
            IdentityCache::lazy()
                .load_timeout(connection.timeout)
                .build(),
        )
        .build();
    credentials::check_account(identity, &config, &gate).await?;
    // Without a role, this was the first response from AWS.
    let clock = http.clock_correction();
    let config = config.to_builder().time_source(clock).build();
    Ok(Connected {
        store: SecretsManager::new(&config, caller.clone(), gate),
        warnings,
    })
}

/// Time limits derived from that of the run, so that a run with a short limit still has time for retries.
#[derive(Clone, Copy)]
struct TimeLimits {
    connect: Duration,
    longest_connect: Duration,
    response: Duration,
}

impl TimeLimits {
    fn within(timeout: Duration) -> Self {
        let response = RESPONSE_TIMEOUT.min(timeout / 4);
        Self {
            connect: CONNECT_TIMEOUT.min(response * 3 / 4),
            longest_connect: LONGEST_CONNECT_TIMEOUT.min(timeout / 3),
            response,
        }
    }
}

/// Reads the files that the connection depends on, on a separate thread: a hanging file system must not block the time limit
/// and signals.
async fn read_files(
    connection: &Connection,
) -> (
    Result<Option<roots::Roots>, String>,
    Result<profile::SharedFiles, String>,
) {
    let trust = connection.settings.trust.clone();
    let read = move || {
        let files = profile::read(|name| std::env::var_os(name));
        (roots::configured_roots(&trust), files)
    };
    let started = thread::start(read.clone());
    match started {
        Ok(result) => result.await.unwrap_or_else(read),
        // Running on this thread is better than failing.
        Err(thread::NoThread) => read(),
    }
}

/// The SDK's configuration, without credentials.
fn loader(
    connection: &Connection,
    gate: &CallGate,
    region: Region,
    http: &Http,
    limits: TimeLimits,
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
    let timeouts = TimeoutConfig::builder()
        // The HTTP client has its own limit, which grows.
        .disable_connect_timeout()
        .read_timeout(limits.response)
        // For a body that never ends.
        .operation_attempt_timeout(limits.longest_connect + limits.response)
        .build();
    // Pinned, so that an SDK update does not change defaults.
    let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .region(region)
        .retry_config(retries)
        .timeout_config(timeouts)
        // It would mistake a connection that takes more than five seconds for a stalled upload.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .http_client(http.sdk_client())
        .no_credentials();
    // Users set the app ID themselves.
    if let Ok(tool) = FrameworkMetadata::new("upsert-secret", Some(env!("CARGO_PKG_VERSION"))) {
        loader = loader.framework_metadata(tool);
    }
    loader
}
