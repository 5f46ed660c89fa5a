//! Hardens the process before it holds a secret: disables core dumps, blocks access to its memory and environment by other
//! processes of the same user, and removes payloads from panic messages. Must not change anything outside this process.

use std::panic;

use crate::redact;

/// Disables core dumps, and access by other processes of the same user (`/proc/PID/mem`, `/proc/PID/environ`). Ignores errors:
/// a container may forbid hardening, which is no reason to fail a deployment.
pub fn process() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};
        let none = Rlimit {
            current: Some(0),
            maximum: Some(0),
        };
        let _ = setrlimit(Resource::Core, none);
    }
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}

/// Replaces panic messages, which may quote a request body, with the location of the panic.
pub fn panics() {
    panic::set_hook(Box::new(|info| {
        let place = info.location().map(|location| {
            // Only the file name: a full path would reveal the build directory.
            let file = location.file().rsplit(['/', '\\']).next();
            format!("{}:{}", file.unwrap_or_default(), location.line())
        });
        redact::panic_line(place.as_deref().unwrap_or("an unknown place"));
    }));
}
