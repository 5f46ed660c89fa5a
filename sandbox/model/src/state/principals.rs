//! The users and roles that resource policies can name. A new one can stay unknown for a number of requests, as it does while
//! IAM propagates it. Independent of policies.

use std::collections::BTreeMap;

/// ARNs of users, roles and sessions, with the number of requests that do not find them yet.
#[derive(Clone, Default)]
pub(crate) struct Principals(BTreeMap<String, usize>);

impl Principals {
    /// Adds a principal. An existing one keeps its remaining requests.
    pub(crate) fn add(&mut self, arn: &str) {
        self.0.entry(arn.to_owned()).or_insert(0);
    }

    /// Adds or replaces a principal that the next `requests` requests do not find yet.
    pub(crate) fn add_after(&mut self, arn: &str, requests: usize) {
        self.0.insert(arn.to_owned(), requests);
    }

    /// Whether a request finds the principal. If not, the request reduces the remaining number by one.
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
