//! Assuming a role, from the job's OIDC token to the secret. The sandbox replaces STS and the issuers of GitHub and GitLab.

use sandbox::{IdentityParameters, Role, Sandbox, Trust};

use crate::common::{Cli, NAME};

mod assumption;
mod failures;

const ROLE: &str = "arn:aws:iam::111122223333:role/ci/deploy";

const GITHUB: &str = "repo:acme/models:ref:refs/heads/main";

/// A sandbox with a role that jobs of acme/models may assume.
pub(crate) fn sandbox_with_role() -> Sandbox {
    let sandbox = Sandbox::start();
    sandbox.add_role(
        Role::new(ROLE)
            .trust(Trust::github("repo:acme/models:*"))
            .trust(Trust::gitlab(
                "https://gitlab.com",
                "project_path:acme/models:*",
            ))
            .trust(
                Trust::principal("arn:aws:iam::111122223333:user/sandbox")
                    .external_id("made-up-id"),
            ),
    );
    sandbox
}

/// The program without access keys, with `role-to-assume`.
fn cli_without_keys(sandbox: &Sandbox) -> Cli {
    let mut cli = Cli::with_empty_env()
        .input("name", NAME)
        .input("value", "made-up-value")
        .input("role-to-assume", ROLE)
        .env("AWS_EC2_METADATA_DISABLED", "true");
    for (name, value) in sandbox.keyless_env() {
        cli = cli.env(name, &value);
    }
    cli
}

/// A GitHub job with `id-token: write`.
pub(crate) fn github_job(sandbox: &Sandbox) -> Cli {
    let mut cli = cli_without_keys(sandbox).github();
    for (name, value) in sandbox.github_oidc(GITHUB) {
        cli = cli.env(&name, &value);
    }
    cli
}

fn logged_requests(sandbox: &Sandbox, operation: &str) -> Vec<IdentityParameters> {
    let log = sandbox.log();
    let calls = log.into_iter().filter(|entry| entry.operation == operation);
    calls.map(|entry| entry.identity).collect()
}
