//! Credentials: the role that was asked for, or what the chain of places finds. They live in this
//! process only. This room decides who we are, never what we do; no token and no key leaves it.

mod chain;
mod claims;
mod github;
mod roles;

pub use claims::Claims;
pub use github::IdTokenFault;
pub use roles::RoleFault;

use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use aws_config::SdkConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{
    ProvideCredentials, SharedCredentialsProvider, future::ProvideCredentials as Answer,
};

use super::gate::send;
use super::http::Http;
use super::{AwsError, ErrorKind, Gate};
use crate::request::{Identity, Via};
use roles::Assumed;

/// The credentials of this run. `shared` has no credentials yet.
pub(super) fn provider(
    identity: &Arc<Identity>,
    shared: &SdkConfig,
    http: &Http,
    gate: &Arc<Gate>,
) -> SharedCredentialsProvider {
    let assumed = |config: &SdkConfig, pick: fn(&Identity) -> Option<&crate::request::Role>| {
        Assumed::new(identity, pick, config, http, gate)
    };
    let chain = || {
        let of_file = identity
            .of_token_file
            .is_some()
            .then(|| provided(assumed(shared, |identity| identity.of_token_file.as_ref())));
        provided(Checked(chain::places(shared, http, of_file)))
    };
    match identity.role.as_ref().map(|role| &role.via) {
        None => chain(),
        Some(Via::Credentials { .. }) => {
            let with_chain = shared.to_builder().credentials_provider(chain()).build();
            provided(assumed(&with_chain, |identity| identity.role.as_ref()))
        }
        Some(_) => provided(assumed(shared, |identity| identity.role.as_ref())),
    }
}

/// Gets credentials now; the provider that comes back hands them out first, and asks `inner` when new
/// ones are needed.
///
/// # Errors
/// There are none.
pub(super) async fn at_hand(
    inner: SharedCredentialsProvider,
) -> Result<SharedCredentialsProvider, CredentialsError> {
    let found = inner.provide_credentials().await?;
    Ok(provided(AtHand {
        first: Mutex::new(Some(found)),
        inner,
    }))
}

struct AtHand {
    first: Mutex<Option<Credentials>>,
    inner: SharedCredentialsProvider,
}

impl Place for AtHand {
    const NAME: &'static str = "AtHand";

    async fn find(&self) -> Result<Credentials, CredentialsError> {
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

/// Refuses credentials of an account that is not allowed. A role's account is in its ARN, and was
/// looked at before anything was sent.
///
/// # Errors
/// Another account, or STS could not be asked.
pub(super) async fn check_account(
    identity: &Identity,
    shared: &SdkConfig,
    gate: &Arc<Gate>,
) -> Result<(), AwsError> {
    if identity.allowed_accounts.is_empty() || identity.role.is_some() {
        return Ok(());
    }
    let sts = aws_sdk_sts::Client::new(shared);
    let (answer, _) = send!(gate, "GetCallerIdentity", sts.get_caller_identity())?;
    let account = answer.account.unwrap_or_default();
    if identity.allowed_accounts.contains(&account) {
        Ok(())
    } else {
        Err(AwsError::new(
            "GetCallerIdentity",
            ErrorKind::ForeignAccount { account },
        ))
    }
}

/// A place that credentials come from. Our own trait, so that each of them is one function.
trait Place: Send + Sync + 'static {
    /// For debugging the SDK; never what is inside.
    const NAME: &'static str;

    fn find(&self) -> impl Future<Output = Result<Credentials, CredentialsError>> + Send;
}

struct Provided<P>(P);

fn provided(place: impl Place) -> SharedCredentialsProvider {
    SharedCredentialsProvider::new(Provided(place))
}

// By hand: a derived one would show what is inside.
impl<P: Place> fmt::Debug for Provided<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(P::NAME)
    }
}

impl<P: Place> ProvideCredentials for Provided<P> {
    fn provide_credentials<'a>(&'a self) -> Answer<'a>
    where
        Self: 'a,
    {
        Answer::new(self.0.find())
    }
}

/// The same provider, refusing what cannot be put into a header: a key with a line break, from a
/// profile say, would make the signer panic.
struct Checked(SharedCredentialsProvider);

impl Place for Checked {
    const NAME: &'static str = "Checked";

    async fn find(&self) -> Result<Credentials, CredentialsError> {
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
