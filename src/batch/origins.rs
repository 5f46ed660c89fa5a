//! Values that come from other secrets: read before anything is written, twenty a call where AWSCURRENT is asked for,
//! each place with the credentials that its role gives. Reads only.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::StreamExt as _;
use futures_util::stream;

use super::Wanted;
use crate::aws::{self, AwsError, Gate, Read, SecretsManager};
use crate::failure::{Class, Failure, Subject};
use crate::request::{CURRENT, Draft, Found, Lacking, Reach, Secrecy, Target};

/// The most that BatchGetSecretValue takes (API model).
const BATCH: usize = 20;
/// Calls at the same time.
const AT_ONCE: usize = 4;

/// How values are found: what the run's own secrets are reached by, and what all calls pass.
pub struct Finder<'a> {
    /// Of this run's own account and region.
    pub aws: &'a SecretsManager,
    /// What that was made from.
    pub reach: &'a Arc<Reach>,
    /// What every call passes.
    pub gate: &'a Arc<Gate>,
    /// Who has to be told of every value.
    pub secrecy: &'a Secrecy<'a>,
}

/// A secret's version in one place.
type Key = (String, String);
type Values = BTreeMap<Key, Result<Found, Failure>>;

/// Completes what lacks values of other secrets. One that cannot be had is that entry's failure.
pub async fn fill(drafts: Vec<Draft>, finder: &Finder<'_>) -> Vec<Wanted> {
    let mut places: Vec<(Arc<Reach>, Values)> = Vec::new();
    for draft in &drafts {
        let Draft::Lacking(lacking) = draft else {
            continue;
        };
        for (origin, reach) in lacking.origins() {
            let at = places
                .iter()
                .position(|(known, _)| Arc::ptr_eq(known, reach));
            let at = at.unwrap_or_else(|| {
                places.push((Arc::clone(reach), Values::new()));
                places.len() - 1
            });
            places[at]
                .1
                .insert(key(&origin.id, origin.stage.as_deref()), Err(unread()));
        }
    }
    for (reach, values) in &mut places {
        finder.read(reach, values).await;
    }
    drafts
        .into_iter()
        .map(|draft| Wanted {
            request: match draft {
                Draft::Whole(request) => Ok(*request),
                Draft::Lacking(lacking) => complete(&lacking, &places),
            },
        })
        .collect()
}

fn complete(
    lacking: &Lacking,
    places: &[(Arc<Reach>, Values)],
) -> Result<crate::request::Request, Failure> {
    let values = lacking.origins().map(|(origin, reach)| {
        places
            .iter()
            .find(|(known, _)| Arc::ptr_eq(known, reach))
            .and_then(|(_, values)| values.get(&key(&origin.id, origin.stage.as_deref())))
            .cloned()
            .unwrap_or_else(|| Err(unread()))
    });
    lacking.complete(values.collect::<Result<Vec<_>, _>>()?)
}

fn key(id: &str, stage: Option<&str>) -> Key {
    (id.to_owned(), stage.unwrap_or(CURRENT).to_owned())
}

impl Finder<'_> {
    /// Reads the values of one place.
    async fn read(&self, reach: &Arc<Reach>, values: &mut Values) {
        let connected;
        let aws = if Arc::ptr_eq(&reach.identity, &self.reach.identity)
            && reach.region == self.reach.region
        {
            self.aws
        } else {
            match aws::connect(reach, Arc::clone(self.gate)).await {
                Ok(there) => {
                    connected = there.aws;
                    &connected
                }
                Err(error) => {
                    let region = reach.region.as_deref().unwrap_or_default();
                    for ((id, _), value) in values {
                        *value = Err(failure(&error, id, region));
                    }
                    return;
                }
            }
        };
        let (current, others): (Vec<Key>, Vec<Key>) = values
            .keys()
            .cloned()
            .partition(|(_, stage)| stage == CURRENT);
        let together = stream::iter(current.chunks(BATCH).map(<[Key]>::to_vec))
            .map(|keys| self.together(aws, keys));
        let alone = stream::iter(others).map(|key| self.alone(aws, key));
        let mut together = together.buffer_unordered(AT_ONCE);
        while let Some(found) = together.next().await {
            values.extend(found);
        }
        let mut alone = alone.buffer_unordered(AT_ONCE);
        while let Some((key, found)) = alone.next().await {
            values.insert(key, found);
        }
    }

    async fn together(
        &self,
        aws: &SecretsManager,
        keys: Vec<Key>,
    ) -> Vec<(Key, Result<Found, Failure>)> {
        let ids: Vec<String> = keys.iter().map(|(id, _)| id.clone()).collect();
        let mut found = Vec::new();
        if let Ok(answers) = aws.read_many(&ids).await {
            for answer in answers {
                let value = self.value(answer.read, &answer.id, CURRENT, aws.region());
                found.push((key(&answer.id, None), value));
            }
        }
        // Where many at once is denied, or AWS says nothing of one, it is asked for by itself.
        for key in keys {
            if !found.iter().any(|(known, _)| *known == key) {
                found.push(self.alone(aws, key).await);
            }
        }
        found
    }

    async fn alone(&self, aws: &SecretsManager, key: Key) -> (Key, Result<Found, Failure>) {
        let (id, stage) = &key;
        let read = aws.read(id, stage).await;
        let value = self.value(read, id, stage, aws.region());
        (key, value)
    }

    fn value(
        &self,
        read: Result<Option<Read>, AwsError>,
        id: &str,
        stage: &str,
        region: &str,
    ) -> Result<Found, Failure> {
        match read {
            Ok(Some(read)) => Ok(Found::stored(&read.value, self.secrecy)),
            Ok(None) => Err(Failure::new(
                Class::Refused,
                format!(
                    "{id} in {region}, where the value is to come from, has no version with the label {stage}"
                ),
                "check id, region and stage of `secret` in the manifest",
            )),
            Err(error) => Err(failure(&error, id, region)),
        }
    }
}

fn failure(error: &AwsError, id: &str, region: &str) -> Failure {
    let target = Target::parse(id).unwrap_or_default();
    let subject = Subject {
        id,
        name: &target.name,
        arn: None,
        region,
    };
    let mut failure = Failure::of_aws(error, subject);
    failure.what = format!("the value cannot be read from {id}: {}", failure.what);
    failure
}

fn unread() -> Failure {
    Failure::new(
        Class::Unavailable,
        "the value of another secret was not read",
        "run again",
    )
}
