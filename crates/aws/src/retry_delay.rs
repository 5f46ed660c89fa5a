//! Waiting with jitter.

use aws_lc_rs::rand;
use upsert_secret_core::backoff::Backoff;

/// Waits for the next try; whether one is left.
pub(crate) async fn wait(backoff: &mut Backoff) -> bool {
    let mut byte = [128];
    // Without random numbers the wait has no jitter, which is no reason to fail.
    let _ = rand::fill(&mut byte);
    match backoff.next_delay(byte[0]) {
        Some(delay) => {
            tokio::time::sleep(delay).await;
            true
        }
        None => false,
    }
}
