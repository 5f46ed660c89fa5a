//! Our own sources of credentials as the SDK's providers.

use std::fmt;
use std::future::Future;
use std::sync::{Mutex, PoisonError};

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{
    ProvideCredentials, SharedCredentialsProvider, future::ProvideCredentials as Answer,
};

/// A source of credentials: one function each.
pub(super) trait CredentialSource: Send + Sync + 'static {
    /// For debugging the SDK; never what is inside.
    const NAME: &'static str;

    /// Gets credentials.
    fn load(&self) -> impl Future<Output = Result<Credentials, CredentialsError>> + Send;
}

struct Provider<S>(S);

/// The provider of a source.
pub(super) fn provider(source: impl CredentialSource) -> SharedCredentialsProvider {
    SharedCredentialsProvider::new(Provider(source))
}

// By hand: a derived one would show what is inside.
impl<S: CredentialSource> fmt::Debug for Provider<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(S::NAME)
    }
}

impl<S: CredentialSource> ProvideCredentials for Provider<S> {
    fn provide_credentials<'a>(&'a self) -> Answer<'a>
    where
        Self: 'a,
    {
        Answer::new(self.0.load())
    }
}

/// Hands out credentials that were loaded in advance, once, and asks `inner` when new ones are needed.
pub(super) struct Prefetched {
    first: Mutex<Option<Credentials>>,
    inner: SharedCredentialsProvider,
}

impl Prefetched {
    /// Credentials of `inner`, loaded in advance.
    pub(super) fn new(first: Credentials, inner: SharedCredentialsProvider) -> Self {
        Self {
            first: Mutex::new(Some(first)),
            inner,
        }
    }
}

impl CredentialSource for Prefetched {
    const NAME: &'static str = "Prefetched";

    async fn load(&self) -> Result<Credentials, CredentialsError> {
        let first = self
            .first
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        match first {
            Some(found) => Ok(found),
            None => self.inner.provide_credentials().await,
        }
    }
}

/// The same provider, rejecting what cannot be put into a header: a key with a line break, from a profile say, would make
/// the signer panic.
pub(super) struct Checked(pub(super) SharedCredentialsProvider);

impl CredentialSource for Checked {
    const NAME: &'static str = "Checked";

    async fn load(&self) -> Result<Credentials, CredentialsError> {
        let found = self.0.provide_credentials().await?;
        if is_printable(&found) {
            Ok(found)
        } else {
            Err(CredentialsError::invalid_configuration(
                "a key contains a character that no key has",
            ))
        }
    }
}

fn is_printable(found: &Credentials) -> bool {
    [
        Some(found.access_key_id()),
        Some(found.secret_access_key()),
        found.session_token(),
    ]
    .into_iter()
    .flatten()
    .all(|key| key.bytes().all(|byte| byte.is_ascii_graphic()))
}
