//! Credentials: the requested role, or what the credential chain finds. They live in this process only. This module decides
//! who the run is, never what it does; no token and no key leaves it.

mod chain;
mod github;
mod provider;
mod roles;

use std::sync::Arc;

use aws_config::SdkConfig;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials as _, SharedCredentialsProvider};
use upsert_secret_core::connection::{Identity, Role, TokenSource};

use crate::call_gate::{CallGate, send};
use crate::error::{AwsError, ErrorKind};
use crate::http::Http;
use provider::{Checked, Prefetched};
use roles::AssumedRole;

/// The credentials provider of a run. `shared` has no credentials yet.
pub(crate) fn provider(
    identity: &Arc<Identity>,
    shared: &SdkConfig,
    http: &Http,
    gate: &Arc<CallGate>,
) -> SharedCredentialsProvider {
    let assumed = |config: &SdkConfig, pick: fn(&Identity) -> Option<&Role>| {
        provider::provider(AssumedRole::new(identity, pick, config, http, gate))
    };
    let chain = || {
        let token_file = identity
            .token_file_role
            .is_some()
            .then(|| assumed(shared, |identity| identity.token_file_role.as_ref()));
        provider::provider(Checked(chain::chain(shared, http, token_file)))
    };
    match identity.role.as_ref().map(|role| &role.source) {
        None => chain(),
        Some(TokenSource::Credentials { .. }) => {
            let with_chain = shared.to_builder().credentials_provider(chain()).build();
            assumed(&with_chain, |identity| identity.role.as_ref())
        }
        Some(_) => assumed(shared, |identity| identity.role.as_ref()),
    }
}

/// Loads credentials now. The provider that comes back hands them out first, and asks `inner` when new ones are needed.
///
/// # Errors
/// There are no credentials.
pub(crate) async fn prefetch(
    inner: SharedCredentialsProvider,
) -> Result<SharedCredentialsProvider, CredentialsError> {
    let first = inner.provide_credentials().await?;
    Ok(provider::provider(Prefetched::new(first, inner)))
}

/// Rejects credentials of an account that is not allowed. A role's account is in its ARN, and was checked before anything
/// was sent.
///
/// # Errors
/// Another account, or STS could not be asked.
pub(crate) async fn check_account(
    identity: &Identity,
    shared: &SdkConfig,
    gate: &Arc<CallGate>,
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
