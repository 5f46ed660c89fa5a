//! A word now and then while something takes long, so that nobody takes a run that waits for one that hangs.
//! Owns how often; what is said is others'.

use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::redact::Door;

/// Between two words about the same thing.
const PAUSE: Duration = Duration::from_secs(5);

/// The way to tell people how it goes.
pub struct Progress {
    door: Option<Arc<Door>>,
    last: Cell<Option<Instant>>,
}

impl Progress {
    /// Progress told at `door`.
    #[must_use]
    pub const fn new(door: Arc<Door>) -> Self {
        Self {
            door: Some(door),
            last: Cell::new(None),
        }
    }

    /// Progress that is not told: of one among many.
    #[must_use]
    pub const fn silent() -> Self {
        Self {
            door: None,
            last: Cell::new(None),
        }
    }

    /// Says it, unless something was said a moment ago.
    pub fn say(&self, text: impl FnOnce() -> String) {
        if let Some(door) = &self.door
            && self.last.get().is_none_or(|last| last.elapsed() >= PAUSE)
        {
            self.last.set(Some(Instant::now()));
            door.say(&text());
        }
    }
}
