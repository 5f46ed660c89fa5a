//! Observes a secret: calls DescribeSecret and GetSecretValue concurrently, and repeats while their responses disagree. Only
//! reads, and decides only whether two responses describe the same moment.

use std::cell::RefCell;

use upsert_secret_core::backoff::Backoff;
use upsert_secret_core::choices::Compare;
use upsert_secret_core::error::{ErrorKind, StoreError};
use upsert_secret_core::labels::CURRENT;
use upsert_secret_core::request::Request;
use upsert_secret_core::state::{
    NotDescribable, Observed, PolicyView, Present, SecretMetadata, SecretVersion, ValueView,
};
use upsert_secret_core::store::{Call, SecretStore};

use super::context::Context;

/// Observations of a secret that keeps changing.
const MAX_OBSERVATIONS: u32 = 8;

/// Observes the target. `first` is the GetSecretValue response for AWSCURRENT, if already known.
///
/// # Errors
/// Any error except "not found" and "denied", or responses that kept contradicting each other.
pub(crate) async fn observe<S: SecretStore>(
    request: &Request,
    context: Context<'_, S>,
    mut first: Option<ValueView>,
) -> Call<Observed> {
    let store = context.store;
    let id = &request.target.id;
    let label = request.label();
    // The content of a value that is left unchanged does not matter.
    let reads = request.reads();
    let mut backoff = Backoff::new(MAX_OBSERVATIONS);
    let rejection = RefCell::new(None);
    loop {
        let (known, current) = if request.is_staged() {
            (None, first.take())
        } else {
            (first.take(), None)
        };
        let value = async {
            match known {
                Some(value) => Ok(Some(value)),
                None if reads => {
                    let value = classify(store.get_value(id, label).await);
                    unless_unreadable(value, &rejection)
                }
                None => Ok(Some(ValueView::Unread(None))),
            }
        };
        let described = async { unless_unreadable(describe(store, id).await, &rejection) };
        let (described, value, policy) =
            tokio::try_join!(described, value, policy_view(request, store))?;
        if let Some(ValueView::Deleted(error)) = &value {
            rejection.replace(Some(error.clone()));
        }
        let observed = match (described, value) {
            (Some(Ok(secret)), Some(value)) => {
                join(secret, value, policy, label, context.system.now())
            }
            (Some(Err(denied)), Some(value)) => {
                let value = match value {
                    // `if-exists: skip` depends on whether the secret has a value, which only a read can show here.
                    ValueView::Unread(None) if request.compare != Compare::Never => {
                        let value = classify(store.get_value(id, label).await);
                        unless_unreadable(value, &rejection)?
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
        let observed = match observed {
            Some(observed) if reads => {
                add_current(request, store, observed, current, &rejection).await?
            }
            observed => observed,
        };
        if let Some(observed) = observed {
            return Ok(observed);
        }
        if !context.system.wait(&mut backoff).await {
            // A rejected read that DescribeSecret does not explain, or an unparsable response, makes the better report.
            return Err(rejection
                .take()
                .unwrap_or_else(|| StoreError::new("DescribeSecret", ErrorKind::Inconsistent)));
        }
    }
}

/// Adds the AWSCURRENT value to the observation of a staged write that is not done yet; `None` if the responses cannot describe
/// the same moment. `known` is the GetSecretValue response, if already known.
async fn add_current(
    request: &Request,
    store: &impl SecretStore,
    mut observed: Observed,
    known: Option<ValueView>,
    rejection: &RefCell<Option<StoreError>>,
) -> Call<Option<Observed>> {
    let Observed::Present(present) = &mut observed else {
        return Ok(Some(observed));
    };
    let holder = present.secret.holder(CURRENT);
    if !request.is_staged()
        || present.secret.deleted
        || holder.is_none()
        || holder == present.secret.holder(request.label())
        || request.is_met_by(present.value.as_ref())
    {
        return Ok(Some(observed));
    }
    let view = match known {
        Some(view) => Some(view),
        None => {
            let view = classify(store.get_value(&request.target.id, CURRENT).await);
            unless_unreadable(view, rejection)?
        }
    };
    match view {
        Some(ValueView::Value(read)) if holder == Some(read.version_id.as_str()) => {
            present.current = Some(read.value);
        }
        // If the label cannot be read, its value is not compared: writing a new version is always correct.
        Some(ValueView::Unread(_)) => {}
        _ => return Ok(None),
    }
    Ok(Some(observed))
}

/// The DescribeSecret response, or its denial.
async fn describe(store: &impl SecretStore, id: &str) -> Call<Call<Option<SecretMetadata>>> {
    match store.describe(id).await {
        Err(error) if !error.is_denied() => Err(error),
        described => Ok(described),
    }
}

/// Returns `None` for a response that cannot be parsed, because a second call may succeed. `last` keeps the error.
fn unless_unreadable<T>(answer: Call<T>, last: &RefCell<Option<StoreError>>) -> Call<Option<T>> {
    match answer {
        Err(error) if error.kind == ErrorKind::Unreadable => {
            last.replace(Some(error));
            Ok(None)
        }
        answer => answer.map(Some),
    }
}

/// The secret with a similar name; `None` if there is none, or if that is unknown.
pub(super) async fn describe_similar(
    store: &impl SecretStore,
    name: &str,
) -> Option<SecretMetadata> {
    store.describe(name).await.ok().flatten()
}

/// Classifies a GetSecretValue response, or the entry of one secret in a BatchGetSecretValue response.
///
/// # Errors
/// Any error except "not found", "denied" and "scheduled for deletion".
pub(crate) fn classify(answer: Call<Option<SecretVersion>>) -> Call<ValueView> {
    match answer {
        Ok(Some(version)) => Ok(ValueView::Value(Box::new(version))),
        Ok(None) => Ok(ValueView::NoValue),
        // Without access to its KMS key, the value is unreadable, as if permission were missing.
        Err(error) if error.is_denied() || error.is("DecryptionFailure") => {
            Ok(ValueView::Unread(Some(error)))
        }
        Err(error) if error.is("InvalidRequestException") => Ok(ValueView::Deleted(error)),
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
        // At worst, the policy is written without comparing it.
        Err(error) if error.kind == ErrorKind::Unreadable => Ok(PolicyView::NotRequested),
        Err(error) => Err(error),
    }
}

/// Combines the two responses; `None` if they cannot describe the same moment.
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
        // GetSecretValue rejects such a secret whether it has a value or not.
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
        current: None,
        policy,
        at: now,
    })))
}
