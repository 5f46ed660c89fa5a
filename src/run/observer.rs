//! The trace of calls, and credentials that are obtained on the way, led to the output.

use std::sync::Arc;

use upsert_secret_aws::CallObserver;

use crate::redact::Output;

pub(super) struct OutputObserver(pub(super) Arc<Output>);

impl CallObserver for OutputObserver {
    fn trace(&self, line: &str) {
        self.0.info(line);
    }

    fn hide(&self, secret: &[u8]) {
        self.0.hide_unmasked(secret);
    }
}
