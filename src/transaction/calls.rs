//! The calls of a transaction: one command about one secret, and the event that it leads to. A write of a value without an
//! answer is sent again with the same token. Every other decision is the transaction's.

use upsert_secret_core::backoff::Backoff;
use upsert_secret_core::error::StoreError;
use upsert_secret_core::failure::Failure;
use upsert_secret_core::labels::{CURRENT, PREVIOUS};
use upsert_secret_core::outcome::{Change, Outcome, VersionRef};
use upsert_secret_core::plan::Document;
use upsert_secret_core::store::{Call, NewSecret, SecretStore};
use upsert_secret_core::transaction::{
    Answer, Command, Event, Labels, cut_short_when_current, cut_short_while_moving,
};

use super::driver::{Driver, Member};

/// Tries of a write without an answer, each with several attempts.
const MAX_TRIES: u32 = 3;

impl<S: SecretStore> Driver<'_, S> {
    pub(super) async fn call(&self, member: &mut Member<'_>, command: Command) -> Event {
        match command {
            Command::Describe(index) => Event::Described(index, self.describe(member).await),
            Command::Put {
                member: index,
                labels,
            } => self.put(index, member, &labels).await,
            Command::Create(index) => self.create(index, member).await,
            Command::Label {
                member: index,
                label,
                from,
                to,
            } => {
                let (store, id) = (self.context.store, &member.request.target.id);
                if label == CURRENT && to.is_some() && to == member.version {
                    let version = to.as_deref().unwrap_or_default();
                    let attempt = &mut member.guard.attempt;
                    attempt.cut_short = Some(cut_short_while_moving(id, version));
                    attempt.outcome.version = Some(VersionRef {
                        id: version.to_owned(),
                        stages: Vec::new(),
                    });
                }
                let sent = match (&from, &to) {
                    (from, Some(to)) => store.move_label(id, &label, from.as_deref(), to).await,
                    (Some(from), None) => store.remove_label(id, &label, from).await,
                    (None, None) => Ok(()),
                };
                let removes = to.is_none();
                if let (Some(from), Some(to), true) = (from, to, label == CURRENT) {
                    record_move(member, &sent, from, &to);
                }
                Event::Label(index, self.answer(member, removes, sent))
            }
            // Sent twenty at a time.
            Command::Read(index) => Event::Skipped(index),
        }
    }

    pub(super) async fn describe(&self, member: &Member<'_>) -> Result<Labels, Failure> {
        match self.context.store.describe(member.id()).await {
            Ok(secret) => Ok(Labels::all(secret.unwrap_or_default().versions)),
            Err(error) => Err(self.failure(member, &error)),
        }
    }

    async fn put(&self, index: usize, member: &mut Member<'_>, labels: &[String]) -> Event {
        let store = self.context.store;
        let request = member.request;
        let id = &request.target.id;
        let key = request.kms_key_id.as_ref();
        if let Some(key) = key.filter(|_| member.content.kms_key) {
            // Before the put, so that the new version uses the key.
            if let Err(error) = store.update(id, None, Some(key)).await {
                return Event::WriteFailed(index, self.failure(member, &error), None);
            }
            member.content.kms_key = false;
            let change = Change::KmsKey(key.clone());
            member.guard.attempt.outcome.record(change);
        }
        let document = member.content.document.as_ref();
        let value = document.map_or(&request.value, Document::value);
        let base = member.base.as_deref().unwrap_or_default();
        let mut token = self.context.token(request, value, Some(base));
        if member.base.is_some() {
            // A late call of a run that rolls the earlier attempt back must not move the version of this one.
            if std::mem::replace(&mut member.has_staged, true) {
                token.replace(self.context.system.unique());
            }
        }
        let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
        loop {
            let put = async || store.put_value(id, &token.id, value, &labels).await;
            match self.until_answered(put).await {
                // The token's version is of an earlier attempt of the CI run, and not of this one either.
                Ok(put)
                    if member.base.is_some()
                        && !token.replaced
                        && !is_labeled(&put.stages, CURRENT)
                        && !labels.iter().all(|label| is_labeled(&put.stages, label)) =>
                {
                    token.replace(self.context.system.unique());
                }
                Ok(put) => {
                    let version = put.written.version_id;
                    let outcome = &mut member.guard.attempt.outcome;
                    outcome.arn = Some(put.written.arn);
                    outcome.name = Some(put.written.name);
                    let has = |label: &str| is_labeled(&put.stages, label);
                    if member.base.is_none() && has(CURRENT) {
                        record_current(outcome, &version, None);
                    } else if member.base.is_none() && has(PREVIOUS) {
                        outcome.record_overtaken(&version, CURRENT, put.stages.clone());
                    }
                    member.version = Some(version.clone());
                    return Event::Put(index, version, put.stages);
                }
                // The token's version holds another value, of an earlier attempt of this CI run.
                Err(error) if error.is("ResourceExistsException") && !token.replaced => {
                    token.replace(self.context.system.unique());
                }
                Err(error) => {
                    let version = error.is_unknown_outcome().then(|| token.id.clone());
                    let failure = self.failure(member, &error);
                    return Event::WriteFailed(index, failure, version);
                }
            }
        }
    }

    async fn create(&self, index: usize, member: &mut Member<'_>) -> Event {
        let request = member.request;
        let document = member.content.document.as_ref();
        let value = document.map_or(&request.value, Document::value);
        let token = self.context.token(request, value, None);
        let (tags, replicas) = (request.tags.clone(), request.replicas.clone());
        let new = NewSecret {
            name: &request.target.name,
            token: &token.id,
            value,
            description: request.description.as_deref(),
            kms_key_id: request.kms_key_id.as_deref(),
            tags: &tags.unwrap_or_default(),
            replicas: &replicas.unwrap_or_default(),
        };
        let create = async || self.context.store.create(&new).await;
        match self.until_answered(create).await {
            Ok(written) => {
                let outcome = &mut member.guard.attempt.outcome;
                outcome.arn = Some(written.arn);
                outcome.name = Some(written.name);
                outcome.record_created(request, &written.version_id);
                member.version = Some(written.version_id.clone());
                Event::Created(index, written.version_id)
            }
            Err(error) if error.is("ResourceExistsException") => Event::Exists(index),
            Err(error) => Event::WriteFailed(index, self.failure(member, &error), None),
        }
    }

    /// Sends a write until it is answered, a limited number of times.
    async fn until_answered<T>(&self, call: impl AsyncFn() -> Call<T>) -> Call<T> {
        let mut tries = Backoff::new(MAX_TRIES);
        loop {
            match call().await {
                Err(error) if error.is_unknown_outcome() => {
                    if !self.context.system.wait(&mut tries).await {
                        return Err(error);
                    }
                }
                answered => return answered,
            }
        }
    }

    /// A removal is rejected so if the secret is scheduled for deletion, and not if the label is gone.
    fn answer(&self, member: &Member<'_>, removes: bool, sent: Call<()>) -> Answer {
        match sent {
            Ok(()) => Answer::Applied,
            Err(error) if error.is_unknown_outcome() => {
                Answer::NoAnswer(self.failure(member, &error))
            }
            Err(error)
                if error.is_lost_swap() && !(removes && error.is("InvalidRequestException")) =>
            {
                Answer::Lost {
                    retried: error.attempts > 1,
                    failure: self.failure(member, &error),
                }
            }
            Err(error) => Answer::Rejected(self.failure(member, &error)),
        }
    }

    pub(super) fn failure(&self, member: &Member<'_>, error: &StoreError) -> Failure {
        let target = &member.request.target;
        self.context.failure(error, target, &member.guard.attempt)
    }
}

fn is_labeled(stages: &[String], label: &str) -> bool {
    stages.iter().any(|stage| stage == label)
}

/// Records a move of AWSCURRENT at once, so that a run that is cut short reports it.
fn record_move(member: &mut Member<'_>, sent: &Call<()>, from: String, to: &str) {
    let attempt = &mut member.guard.attempt;
    if member.version.as_deref() == Some(to) {
        match sent {
            Ok(()) => {
                record_current(&mut attempt.outcome, to, Some(from));
                let failure = cut_short_when_current(&member.request.target.id, to);
                attempt.cut_short = Some(failure);
            }
            Err(error) if error.is_unknown_outcome() => attempt.sent.push(to.to_owned()),
            // A move whose answer was lost may have been applied whatever the next one meets.
            Err(error) if error.attempts <= 1 && !attempt.sent.iter().any(|sent| sent == to) => {
                (attempt.cut_short, attempt.outcome.version) = (None, None);
            }
            Err(_) => {}
        }
    } else if member.version.as_ref() == Some(&from) && sent.is_ok() {
        record_rollback(&mut attempt.outcome, from);
        attempt.cut_short = None;
    }
}

/// Records that this run's version is current. `from` was before.
pub(super) fn record_current(outcome: &mut Outcome, id: &str, from: Option<String>) {
    outcome.record(Change::Version {
        id: id.to_owned(),
        label: CURRENT.to_owned(),
    });
    outcome.moved_from = from;
    outcome.version = Some(VersionRef {
        id: id.to_owned(),
        stages: vec![CURRENT.to_owned()],
    });
}

/// Records that this run's version was current, and is no longer.
pub(super) fn record_rollback(outcome: &mut Outcome, id: String) {
    let written =
        |change: &Change| matches!(change, Change::Version { id: other, .. } if *other == id);
    outcome.changes.retain(|change| !written(change));
    outcome.record(Change::Reverted(id));
    (outcome.moved_from, outcome.version) = (None, None);
}
