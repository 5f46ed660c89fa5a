//! The credentials of a run: those of the requested role, or those of the credential chain. Tokens and keys stay in this
//! process, and must not be written to a file or a variable.

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

/// The credentials provider of a run. `shared` is a configuration without credentials.
pub(crate) fn provider(
    identity: &Arc<Identity>,
    shared: &SdkConfig,
    http: &Http,
    gate: &Arc<CallGate>,
) -> SharedCredentialsProvider {
    let assumed = |config: &SdkConfig, select: fn(&Identity) -> Option<&Role>| {
        provider::provider(AssumedRole::new(identity, select, config, http, gate))
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

/// Loads credentials now. The returned provider yields them first, and those of `inner` afterwards.
pub(crate) async fn prefetch(
    inner: SharedCredentialsProvider,
) -> Result<SharedCredentialsProvider, CredentialsError> {
    let first = inner.provide_credentials().await?;
    Ok(provider::provider(Prefetched::new(first, inner)))
}

/// Rejects credentials of an account that is not in `allowed-account-ids`. The account of a role is in its ARN, which the
/// config crate has checked.
pub(crate) async fn check_account(
    identity: &Identity,
    shared: &SdkConfig,
    gate: &Arc<CallGate>,
) -> Result<(), AwsError> {
    if identity.allowed_accounts.is_empty() || identity.role.is_some() {
        return Ok(());
    }
    let sts = aws_sdk_sts::Client::new(shared);
    let (output, _) = send!(gate, "GetCallerIdentity", sts.get_caller_identity())?;
    let account = output.account.unwrap_or_default();
    if identity.allowed_accounts.contains(&account) {
        Ok(())
    } else {
        Err(AwsError::new(
            "GetCallerIdentity",
            ErrorKind::AccountNotAllowed { account },
        ))
    }
}
