//! Carries a plan out, step by step, and records what came of it. Decides nothing but how to handle
//! a race: which answers mean "somebody was faster", and that the world has to be looked at again.

use crate::aws::{AwsError, SecretsManager};
use crate::failure::{Failure, Subject};
use crate::outcome::{Change, Outcome};
use crate::plan::{Document, Plan, Step};
use crate::progress::Progress;
use crate::request::{Request, Target};
use crate::token::{RunIdentity, Token};
use crate::value::SecretValue;

mod metadata;
mod policy;
mod swap;
mod value;

pub use swap::cleanup;

/// What follows from a plan that was carried out.
#[derive(Debug)]
pub enum Next {
    /// The goal is reached.
    Done,
    /// Others are writing: wait for a turn, however often, and look again.
    Turn,
    /// Look again. The error says what would be reported if looking never helps.
    Look(Option<AwsError>),
}

/// One run's view of one secret, for as long as steps are carried out.
pub struct Applier<'a> {
    /// What is asked.
    pub request: &'a Request,
    /// Where it is asked of.
    pub aws: &'a SecretsManager,
    /// What names this run among all others.
    pub run: Option<&'a RunIdentity>,
    /// The token of its next write.
    pub token: &'a mut Token,
    /// What is written, where it is not the request's value as it stands.
    pub document: Option<Document>,
    /// How people are told that something takes long.
    pub progress: &'a Progress,
    /// The record.
    pub outcome: &'a mut Outcome,
}

/// What one step came to.
enum Then {
    Go,
    Look(Option<AwsError>),
    Turn,
    /// The name exists after all: go on with these.
    Instead(Vec<Step>),
}

impl Applier<'_> {
    /// Carries the plan out.
    ///
    /// # Errors
    /// Whatever AWS refuses for good. What was done until then is in the outcome.
    pub async fn apply(&mut self, plan: Plan) -> Result<Next, Failure> {
        self.document = plan.document;
        // First, so that it is known even if a step fails.
        if let Some(kept) = plan.keep {
            self.keep(kept);
        }
        let mut steps = plan.steps;
        steps.reverse();
        while let Some(step) = steps.pop() {
            match self.step(step).await? {
                Then::Go => {}
                Then::Look(why) => return Ok(Next::Look(why)),
                Then::Turn => return Ok(Next::Turn),
                Then::Instead(others) => steps.extend(others.into_iter().rev()),
            }
        }
        Ok(Next::Done)
    }

    async fn step(&mut self, step: Step) -> Result<Then, Failure> {
        match step {
            Step::Create { otherwise, vacant } => self.create(otherwise, vacant).await,
            Step::Restore => self.restore().await,
            Step::Wait => Ok(Then::Look(None)),
            Step::Update {
                description,
                kms_key,
            } => self.update(description, kms_key).await,
            Step::Yield => Ok(Then::Turn),
            Step::Put { base } => self.put(base).await,
            Step::Swap { base } => self.swap(base).await,
            Step::Label { label, from } => self.label(label, from).await,
            Step::Sweep(labels) => self.sweep(labels).await,
            Step::Untag(keys) => {
                let sent = self.aws.untag(self.id(), &keys).await;
                self.metadata(sent, Change::Untagged(keys))
            }
            Step::Tag(tags) => {
                let sent = self.aws.tag(self.id(), &tags).await;
                self.metadata(sent, Change::Tagged(tags.into_keys().collect()))
            }
            Step::Unreplicate(regions) => {
                let sent = self.aws.unreplicate(self.id(), &regions).await;
                self.metadata(sent, Change::Unreplicated(regions))
            }
            Step::Replicate(regions) => self.replicate(regions).await,
            Step::AwaitReplicas(regions) => self.await_replicas(regions).await,
            Step::CheckPolicy => self.check_policy().await,
            Step::SetPolicy => self.set_policy().await,
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
            return Ok(Then::Look(Some(error)));
        }
        Err(self.failure(&error))
    }

    fn know(&mut self, arn: &str, name: &str) {
        self.outcome.arn = Some(arn.to_owned());
        self.outcome.name = Some(name.to_owned());
    }

    /// What is written.
    fn value(&self) -> &SecretValue {
        self.document
            .as_ref()
            .map_or(&self.request.value, Document::value)
    }

    fn id(&self) -> &str {
        &self.request.target.id
    }

    fn failure(&self, error: &AwsError) -> Failure {
        Failure::of_aws(
            error,
            subject(&self.request.target, self.outcome, self.aws.region()),
        )
    }
}

/// What a failure of this run is about.
#[must_use]
pub fn subject<'a>(target: &'a Target, outcome: &'a Outcome, region: &'a str) -> Subject<'a> {
    Subject {
        id: &target.id,
        name: &target.name,
        arn: outcome.arn.as_deref(),
        region,
    }
}
