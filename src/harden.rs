//! What the process does to itself before it holds a secret: no core file, no debugger or other
//! process of the same user reading its memory or environment, and panics that say where but never
//! what. It must not touch anything outside this process.

use std::panic;

use crate::redact;

/// Turns core dumps off and makes the process unreadable to others of the same user
/// (`/proc/PID/mem`, `/proc/PID/environ`). Best effort: a container may forbid it, and that is no
/// reason to leave a release without its key.
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

/// Replaces the panic message, which may quote a request body, by the place it came from.
pub fn panics() {
    panic::set_hook(Box::new(|info| {
        let place = info.location().map(|location| {
            // The file's name only: a full path would tell where the binary was built.
            let file = location.file().rsplit(['/', '\\']).next();
            format!("{}:{}", file.unwrap_or_default(), location.line())
        });
        redact::panic_line(place.as_deref().unwrap_or("an unknown place"));
    }));
}
