//! The steps that write the value: CreateSecret, PutSecretValue, and the move of AWSCURRENT that a
//! version needs which existed already. Everything turns on one question: can the version that the
//! answer names have existed before this very call?

use std::collections::BTreeMap;

use super::{Applier, Then};
use crate::aws::{NewSecret, Put};
use crate::failure::Failure;
use crate::outcome::{Change, Version};
use crate::plan::{Step, arn_is_absent};
use crate::request::{CURRENT, PREVIOUS};

impl Applier<'_> {
    pub(super) async fn create(
        &mut self,
        otherwise: Option<Vec<Step>>,
        vacant: bool,
    ) -> Result<Then, Failure> {
        let request = self.request;
        let (no_tags, no_replicas) = (BTreeMap::new(), BTreeMap::new());
        let new = NewSecret {
            name: &request.target.name,
            token: &self.token.id,
            value: self.value(),
            description: request.description.as_deref(),
            kms_key_id: request.kms_key_id.as_deref(),
            tags: request.tags.as_ref().unwrap_or(&no_tags),
            replicas: request.replicas.as_ref().unwrap_or(&no_replicas),
        };
        let sent_before = self.was_sent();
        // Else an earlier run with this token may have made it, and AWS answers the same.
        let ours = vacant || self.token.fresh;
        match self.aws.create(&new).await {
            Ok(written) => {
                self.outcome.base.get_or_insert(None);
                self.know(&written.arn, &written.name);
                if ours {
                    self.created(&written.version_id);
                }
                if written.attempts > 1 {
                    self.sent();
                }
                // The answer to a retry tells what was created, not what has happened since.
                let retried = written.attempts > 1 || sent_before;
                match otherwise {
                    _ if ours && !retried => Ok(Then::Go),
                    None => Ok(Then::Look(None)),
                    // A put changes nothing then, and its answer names the labels.
                    Some(steps) => Ok(Then::Instead(steps)),
                }
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
                    self.sent();
                    self.outcome.base.get_or_insert(None);
                    if ours {
                        self.outcome.maybe_created = Some(self.token.id.clone());
                    }
                }
                self.unknown_or_failed(error)
            }
        }
    }

    pub(super) async fn put(&mut self, holder: Option<String>) -> Result<Then, Failure> {
        // The holder before the *first* put: one read afterwards could be a later writer's, and
        // moving the label away from it would undo their work.
        let base = self.outcome.base.get_or_insert(holder.clone()).clone();
        let sent_before = self.was_sent();
        let put = match self
            .aws
            .put(
                self.id(),
                &self.token.id,
                self.value(),
                self.request.label(),
            )
            .await
        {
            Ok(put) => put,
            // The token's version holds another value: an earlier attempt of this CI run, before the
            // CI secret was changed, or another leg of its matrix.
            Err(error) if error.is("ResourceExistsException") && !self.token.replaced => {
                self.token.replace()?;
                return Ok(Then::Instead(vec![Step::Put { base: holder }]));
            }
            Err(error)
                if error.is("ResourceNotFoundException")
                    && self.request.target.is_arn()
                    && self.outcome.arn.is_none() =>
            {
                return Err(arn_is_absent(self.request));
            }
            Err(error) => {
                if error.is_unknown_outcome() {
                    self.sent();
                }
                return self.changed_or_failed(error);
            }
        };
        self.know(&put.written.arn, &put.written.name);
        let id = put.written.version_id.clone();
        let label = self.request.label();
        if put.stages.iter().any(|stage| stage == label) {
            self.current(id, put.stages, holder);
            return Ok(Then::Go);
        }
        let retried = put.written.attempts > 1 || sent_before;
        match base {
            // Nobody else can have made this version: it was current, and somebody wrote after us.
            _ if self.token.fresh => {
                self.overtaken(id, put.stages);
                Ok(Then::Look(None))
            }
            Some(holder) if holder != id => self.repair(put, Some(&holder), retried).await,
            // Nobody holds it, which AWS checks as well.
            None if label != CURRENT => self.repair(put, None, retried).await,
            // Nobody to move it from can be seen. A first and only attempt found a version that an
            // earlier run had written, so a new version is what was asked for.
            None if !retried => {
                self.token.replace()?;
                Ok(Then::Instead(vec![Step::Put { base: None }]))
            }
            _ => {
                self.overtaken(id, put.stages);
                Ok(Then::Look(None))
            }
        }
    }

    /// The version existed and is not current: A→B→A under a keyed id or in a re-run, or a retry that
    /// was answered after a later writer. AWS tells the two apart, by comparing the holder.
    async fn repair(
        &mut self,
        put: Put,
        holder: Option<&str>,
        retried: bool,
    ) -> Result<Then, Failure> {
        let id = put.written.version_id;
        self.outcome.move_sent = Some(id.clone());
        let label = self.request.label();
        match self.aws.move_label(self.id(), label, holder, &id).await {
            Ok(()) => {
                let mut stages = put.stages;
                if label == CURRENT {
                    stages.retain(|stage| stage != PREVIOUS);
                    self.outcome.moved_from = holder.map(str::to_owned);
                }
                stages.insert(0, label.to_owned());
                self.outcome.relabel(label, &id);
                self.outcome.did(Change::Moved {
                    id: id.clone(),
                    label: label.to_owned(),
                });
                self.outcome.version = Some(Version { id, stages });
                Ok(Then::Go)
            }
            Err(error)
                if error.is_unknown_outcome()
                    || retried && error.is("AccessDeniedException")
                    || error.is_lost_swap() =>
            {
                self.overtaken(id, put.stages);
                Ok(Then::Look(Some(error)))
            }
            Err(error) => Err(self.failure(&error)),
        }
    }

    /// The value is there already. If it is in a version whose answer we never saw, it was us.
    pub(super) fn keep(&mut self, kept: Version) {
        let id = kept.id.clone();
        let base = self.outcome.base.clone();
        let moved = base.as_ref().is_some_and(|base| base.as_ref() != Some(&id));
        let change = if self.outcome.maybe_created.as_ref() == Some(&id) {
            self.created(&id);
            None
        } else if self.outcome.move_sent.as_ref() == Some(&id) {
            Some(Change::Moved {
                id: id.clone(),
                label: self.request.label().to_owned(),
            })
        } else {
            match &self.outcome.overtaken {
                Some(ours) if *ours != id => Some(Change::Superseded {
                    ours: ours.clone(),
                    by: id.clone(),
                }),
                Some(_) => Some(self.wrote(&id)),
                None if self.outcome.sent.contains(&id) => Some(self.wrote(&id)),
                None => None,
            }
        };
        if let Some(change) = change
            && moved
            && !self.outcome.recorded(&id)
        {
            self.outcome.did(change);
            if self.request.label() == CURRENT {
                self.outcome.moved_from = base.flatten();
            }
        }
        self.outcome.version = Some(kept);
    }

    pub(super) fn wrote(&self, id: &str) -> Change {
        Change::Version {
            id: id.to_owned(),
            label: self.request.label().to_owned(),
        }
    }

    /// The version holds the label, by the answer to a put. `holder` is who held the label before it.
    pub(super) fn current(&mut self, id: String, stages: Vec<String>, holder: Option<String>) {
        let first = self.outcome.base.clone().flatten();
        let moved = holder.as_ref() != Some(&id) || first.as_ref() != Some(&id);
        if self.outcome.maybe_created.as_ref() == Some(&id) {
            self.created(&id);
        } else if moved && !self.outcome.recorded(&id) {
            self.outcome.did(self.wrote(&id));
            if self.request.label() == CURRENT {
                self.outcome.moved_from = [holder, first]
                    .into_iter()
                    .flatten()
                    .find(|holder| *holder != id);
            }
        }
        for stage in &stages {
            self.outcome.relabel(stage, &id);
        }
        self.outcome.version = Some(Version { id, stages });
    }

    fn created(&mut self, version_id: &str) {
        let request = self.request;
        self.outcome.did(Change::Created {
            description: request.description.is_some(),
            kms_key: request.kms_key_id.is_some(),
            tags: request.tags.as_ref().map_or(0, BTreeMap::len),
            replicas: request.replicas.as_ref().map_or(0, BTreeMap::len),
        });
        self.outcome.relabel(CURRENT, version_id);
        self.outcome.version = Some(Version {
            id: version_id.to_owned(),
            stages: vec![CURRENT.to_owned()],
        });
    }

    fn overtaken(&mut self, id: String, stages: Vec<String>) {
        self.outcome.overtaken = Some(id.clone());
        self.outcome.version = Some(Version { id, stages });
    }

    /// From now on a version with this token may be one whose answer we never saw.
    pub(super) fn sent(&mut self) {
        if !self.was_sent() {
            self.outcome.sent.push(self.token.id.clone());
        }
    }

    pub(super) fn was_sent(&self) -> bool {
        self.outcome.sent.contains(&self.token.id)
    }
}
