//! Secret variables that a manifest would expand into public text. Only finds them; the caller reports them.

use std::collections::BTreeSet;

use crate::checks::leak_check::MIN_DISTINCTIVE_BYTES;
use crate::environment::Environment;
use crate::inputs::RawInputs;
use crate::manifest::{Entry, Reference};

/// Variables that hold credentials, besides those that hold the values of entries.
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

/// Describes each of the `expanded` variables that holds a secret.
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
    let secrets: BTreeSet<&str> = CREDENTIALS
        .into_iter()
        .chain(raw.web_identity_token_env.as_deref())
        .chain(values.iter().copied())
        .collect();
    // A copy under another name is as secret. A short one may be equal by chance: a database user may be called like
    // the team.
    let contents: BTreeSet<_> = secrets
        .iter()
        .filter_map(|name| environment.raw(name))
        .filter(|content| content.len() >= MIN_DISTINCTIVE_BYTES)
        .collect();
    let describe = |name: &String| {
        let content = environment.raw(name);
        let what = if values.contains(name.as_str()) {
            "is the value of a secret"
        } else if secrets.contains(name.as_str())
            || content.is_some_and(|content| contents.contains(content))
        {
            "holds a secret"
        } else {
            return None;
        };
        Some(format!(
            "the variable {name} {what}, and `${{{name}}}` would show it to everybody who may list secrets"
        ))
    };
    expanded.iter().filter_map(describe).collect()
}
