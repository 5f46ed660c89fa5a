//! The table of CI systems: the variables that each runner sets, and those that identify a run. Reads only variables.

use std::iter;

use upsert_secret_core::connection::CiSystem;

use crate::environment::Environment;

/// A variable that identifies the system of a runner.
enum Mark {
    /// The variable has exactly this text.
    Is(&'static str),
    /// The variable has any text.
    IsSet,
}

/// How to recognize a system and identify its runs.
pub(super) struct System {
    pub(super) system: CiSystem,
    mark: (&'static str, Mark),
    /// Variables that together are unique to a job of a run, and the same in all its attempts.
    pub(super) run: &'static [&'static str],
    /// Variables that distinguish the parallel copies of a job, if any.
    pub(super) copy: &'static [&'static str],
}

/// The systems. The first one with a matching variable is used: Woodpecker also sets variables of Drone.
static SYSTEMS: [System; 10] = [
    System {
        system: CiSystem::Github,
        mark: ("GITHUB_ACTIONS", Mark::Is("true")),
        // GITHUB_RUN_ATTEMPT counts attempts, and GITHUB_RUN_ID "does not change if you re-run the workflow run" (GitHub,
        // "Variables reference"). All jobs of a matrix have the same values.
        run: &[
            "GITHUB_SERVER_URL",
            "GITHUB_REPOSITORY",
            "GITHUB_RUN_ID",
            "GITHUB_JOB",
        ],
        copy: &[],
    },
    System {
        system: CiSystem::Gitlab,
        mark: ("GITLAB_CI", Mark::Is("true")),
        // A retried job has a new CI_JOB_ID and the same name; the jobs of a `parallel` job have different names.
        run: &[
            "CI_SERVER_URL",
            "CI_PROJECT_ID",
            "CI_PIPELINE_ID",
            "CI_JOB_NAME",
        ],
        copy: &[],
    },
    System {
        system: CiSystem::AzurePipelines,
        mark: ("TF_BUILD", Mark::Is("True")),
        // System.JobId identifies "a single attempt of a single job"; System.JobIdentifier consists of the names of the stage,
        // job and leg (Microsoft, "Use predefined variables"). A re-run stays in its run.
        run: &[
            "SYSTEM_COLLECTIONURI",
            "SYSTEM_TEAMPROJECTID",
            "BUILD_BUILDID",
            "SYSTEM_JOBIDENTIFIER",
        ],
        copy: &[],
    },
    System {
        system: CiSystem::Bitbucket,
        mark: ("BITBUCKET_BUILD_NUMBER", Mark::IsSet),
        // BITBUCKET_STEP_RUN_NUMBER counts the runs of a step (Atlassian, "Variables and secrets"). Rerunning failed steps
        // keeps build and step; parallel steps are separate steps.
        run: &[
            "BITBUCKET_REPO_UUID",
            "BITBUCKET_BUILD_NUMBER",
            "BITBUCKET_STEP_UUID",
        ],
        copy: &[],
    },
    System {
        system: CiSystem::Buildkite,
        mark: ("BUILDKITE", Mark::Is("true")),
        // Each attempt is a new job, BUILDKITE_JOB_ID, of the same step (Buildkite, "Environment variables"). The jobs of a
        // parallel step have a number; those of a matrix have a label if the label names the leg.
        run: &["BUILDKITE_BUILD_ID", "BUILDKITE_STEP_ID"],
        copy: &["BUILDKITE_PARALLEL_JOB", "BUILDKITE_LABEL"],
    },
    System {
        system: CiSystem::CircleCi,
        mark: ("CIRCLECI", Mark::Is("true")),
        // A rerun from failed is a new workflow, CIRCLE_WORKFLOW_ID, that keeps the workspace of the first one (CircleCI,
        // "Built-in environment variables").
        run: &["CIRCLE_WORKFLOW_WORKSPACE_ID", "CIRCLE_JOB"],
        copy: &["CIRCLE_NODE_INDEX"],
    },
    System {
        system: CiSystem::Woodpecker,
        mark: ("CI", Mark::Is("woodpecker")),
        // A restart is a pipeline with a new number (woodpecker, `server/pipeline/restart.go`), so only repeated calls in a
        // step share an identity.
        run: &[
            "CI_SYSTEM_URL",
            "CI_REPO",
            "CI_PIPELINE_NUMBER",
            "CI_WORKFLOW_NAME",
            "CI_STEP_NAME",
        ],
        copy: &[],
    },
    System {
        system: CiSystem::Drone,
        mark: ("DRONE", Mark::Is("true")),
        // As in Woodpecker, a restart is a build with a new number.
        run: &[
            "DRONE_SYSTEM_HOST",
            "DRONE_REPO",
            "DRONE_BUILD_NUMBER",
            "DRONE_STAGE_NAME",
            "DRONE_STEP_NAME",
        ],
        copy: &[],
    },
    System {
        system: CiSystem::Jenkins,
        mark: ("JENKINS_URL", Mark::IsSet),
        // `retry` repeats steps within a build; "Rebuild", "Replay" and a restarted stage are builds with new numbers.
        // STAGE_NAME is set in pipelines.
        run: &["JENKINS_URL", "JOB_NAME", "BUILD_NUMBER"],
        copy: &["STAGE_NAME"],
    },
    System {
        system: CiSystem::TeamCity,
        mark: ("TEAMCITY_VERSION", Mark::IsSet),
        // The link contains the build's ID; the build number is free text. Running a build again creates a new build.
        run: &["BUILD_URL"],
        copy: &[],
    },
];

/// The CI system's entry. A system is recognized only by what its runner sets.
pub(super) fn entry(environment: &Environment) -> Option<&'static System> {
    SYSTEMS.iter().find(|system| {
        let (name, mark) = &system.mark;
        let text = environment.text(name);
        match mark {
            Mark::Is(mark) => text == Some(mark),
            Mark::IsSet => text.is_some(),
        }
    })
}

/// The names of all variables of the table.
pub(crate) fn variables() -> impl Iterator<Item = &'static str> {
    SYSTEMS.iter().flat_map(|system| {
        let marks = iter::once(&system.mark.0);
        marks.chain(system.run).chain(system.copy).copied()
    })
}

/// The CI system.
pub fn system(environment: &Environment) -> CiSystem {
    entry(environment).map_or_else(CiSystem::default, |system| system.system)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> Environment {
        Environment::from_pairs(
            pairs
                .iter()
                .map(|(name, text)| ((*name).into(), (*text).into())),
        )
    }

    #[test]
    fn system_is_recognized_by_exact_mark() {
        for (pairs, expected) in [
            (&[("GITHUB_ACTIONS", "true")][..], CiSystem::Github),
            (
                &[("GITHUB_ACTIONS", "true"), ("FORGEJO_ACTIONS", "true")],
                CiSystem::Github,
            ),
            (&[("GITLAB_CI", "true")], CiSystem::Gitlab),
            (&[("TF_BUILD", "True")], CiSystem::AzurePipelines),
            (&[("BITBUCKET_BUILD_NUMBER", "7")], CiSystem::Bitbucket),
            (&[("BUILDKITE", "true")], CiSystem::Buildkite),
            (&[("CIRCLECI", "true")], CiSystem::CircleCi),
            (
                &[("CI", "woodpecker"), ("DRONE", "true")],
                CiSystem::Woodpecker,
            ),
            (&[("CI", "true"), ("DRONE", "true")], CiSystem::Drone),
            (
                &[("JENKINS_URL", "https://jenkins.example/")],
                CiSystem::Jenkins,
            ),
            (&[("TEAMCITY_VERSION", "2025.11")], CiSystem::TeamCity),
            (&[("CI", "true")], CiSystem::Other),
            (&[("GITHUB_ACTIONS", "1")], CiSystem::Other),
            (&[("TF_BUILD", "$(TF_BUILD)")], CiSystem::Other),
            (&[("JENKINS_URL", "")], CiSystem::Other),
            (&[], CiSystem::Other),
        ] {
            assert_eq!(system(&environment(pairs)), expected, "{pairs:?}");
        }
    }
}
