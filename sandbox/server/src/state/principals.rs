//! Owns which users and roles resource policies can name. IAM tells other services of a new one late: a test may
//! say after how many requests. It must not know what a policy is.

use std::collections::BTreeMap;

use super::World;

/// The ARNs of users, roles and sessions, with the number of requests that still do not know them.
#[derive(Default)]
pub(crate) struct Principals(BTreeMap<String, usize>);

impl Principals {
    /// Makes one known, unless a test said when it will be.
    pub(crate) fn add(&mut self, arn: &str) {
        self.0.entry(arn.to_owned()).or_insert(0);
    }

    /// Whether a request that names this one finds it. One that does not has waited once.
    pub(crate) fn meet(&mut self, arn: &str) -> bool {
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

impl World {
    /// Makes a user or role known that resource policies can name. `Sandbox::add_role` and `Sandbox::add_key` do
    /// that by themselves.
    pub fn add_principal(&mut self, arn: &str) {
        self.add_principal_after(arn, 0);
    }

    /// The same, but the next `requests` of PutResourcePolicy and ValidateResourcePolicy that name it find it
    /// unsupported, as those do that come shortly after IAM has made a role. Holds for a known one, too.
    pub fn add_principal_after(&mut self, arn: &str, requests: usize) {
        self.principals.0.insert(arn.to_owned(), requests);
    }
}
