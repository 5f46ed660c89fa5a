//! Owns the secrets of one account in one region, and how a SecretId finds one of them.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

use super::{Kms, Secret};
use crate::random;

/// How long a name stays taken after a forced deletion. LocalStack's recording notes "less than ten seconds".
const SETTLES: Duration = Duration::from_secs(5);

#[derive(Default)]
pub(crate) struct Store {
    pub(crate) secrets: BTreeMap<String, Secret>,
    pub(crate) kms: Kms,
    gone: BTreeMap<String, SystemTime>,
}

/// The ARN of a new secret, with a fresh suffix.
pub(crate) fn arn(account: &str, region: &str, name: &str) -> String {
    format!(
        "arn:aws:secretsmanager:{region}:{account}:secret:{name}-{}",
        random::suffix()
    )
}

/// The part of a secret's ARN after `:secret:`.
pub(crate) fn partial_name(id: &str) -> Option<&str> {
    let resource = id.strip_prefix("arn:")?;
    resource.split_once(":secret:").map(|(_, name)| name)
}

/// Whether a name ends like an ARN does: a hyphen and six characters.
fn looks_suffixed(name: &str) -> bool {
    let Some((_, end)) = name.rsplit_once('-') else {
        return false;
    };
    end.len() == 6 && end.chars().all(|c| c.is_ascii_alphanumeric())
}

impl Store {
    /// A name, a full ARN, or an ARN without its suffix. The last is read as a full ARN when the name itself
    /// ends in a hyphen and six characters (recorded by LocalStack's snapshot tests).
    pub(crate) fn find(&self, id: &str) -> Option<&Secret> {
        let Some(partial) = partial_name(id) else {
            return self.secrets.get(id);
        };
        if let Some(secret) = self.secrets.values().find(|secret| secret.arn == id) {
            return Some(secret);
        }
        let secret = self.secrets.get(partial)?;
        let same = secret.arn.starts_with(id) && !looks_suffixed(partial);
        same.then_some(secret)
    }

    pub(crate) fn force_delete(&mut self, name: &str, now: SystemTime) {
        if self.secrets.remove(name).is_some() {
            self.gone.insert(name.to_owned(), now);
        }
    }

    /// Whether the name still settles after a forced deletion.
    pub(crate) fn settles(&self, name: &str, now: SystemTime) -> bool {
        self.gone.get(name).is_some_and(|at| *at + SETTLES > now)
    }

    /// Removes what the recovery window no longer protects.
    pub(crate) fn sweep(&mut self, now: SystemTime) {
        self.secrets
            .retain(|_, secret| secret.deletion.is_none_or(|deletion| deletion.due > now));
        self.gone.retain(|_, at| *at + SETTLES > now);
    }
}
