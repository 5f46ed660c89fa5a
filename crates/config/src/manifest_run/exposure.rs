//! Finds secret variables that a manifest would expand into public text. Only finds them; the caller reports them.

use std::collections::BTreeSet;
use std::ffi::OsStr;

use upsert_secret_core::value::SecretBytes;

use crate::checks::leak_check::MIN_DISTINCTIVE_BYTES;
use crate::environment::{Environment, bytes};
use crate::inputs::RawInputs;
use crate::manifest::{Entry, Reference};
use crate::other_secrets::{self, other_secrets};

/// Secret inputs, in addition to the secret variables of the CI system.
const INPUTS: [&str; 2] = ["UPSERT_SECRET_VALUE", "UPSERT_SECRET_VERSION_ID_KEY"];

/// Describes each of the `expanded` variables that holds a secret.
pub(super) fn exposed_variables(
    expanded: &BTreeSet<String>,
    entries: &[Entry],
    raw: &RawInputs,
    environment: &Environment,
) -> Vec<String> {
    let values: BTreeSet<_> = entries
        .iter()
        .flat_map(|entry| entry.spec.references())
        .filter_map(|source| match source.reference {
            Reference::Env(name) => Some(environment.canonical(name).into_owned()),
            _ => None,
        })
        .collect();
    let names = other_secrets::names().chain(INPUTS).map(str::to_owned);
    let token = raw.web_identity_token_env.clone();
    let secrets: BTreeSet<_> = names
        .chain(token)
        .map(|name| environment.canonical(&name).into_owned())
        .chain(values.iter().cloned())
        .collect();
    // A copy under another name is just as secret, and so is a URL that contains one. A short secret may occur in a text by
    // chance: a database user may have the same name as the team.
    let contents = secrets.iter().filter_map(|name| environment.raw(name));
    let contents: Vec<_> = contents
        .map(bytes)
        .chain(other_secrets(environment))
        .filter(|content| content.expose().len() >= MIN_DISTINCTIVE_BYTES)
        .collect();
    let holds_secret = |content: &OsStr| {
        let content = bytes(content);
        let mut secrets = contents.iter().map(SecretBytes::expose);
        secrets.any(|secret| has(content.expose(), secret))
    };
    let describe = |name: &String| {
        let canonical = environment.canonical(name);
        let what = if values.contains(canonical.as_ref()) {
            "is the value of a secret"
        } else if secrets.contains(canonical.as_ref())
            || environment.raw(name).is_some_and(holds_secret)
        {
            "holds a secret"
        } else {
            return None;
        };
        Some(format!(
            "the variable {name} {what}, and `${{{name}}}` would expose it to anyone who can list secrets"
        ))
    };
    expanded.iter().filter_map(describe).collect()
}

fn has(content: &[u8], secret: &[u8]) -> bool {
    let mut pieces = content.windows(secret.len());
    pieces.any(|piece| piece == secret)
}
