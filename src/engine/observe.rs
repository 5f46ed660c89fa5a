//! Observes a secret: DescribeSecret and GetSecretValue at the same time, repeated while the two disagree. It reads only, and
//! decides only whether two answers describe the same moment.

use upsert_secret_core::backoff::Backoff;
use upsert_secret_core::choices::Compare;
use upsert_secret_core::error::{ErrorKind, StoreError};
use upsert_secret_core::request::Request;
use upsert_secret_core::state::{
    NotDescribable, Observed, PolicyView, Present, SecretMetadata, SecretVersion, ValueView,
};
use upsert_secret_core::store::{Call, SecretStore};

use super::context::Context;

/// Observations of a secret that keeps changing.
const MAX_OBSERVATIONS: u32 = 8;

/// Observes the target. `first` is GetSecretValue's answer, if it is known already.
///
/// # Errors
/// Any error except "not found" and "denied"; or answers that kept contradicting each other.
pub(crate) async fn observe<S: SecretStore>(
    request: &Request,
    context: Context<'_, S>,
    mut first: Option<ValueView>,
) -> Call<Observed> {
    let store = context.store;
    let id = &request.target.id;
    let label = request.label();
    // The content of an existing value that is left alone does not matter.
    let reads = request.reads();
    let mut backoff = Backoff::new(MAX_OBSERVATIONS);
    let mut rejection = None;
    loop {
        let known = first.take();
        let value = async {
            match known {
                Some(value) => Ok(Some(value)),
                None if reads => classify(store.get_value(id, label).await),
                None => Ok(Some(ValueView::Unread(None))),
            }
        };
        let (described, value, policy) =
            tokio::try_join!(describe(store, id), value, policy_view(request, store))?;
        if let Some(ValueView::Deleted(error)) = &value {
            rejection = Some(error.clone());
        }
        let observed = match (described, value) {
            (Some(Ok(secret)), Some(value)) => {
                join(secret, value, policy, label, context.system.now())
            }
            (Some(Err(denied)), Some(value)) => {
                let value = match value {
                    // `if-exists: skip` depends on whether there is a value, which only reading it shows here.
                    ValueView::Unread(None) if request.compare != Compare::Never => {
                        classify(store.get_value(id, label).await)?
                    }
                    value => Some(value),
                };
                value.map(|value| {
                    Observed::NotDescribable(Box::new(NotDescribable {
                        denied,
                        value,
                        policy,
                    }))
                })
            }
            _ => None,
        };
        if let Some(observed) = observed {
            return Ok(observed);
        }
        if !context.system.wait(&mut backoff).await {
            // A rejected read that DescribeSecret does not explain is the better report.
            return Err(rejection
                .unwrap_or_else(|| StoreError::new("DescribeSecret", ErrorKind::Inconsistent)));
        }
    }
}

/// DescribeSecret's answer or its denial; `None` if the answer cannot be parsed, which a second call may solve.
async fn describe(
    store: &impl SecretStore,
    id: &str,
) -> Call<Option<Call<Option<SecretMetadata>>>> {
    match store.describe(id).await {
        Ok(secret) => Ok(Some(Ok(secret))),
        Err(error) if error.is_denied() => Ok(Some(Err(error))),
        Err(error) if error.kind == ErrorKind::Unreadable => Ok(None),
        Err(error) => Err(error),
    }
}

/// Classifies an answer of GetSecretValue, or one secret's entry of BatchGetSecretValue's; `None` if it cannot be parsed,
/// which a second call may solve.
///
/// # Errors
/// Any error except "not found", "denied" and "scheduled for deletion".
pub(crate) fn classify(answer: Call<Option<SecretVersion>>) -> Call<Option<ValueView>> {
    match answer {
        Ok(Some(version)) => Ok(Some(ValueView::Value(Box::new(version)))),
        Ok(None) => Ok(Some(ValueView::NoValue)),
        // Without its KMS key the value is as unreadable as without permission.
        Err(error) if error.is_denied() || error.is("DecryptionFailure") => {
            Ok(Some(ValueView::Unread(Some(error))))
        }
        Err(error) if error.is("InvalidRequestException") => Ok(Some(ValueView::Deleted(error))),
        Err(error) if error.kind == ErrorKind::Unreadable => Ok(None),
        Err(error) => Err(error),
    }
}

async fn policy_view(request: &Request, store: &impl SecretStore) -> Call<PolicyView> {
    if request.policy.is_none() {
        return Ok(PolicyView::NotRequested);
    }
    match store.get_policy(&request.target.id).await {
        Ok(policy) => Ok(PolicyView::Known(policy)),
        Err(error) if error.is_denied() => Ok(PolicyView::Denied(error)),
        // At worst the policy is written without comparing.
        Err(error) if error.kind == ErrorKind::Unreadable => Ok(PolicyView::NotRequested),
        Err(error) => Err(error),
    }
}

/// Joins the two answers; `None` if they cannot describe the same moment.
fn join(
    secret: Option<SecretMetadata>,
    view: ValueView,
    policy: PolicyView,
    label: &str,
    now: u64,
) -> Option<Observed> {
    let Some(secret) = secret else {
        return match view {
            ValueView::Value(_) | ValueView::Deleted(_) => None,
            ValueView::NoValue | ValueView::Unread(_) => Some(Observed::Absent),
        };
    };
    let holder = secret.holder(label);
    let (value, unread) = match view {
        ValueView::Unread(denied) => (None, denied),
        // GetSecretValue rejects such a secret, whatever its value.
        _ if secret.deleted => (None, None),
        ValueView::Deleted(_) => return None,
        ValueView::NoValue if holder.is_some() => return None,
        ValueView::NoValue => (None, None),
        ValueView::Value(read) if holder != Some(read.version_id.as_str()) => return None,
        ValueView::Value(read) => (Some(read.value), None),
    };
    Some(Observed::Present(Box::new(Present {
        secret,
        value,
        unread,
        policy,
        at: now,
    })))
}
