//! What a manifest must not do with secrets: show one to everybody who may list secrets, or read one that the same run
//! writes. Only finds it; the words go to the other problems of the file.

use std::collections::{BTreeMap, BTreeSet};

use super::super::public::TELLING_BYTES;
use super::super::{Reach, Target};
use super::{Checked, Part, references};
use crate::inputs::{Environment, RawInputs};
use crate::manifest::{self, Reference};

/// Variables that hold what nobody may see, besides those that are values.
const CREDENTIALS: [&str; 12] = [
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
    "ACTIONS_RUNTIME_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "CI_DEPLOY_PASSWORD",
    "CI_JOB_TOKEN",
    "CI_REGISTRY_PASSWORD",
    "GH_TOKEN",
    "GITHUB_TOKEN",
    "UPSERT_SECRET_VALUE",
    "UPSERT_SECRET_VERSION_ID_KEY",
];

/// The variables among `shown`, which stand in public text, that hold a secret; in words.
pub(super) fn shown(
    shown: &BTreeSet<String>,
    targets: &[manifest::Target],
    raw: &RawInputs,
    environment: &Environment,
) -> Vec<String> {
    let values: BTreeSet<&str> = targets
        .iter()
        .flat_map(|target| references(&target.given))
        .filter_map(|(reference, _)| match reference {
            Reference::Env(name) => Some(name.as_str()),
            _ => None,
        })
        .collect();
    let token = raw.web_identity_token_env.as_deref();
    let secrets: BTreeSet<&str> = CREDENTIALS
        .into_iter()
        .chain(token)
        .chain(values.iter().copied())
        .collect();
    // Under another name it is as secret, where it is long enough not to be the same by chance: a user of the
    // database may be called like the team.
    let contents: BTreeSet<_> = secrets
        .iter()
        .filter_map(|name| environment.raw(name))
        .filter(|content| content.len() >= TELLING_BYTES)
        .collect();
    let word = |name: &str| {
        if values.contains(name) {
            return Some("is the value of a secret");
        }
        let copy = environment
            .raw(name)
            .is_some_and(|content| contents.contains(content));
        (secrets.contains(name) || copy).then_some("holds a secret")
    };
    let told = shown.iter().filter_map(|name| {
        let is = word(name)?;
        Some(format!(
            "the variable {name} {is}, and `${{{name}}}` would show it to everybody who may list secrets"
        ))
    });
    told.collect()
}

/// Values that are to come from secrets which the same run writes: they would be those of before the run, and a secret
/// that reads from itself, or two from each other, would change for ever.
pub(super) fn circles(
    checked: &[Checked],
    names: &BTreeMap<String, String>,
    reach: &Reach,
) -> Vec<manifest::Unplaced> {
    let mut found = Vec::new();
    for one in checked {
        let Checked::Lacking(target, parts) = one else {
            continue;
        };
        for part in parts {
            let Part::There(origin) = part else {
                continue;
            };
            let here =
                origin.role.is_none() && (origin.region.is_none() || origin.region == reach.region);
            let Some(named) = Target::parse(&origin.id).ok().filter(|_| here) else {
                continue;
            };
            // An ARN may be of another account, where the same name is another secret.
            let written = names
                .get(&named.name)
                .filter(|name| !named.is_arn() || **name == origin.id);
            if let Some(name) = written {
                found.push(target.problem(
                    "value",
                    format!("is to come from {name}, which this manifest writes: give both the same source"),
                ));
            }
        }
    }
    found
}
