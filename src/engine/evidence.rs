//! Finds evidence in later observations that a write of this run was applied although its response was lost. Must not decide
//! anything or make calls.

use upsert_secret_core::attempt::Attempt;
use upsert_secret_core::labels::{CURRENT, PREVIOUS};
use upsert_secret_core::notice::Level;
use upsert_secret_core::outcome::Change;
use upsert_secret_core::plan::shows_change;
use upsert_secret_core::request::Request;
use upsert_secret_core::state::{Present, SecretMetadata};

/// Records the changes of this run that an observation proves.
pub(super) fn record_evidence(request: &Request, present: &Present, attempt: &mut Attempt) {
    let secret = &present.secret;
    record_metadata(request, present, attempt);
    record_replicas(secret, attempt);
    if request.label() != CURRENT {
        return;
    }
    let Some(base) = attempt.base.clone() else {
        attempt.previous = Some(secret.holder(PREVIOUS).map(str::to_owned));
        return;
    };
    let (Some(id), Some(previous)) = (secret.holder(PREVIOUS), attempt.previous.clone()) else {
        return;
    };
    let id = id.to_owned();
    let is_ours = attempt.sent.contains(&id)
        || [&attempt.move_sent, &attempt.maybe_created].contains(&&Some(id.clone()));
    if is_ours
        && secret.has_replaced(&id, base.as_deref(), previous.as_deref())
        && !attempt.outcome.is_overtaken(&id)
    {
        if attempt.maybe_created.as_ref() == Some(&id) {
            attempt.outcome.record_created(request, &id);
        } else if !attempt.outcome.has_recorded(&id) {
            attempt.outcome.moved_from = base.filter(|base| *base != id);
        }
        attempt.overtaken = Some(id.clone());
        record_overtaken(CURRENT, secret, &id, attempt);
    }
}

/// Records that a later write took a staging label that this run had given to a version.
pub(super) fn record_overtaken(
    label: &str,
    secret: &SecretMetadata,
    id: &str,
    attempt: &mut Attempt,
) {
    let outcome = &mut attempt.outcome;
    outcome.record_overtaken(id, label, secret.labels(id));
    if let Some((_, after)) = &mut outcome.labels {
        after.clone_from(&secret.versions);
    }
}

/// Adds a notice at the end of a run whose version was AWSCURRENT until a later write.
pub(super) fn note_overtaken(attempt: &mut Attempt) {
    let Some(version) = &attempt.outcome.version else {
        return;
    };
    let id = &version.id;
    let is_recorded = attempt.outcome.is_overtaken(id)
        || attempt.outcome.has_recorded(id) && attempt.overtaken.as_ref() == Some(id);
    if let Some(holder) = attempt.holder.as_ref().filter(|holder| *holder != id)
        && is_recorded
    {
        let text = format!("a later write is current: version {holder} has replaced version {id}");
        attempt.outcome.note(Level::Notice, text);
    }
}

/// Records changes of metadata and of other staging labels.
fn record_metadata(request: &Request, present: &Present, attempt: &mut Attempt) {
    let unconfirmed = std::mem::take(&mut attempt.unconfirmed);
    for change in unconfirmed {
        if !shows_change(&change, request, present) {
            attempt.unconfirmed.push(change);
            continue;
        }
        if let Change::Labeled { id, label } = &change {
            attempt.outcome.record_label_move(label, id);
        }
        attempt.outcome.record(change);
    }
}

/// Records replicas that this run requested, in case the response was lost.
fn record_replicas(secret: &SecretMetadata, attempt: &mut Attempt) {
    let is_recorded = |region: &String| {
        let mut changes = attempt.outcome.changes.iter();
        changes.any(|change| matches!(change, Change::Replicated(all) if all.contains(region)))
    };
    let ours: Vec<String> = secret
        .replicas
        .iter()
        .map(|replica| replica.region.clone())
        .filter(|region| attempt.replicating.contains(region) && !is_recorded(region))
        .collect();
    if !ours.is_empty() {
        attempt.outcome.record(Change::Replicated(ours));
    }
}
