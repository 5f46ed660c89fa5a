//! The variables that the runners of the CI systems set.

use sandbox::Sandbox;

use crate::common::Cli;

/// The variables of a system's runner: those of a run, those that a re-run changes, and, for each variable that identifies the
/// run, a different value.
pub(super) struct Runner {
    pub(super) name: &'static str,
    pub(super) variables: &'static [(&'static str, &'static str)],
    pub(super) rerun: &'static [(&'static str, &'static str)],
    pub(super) others: &'static [(&'static str, &'static str)],
}

pub(super) const RUNNERS: [Runner; 10] = [
    Runner {
        name: "GitHub",
        variables: &[
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_SERVER_URL", "https://github.example"),
            ("GITHUB_REPOSITORY", "acme/models"),
            ("GITHUB_RUN_ID", "4711"),
            ("GITHUB_RUN_ATTEMPT", "1"),
            ("GITHUB_JOB", "release"),
        ],
        rerun: &[("GITHUB_RUN_ATTEMPT", "2")],
        others: &[
            ("GITHUB_SERVER_URL", "https://other.example"),
            ("GITHUB_REPOSITORY", "acme/other"),
            ("GITHUB_RUN_ID", "4712"),
            ("GITHUB_JOB", "other"),
        ],
    },
    Runner {
        name: "GitLab",
        variables: &[
            ("GITLAB_CI", "true"),
            ("CI_SERVER_URL", "https://gitlab.example"),
            ("CI_PROJECT_ID", "42"),
            ("CI_PIPELINE_ID", "4711"),
            ("CI_JOB_ID", "1001"),
            ("CI_JOB_NAME", "store"),
        ],
        rerun: &[("CI_JOB_ID", "1002")],
        others: &[
            ("CI_SERVER_URL", "https://other.example"),
            ("CI_PROJECT_ID", "43"),
            ("CI_PIPELINE_ID", "4712"),
            ("CI_JOB_NAME", "store: [eu]"),
        ],
    },
    Runner {
        name: "Azure Pipelines",
        variables: &[
            ("TF_BUILD", "True"),
            ("SYSTEM_COLLECTIONURI", "https://dev.azure.example/acme/"),
            (
                "SYSTEM_TEAMPROJECTID",
                "54f2f7a0-0000-4000-8000-000000000001",
            ),
            ("BUILD_BUILDID", "4711"),
            ("SYSTEM_JOBIDENTIFIER", "store.store.__default"),
            ("SYSTEM_JOBID", "12f1170f-54f2-53f3-20dd-22fc7dff55f9"),
            ("SYSTEM_JOBATTEMPT", "1"),
        ],
        rerun: &[
            ("SYSTEM_JOBID", "aaaaaaaa-54f2-53f3-20dd-22fc7dff55f9"),
            ("SYSTEM_JOBATTEMPT", "2"),
        ],
        others: &[
            ("SYSTEM_COLLECTIONURI", "https://dev.azure.example/other/"),
            (
                "SYSTEM_TEAMPROJECTID",
                "54f2f7a0-0000-4000-8000-000000000002",
            ),
            ("BUILD_BUILDID", "4712"),
            ("SYSTEM_JOBIDENTIFIER", "store.store.eu"),
        ],
    },
    Runner {
        name: "Bitbucket",
        variables: &[
            ("BITBUCKET_BUILD_NUMBER", "4711"),
            (
                "BITBUCKET_REPO_UUID",
                "{00000000-0000-4000-8000-000000000001}",
            ),
            (
                "BITBUCKET_STEP_UUID",
                "{00000000-0000-4000-8000-000000000002}",
            ),
            ("BITBUCKET_STEP_RUN_NUMBER", "1"),
        ],
        rerun: &[("BITBUCKET_STEP_RUN_NUMBER", "2")],
        others: &[
            ("BITBUCKET_BUILD_NUMBER", "4712"),
            (
                "BITBUCKET_REPO_UUID",
                "{00000000-0000-4000-8000-000000000003}",
            ),
            (
                "BITBUCKET_STEP_UUID",
                "{00000000-0000-4000-8000-000000000004}",
            ),
        ],
    },
    Runner {
        name: "Buildkite",
        variables: &[
            ("BUILDKITE", "true"),
            ("BUILDKITE_BUILD_ID", "00000000-0000-4000-8000-000000000001"),
            ("BUILDKITE_STEP_ID", "00000000-0000-4000-8000-000000000002"),
            ("BUILDKITE_JOB_ID", "00000000-0000-4000-8000-000000000003"),
            ("BUILDKITE_RETRY_COUNT", "0"),
        ],
        rerun: &[
            ("BUILDKITE_JOB_ID", "00000000-0000-4000-8000-000000000004"),
            ("BUILDKITE_RETRY_COUNT", "1"),
        ],
        others: &[
            ("BUILDKITE_BUILD_ID", "00000000-0000-4000-8000-000000000005"),
            ("BUILDKITE_STEP_ID", "00000000-0000-4000-8000-000000000006"),
            ("BUILDKITE_PARALLEL_JOB", "1"),
            ("BUILDKITE_LABEL", "Store in eu"),
        ],
    },
    Runner {
        name: "CircleCI",
        variables: &[
            ("CIRCLECI", "true"),
            (
                "CIRCLE_WORKFLOW_WORKSPACE_ID",
                "00000000-0000-4000-8000-000000000001",
            ),
            ("CIRCLE_WORKFLOW_ID", "00000000-0000-4000-8000-000000000001"),
            ("CIRCLE_JOB", "store"),
            ("CIRCLE_BUILD_NUM", "1001"),
            ("CIRCLE_NODE_INDEX", "0"),
        ],
        rerun: &[
            ("CIRCLE_WORKFLOW_ID", "00000000-0000-4000-8000-000000000002"),
            ("CIRCLE_BUILD_NUM", "1002"),
        ],
        others: &[
            (
                "CIRCLE_WORKFLOW_WORKSPACE_ID",
                "00000000-0000-4000-8000-000000000003",
            ),
            ("CIRCLE_JOB", "store-eu"),
            ("CIRCLE_NODE_INDEX", "1"),
        ],
    },
    Runner {
        name: "Woodpecker",
        variables: &[
            ("CI", "woodpecker"),
            ("CI_SYSTEM_URL", "https://ci.example"),
            ("CI_REPO", "acme/models"),
            ("CI_PIPELINE_NUMBER", "4711"),
            ("CI_WORKFLOW_NAME", "release"),
            ("CI_STEP_NAME", "store"),
        ],
        rerun: &[],
        others: &[
            ("CI_SYSTEM_URL", "https://other.example"),
            ("CI_REPO", "acme/other"),
            ("CI_PIPELINE_NUMBER", "4712"),
            ("CI_WORKFLOW_NAME", "other"),
            ("CI_STEP_NAME", "other"),
        ],
    },
    Runner {
        name: "Drone",
        variables: &[
            ("DRONE", "true"),
            ("DRONE_SYSTEM_HOST", "drone.example"),
            ("DRONE_REPO", "acme/models"),
            ("DRONE_BUILD_NUMBER", "4711"),
            ("DRONE_STAGE_NAME", "release"),
            ("DRONE_STEP_NAME", "store"),
        ],
        rerun: &[],
        others: &[
            ("DRONE_SYSTEM_HOST", "other.example"),
            ("DRONE_REPO", "acme/other"),
            ("DRONE_BUILD_NUMBER", "4712"),
            ("DRONE_STAGE_NAME", "other"),
            ("DRONE_STEP_NAME", "other"),
        ],
    },
    Runner {
        name: "Jenkins",
        variables: &[
            ("JENKINS_URL", "https://jenkins.example/"),
            ("JOB_NAME", "models/main"),
            ("BUILD_NUMBER", "4711"),
            ("STAGE_NAME", "Store"),
            ("EXECUTOR_NUMBER", "0"),
        ],
        rerun: &[("EXECUTOR_NUMBER", "1")],
        others: &[
            ("JENKINS_URL", "https://other.example/"),
            ("JOB_NAME", "models/other"),
            ("BUILD_NUMBER", "4712"),
            ("STAGE_NAME", "Other"),
        ],
    },
    Runner {
        name: "TeamCity",
        variables: &[
            ("TEAMCITY_VERSION", "2025.11"),
            ("BUILD_URL", "https://teamcity.example/build/4711"),
            ("BUILD_NUMBER", "1.0"),
        ],
        rerun: &[],
        others: &[("BUILD_URL", "https://teamcity.example/build/4712")],
    },
];

/// A run in a job of this system.
pub(super) fn job(sandbox: &Sandbox, system: &str) -> Cli {
    let runner = RUNNERS.iter().find(|runner| runner.name == system).unwrap();
    with(Cli::new(sandbox, "made-up"), runner.variables)
}

pub(super) fn with(cli: Cli, variables: &[(&str, &str)]) -> Cli {
    let set = |cli: Cli, (name, content): &(&str, &str)| cli.env(name, content);
    variables.iter().fold(cli, set)
}
