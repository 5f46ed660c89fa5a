//! Roles, tokens, and the services that issue credentials.

mod faults;
mod metadata;
mod oidc;
mod sts;
mod tokens;

use std::collections::BTreeMap;

use sandbox::{
    Role, Sandbox, Trust,
    client::{Client, Reply},
};

pub(crate) const ROLE: &str = "arn:aws:iam::111122223333:role/release";
pub(crate) const SUB: &str = "repo:acme/app:ref:refs/heads/main";
pub(crate) const STS: &str = "AssumeRoleWithWebIdentity";
pub(crate) const AUDIENCE: &str = "sts.amazonaws.com";

/// Asserts that the response is this error.
pub(crate) fn fails_with(reply: &Reply, status: u16, code: &str, message: &str) {
    let shown = (reply.status, reply.code(), reply.message());
    assert_eq!(shown, (status, code.to_owned(), message.to_owned()));
}

/// A sandbox with a role that trusts the repository, its client, and a job of the repository.
pub(crate) fn job() -> (Sandbox, Client, Job) {
    let sandbox = Sandbox::start();
    sandbox.add_role(Role::new(ROLE).trust(Trust::github("repo:acme/app:*")));
    let client = Client::new(&sandbox.url());
    let env: BTreeMap<String, String> = sandbox.github_oidc(SUB).into_iter().collect();
    let job = Job {
        client: client.clone(),
        url: env["ACTIONS_ID_TOKEN_REQUEST_URL"].clone(),
        bearer: env["ACTIONS_ID_TOKEN_REQUEST_TOKEN"].clone(),
    };
    (sandbox, client, job)
}

/// A job's permission to request a token.
pub(crate) struct Job {
    pub(crate) client: Client,
    pub(crate) url: String,
    pub(crate) bearer: String,
}

impl Job {
    pub(crate) fn ask(&self, more: &str) -> std::io::Result<Reply> {
        let bearer = format!("bearer {}", self.bearer);
        let url = format!("{}{more}", self.url);
        self.client
            .plain("GET", &url, &[("authorization", &bearer)], "")
    }

    pub(crate) fn token(&self) -> String {
        let reply = self.ask("&audience=sts.amazonaws.com").expect("a response");
        assert_eq!(reply.status, 200, "{}", reply.body);
        reply.json()["value"].as_str().expect("a token").to_owned()
    }
}

pub(crate) fn assume(client: &Client, token: &str) -> Reply {
    let parameters = [
        ("RoleArn", ROLE),
        ("RoleSessionName", "ci"),
        ("WebIdentityToken", token),
    ];
    client.sts_unsigned(STS, &parameters).expect("a response")
}

pub(crate) fn untrusted(reply: &Reply) {
    fails_with(
        reply,
        403,
        "AccessDenied",
        "Not authorized to perform sts:AssumeRoleWithWebIdentity",
    );
}
