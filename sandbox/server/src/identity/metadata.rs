//! The machines that have a role: one EC2 instance, and containers (ECS, EKS). There are none until a test adds
//! them.

use std::time::SystemTime;

use crate::random;

#[derive(Default)]
pub(crate) struct Metadata {
    /// The ARN of the instance's role.
    instance: Option<String>,
    /// Tokens of the instance metadata service, with their expiration.
    tokens: Vec<(String, SystemTime)>,
    containers: Vec<Container>,
}

pub(super) struct Container {
    path: String,
    pub(super) authorization: String,
    pub(super) role: String,
}

impl Metadata {
    /// The ARN of the instance's role, if the sandbox is an instance.
    pub(super) fn instance(&self) -> Option<&str> {
        self.instance.as_deref()
    }

    pub(crate) fn set_instance(&mut self, role: &str) {
        self.instance = Some(role.to_owned());
    }

    /// Adds a container with a role; returns its credentials path and its authorization token.
    pub(crate) fn add_container(&mut self, role: &str) -> (String, String) {
        let path = format!("/v2/credentials/{}", random::uuid());
        let authorization = random::base64(60);
        self.containers.push(Container {
            path: path.clone(),
            authorization: authorization.clone(),
            role: role.to_owned(),
        });
        (path, authorization)
    }

    pub(super) fn container(&self, path: &str) -> Option<&Container> {
        self.containers
            .iter()
            .find(|container| container.path == path)
    }

    pub(super) fn add_token(&mut self, token: &str, ends: SystemTime) {
        self.tokens.push((token.to_owned(), ends));
    }

    pub(super) fn accepts_token(&self, given: &str, now: SystemTime) -> bool {
        let mut tokens = self.tokens.iter();
        tokens.any(|(token, ends)| token == given && *ends > now)
    }
}
