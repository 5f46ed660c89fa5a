//! Carries a plan out, step by step, and records what came of it. Decides nothing but how to handle
//! a race: which answers mean "somebody was faster", and that the world has to be looked at again.

use std::collections::BTreeMap;

use crate::aws::{AwsError, NewSecret, Put, SecretsManager};
use crate::failure::{Failure, Subject};
use crate::outcome::{Change, Outcome, Version};
use crate::plan::{Plan, Step};
use crate::request::Request;
use crate::token::Token;

const CURRENT: &str = "AWSCURRENT";
const PREVIOUS: &str = "AWSPREVIOUS";

/// What follows from a plan that was carried out.
#[derive(Debug)]
pub enum Next {
    /// The goal is reached.
    Done,
    /// Look again. The error says what would be reported if looking never helps.
    Look(Option<AwsError>),
}

/// One run's view of one secret, for as long as steps are carried out.
pub struct Applier<'a> {
    /// What is asked.
    pub request: &'a Request,
    /// Where it is asked of.
    pub aws: &'a SecretsManager,
    /// This run's token.
    pub token: &'a mut Token,
    /// The record.
    pub outcome: &'a mut Outcome,
}

/// What one step came to.
enum Then {
    Go,
    Look(Option<AwsError>),
    /// The name exists after all: go on with these.
    Instead(Vec<Step>),
}

impl Applier<'_> {
    /// Carries the plan out.
    ///
    /// # Errors
    /// Whatever AWS refuses for good. What was done until then is in the outcome.
    pub async fn apply(&mut self, plan: Plan) -> Result<Next, Failure> {
        let mut steps = plan.steps;
        steps.reverse();
        while let Some(step) = steps.pop() {
            match self.step(step).await? {
                Then::Go => {}
                Then::Look(why) => return Ok(Next::Look(why)),
                Then::Instead(others) => steps.extend(others.into_iter().rev()),
            }
        }
        if let Some(kept) = plan.keep {
            self.keep(kept);
        }
        Ok(Next::Done)
    }

    async fn step(&mut self, step: Step) -> Result<Then, Failure> {
        match step {
            Step::Create { otherwise } => self.create(otherwise).await,
            Step::Restore => self.restore().await,
            Step::Wait => Ok(Then::Look(None)),
            Step::Update {
                description,
                kms_key,
            } => self.update(description, kms_key).await,
            Step::Put { base } => self.put(base).await,
            Step::Untag(keys) => {
                let sent = self.aws.untag(self.id(), &keys).await;
                self.metadata(sent, Change::Untagged(keys))
            }
            Step::Tag(tags) => {
                let sent = self.aws.tag(self.id(), &tags).await;
                self.metadata(sent, Change::Tagged(tags.into_keys().collect()))
            }
        }
    }

    async fn create(&mut self, otherwise: Option<Vec<Step>>) -> Result<Then, Failure> {
        let request = self.request;
        let none = BTreeMap::new();
        let new = NewSecret {
            name: &request.target.name,
            token: &self.token.id,
            value: &request.value,
            description: request.description.as_deref(),
            kms_key_id: request.kms_key_id.as_deref(),
            tags: request.tags.as_ref().unwrap_or(&none),
        };
        self.outcome.create_sent = true;
        match self.aws.create(&new).await {
            Ok(written) => {
                self.outcome.base.get_or_insert(None);
                self.know(&written.arn, &written.name);
                let retried = written.attempts > 1;
                if retried {
                    self.sent();
                }
                let Some(steps) = otherwise else {
                    self.created(&written.version_id);
                    // An answer to a retry tells what was created, not what has happened since.
                    return Ok(if retried { Then::Look(None) } else { Then::Go });
                };
                if !retried && self.token.fresh {
                    self.created(&written.version_id);
                    return Ok(Then::Go);
                }
                // Unseen, it may be what an earlier run with this token made; only a put, which
                // changes nothing then, tells whether it is still current.
                self.outcome.create_answered = Some(written.version_id);
                let put = steps
                    .into_iter()
                    .filter(|step| matches!(step, Step::Put { .. }));
                Ok(Then::Instead(put.collect()))
            }
            Err(error) if error.is("ResourceExistsException") => match otherwise {
                Some(steps) => Ok(Then::Instead(steps)),
                None => Ok(Then::Look(Some(error))),
            },
            // The name is scheduled for deletion, or was deleted a moment ago.
            Err(error) if error.is("InvalidRequestException") => {
                self.outcome.deletion_seen = true;
                Ok(Then::Look(Some(error)))
            }
            Err(error) => {
                if error.is_unknown_outcome() {
                    self.outcome.base.get_or_insert(None);
                }
                self.unknown_or_failed(error)
            }
        }
    }

    async fn restore(&mut self) -> Result<Then, Failure> {
        self.outcome.restore_sent = true;
        match self.aws.restore(self.id()).await {
            Ok(()) => {
                self.outcome.did(Change::Restored);
                Ok(Then::Look(None))
            }
            // Restored by the attempt before this one, or by somebody else.
            Err(error) if error.attempts > 1 && error.is("InvalidRequestException") => {
                Ok(Then::Look(Some(error)))
            }
            Err(error) => self.unknown_or_failed(error),
        }
    }

    async fn update(&mut self, description: bool, kms_key: bool) -> Result<Then, Failure> {
        let request = self.request;
        let text = request.description.as_deref().filter(|_| description);
        let key = request.kms_key_id.as_deref().filter(|_| kms_key);
        if let Err(error) = self.aws.update(self.id(), text, key).await {
            return self.changed_or_failed(error);
        }
        if text.is_some() {
            self.outcome.did(Change::Description);
        }
        if let Some(key) = key {
            self.outcome.did(Change::KmsKey(key.to_owned()));
        }
        Ok(Then::Go)
    }

    async fn put(&mut self, base: Option<String>) -> Result<Then, Failure> {
        // The holder before the *first* put: one read afterwards could be a later writer's, and
        // moving the label away from it would undo their work.
        let base = self.outcome.base.get_or_insert(base).clone();
        let already_sent = self.outcome.sent.contains(&self.token.id);
        let put = match self
            .aws
            .put(self.id(), &self.token.id, &self.request.value)
            .await
        {
            Ok(put) => put,
            // The token's version holds another value: an earlier attempt of this CI run, before the
            // CI secret was changed, or another leg of its matrix.
            Err(error) if error.is("ResourceExistsException") && !self.token.replaced => {
                self.token.replace()?;
                return Ok(Then::Instead(vec![Step::Put { base }]));
            }
            Err(error) => return self.changed_or_failed(error),
        };
        self.know(&put.written.arn, &put.written.name);
        if put.stages.iter().any(|stage| stage == CURRENT) {
            self.current(put.written.version_id, put.stages, &base);
            return Ok(Then::Go);
        }
        match base {
            Some(holder) if holder != put.written.version_id => self.repair(put, &holder).await,
            // Nobody to move it from can be seen. A first and only attempt found a version that an
            // earlier run had written, so a new version is what was asked for.
            None if put.written.attempts == 1 && !already_sent && !self.token.replaced => {
                self.token.replace()?;
                Ok(Then::Instead(vec![Step::Put { base: None }]))
            }
            _ => {
                self.overtaken(put.written.version_id, put.stages);
                Ok(Then::Look(None))
            }
        }
    }

    /// The version existed and is not current: A→B→A under a keyed id, or a retry that was answered
    /// after a later writer. Only AWS can tell the two apart, by comparing the holder.
    async fn repair(&mut self, put: Put, holder: &str) -> Result<Then, Failure> {
        let id = put.written.version_id;
        match self.aws.move_current(self.id(), holder, &id).await {
            Ok(()) => {
                let mut stages = put.stages;
                stages.retain(|stage| stage != PREVIOUS);
                stages.insert(0, CURRENT.to_owned());
                self.outcome.did(Change::Moved(id.clone()));
                self.outcome.version = Some(Version { id, stages });
                Ok(Then::Go)
            }
            Err(error)
                if error.is_unknown_outcome()
                    || [
                        "InvalidParameterException",
                        "InvalidRequestException",
                        "ResourceNotFoundException",
                    ]
                    .iter()
                    .any(|code| error.is(code)) =>
            {
                self.overtaken(id, put.stages);
                Ok(Then::Look(Some(error)))
            }
            Err(error) => Err(self.failure(&error)),
        }
    }

    fn metadata(&mut self, sent: Result<(), AwsError>, change: Change) -> Result<Then, Failure> {
        match sent {
            Ok(()) => {
                self.outcome.did(change);
                Ok(Then::Go)
            }
            Err(error) => self.changed_or_failed(error),
        }
    }

    /// The secret is not in the state it was seen in: looking again either explains that or not.
    fn changed_or_failed(&mut self, error: AwsError) -> Result<Then, Failure> {
        if error.is("InvalidRequestException") || error.is("ResourceNotFoundException") {
            return Ok(Then::Look(Some(error)));
        }
        self.unknown_or_failed(error)
    }

    /// An answer that never came, or could not be read: read back, never guess.
    fn unknown_or_failed(&mut self, error: AwsError) -> Result<Then, Failure> {
        if error.is_unknown_outcome() {
            self.sent();
            return Ok(Then::Look(Some(error)));
        }
        Err(self.failure(&error))
    }

    fn sent(&mut self) {
        if !self.outcome.sent.contains(&self.token.id) {
            self.outcome.sent.push(self.token.id.clone());
        }
    }

    fn overtaken(&mut self, id: String, stages: Vec<String>) {
        self.outcome.overtaken = Some(id.clone());
        self.outcome.version = Some(Version { id, stages });
    }

    /// The value is there. If it is in a version whose answer we never saw, it was us.
    fn keep(&mut self, kept: Version) {
        let ours = self.outcome.sent.contains(&kept.id)
            || self.outcome.overtaken.as_ref() == Some(&kept.id);
        let moved = self
            .outcome
            .base
            .as_ref()
            .is_some_and(|base| base.as_ref() != Some(&kept.id));
        if ours && moved && self.outcome.version.is_none() {
            if self.outcome.create_sent && self.outcome.base == Some(None) {
                self.created(&kept.id);
            } else {
                self.outcome.did(Change::Version(kept.id.clone()));
            }
        }
        self.outcome.version = Some(kept);
    }

    fn created(&mut self, version_id: &str) {
        let request = self.request;
        self.outcome.did(Change::Created {
            description: request.description.is_some(),
            kms_key: request.kms_key_id.is_some(),
            tags: request.tags.as_ref().map_or(0, BTreeMap::len),
        });
        self.outcome.version = Some(Version {
            id: version_id.to_owned(),
            stages: vec![CURRENT.to_owned()],
        });
    }

    fn current(&mut self, id: String, stages: Vec<String>, base: &Option<String>) {
        if self.outcome.create_answered.as_ref() == Some(&id) {
            self.created(&id);
        } else if base.as_ref() != Some(&id) {
            self.outcome.did(Change::Version(id.clone()));
        }
        self.outcome.version = Some(Version { id, stages });
    }

    fn know(&mut self, arn: &str, name: &str) {
        self.outcome.arn = Some(arn.to_owned());
        self.outcome.name = Some(name.to_owned());
    }

    fn id(&self) -> &str {
        &self.request.target.id
    }

    fn failure(&self, error: &AwsError) -> Failure {
        Failure::of_aws(
            error,
            subject(self.request, self.outcome, self.aws.region()),
        )
    }
}

/// What a failure of this run is about.
#[must_use]
pub fn subject<'a>(request: &'a Request, outcome: &'a Outcome, region: &'a str) -> Subject<'a> {
    Subject {
        id: &request.target.id,
        name: &request.target.name,
        arn: outcome.arn.as_deref(),
        region,
    }
}
