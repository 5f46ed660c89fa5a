//! Sources of credentials as the SDK's credentials providers. The SDK prints providers for debugging, so they must not
//! derive `Debug`.

use std::fmt;
use std::future::Future;
use std::sync::{Mutex, PoisonError};

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{
    ProvideCredentials, SharedCredentialsProvider, future::ProvideCredentials as Provided,
};

/// A source of credentials.
pub(super) trait CredentialSource: Send + Sync + 'static {
    /// The name of the provider.
    const NAME: &'static str;

    fn load(&self) -> impl Future<Output = Result<Credentials, CredentialsError>> + Send;
}

struct Provider<S>(S);

/// A source as the SDK's provider.
pub(super) fn provider(source: impl CredentialSource) -> SharedCredentialsProvider {
    SharedCredentialsProvider::new(Provider(source))
}

// Not derived, because sources hold credentials.
impl<S: CredentialSource> fmt::Debug for Provider<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(S::NAME)
    }
}

impl<S: CredentialSource> ProvideCredentials for Provider<S> {
    fn provide_credentials<'a>(&'a self) -> Provided<'a>
    where
        Self: 'a,
    {
        Provided::new(self.0.load())
    }
}

/// Yields credentials that were loaded in advance once, and those of `inner` afterwards.
pub(super) struct Prefetched {
    first: Mutex<Option<Credentials>>,
    inner: SharedCredentialsProvider,
}

impl Prefetched {
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
            Some(credentials) => Ok(credentials),
            None => self.inner.provide_credentials().await,
        }
    }
}

/// The same provider, without credentials that are not valid in a header. A line break in a key, from a profile for
/// example, would make the signer panic.
pub(super) struct Checked(pub(super) SharedCredentialsProvider);

impl CredentialSource for Checked {
    const NAME: &'static str = "Checked";

    async fn load(&self) -> Result<Credentials, CredentialsError> {
        let credentials = self.0.provide_credentials().await?;
        if is_printable(&credentials) {
            Ok(credentials)
        } else {
            Err(CredentialsError::invalid_configuration(
                "a key contains a character that no key has",
            ))
        }
    }
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
