//! Random numbers from the operating system, and the one way in which they can fail.

use aws_lc_rs::rand;

/// Fills a buffer with random bytes.
///
/// # Panics
/// The system provides no random numbers. Nothing of this tool is safe then.
pub fn fill(bytes: &mut [u8]) {
    assert!(
        rand::fill(bytes).is_ok(),
        "the system provides no random numbers: check /dev/urandom and the container's seccomp profile"
    );
}
