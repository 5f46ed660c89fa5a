//! ValidateResourcePolicy: validates before the first write if the caller is allowed to, and always before the policy is
//! attached. Waits for principals that AWS does not know yet. The plan decides when a policy is validated.

use upsert_secret_core::attempt::{Attempt, Wait};
use upsert_secret_core::backoff::Backoff;
use upsert_secret_core::error::StoreError;
use upsert_secret_core::failure::Failure;
use upsert_secret_core::notice::Level;
use upsert_secret_core::plan::{Nameable, check_validation};
use upsert_secret_core::quote::ForeignText;
use upsert_secret_core::request::Request;
use upsert_secret_core::state::Validation;
use upsert_secret_core::store::{Call, SecretStore};

use super::context::Context;

/// Tries for a principal that AWS does not know yet: a new role becomes usable a few seconds after it is created. About one
/// minute in total.
pub(super) const MAX_PRINCIPAL_TRIES: u32 = 36;

/// Validates the resource policy, unless that is already done or the secret cannot be named yet. Returns an error that the next
/// observation explains. A dry run warns if the validation is denied.
///
/// # Errors
/// The policy must not be attached, or its validation is denied.
pub(crate) async fn check_policy<S: SecretStore>(
    request: &Request,
    context: Context<'_, S>,
    nameable: Nameable,
    plan_only: bool,
    attempt: &mut Attempt,
) -> Result<Option<StoreError>, Failure> {
    let is_deferred = attempt.policy_deferred && nameable != Nameable::Yes;
    let Some(policy) = &request.policy else {
        return Ok(None);
    };
    if attempt.policy_checked || is_deferred {
        return Ok(None);
    }
    let id = request.target.id.as_str();
    let subjects: &[Option<&str>] = match nameable {
        Nameable::Yes => &[Some(id)],
        Nameable::No => &[None],
        Nameable::Unknown => &[Some(id), None],
    };
    for subject in subjects {
        match validate(policy.text(), *subject, request, context, attempt).await {
            Ok(validation) => {
                check_validation(&validation, request.allow_public_policy, id)?;
                attempt.policy_checked = true;
                return Ok(None);
            }
            Err(error) if error.is_unknown_outcome() => return Ok(Some(error)),
            Err(error) if error.is_denied() && (plan_only || nameable != Nameable::Yes) => {}
            Err(error) if is_not_there(&error) && nameable == Nameable::Unknown => {}
            Err(error) if is_not_there(&error) => return Ok(Some(error)),
            Err(error) => return Err(context.failure(&error, request.subject(), attempt)),
        }
    }
    attempt.policy_deferred = true;
    let (level, text) = if plan_only {
        let text = "ValidateResourcePolicy is denied: whether the resource policy may be attached was not checked";
        (Level::Warning, text)
    } else {
        let text = "ValidateResourcePolicy is denied where it names no secret: the resource policy is validated after the \
                    secret is written, and before it is attached";
        (Level::Notice, text)
    };
    attempt.outcome.note(level, text);
    Ok(None)
}

/// Whether the secret does not exist or is scheduled for deletion.
fn is_not_there(error: &StoreError) -> bool {
    error.is("ResourceNotFoundException") || error.is("InvalidRequestException")
}

/// Sends ValidateResourcePolicy, and repeats it while AWS does not know a principal.
async fn validate<S: SecretStore>(
    policy: &str,
    id: Option<&str>,
    request: &Request,
    context: Context<'_, S>,
    attempt: &mut Attempt,
) -> Call<Validation> {
    let mut backoff = Backoff::new(MAX_PRINCIPAL_TRIES);
    loop {
        let answer = context.store.validate_policy(id, policy).await;
        let unknown = match &answer {
            Ok(validation) => {
                let mut messages = validation.findings.iter().map(|finding| &finding.message);
                messages.find(|message| is_unknown(message))
            }
            Err(error) => unknown_principal(error),
        };
        if let Some(message) = unknown
            && wait_for_principals(&mut backoff, message, request, context, attempt).await
        {
            continue;
        }
        return answer;
    }
}

/// Waits for the next try; returns `false` after the last one. `message` is from AWS.
pub(super) async fn wait_for_principals<S: SecretStore>(
    backoff: &mut Backoff,
    message: &ForeignText,
    request: &Request,
    context: Context<'_, S>,
    attempt: &mut Attempt,
) -> bool {
    let what = "AWS to know the principals of the resource policy";
    context.progress.say(|| format!("waiting for {what}"));
    let failure = Failure::refused(
        format!(
            "AWS does not know a principal of the resource policy of {}",
            request.target.id
        ),
        "check that the principals of the resource policy exist; new ones can take a minute, so a longer `timeout` helps",
    );
    let wait = Wait {
        what: what.to_owned(),
        failure: Some(failure.because(format!(
            "AWS answered: {}",
            message.quote(&[&request.target.name])
        ))),
    };
    context.wait(backoff, wait, attempt).await
}

/// The message from AWS, if it rejects a principal as unknown.
pub(super) fn unknown_principal(error: &StoreError) -> Option<&ForeignText> {
    let message = error.message().filter(|message| is_unknown(message));
    message.filter(|_| error.is("MalformedPolicyDocumentException"))
}

fn is_unknown(message: &ForeignText) -> bool {
    message.contains("unsupported principal")
}
