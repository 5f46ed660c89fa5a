//! Random bytes from the operating system. The only source of randomness of this crate and of the program.

use aws_lc_rs::rand;

/// Fills a buffer with random bytes.
///
/// # Panics
/// The system provides no random bytes. Nothing that needs them is safe then.
pub fn fill(bytes: &mut [u8]) {
    assert!(
        rand::fill(bytes).is_ok(),
        "the system provides no random numbers: check /dev/urandom and the container's seccomp profile"
    );
}
