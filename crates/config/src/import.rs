//! `import`: its inputs, and the manifest of existing secrets. Must not send requests or read values: the user of the manifest
//! decides where values come from.

use upsert_secret_core::rate::Rate;
use upsert_secret_core::state::SecretMetadata;

use crate::checks::only::Only;
use crate::checks::settings::check_rate;
use crate::diagnostics::Diagnostics;
use crate::inputs::{RawInputs, RunKind};

mod document;
mod entry;
mod found;
mod names;
mod yaml;

pub use document::{Imported, MAX_SECRETS, manifest, too_many};
pub use found::{FoundSecret, left_out};

/// The request of an `import` run.
pub struct Import {
    only: Option<Only>,
    /// Calls per second for each family of operations.
    pub rate: Rate,
    /// Whether to read resource policies.
    pub with_policies: bool,
}

impl Import {
    /// Whether a secret is requested.
    pub fn matches(&self, secret: &SecretMetadata) -> bool {
        let only = self.only.as_ref();
        only.is_none_or(|only| only.matches(&secret.name))
    }

    /// Prefixes that cover every requested name; empty for all names.
    pub fn prefixes(&self) -> Vec<String> {
        self.only.as_ref().map(Only::prefixes).unwrap_or_default()
    }

    /// The requested names, as IAM patterns.
    pub(crate) fn iam_patterns(&self) -> Vec<String> {
        match &self.only {
            Some(only) => only.iam_patterns(),
            None => vec!["*".to_owned()],
        }
    }
}

/// Checks the inputs of `import`. The result is valid only if no problem was added.
pub(crate) fn check(raw: &RawInputs, diagnostics: &mut Diagnostics) -> Import {
    for input in raw.given() {
        if !input.applies_to(RunKind::Import) {
            let input = diagnostics.spelling.name(input.name);
            diagnostics.warn(format!("{input} has no effect on `import` and is ignored"));
        }
    }
    let only = raw.only.as_deref().map(Only::parse);
    Import {
        only: only.and_then(|only| diagnostics.accept("only", only)),
        rate: check_rate(raw, diagnostics),
        with_policies: diagnostics.choice(
            "include-resource-policies",
            raw.include_resource_policies.as_deref(),
        ),
    }
}
