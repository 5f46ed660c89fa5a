//! The rate of calls in a run of many secrets. The store decides how AWS responses affect it.

/// Calls per second for each group of operations that share an AWS quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// The rate of the first calls, enough for about a hundred secrets.
    pub first: u32,
    /// The rate of the calls after them, and of all calls once AWS has throttled one.
    pub later: u32,
}

impl Rate {
    /// The same rate for all calls.
    pub const fn constant(rate: u32) -> Self {
        Self {
            first: rate,
            later: rate,
        }
    }
}
