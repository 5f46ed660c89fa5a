//! The behavior version of the SDK, for every client in this crate.

use aws_config::BehaviorVersion;

/// Pinned, so that an update of the SDK does not change defaults.
pub(crate) const BEHAVIOR: fn() -> BehaviorVersion = BehaviorVersion::v2026_01_12;
