//! The SDK's behavior version.

use aws_config::BehaviorVersion;

/// Pinned, because the latest would change this tool's behavior with the SDK's.
pub(crate) const BEHAVIOR: fn() -> BehaviorVersion = BehaviorVersion::v2026_01_12;
