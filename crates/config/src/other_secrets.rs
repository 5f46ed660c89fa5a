//! Variables that hold secrets other than the value, by the names that CI systems and the AWS SDK use. The only such list: the
//! variables in it are redacted, and not expanded into public text.

use upsert_secret_core::value::SecretBytes;

use crate::checks::proxy_passwords;
use crate::environment::{Environment, bytes};

/// The variables, by the system that sets them.
const VARIABLES: &[&str] = &[
    // AWS SDKs; the last is an older name that other tools still read.
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_SECURITY_TOKEN",
    // GitHub Actions, Gitea and Forgejo.
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
    "ACTIONS_RUNTIME_TOKEN",
    "GITHUB_TOKEN",
    "GH_TOKEN",
    "GH_ENTERPRISE_TOKEN",
    "GITHUB_ENTERPRISE_TOKEN",
    "GITEA_TOKEN",
    "FORGEJO_TOKEN",
    // GitLab.
    "CI_JOB_TOKEN",
    "CI_JOB_JWT",
    "CI_JOB_JWT_V1",
    "CI_JOB_JWT_V2",
    "CI_DEPLOY_PASSWORD",
    "CI_REGISTRY_PASSWORD",
    "CI_DEPENDENCY_PROXY_PASSWORD",
    "GITLAB_TOKEN",
    // Azure Pipelines, Bitbucket, Buildkite, CircleCI, Drone, Woodpecker, Semaphore, HCP Terraform.
    "SYSTEM_ACCESSTOKEN",
    "BITBUCKET_STEP_OIDC_TOKEN",
    "BUILDKITE_AGENT_ACCESS_TOKEN",
    "BUILDKITE_AGENT_JOB_API_TOKEN",
    "CIRCLE_OIDC_TOKEN",
    "CIRCLE_OIDC_TOKEN_V2",
    "CIRCLE_TOKEN",
    "DRONE_NETRC_PASSWORD",
    "CI_NETRC_PASSWORD",
    "SEMAPHORE_OIDC_TOKEN",
    "TFC_WORKLOAD_IDENTITY_TOKEN",
    // Other secrets that jobs often have.
    "CARGO_REGISTRY_TOKEN",
    "NODE_AUTH_TOKEN",
    "NPM_TOKEN",
    "VAULT_TOKEN",
];

/// The names of the variables.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    VARIABLES.iter().copied()
}

/// Every secret in the environment other than the value: contents of the variables, and proxy passwords.
pub fn other_secrets(environment: &Environment) -> Vec<SecretBytes> {
    let contents = names().filter_map(|name| environment.raw(name).map(bytes));
    contents.chain(proxy_passwords(environment)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_of_every_ci_system_are_known() {
        let environment = Environment::from_pairs([
            ("GH_TOKEN".into(), "made-up-1".into()),
            ("CI_REGISTRY_PASSWORD".into(), "made-up-2".into()),
            ("SYSTEM_ACCESSTOKEN".into(), "made-up-3".into()),
            ("HTTPS_PROXY".into(), "http://ci:made-up-4@proxy".into()),
            ("CI_PROJECT_DIR".into(), "/builds/a".into()),
        ]);
        let secrets = other_secrets(&environment);
        let mut secrets: Vec<_> = secrets.iter().map(SecretBytes::expose).collect();
        secrets.dedup();
        let expected = ["made-up-1", "made-up-2", "made-up-3", "made-up-4"];
        assert_eq!(secrets, expected.map(str::as_bytes));
    }
}
