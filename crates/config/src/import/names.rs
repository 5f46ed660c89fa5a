//! Variable names for the values of secrets, derived from secret names. Must not read variables.

use std::collections::HashMap;

use crate::environment::MAX_NAME;
use crate::{ci, other_secrets};

/// The prefix of a name if the secret's own name cannot start one.
const PREFIX: &str = "SECRET_";
/// Space for the number that makes equal names unique.
const NUMBER: usize = 8;

/// Name prefixes that have a meaning for a CI system, a shell or an AWS tool, some of which GitHub and GitLab do not let users
/// set. A job would use the runner's content as the value of a secret.
const RESERVED_BEGINNINGS: [&str; 42] = [
    "ACTIONS_",
    "AGENT_",
    "AWS_",
    "BASH_",
    "BITBUCKET_",
    "BUILDKITE",
    "BUILD_",
    "CHANGE_",
    "CIRCLE",
    "CI_",
    "DRONE_",
    "DYLD_",
    "ENDPOINT_",
    "FORGEJO_",
    "GITEA_",
    "GITHUB_",
    "GITLAB_",
    "GIT_",
    "HUDSON_",
    "INPUT_",
    "JAVA_",
    "JENKINS_",
    "JOB_",
    "LC_",
    "LD_",
    "LOG_",
    "NODE_",
    "NPM_",
    "PIPELINE_",
    "PLUGIN_",
    "PYTHON",
    "RELEASE_",
    "RUNNER_",
    "RUST_",
    "SSL_",
    "SYSTEM_",
    "TEAMCITY_",
    "TF_",
    "UPSERTED_",
    "UPSERT_SECRET",
    "VSTS_",
    "WOODPECKER_",
];

/// Full names of that kind.
const RESERVED: [&str; 32] = [
    "ALL_PROXY",
    "BASH",
    "BRANCH_NAME",
    "DEBUG",
    "EDITOR",
    "ENV",
    "EXECUTOR_NUMBER",
    "HOME",
    "HOSTNAME",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "IFS",
    "LANG",
    "LANGUAGE",
    "LOGNAME",
    "NO_PROXY",
    "OLDPWD",
    "OS",
    "PAGER",
    "PATH",
    "PS1",
    "PS2",
    "PS4",
    "PWD",
    "SHELL",
    "TAG_NAME",
    "TEMP",
    "TERM",
    "TMP",
    "TMPDIR",
    "USER",
    "WORKSPACE",
];

/// Names already assigned.
#[derive(Default)]
pub(super) struct VariableNames {
    /// The number of times each name was requested.
    taken: HashMap<String, usize>,
}

impl VariableNames {
    /// A unique variable name for the secret: `prod/model/api-key` becomes `PROD_MODEL_API_KEY`.
    pub(super) fn of_secret(&mut self, secret: &str) -> String {
        let base = base_name(secret);
        let mut number = self.taken.get(&base).copied().unwrap_or(0);
        loop {
            number += 1;
            let name = match number {
                1 => base.clone(),
                number => format!("{base}_{number}"),
            };
            if !self.taken.contains_key(&name) {
                self.taken.insert(base, number);
                self.taken.entry(name.clone()).or_insert(1);
                return name;
            }
        }
    }
}

fn base_name(secret: &str) -> String {
    let words = secret.split(|c: char| !c.is_ascii_alphanumeric());
    let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
    let mut name = words.join("_").to_ascii_uppercase();
    if name.starts_with(|c: char| c.is_ascii_digit()) || is_reserved(&name) {
        name.insert_str(0, PREFIX);
    }
    name.truncate(MAX_NAME - NUMBER);
    name.trim_end_matches('_').to_owned()
}

/// Whether something other than the manifest's user may set or interpret a variable with this name.
fn is_reserved(name: &str) -> bool {
    let mut beginnings = RESERVED_BEGINNINGS.iter();
    name.is_empty()
        || RESERVED.contains(&name)
        || beginnings.any(|beginning| name.starts_with(beginning))
        || ci::variables().any(|variable| variable == name)
        || other_secrets::names().any(|variable| variable == name)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::environment::is_variable_name;

    fn names(secrets: &[&str]) -> Vec<String> {
        let mut names = VariableNames::default();
        secrets
            .iter()
            .map(|secret| names.of_secret(secret))
            .collect()
    }

    #[test]
    fn name_follows_from_the_secret() {
        let cases = [
            ("prod/model/api-key", "PROD_MODEL_API_KEY"),
            ("/a//b@c.d+e=", "A_B_C_D_E"),
            ("path", "SECRET_PATH"),
            ("aws/key", "SECRET_AWS_KEY"),
            ("github/token", "SECRET_GITHUB_TOKEN"),
            ("jenkins/url", "SECRET_JENKINS_URL"),
            (
                "buildkite/agent-access-token",
                "SECRET_BUILDKITE_AGENT_ACCESS_TOKEN",
            ),
            ("circleci", "SECRET_CIRCLECI"),
            ("java/home", "SECRET_JAVA_HOME"),
            ("build/url", "SECRET_BUILD_URL"),
            ("vault/token", "SECRET_VAULT_TOKEN"),
            ("stage/name", "SECRET_STAGE_NAME"),
            ("stage/api-key", "STAGE_API_KEY"),
            ("upsert-secret/name", "SECRET_UPSERT_SECRET_NAME"),
            ("2nd", "SECRET_2ND"),
            ("--", "SECRET"),
        ];
        for (secret, wanted) in cases {
            assert_eq!(names(&[secret]), [wanted], "{secret}");
        }
        assert_eq!(names(&[&"x-".repeat(256)])[0].len(), 119);
    }

    /// Runner variables, and secrets that jobs hold, as secret names.
    #[test]
    fn name_of_a_known_variable_is_reserved() {
        for variable in ci::variables().chain(other_secrets::names()) {
            let secret = variable.to_lowercase().replace('_', "/");
            assert_eq!(names(&[&secret]), [format!("{PREFIX}{variable}")]);
        }
    }

    #[test]
    fn equal_names_get_numbers() {
        assert_eq!(
            names(&["a/b", "a-b", "a/b/2", "a.b", "a.b.2", "A_B"]),
            ["A_B", "A_B_2", "A_B_2_2", "A_B_3", "A_B_2_3", "A_B_4"]
        );
    }

    proptest! {
        #[test]
        fn names_are_valid_and_differ(secrets in prop::collection::btree_set("[ab12/_-]{1,5}", 0..40)) {
            let secrets: Vec<_> = secrets.iter().map(String::as_str).collect();
            let mut names = names(&secrets);
            prop_assert!(names.iter().all(|name| is_variable_name(name)));
            names.sort();
            names.dedup();
            prop_assert_eq!(names.len(), secrets.len());
        }
    }
}
