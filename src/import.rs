//! `import`: finds existing secrets and their metadata, for a manifest. Must not read values or write anything. The config
//! crate owns the content of the manifest.

use std::collections::BTreeMap;

use futures_util::{StreamExt as _, stream};
use upsert_secret_config::import::{
    FoundSecret, Import, MAX_SECRETS, left_out, manifest, too_many,
};
use upsert_secret_core::error::{ErrorKind, StoreError};
use upsert_secret_core::failure::{Class, Failure};
use upsert_secret_core::notice::Level;
use upsert_secret_core::outcome::counted;
use upsert_secret_core::state::{PolicyView, SecretMetadata};
use upsert_secret_core::store::{SecretStore, Subject};

use crate::redact::Redactor;
use crate::run_report::RunReport;

/// The name of the listing in messages.
pub(crate) const SUBJECT: &str = "the secrets of the account";
/// The maximum number of pages: enough for the maximum number of secrets in a region (500,000), doubled because pages may be
/// short.
const MAX_PAGES: usize = 10_000;
/// The number of secrets read concurrently.
const CONCURRENT: usize = 16;

/// Reads the existing secrets, and returns the text of their manifest.
pub(crate) async fn run(
    asked: &Import,
    store: &impl SecretStore,
    report: &RunReport,
) -> Result<String, Failure> {
    report.set_waiting(Some("the list of secrets"));
    let listed = list(asked, store, report).await?;
    report.set_waiting(Some("metadata of secrets"));
    let found = stream::iter(listed.into_values())
        .map(|secret| read(secret, asked.with_policies, store))
        .buffered(CONCURRENT)
        .collect::<Vec<_>>()
        .await;
    report.set_waiting(None);
    let found = found.into_iter().collect::<Result<Vec<_>, _>>()?;
    let found: Vec<_> = found.into_iter().flatten().collect();
    let imported = manifest(&found, store.region())?;
    let mut text = format!("{} in the manifest", counted(imported.entries, "secret"));
    if imported.left_out > 0 {
        text.push_str(&format!(
            ", and {} omitted: comments at its end give the reasons",
            imported.left_out
        ));
    }
    report.note(Level::Notice, text);
    if imported.incomplete > 0 {
        let hides_policy = |secret: &FoundSecret| matches!(secret.policy, PolicyView::Denied(_));
        let denied = [
            (
                "DescribeSecret",
                found.iter().any(|secret| secret.hides_replicas),
            ),
            ("GetResourcePolicy", found.iter().any(hides_policy)),
        ];
        let mut text = format!(
            "{} incomplete: comments list what is missing, and why",
            counted(imported.incomplete, "secret")
        );
        for (operation, _) in denied.iter().filter(|(_, is_denied)| *is_denied) {
            text.push_str(&format!("; {operation} is denied"));
        }
        report.note(Level::Warning, text);
    }
    Ok(imported.text)
}

/// The matching secrets, sorted by name.
async fn list(
    asked: &Import,
    store: &impl SecretStore,
    report: &RunReport,
) -> Result<BTreeMap<String, SecretMetadata>, Failure> {
    let explain = |error| store.diagnose(&error, Subject::new(SUBJECT, "*"));
    let prefixes = asked.prefixes();
    // A secret that is created during the listing can appear on two pages.
    let mut found = BTreeMap::new();
    let mut page = None;
    for _ in 0..MAX_PAGES {
        let answer = store.list_secrets(&prefixes, page).await.map_err(explain)?;
        let matching = answer.secrets.into_iter();
        let matching = matching.filter(|secret| asked.matches(secret));
        found.extend(matching.map(|secret| (secret.name.clone(), secret)));
        if found.len() > MAX_SECRETS {
            return Err(too_many());
        }
        page = answer.next;
        if page.is_none() {
            return Ok(found);
        }
        let count = found.len();
        report
            .progress
            .say(|| format!("listing secrets: {count} so far"));
    }
    Err(explain(StoreError::new(
        "ListSecrets",
        ErrorKind::Unreadable,
    )))
}

/// Reads what ListSecrets does not return; `None` if the secret was deleted in the meantime.
async fn read(
    metadata: SecretMetadata,
    with_policy: bool,
    store: &impl SecretStore,
) -> Result<Option<FoundSecret>, Failure> {
    let mut found = FoundSecret {
        metadata,
        hides_replicas: false,
        policy: PolicyView::NotRequested,
    };
    if left_out(&found.metadata, store.region()).is_some() {
        return Ok(Some(found));
    }
    let name = found.metadata.name.clone();
    let explain = |error| store.diagnose(&error, Subject::new(&name, &name));
    if found.metadata.primary_region.is_some() {
        match store.describe(&name).await {
            Ok(Some(metadata)) => found.metadata = metadata,
            Ok(None) => return Ok(None),
            Err(error) if error.is_denied() => found.hides_replicas = true,
            Err(error) => return Err(explain(error)),
        }
    }
    if with_policy {
        found.policy = match store.get_policy(&name).await {
            Ok(policy) => PolicyView::Known(policy),
            Err(error) if error.is_denied() => PolicyView::Denied(error),
            Err(error) => return Err(explain(error)),
        };
    }
    Ok(Some(found))
}

/// Checks that a manifest contains no secret of this run's environment. The manifest is printed verbatim, because redaction
/// would make it wrong.
pub(crate) fn check_leaks(manifest: &str, redactor: &Redactor) -> Result<(), Failure> {
    let lines = || manifest.lines();
    let line = lines().position(|line| redactor.finds(line));
    if line.is_none() && !redactor.finds(manifest) {
        return Ok(());
    }
    let entry = lines().take(line.map_or(0, |line| line + 1));
    let entry = entry
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .last();
    let place = match entry.map(|entry| entry.trim().trim_end_matches(':')) {
        Some(name) => format!("the entry of {name}"),
        None => "the manifest".to_owned(),
    };
    Err(Failure::new(
        Class::Refused,
        format!("{place} would reveal a secret of this environment"),
        "remove it from the description, tags or resource policy in AWS, or run `import` without that secret in its environment",
    )
    .because("metadata is not encrypted, and is readable with fewer permissions than a value"))
}
