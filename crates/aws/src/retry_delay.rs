//! The delay before a retry of our own, with jitter.

use aws_lc_rs::rand;
use upsert_secret_core::backoff::Backoff;

/// Waits for the next retry. Returns whether there is one.
pub(crate) async fn wait_before_retry(backoff: &mut Backoff) -> bool {
    let mut byte = [128];
    // Without randomness the delay has no jitter, which does no harm.
    let _ = rand::fill(&mut byte);
    match backoff.next_delay(byte[0]) {
        Some(delay) => {
            tokio::time::sleep(delay).await;
            true
        }
        None => false,
    }
}
