//! Credentials as the SDK's chain finds them, checked once more: a key with a line break, from a
//! profile say, would make the signer panic.

use std::fmt;

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{
    ProvideCredentials, SharedCredentialsProvider, future::ProvideCredentials as Answer,
};

/// The same provider, refusing what cannot be put into a header.
pub(super) fn checked(provider: SharedCredentialsProvider) -> SharedCredentialsProvider {
    SharedCredentialsProvider::new(Checked(provider))
}

struct Checked(SharedCredentialsProvider);

// By hand: a derived one would show what the inner provider shows.
impl fmt::Debug for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Checked")
    }
}

impl ProvideCredentials for Checked {
    fn provide_credentials<'a>(&'a self) -> Answer<'a>
    where
        Self: 'a,
    {
        Answer::new(async {
            let found = self.0.provide_credentials().await?;
            if is_printable(&found) {
                Ok(found)
            } else {
                Err(CredentialsError::invalid_configuration(
                    "a key contains a character that no key has",
                ))
            }
        })
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
