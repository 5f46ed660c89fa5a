//! The calls of a transaction: turns one command about one secret into an event. Resends a value write without a response, with
//! the same token. The transaction makes all other decisions.

use upsert_secret_core::backoff::Backoff;
use upsert_secret_core::error::StoreError;
use upsert_secret_core::failure::Failure;
use upsert_secret_core::labels::{CURRENT, PREVIOUS};
use upsert_secret_core::outcome::{Change, Outcome, VersionRef};
use upsert_secret_core::plan::{Document, no_such_version};
use upsert_secret_core::request::Job;
use upsert_secret_core::store::{Call, NewSecret, SecretStore};
use upsert_secret_core::transaction::{
    Answer, Command, Event, Labels, cut_short_when_current, cut_short_while_moving,
};

use super::driver::{Driver, Member};

/// Tries of a write without a response, each with several attempts.
const MAX_TRIES: u32 = 3;

impl<S: SecretStore> Driver<'_, S> {
    pub(super) async fn call(&self, member: &mut Member<'_>, command: Command) -> Event {
        match command {
            Command::Describe(index) => Event::Described(index, self.describe(member).await),
            Command::Put {
                member: index,
                labels,
            } => self.put(index, member, &labels).await,
            Command::Attach {
                member: index,
                version,
                labels,
            } => self.attach(index, member, version, labels).await,
            Command::Create(index) => self.create(index, member).await,
            Command::Label {
                member: index,
                label,
                from,
                to,
            } => {
                let (store, id) = (self.context.store, member.id());
                if label == CURRENT && to.is_some() && to == member.version {
                    let version = to.as_deref().unwrap_or_default();
                    let attempt = &mut member.guard.attempt;
                    attempt.cut_short = Some(cut_short_while_moving(id, version));
                    attempt.moving = from.clone().map(|from| (from, version.to_owned()));
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
                member.guard.attempt.wrote_unnamed |= sent.is_ok();
                let removes = to.is_none();
                if let (Some(from), Some(to), true) = (from, to, label == CURRENT) {
                    record_move(member, &sent, from, &to);
                }
                Event::Label(index, self.answer(member, removes, sent))
            }
            // Sent in batches of 20.
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
        let (store, id) = (self.context.store, member.id());
        let Some(request) = member.request() else {
            return Event::Skipped(index);
        };
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
            // A late call of a run that rolls back the earlier attempt must not move this attempt's version.
            if std::mem::replace(&mut member.has_staged, true) {
                token.replace(self.context.system.unique());
            }
        }
        let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
        loop {
            let put = async || store.put_value(id, &token.id, value, &labels).await;
            match self.until_answered(put).await {
                // The token's version already existed: it belongs to an earlier attempt of the CI run, not to this one.
                Ok(put)
                    if member.base.is_some()
                        && !token.replaced
                        && !is_labeled(&put.stages, CURRENT)
                        && !labels.iter().all(|label| is_labeled(&put.stages, label)) =>
                {
                    token.replace(self.context.system.unique());
                }
                Ok(put) => {
                    member.guard.attempt.wrote_unnamed = true;
                    let version = put.written.version_id;
                    let outcome = &mut member.guard.attempt.outcome;
                    outcome.arn = Some(put.written.arn);
                    outcome.name = Some(put.written.name);
                    let has = |label: &str| is_labeled(&put.stages, label);
                    if member.base.is_none() && has(CURRENT) {
                        record_current(outcome, member.job, &version, None);
                    } else if member.base.is_none() && has(PREVIOUS) {
                        outcome.record_overtaken(&version, CURRENT, put.stages.clone());
                    }
                    member.version = Some(version.clone());
                    return Event::Put(index, version, put.stages);
                }
                // The token's version holds a different value, from an earlier attempt of this CI run.
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

    /// Labels an existing version, and reads its other labels.
    async fn attach(
        &self,
        index: usize,
        member: &mut Member<'_>,
        version: String,
        labels: Vec<String>,
    ) -> Event {
        let (store, id) = (self.context.store, member.id());
        for label in &labels {
            let attach = async || store.move_label(id, label, None, &version).await;
            match self.until_answered(attach).await {
                Ok(()) => {
                    member.guard.attempt.wrote_unnamed = true;
                    member.version = Some(version.clone());
                }
                Err(error) => {
                    if error.is_unknown_outcome() {
                        member.version = Some(version.clone());
                    }
                    let failure = match store.describe(id).await {
                        Ok(Some(secret))
                            if error.is_lost_swap() && !secret.versions.contains_key(&version) =>
                        {
                            no_such_version(&secret, &version)
                        }
                        _ => self.failure(member, &error),
                    };
                    return Event::WriteFailed(index, failure, member.version.clone());
                }
            }
        }
        match store.describe(id).await {
            Ok(secret) => {
                let labels = secret.unwrap_or_default().labels(&version);
                Event::Put(index, version, labels)
            }
            Err(error) => Event::WriteFailed(index, self.failure(member, &error), Some(version)),
        }
    }

    async fn create(&self, index: usize, member: &mut Member<'_>) -> Event {
        let Some(request) = member.request() else {
            return Event::Skipped(index);
        };
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

    /// Sends a write until it gets a response, a limited number of times.
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

    /// Interprets the response. A removal is rejected this way if the secret is scheduled for deletion, but not if the label is
    /// gone.
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
        let subject = member.job.subject();
        self.context.failure(error, subject, &member.guard.attempt)
    }
}

fn is_labeled(stages: &[String], label: &str) -> bool {
    stages.iter().any(|stage| stage == label)
}

/// Records a move of AWSCURRENT immediately, so that a run that is cut short reports it.
fn record_move(member: &mut Member<'_>, sent: &Call<()>, from: String, to: &str) {
    let attempt = &mut member.guard.attempt;
    if member.version.as_deref() == Some(to) {
        match sent {
            Ok(()) => {
                record_current(&mut attempt.outcome, member.job, to, Some(from));
                let failure = cut_short_when_current(&member.job.target().id, to);
                attempt.cut_short = Some(failure);
            }
            Err(error) if error.is_unknown_outcome() => attempt.sent.push(to.to_owned()),
            // A move whose response was lost may have been applied, whatever happens to the next one.
            Err(error) if error.attempts <= 1 && !attempt.sent.iter().any(|sent| sent == to) => {
                (attempt.cut_short, attempt.outcome.version) = (None, None);
                attempt.moving = None;
            }
            Err(_) => {}
        }
    } else if member.version.as_ref() == Some(&from) && sent.is_ok() {
        record_rollback(&mut attempt.outcome, from);
        (attempt.cut_short, attempt.moving) = (None, None);
    }
}

/// Records that this run's version is current. `from` is the version that was current before.
pub(super) fn record_current(outcome: &mut Outcome, job: &Job, id: &str, from: Option<String>) {
    outcome.record(match job {
        Job::Upsert(request) => Change::Version {
            id: id.to_owned(),
            label: CURRENT.to_owned(),
            keys: request.written_keys(),
        },
        Job::Move(label_move) => Change::of_move(label_move, id),
    });
    outcome.record_label_move(CURRENT, id);
    outcome.moved_from = from;
    outcome.version = Some(VersionRef {
        id: id.to_owned(),
        stages: vec![CURRENT.to_owned()],
    });
}

/// Records that this run's version was current but no longer is.
pub(super) fn record_rollback(outcome: &mut Outcome, id: String) {
    outcome.changes.retain(|change| !change.made_current(&id));
    outcome.record(Change::Reverted(id));
    if let Some(base) = outcome.moved_from.take() {
        outcome.record_label_move(CURRENT, &base);
    }
    outcome.version = None;
}
