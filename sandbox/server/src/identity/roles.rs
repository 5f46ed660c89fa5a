//! The roles and OIDC providers of all accounts. A role that trusts a web identity implies the IAM OIDC provider it
//! needs: its account then accepts that issuer and audience.

use std::collections::BTreeMap;

use super::role::{Role, STS_AUDIENCE};
use crate::random;

/// The roles of all accounts, and their OIDC providers.
#[derive(Default)]
pub(crate) struct Roles {
    /// By ARN, with the unique ID that IAM gives a role.
    roles: BTreeMap<String, (Role, String)>,
    /// Account, issuer and audience of providers that no role implies.
    providers: Vec<(String, String, String)>,
}

impl Roles {
    /// Adds a role, or replaces the one with its ARN, which keeps its ID and its sessions.
    pub(crate) fn add(&mut self, role: Role) {
        let id = match self.roles.remove(&role.arn) {
            Some((_, id)) => id,
            None => random::id("AROA", 17),
        };
        self.roles.insert(role.arn.clone(), (role, id));
    }

    pub(crate) fn add_provider(&mut self, account: &str, issuer: &str, audience: &str) {
        let issuer = issuer.trim_start_matches("https://");
        self.providers
            .push((account.to_owned(), issuer.to_owned(), audience.to_owned()));
    }

    pub(crate) fn get(&self, arn: &str) -> Option<&Role> {
        self.roles.get(arn).map(|(role, _)| role)
    }

    pub(crate) fn id(&self, arn: &str) -> Option<&str> {
        self.roles.get(arn).map(|(_, id)| id.as_str())
    }

    /// The audiences of an account's provider for an issuer; `None` if it has no such provider.
    pub(crate) fn audiences(&self, account: &str, issuer: &str) -> Option<Vec<String>> {
        let own = self.providers.iter();
        let own = own
            .filter(|(a, i, _)| a == account && i == issuer)
            .map(|(.., audience)| Some(audience.as_str()));
        let roles = self.roles.values().map(|(role, _)| role);
        let trusted = roles
            .filter(|role| role.account() == account)
            .flat_map(|role| role.trusted_audiences(issuer));
        // A trust that accepts any audience needs a provider with the default one.
        let all = own.chain(trusted);
        let all: Vec<_> = all.map(|a| a.unwrap_or(STS_AUDIENCE).to_owned()).collect();
        (!all.is_empty()).then_some(all)
    }
}
