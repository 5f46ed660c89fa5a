//! Random bytes from the operating system. The only source of randomness in this crate and in the program.

use aws_lc_rs::rand;

/// Fills a buffer with random bytes.
///
/// # Panics
/// The operating system provides no random bytes, so code that needs them is not safe.
pub fn fill(bytes: &mut [u8]) {
    assert!(
        rand::fill(bytes).is_ok(),
        "the system provides no random numbers: check /dev/urandom and the container's seccomp profile"
    );
}
