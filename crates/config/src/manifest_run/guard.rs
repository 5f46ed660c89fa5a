//! What a manifest must not do with secrets: show one in public text, or read one that the same run writes. Only finds it;
//! the caller reports it with the file's other problems.

use std::collections::{BTreeMap, BTreeSet};

use upsert_secret_core::connection::Connection;
use upsert_secret_core::target::Target;

use crate::checks::leak_check::MIN_TELLING_BYTES;
use crate::environment::Environment;
use crate::inputs::RawInputs;
use crate::manifest::{Entry, InputProblem, Reference};
use crate::resolve::ValuePart;

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
pub(super) fn exposed_variables(
    expanded: &BTreeSet<String>,
    entries: &[Entry],
    raw: &RawInputs,
    environment: &Environment,
) -> Vec<String> {
    let values: BTreeSet<&str> = entries
        .iter()
        .flat_map(|entry| entry.spec.references())
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
        .filter(|content| content.len() >= MIN_TELLING_BYTES)
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
    let told = expanded.iter().filter_map(|name| {
        let is = word(name)?;
        Some(format!(
            "the variable {name} {is}, and `${{{name}}}` would show it to everybody who may list secrets"
        ))
    });
    told.collect()
}

/// Values that are to come from secrets which the same run writes: they would be those of before the run, and a secret
/// that reads from itself, or two from each other, would change for ever.
pub(super) fn circles<'a>(
    unresolved: impl Iterator<Item = (&'a Entry, &'a [ValuePart])>,
    names: &BTreeMap<String, String>,
    connection: &Connection,
) -> Vec<InputProblem> {
    let mut found = Vec::new();
    for (entry, parts) in unresolved {
        for part in parts {
            let ValuePart::Elsewhere(reference) = part else {
                continue;
            };
            let here = reference.role.is_none()
                && (reference.region.is_none() || reference.region == connection.region);
            let Some(named) = Target::parse(&reference.id).ok().filter(|_| here) else {
                continue;
            };
            // An ARN may be of another account, where the same name is another secret.
            let written = names
                .get(&named.name)
                .filter(|name| !named.is_arn() || **name == reference.id);
            if let Some(name) = written {
                found.push(entry.problem(
                    "value",
                    format!("is to come from {name}, which this manifest writes: give both the same source"),
                ));
            }
        }
    }
    found
}
