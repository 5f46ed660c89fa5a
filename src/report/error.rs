//! A failure as JSON.

use serde_json::{Value, json};
use upsert_secret_core::failure::Failure;

use crate::redact::Redactor;

/// The object `error`.
pub(super) fn error_object(failure: &Failure, redactor: &Redactor) -> Value {
    let clean = |text: &str| redactor.clean(text);
    json!({
        "exit_code": failure.class.exit_code(),
        "class": failure.class.name(),
        "what": clean(&failure.what),
        "why": failure.why.as_deref().map(clean),
        "next": clean(&failure.next),
        "aws": failure.aws.as_deref().map(clean),
    })
}
