//! The part of the sandbox handle that adds identities: roles, OIDC providers, tokens, and machines with a role.

use std::time::Duration;

use serde_json::json;

use crate::{
    identity::{Claims, GITLAB, Role},
    server::Sandbox,
};

impl Sandbox {
    /// Adds a role, or replaces the one with its ARN. Its sessions follow the new policy.
    pub fn add_role(&self, role: Role) {
        let mut state = self.shared.lock();
        state.world.add_principal(&role.arn);
        state.identity.roles.add(role);
    }

    /// Adds an IAM OIDC provider to an account, for tokens that no role trusts. A role that trusts a web identity
    /// brings the provider it needs.
    pub fn add_oidc_provider(&self, account: &str, issuer: &str, audience: &str) {
        let mut state = self.shared.lock();
        state.identity.roles.add_provider(account, issuer, audience);
    }

    /// Adds a GitHub job with this `sub` (`repo:OWNER/REPO:ref:refs/heads/main`) that may request ID tokens, and
    /// returns its environment. A request is the operation `GetIdToken`.
    #[must_use]
    pub fn github_oidc(&self, sub: &str) -> Vec<(String, String)> {
        let (path, bearer) = self.shared.lock().identity.issuers.add_job(sub);
        vec![
            (
                "ACTIONS_ID_TOKEN_REQUEST_URL".to_owned(),
                format!("{}{path}", self.url()),
            ),
            ("ACTIONS_ID_TOKEN_REQUEST_TOKEN".to_owned(), bearer),
        ]
    }

    /// Makes the sandbox an EC2 instance with this role, and returns the environment that points to its metadata
    /// service. Requests are the operations `GetMetadataToken`, `GetMetadataRole`, `GetMetadataCredentials` and
    /// `GetMetadataRegion`.
    ///
    /// # Panics
    /// If there is no such role.
    #[must_use]
    pub fn metadata_env(&self, role: &str) -> Vec<(String, String)> {
        let mut state = self.shared.lock();
        assert!(state.identity.roles.get(role).is_some(), "{role} is added");
        state.identity.metadata.set_instance(role);
        let name = "AWS_EC2_METADATA_SERVICE_ENDPOINT".to_owned();
        vec![(name, self.url())]
    }

    /// Adds a container (ECS, EKS) with this role, and returns its environment. A request is the operation
    /// `GetContainerCredentials`. On EKS, the second variable's value is in a file that
    /// `AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE` names.
    ///
    /// # Panics
    /// If there is no such role.
    #[must_use]
    pub fn container_env(&self, role: &str) -> Vec<(String, String)> {
        let mut state = self.shared.lock();
        assert!(state.identity.roles.get(role).is_some(), "{role} is added");
        let (path, authorization) = state.identity.metadata.add_container(role);
        vec![
            (
                "AWS_CONTAINER_CREDENTIALS_FULL_URI".to_owned(),
                format!("{}{path}", self.url()),
            ),
            (
                "AWS_CONTAINER_AUTHORIZATION_TOKEN".to_owned(),
                authorization,
            ),
        ]
    }

    /// An ID token of a GitLab job with this `sub` (`project_path:GROUP/PROJECT:ref_type:branch:ref:main`). It
    /// lasts one hour, GitLab's default for a job.
    #[must_use]
    pub fn gitlab_token(&self, sub: &str, aud: &str) -> String {
        self.id_token(GITLAB, sub, aud, Duration::from_secs(3600))
    }

    /// An ID token of any issuer (`https://ci.example.com`). The sandbox acts as that issuer from now on.
    #[must_use]
    pub fn id_token(&self, issuer: &str, sub: &str, aud: &str, lifetime: Duration) -> String {
        let mut state = self.shared.lock();
        let now = state.world.now();
        let claims = Claims {
            issuer,
            subject: sub,
            audience: aud,
            lifetime,
            more: json!({}),
        };
        state.identity.issuers.token(claims, now)
    }
}
