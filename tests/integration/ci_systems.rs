//! Each CI system gets outputs in its own format and place, and a re-run of a job produces the version of its first attempt.
//! GitHub and GitLab have separate files.

use std::fs;
use std::path::Path;

use sandbox::Sandbox;

use crate::common::{Cli, NAME, version_count};

#[cfg(unix)]
mod buildkite;
mod runners;

use runners::{RUNNERS, job, with};

/// The outputs of a run that created the secret, in the documented order.
fn outputs_of_creation(sandbox: &Sandbox) -> [(&'static str, String); 9] {
    let secret = sandbox.with(|world| world.secret(NAME)).unwrap();
    let version = secret.current().unwrap().id.clone();
    [
        ("secret_id", secret.arn),
        ("secret_name", NAME.to_owned()),
        ("secret_version_id", version),
        ("previous_version_id", String::new()),
        ("version_stages", "AWSCURRENT".to_owned()),
        ("result", "created".to_owned()),
        ("changed", "true".to_owned()),
        ("restored", "false".to_owned()),
        ("region", "eu-west-1".to_owned()),
    ]
}

/// The outputs as lines that a function creates from a name and a value.
fn lines(sandbox: &Sandbox, line: impl Fn(&str, &str) -> String) -> String {
    let outputs = outputs_of_creation(sandbox);
    let lines = outputs.iter().map(|(name, value)| line(name, value) + "\n");
    lines.collect()
}

fn variable(name: &str) -> String {
    format!("UPSERTED_{}", name.to_uppercase())
}

/// A run of a manifest in a job of this system.
fn manifest_job(sandbox: &Sandbox, system: &str) -> Cli {
    let cli = job(sandbox, system)
        .unset("UPSERT_SECRET_NAME")
        .unset("UPSERT_SECRET_VALUE")
        .env("KEY", "made-up");
    let file = cli.path("secrets.yaml");
    fs::write(
        &file,
        format!("secrets:\n  {NAME}:\n    value: {{ env: KEY }}\n"),
    )
    .unwrap();
    cli.input("manifest", &file.display().to_string())
}

#[test]
fn azure_sets_output_variables() {
    let sandbox = Sandbox::start();
    let outcome = job(&sandbox, "Azure Pipelines").run();
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let expected = lines(&sandbox, |name, value| {
        format!("##vso[task.setvariable variable={name};isOutput=true]{value}")
    });
    assert_eq!(outcome.stdout, expected);
    assert!(
        outcome
            .stderr
            .ends_with("\noutputs: output variables of this step, such as secret_id\n"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn teamcity_sets_parameters() {
    let sandbox = Sandbox::start();
    let outcome = job(&sandbox, "TeamCity").run();
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let expected = lines(&sandbox, |name, value| {
        let name = variable(name);
        format!("##teamcity[setParameter name='env.{name}' value='{value}']")
    });
    assert_eq!(outcome.stdout, expected);
    assert!(
        outcome
            .stderr
            .contains("\noutputs: parameters of this build, such as env.UPSERTED_SECRET_ID\n"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn circleci_exports_to_bash_env() {
    let sandbox = Sandbox::start();
    let cli = job(&sandbox, "CircleCI");
    let file = cli.path("bash_env");
    let earlier = "export KEPT=1\nexport UPSERTED_REGION='of-another'\nexport LAST=2";
    fs::write(&file, earlier).unwrap();
    let cli = cli.env("BASH_ENV", &file.display().to_string());
    let outcome = cli.run();
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(0), ""));
    let exports = lines(&sandbox, |name, value| {
        format!("export {}='{value}'", variable(name))
    });
    assert_eq!(
        fs::read_to_string(&file).unwrap(),
        format!("export KEPT=1\nexport LAST=2\n{exports}")
    );
    assert!(
        outcome.stderr.contains("in $BASH_ENV"),
        "{}",
        outcome.stderr
    );

    // A run that fails before it knows the ID must not leave the ID of another secret.
    let cli = cli.input("name", "a b");
    let failed = cli.run();
    assert_eq!(failed.code, Some(2), "{}", failed.stderr);
    assert!(!failed.stderr.contains("outputs:"), "{}", failed.stderr);
    assert_eq!(
        fs::read_to_string(&file).unwrap(),
        "export KEPT=1\nexport LAST=2\n"
    );
}

#[test]
fn bitbucket_shares_variables() {
    let sandbox = Sandbox::start();
    let cli = job(&sandbox, "Bitbucket");
    let file = cli.path("variables");
    fs::write(&file, "KEPT=1\nUPSERTED_REGION=of-another\n").unwrap();
    let cli = cli.env(
        "BITBUCKET_PIPELINES_VARIABLES_PATH",
        &file.display().to_string(),
    );
    let outcome = cli.run();
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(0), ""));
    let variables = lines(&sandbox, |name, value| {
        format!("{}={value}", variable(name))
    });
    let written = fs::read_to_string(&file).unwrap();
    assert_eq!(written, format!("KEPT=1\n{variables}"));
    assert!(
        outcome.stderr.contains("lists them in `output-variables`"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn buildkite_without_agent_prints_outputs() {
    let sandbox = Sandbox::start();
    // A directory that a job can write to is not searched.
    let outcome = job(&sandbox, "Buildkite").env("PATH", ".:bin").run();
    outcome.expect(0, "created");
    assert!(
        outcome
            .stderr
            .contains("\noutputs: on standard output, because buildkite-agent is not on PATH\n"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn systems_without_a_place_get_lines() {
    let sandbox = Sandbox::start();
    for system in ["Woodpecker", "Drone", "Jenkins"] {
        let outcome = job(&sandbox, system).run();
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        assert_eq!(outcome.outputs.len(), 9, "{system}");
        assert_eq!(outcome.output("secret_name"), NAME, "{system}");
        assert!(!outcome.stderr.contains("outputs:"), "{}", outcome.stderr);
    }
    // Without the variable that names its file, the same holds elsewhere.
    for system in ["Bitbucket", "CircleCI", "GitHub"] {
        let outcome = job(&sandbox, system).run();
        assert_eq!(outcome.output("secret_name"), NAME, "{system}");
        assert!(!outcome.stderr.contains("outputs:"), "{}", outcome.stderr);
    }
}

/// The report path as an output, on systems that each use a different format.
#[test]
#[cfg(unix)]
fn report_path_for_a_shell_is_omitted() {
    let sandbox = Sandbox::start();
    for (system, path, is_kept) in [
        ("Bitbucket", "run-1.json", true),
        ("Bitbucket", "a b;touch pwned", false),
        ("Bitbucket", "a;b", false),
        ("Bitbucket", "a&b", false),
        ("CircleCI", "a'b", true),
        ("CircleCI", "a b", false),
        ("GitLab", "a b", false),
        ("Azure Pipelines", "a b", false),
        ("TeamCity", "a b", false),
        ("Jenkins", "a b", false),
        ("Jenkins", "\u{e4}", false),
    ] {
        let cli = manifest_job(&sandbox, system);
        let native = cli.path("native").display().to_string();
        let folder = cli.path("").display().to_string();
        let report = cli.path(path).display().to_string();
        let cli = cli
            .env("BASH_ENV", &native)
            .env("BITBUCKET_PIPELINES_VARIABLES_PATH", &native)
            .env("CI_PROJECT_DIR", &folder)
            .input("report-file", &report);
        let outcome = cli.run();
        assert_eq!(outcome.code, Some(0), "{system}: {}", outcome.stderr);
        let file = match system {
            "GitLab" => cli.path("upsert-secret.env"),
            _ => cli.path("native"),
        };
        let written = outcome.stdout.clone() + &fs::read_to_string(file).unwrap_or_default();
        let written = written.to_lowercase();
        assert!(written.contains("not_tried"), "{system}: {written}");
        assert_eq!(
            written.contains("report_path"),
            is_kept,
            "{system}: {path}: {written}"
        );
        let warned = outcome
            .stderr
            .contains("the output report_path is omitted: it has ");
        assert_eq!(warned, !is_kept, "{system}: {path}: {}", outcome.stderr);
    }
}

/// A manifest run has no output `secret_id`.
#[test]
fn place_names_output_of_manifest_run() {
    let sandbox = Sandbox::start();
    for (system, place) in [
        (
            "Azure Pipelines",
            "output variables of this step, such as result\n",
        ),
        (
            "TeamCity",
            "parameters of this build, such as env.UPSERTED_RESULT\n",
        ),
        ("CircleCI", "such as UPSERTED_RESULT, in $BASH_ENV\n"),
        ("Bitbucket", "such as UPSERTED_RESULT, if this step lists"),
    ] {
        let cli = manifest_job(&sandbox, system);
        let native = cli.path("native").display().to_string();
        let cli = cli
            .env("BASH_ENV", &native)
            .env("BITBUCKET_PIPELINES_VARIABLES_PATH", &native);
        let outcome = cli.run();
        assert_eq!(outcome.code, Some(0), "{system}: {}", outcome.stderr);
        assert!(outcome.stderr.contains(place), "{}", outcome.stderr);
    }
}

#[test]
fn json_leaves_no_commands_on_stdout() {
    let sandbox = Sandbox::start();
    for (system, noticed) in [
        ("Azure Pipelines", true),
        ("TeamCity", true),
        ("Buildkite", false),
        ("Jenkins", false),
    ] {
        let outcome = job(&sandbox, system).args(&["--format", "json"]).run();
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        let object: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
        assert_eq!(object["secret_name"], NAME, "{system}");
        let notice = "with `--format json`, standard output is one JSON object";
        assert_eq!(
            outcome.stderr.contains(notice),
            noticed,
            "{}",
            outcome.stderr
        );
    }
}

#[test]
fn output_file_wins_on_every_system() {
    let sandbox = Sandbox::start();
    for runner in &RUNNERS {
        let cli = job(&sandbox, runner.name);
        let native = cli.path("native").display().to_string();
        let file = cli.path("ids").display().to_string();
        let cli = cli
            .env("BASH_ENV", &native)
            .env("BITBUCKET_PIPELINES_VARIABLES_PATH", &native)
            .env("GITHUB_OUTPUT", &native)
            .input("output-file", &file);
        let outcome = cli.run();
        assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(0), ""));
        assert!(!Path::new(&native).exists(), "{}", runner.name);
        let text = fs::read_to_string(&file).unwrap();
        let first = match runner.name {
            "GitLab" => "UPSERTED_SECRET_ID=arn:aws:",
            _ => "secret_id=arn:aws:",
        };
        assert!(text.starts_with(first), "{}: {text}", runner.name);
    }
}

#[test]
fn output_that_a_system_would_expand_is_omitted() {
    let sandbox = Sandbox::start();
    sandbox.with(|world| {
        world.create(NAME, "made-up");
        let id = world.secret(NAME).unwrap().current().unwrap().id.clone();
        // Anyone with permission to label a version can choose a staging label.
        world.move_stage(NAME, "in$(HOME)%x%]##vso[x]", &id, None);
    });
    for system in ["Azure Pipelines", "TeamCity"] {
        let outcome = job(&sandbox, system).run();
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        assert!(
            outcome
                .stderr
                .contains("warning: the output version_stages is omitted: it has a `"),
            "{}",
            outcome.stderr
        );
        assert!(!outcome.stdout.to_lowercase().contains("version_stages"));
        assert_eq!(outcome.stdout.lines().count(), 8);
    }
}

/// Reading is not required: `compare: never` represents a role without read permission.
#[test]
fn rerun_keeps_version_on_every_system() {
    for runner in &RUNNERS {
        let sandbox = Sandbox::start();
        let run = |variables: &[(&str, &str)], absent: Option<&str>| {
            let cli = with(job(&sandbox, runner.name), variables).input("compare", "never");
            let cli = cli.input("output-file", "");
            let report = cli.path("project").display().to_string();
            fs::create_dir(cli.path("project")).unwrap();
            let cli = cli.env("CI_PROJECT_DIR", &report);
            let cli = match absent {
                Some(name) => cli.unset(name),
                None => cli,
            };
            let outcome = cli.run();
            assert_eq!(outcome.code, Some(0), "{}: {}", runner.name, outcome.stderr);
            version_count(&sandbox)
        };
        assert_eq!(run(&[], None), 1);
        assert_eq!(run(runner.rerun, None), 1, "{}: a re-run", runner.name);
        let mut versions = 1;
        for other in runner.others {
            versions += 1;
            assert_eq!(run(&[*other], None), versions, "{}: {other:?}", runner.name);
        }
        // Without one of the variables, the run cannot be identified, and each call is a separate run.
        let mark = runner.variables[0].0;
        for (name, _) in runner.others {
            let is_optional = [
                "BUILDKITE_PARALLEL_JOB",
                "BUILDKITE_LABEL",
                "CIRCLE_NODE_INDEX",
                "STAGE_NAME",
            ];
            if *name == mark || is_optional.contains(name) {
                continue;
            }
            versions += 2;
            run(&[], Some(name));
            assert_eq!(
                run(&[], Some(name)),
                versions,
                "{}: without {name}",
                runner.name
            );
        }
    }
}

#[test]
fn classic_release_is_not_its_build() {
    let sandbox = Sandbox::start();
    for release in ["1", "1", "2"] {
        let cli = job(&sandbox, "Azure Pipelines").env("RELEASE_RELEASEID", release);
        assert_eq!(cli.input("compare", "never").run().code, Some(0));
    }
    assert_eq!(version_count(&sandbox), 3);
}
