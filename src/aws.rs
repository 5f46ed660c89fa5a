//! The only place that imports `aws_*`. It offers Secrets Manager as a handful of calls with types
//! of our own, retries what is safe to retry, and turns every error into an [`AwsError`] made of
//! code, message and request id. It decides nothing, and it never lets an `SdkError` out: the text
//! of one can contain the whole request.

mod client;
mod credentials;
mod error;
mod gate;
mod http;
mod pace;
mod profile;
mod retry;

pub use client::{Fault, NewSecret, Put, SecretsManager, Validation, Written};
pub use credentials::{Claims, IdTokenFault, RoleFault};
pub use error::{AwsError, ErrorKind, NetworkFault, ProxyFault};
pub use gate::Gate;
pub use http::{Distrust, Doubt};

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_config::BehaviorVersion;
use aws_config::identity::IdentityCache;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_types::region::Region;
use aws_types::sdk_ua_metadata::FrameworkMetadata;

use crate::request::Reach;
use crate::value::SecretValue;

/// What the SDK does where it changed its mind; never the latest, which would change ours.
const BEHAVIOR: fn() -> BehaviorVersion = BehaviorVersion::v2026_01_12;
/// A connection that is not there after this long will not come.
const CONNECT_TIMEOUT: std::time::Duration = std::time::Duration::from_millis(3_100);
/// One attempt; a KMS key used for the first time can take seconds.
const ATTEMPT_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(10);
/// Attempts of a call at least, where many pass at the same time.
const MANY_ATTEMPTS: u32 = 10;
const FIRST_BACKOFF: std::time::Duration = std::time::Duration::from_millis(400);
const MAX_BACKOFF: std::time::Duration = std::time::Duration::from_secs(8);

/// What DescribeSecret says, as far as we use it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Described {
    /// The full ARN.
    pub arn: String,
    /// The name.
    pub name: String,
    /// None where there is none.
    pub description: Option<String>,
    /// None for AWS's own key.
    pub kms_key_id: Option<String>,
    /// All tags.
    pub tags: BTreeMap<String, String>,
    /// Scheduled for deletion.
    pub deleted: bool,
    /// The service that manages it, where one does.
    pub owning_service: Option<String>,
    /// The region of the primary; present only where it is replicated.
    pub primary_region: Option<String>,
    /// Whether rotation is on.
    pub rotation_enabled: bool,
    /// Its replicas.
    pub replicas: Vec<Replica>,
    /// Version ids and the staging labels they hold; a version without labels is not among them.
    pub versions: BTreeMap<String, Vec<String>>,
}

impl Described {
    /// The version that holds a label.
    #[must_use]
    pub fn holder(&self, label: &str) -> Option<&str> {
        self.versions
            .iter()
            .find(|(_, labels)| labels.iter().any(|held| held == label))
            .map(|(id, _)| id.as_str())
    }
}

/// A replica as DescribeSecret tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replica {
    /// Where it is.
    pub region: String,
    /// The key there.
    pub kms_key_id: Option<String>,
    /// How the copying goes.
    pub status: Replication,
}

/// How the copying to a replica goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Replication {
    /// It can be read, and follows.
    InSync,
    /// Not yet.
    InProgress,
    /// It was given up, with AWS's words.
    Failed(String),
}

/// A version as ListSecretVersionIds tells it.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    /// Its id.
    pub id: String,
    /// When it was made, in seconds since 1970.
    pub created: Option<f64>,
}

/// What GetSecretValue says of a version.
pub struct Read {
    /// The full ARN.
    pub arn: String,
    /// The name.
    pub name: String,
    /// The version read.
    pub version_id: String,
    /// Its labels.
    pub stages: Vec<String>,
    /// Its value.
    pub value: SecretValue,
}

/// What one of many secrets answered.
pub struct Answered {
    /// As it was asked for.
    pub id: String,
    /// What GetSecretValue would have said.
    pub read: Result<Option<Read>, AwsError>,
}

/// A client that is ready, and what may be a mistake in its configuration.
pub struct Connected {
    /// The client.
    pub aws: SecretsManager,
    /// Warnings.
    pub doubts: Vec<String>,
}

/// Makes a client from what is asked, the environment and the shared configuration files.
///
/// # Errors
/// No region anywhere; credentials of an account that is not allowed.
pub async fn connect(reach: &Reach, gate: Arc<Gate>) -> Result<Connected, AwsError> {
    let region = match &reach.region {
        Some(region) => Region::new(region.clone()),
        None => profile::region()
            .await
            .ok_or_else(|| AwsError::new("configuration", ErrorKind::NoRegion))?,
    };
    // A call of many is throttled for what the others do; it takes seconds until the pace is right.
    let attempts = match reach.settings.max_attempts {
        few @ 2.. if gate.is_paced() => few.max(MANY_ATTEMPTS),
        few => few,
    };
    let retries = RetryConfig::standard()
        .with_max_attempts(attempts)
        .with_initial_backoff(FIRST_BACKOFF)
        .with_max_backoff(MAX_BACKOFF);
    // A short `timeout` still leaves room for a retry.
    let attempt = ATTEMPT_TIMEOUT.min(reach.timeout / 4);
    let timeouts = TimeoutConfig::builder()
        // Shorter than the attempt, so that it is what is told.
        .connect_timeout(CONNECT_TIMEOUT.min(attempt * 3 / 4))
        .operation_attempt_timeout(attempt)
        .build();
    let http = http::Http::new(&reach.settings);
    let mut loader = aws_config::defaults(BEHAVIOR())
        .region(region.clone())
        .retry_config(retries)
        .timeout_config(timeouts)
        .http_client(http.shared())
        .no_credentials();
    // The framework slot, not the app id: that one is the user's.
    if let Ok(tool) = FrameworkMetadata::new("upsert-secret", Some(env!("CARGO_PKG_VERSION"))) {
        loader = loader.framework_metadata(tool);
    }
    let anonymous = loader.load().await;
    let doubts = profile::check(&anonymous, &reach.identity).await?;
    let provider = credentials::provider(&reach.identity, &anonymous, &http, &gate);
    // Before anything else, and not within the time of an attempt, which would cut it off and start it
    // again; and so that its failure is told as what it is.
    let provider = credentials::at_hand(provider)
        .await
        .map_err(|error| AwsError::of_credentials(&error))?;
    let shared = anonymous
        .to_builder()
        .credentials_provider(provider)
        // Getting new ones has limits of its own, and the run has one for everything.
        .identity_cache(IdentityCache::lazy().load_timeout(reach.timeout).build())
        .build();
    credentials::check_account(&reach.identity, &shared, &gate).await?;
    Ok(Connected {
        aws: SecretsManager::new(&shared, region.to_string(), gate),
        doubts,
    })
}
