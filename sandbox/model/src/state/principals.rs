//! Owns which users and roles resource policies can name. IAM tells other services of a new one late: a test may
//! say after how many requests. It must not know what a policy is.

use std::collections::BTreeMap;

/// The ARNs of users, roles and sessions, with the number of requests that still do not know them.
#[derive(Clone, Default)]
pub(crate) struct Principals(BTreeMap<String, usize>);

impl Principals {
    /// Makes one known, unless a test said when it will be.
    pub(crate) fn add(&mut self, arn: &str) {
        self.0.entry(arn.to_owned()).or_insert(0);
    }

    /// Makes one known that the next `requests` requests do not find yet.
    pub(crate) fn add_after(&mut self, arn: &str, requests: usize) {
        self.0.insert(arn.to_owned(), requests);
    }

    /// Whether a request that names this one finds it. One that does not has waited once.
    pub(crate) fn lookup(&mut self, arn: &str) -> bool {
        match self.0.get_mut(arn) {
            Some(0) => true,
            Some(left) => {
                *left -= 1;
                false
            }
            None => false,
        }
    }
}
