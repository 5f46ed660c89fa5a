//! What AWS has now: DescribeSecret and GetSecretValue at the same time, and again while the two
//! tell different stories. Reads only; decides nothing but whether an answer is coherent.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::aws::{AwsError, Described, ErrorKind, Read, SecretsManager};
use crate::patience::Patience;
use crate::request::{Compare, Request};
use crate::value::SecretValue;

/// Looks at a secret that changes under our eyes, before we give up.
const LOOKS: u32 = 8;

/// What there is.
pub enum Observed {
    /// DescribeSecret says that it does not exist.
    Absent,
    /// It exists.
    Present(Box<Present>),
    /// DescribeSecret is denied; what GetSecretValue could tell.
    Hidden(Box<Hidden>),
}

/// A secret that we can see.
pub struct Present {
    /// What DescribeSecret says.
    pub secret: Described,
    /// What the version holds that has the request's first label, where it was read.
    pub value: Option<SecretValue>,
    /// Why it was not read although it should have been.
    pub unread: Option<AwsError>,
    /// Its resource policy.
    pub policy: Attached,
    /// When, in seconds since 1970.
    pub at: u64,
}

/// What is known of the resource policy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Attached {
    /// Nothing: the request has none to compare with.
    #[default]
    Unasked,
    /// Nothing: reading it is denied.
    Hidden(AwsError),
    /// This, or none.
    Is(Option<String>),
}

/// A secret that we may not describe.
pub struct Hidden {
    /// The denial.
    pub denied: AwsError,
    /// What GetSecretValue said.
    pub glimpse: Glimpse,
    /// Its resource policy.
    pub policy: Attached,
}

/// All that GetSecretValue can tell of a secret.
pub enum Glimpse {
    /// Denied, or not asked.
    Nothing(Option<AwsError>),
    /// There is no such secret, or it has no value.
    NoValue,
    /// InvalidRequestException: it is scheduled for deletion.
    Deleted(AwsError),
    /// It exists, with this value.
    Value(Box<Read>),
}

/// Observes the target. `first` is what GetSecretValue would say now, where that is known already.
///
/// # Errors
/// Anything but "not found" and "denied"; or two answers that never agreed.
pub async fn observe(
    request: &Request,
    aws: &SecretsManager,
    mut first: Option<Glimpse>,
) -> Result<Observed, AwsError> {
    let id = &request.target.id;
    let label = request.label();
    // Where an existing value is left alone its content does not matter.
    let reads = request.reads();
    let mut patience = Patience::of(LOOKS);
    let mut refused = None;
    loop {
        let known = first.take();
        let value = async {
            if let Some(glimpse) = known {
                Ok(Look::Seen(glimpse))
            } else if reads {
                glimpse(aws, id, label).await
            } else {
                Ok(Look::Seen(Glimpse::Nothing(None)))
            }
        };
        let (described, glimpse, policy) =
            tokio::try_join!(describe(aws, id), value, attached(request, aws))?;
        if let Look::Seen(Glimpse::Deleted(error)) = &glimpse {
            refused = Some(error.clone());
        }
        let observed = match (described, glimpse) {
            (Look::Seen(Ok(secret)), Look::Seen(glimpse)) => join(secret, glimpse, policy, label),
            (Look::Seen(Err(denied)), Look::Seen(glimpse)) => {
                let glimpse = match glimpse {
                    // `if-exists: skip` has to know whether there is a value; this is the other way to.
                    Glimpse::Nothing(None) if request.compare != Compare::Never => {
                        match self::glimpse(aws, id, label).await? {
                            Look::Seen(glimpse) => Some(glimpse),
                            Look::Unreadable => None,
                        }
                    }
                    glimpse => Some(glimpse),
                };
                glimpse.map(|glimpse| {
                    Observed::Hidden(Box::new(Hidden {
                        denied,
                        glimpse,
                        policy,
                    }))
                })
            }
            (Look::Unreadable, _) | (_, Look::Unreadable) => None,
        };
        if let Some(observed) = observed {
            return Ok(observed);
        }
        if !patience.wait().await {
            // A refusal to read that DescribeSecret does not explain is what AWS had to say.
            return Err(
                refused.unwrap_or_else(|| AwsError::new("DescribeSecret", ErrorKind::Incoherent))
            );
        }
    }
}

/// An answer, or one that could not be read and may be readable next time.
enum Look<T> {
    Seen(T),
    Unreadable,
}

async fn describe(
    aws: &SecretsManager,
    id: &str,
) -> Result<Look<Result<Option<Described>, AwsError>>, AwsError> {
    match aws.describe(id).await {
        Ok(secret) => Ok(Look::Seen(Ok(secret))),
        Err(error) if error.is("AccessDeniedException") => Ok(Look::Seen(Err(error))),
        Err(error) if error.kind == ErrorKind::Unreadable => Ok(Look::Unreadable),
        Err(error) => Err(error),
    }
}

async fn glimpse(aws: &SecretsManager, id: &str, label: &str) -> Result<Look<Glimpse>, AwsError> {
    sort(aws.read(id, label).await)
}

/// What GetSecretValue's answer, or the part of BatchGetSecretValue's that is about one secret, tells of it; `None`
/// where it could not be read.
///
/// # Errors
/// Anything but "not found", "denied" and "scheduled for deletion".
pub fn glimpsed(answer: Result<Option<Read>, AwsError>) -> Result<Option<Glimpse>, AwsError> {
    Ok(match sort(answer)? {
        Look::Seen(glimpse) => Some(glimpse),
        Look::Unreadable => None,
    })
}

fn sort(answer: Result<Option<Read>, AwsError>) -> Result<Look<Glimpse>, AwsError> {
    match answer {
        Ok(Some(read)) => Ok(Look::Seen(Glimpse::Value(Box::new(read)))),
        Ok(None) => Ok(Look::Seen(Glimpse::NoValue)),
        // A key that may not be used, or that is gone, hides the value just as IAM does.
        Err(error) if error.is("AccessDeniedException") || error.is("DecryptionFailure") => {
            Ok(Look::Seen(Glimpse::Nothing(Some(error))))
        }
        Err(error) if error.is("InvalidRequestException") => {
            Ok(Look::Seen(Glimpse::Deleted(error)))
        }
        Err(error) if error.kind == ErrorKind::Unreadable => Ok(Look::Unreadable),
        Err(error) => Err(error),
    }
}

async fn attached(request: &Request, aws: &SecretsManager) -> Result<Attached, AwsError> {
    if request.policy.is_none() {
        return Ok(Attached::Unasked);
    }
    match aws.policy(&request.target.id).await {
        Ok(policy) => Ok(Attached::Is(policy)),
        Err(error) if error.is("AccessDeniedException") => Ok(Attached::Hidden(error)),
        // Written without comparing at worst, which changes nothing.
        Err(error) if error.kind == ErrorKind::Unreadable => Ok(Attached::Unasked),
        Err(error) => Err(error),
    }
}

/// Puts the two answers together; `None` where they cannot both be of the same moment.
fn join(
    secret: Option<Described>,
    glimpse: Glimpse,
    policy: Attached,
    label: &str,
) -> Option<Observed> {
    let Some(secret) = secret else {
        return match glimpse {
            Glimpse::Value(_) | Glimpse::Deleted(_) => None,
            Glimpse::NoValue | Glimpse::Nothing(_) => Some(Observed::Absent),
        };
    };
    let holder = secret.holder(label);
    let (value, unread) = match glimpse {
        Glimpse::Nothing(denied) => (None, denied),
        // GetSecretValue refuses such a secret, whichever value it has.
        _ if secret.deleted => (None, None),
        Glimpse::Deleted(_) => return None,
        Glimpse::NoValue if holder.is_some() => return None,
        Glimpse::NoValue => (None, None),
        Glimpse::Value(read) if holder != Some(read.version_id.as_str()) => return None,
        Glimpse::Value(read) => (Some(read.value), None),
    };
    Some(Observed::Present(Box::new(Present {
        secret,
        value,
        unread,
        policy,
        at: now(),
    })))
}

/// The wall clock, in seconds since 1970: private labels carry their expiry by it.
#[must_use]
pub fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}
