//! Runs the built program against the sandbox in a scrubbed environment: these tests run inside CI,
//! whose variables the program reads.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use sandbox::{Policy, Sandbox};
use tempfile::TempDir;

pub(crate) mod program;

pub(crate) use program::send_signal;

/// The name of the secret in most tests.
pub(crate) const NAME: &str = "prod/model/api-key";
/// Upper limit for waiting on a held request; reached only when a test fails.
pub(crate) const WAIT_LIMIT: Duration = Duration::from_secs(60);

/// Arguments and environment for the program; can be run repeatedly.
pub(crate) struct Cli {
    variables: BTreeMap<String, String>,
    arguments: Vec<String>,
    folder: TempDir,
    stdin: Option<Vec<u8>>,
}

/// Result of a run: exit code, streams and files.
pub(crate) struct Outcome {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) outputs: BTreeMap<String, String>,
    pub(crate) summary: String,
    /// Content of GitLab's dotenv report.
    pub(crate) report: String,
}

impl Cli {
    /// The program with the sandbox's credentials, storing `value` as [`NAME`].
    pub(crate) fn new(sandbox: &Sandbox, value: &str) -> Self {
        let mut cli = Self::with_empty_env()
            .input("name", NAME)
            .input("value", value)
            .env("AWS_EC2_METADATA_DISABLED", "true");
        for (name, value) in sandbox.env() {
            cli = cli.env(name, &value);
        }
        cli
    }

    pub(crate) fn with_empty_env() -> Self {
        Self {
            variables: BTreeMap::new(),
            arguments: Vec::new(),
            folder: tempfile::tempdir().unwrap(),
            stdin: None,
        }
    }

    pub(crate) fn input(self, name: &str, value: &str) -> Self {
        let variable = format!("UPSERT_SECRET_{}", name.to_uppercase().replace('-', "_"));
        self.env(&variable, value)
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    pub(crate) fn unset(mut self, name: &str) -> Self {
        self.variables.remove(name);
        self
    }

    pub(crate) fn args(mut self, words: &[&str]) -> Self {
        self.arguments = words.iter().map(|word| (*word).to_owned()).collect();
        self
    }

    pub(crate) fn extra_args(mut self, words: &[&str]) -> Self {
        self.arguments
            .extend(words.iter().map(|word| (*word).to_owned()));
        self
    }

    /// The value passed to [`Cli::new`].
    pub(crate) fn value(&self) -> String {
        self.variables["UPSERT_SECRET_VALUE"].clone()
    }

    pub(crate) fn stdin(mut self, bytes: &[u8]) -> Self {
        self.stdin = Some(bytes.to_vec());
        self
    }

    /// Adds the environment of a GitHub Actions step.
    pub(crate) fn github(self) -> Self {
        let output = self.path("output").display().to_string();
        let summary = self.path("summary").display().to_string();
        self.env("GITHUB_ACTIONS", "true")
            .env("GITHUB_OUTPUT", &output)
            .env("GITHUB_STEP_SUMMARY", &summary)
            .env("GITHUB_SERVER_URL", "https://github.example")
            .env("GITHUB_REPOSITORY", "acme/models")
            .env("GITHUB_RUN_ID", "4711")
            .env("GITHUB_JOB", "release")
    }

    /// Adds the environment of a GitLab job.
    pub(crate) fn gitlab(self) -> Self {
        let folder = self.folder.path().display().to_string();
        self.env("GITLAB_CI", "true")
            .env("CI_PROJECT_DIR", &folder)
            .env("CI_SERVER_URL", "https://gitlab.example")
            .env("CI_PROJECT_ID", "42")
            .env("CI_PIPELINE_ID", "4711")
            .env("CI_JOB_ID", "1001")
            .env("CI_JOB_NAME", "store")
    }

    /// A path in the run's temporary directory.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn command(&self) -> Command {
        self.complete(program::command())
    }

    /// The arguments, environment and streams of a run.
    fn complete(&self, mut command: Command) -> Command {
        command
            .args(&self.arguments)
            .env_clear()
            .env("HOME", self.folder.path())
            .envs(&self.variables)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Starts a run that [`send_signal`] can interrupt.
    pub(crate) fn spawn(&self) -> Child {
        self.complete(program::interruptible_command())
            .spawn()
            .unwrap()
    }

    pub(crate) fn run(&self) -> Outcome {
        let mut command = self.command();
        if let Some(bytes) = &self.stdin {
            use std::io::Write as _;
            let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
            child.stdin.take().unwrap().write_all(bytes).unwrap();
            return self.outcome(child.wait_with_output().unwrap());
        }
        self.outcome(command.output().unwrap())
    }

    /// Waits for a child that [`Cli::spawn`] started.
    pub(crate) fn finish(&self, child: Child) -> Outcome {
        self.outcome(child.wait_with_output().unwrap())
    }

    fn outcome(&self, output: Output) -> Outcome {
        let stdout = String::from_utf8(output.stdout).unwrap();
        // A pipe or a device has no end.
        let read = |path: &Path| match path.is_file() {
            true => fs::read_to_string(path).unwrap(),
            false => String::new(),
        };
        let file = self
            .variables
            .get("GITHUB_OUTPUT")
            .map_or_else(|| stdout.clone(), |path| read(Path::new(path)));
        Outcome {
            code: output.status.code(),
            stderr: String::from_utf8(output.stderr).unwrap(),
            // A repeated run appends; the last line wins, as on the runner.
            outputs: file
                .lines()
                .filter_map(|line| line.split_once('='))
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            summary: read(&self.path("summary")),
            report: read(&self.path("upsert-secret.env")),
            stdout,
        }
    }
}

impl Outcome {
    pub(crate) fn output(&self, name: &str) -> &str {
        self.outputs.get(name).map_or("", String::as_str)
    }

    /// Everything the run made visible: streams, summary, report and outputs.
    pub(crate) fn all_output(&self) -> String {
        format!(
            "{}\n{}\n{}\n{}\n{:?}",
            self.stdout, self.stderr, self.summary, self.report, self.outputs
        )
    }

    /// The counts of a manifest run: created, updated, unchanged, failed, not tried.
    pub(crate) fn counts(&self) -> [&str; 5] {
        ["created", "updated", "unchanged", "failed", "not_tried"].map(|name| self.output(name))
    }

    #[track_caller]
    pub(crate) fn expect(&self, code: i32, result: &str) -> &Self {
        assert_eq!(self.code, Some(code), "{}", self.stderr);
        assert_eq!(self.output("result"), result, "{}", self.stderr);
        self
    }
}

/// The logged operations in order of arrival.
pub(crate) fn operations(sandbox: &Sandbox) -> Vec<String> {
    let mut log = sandbox.log();
    log.sort_by_key(|entry| entry.started);
    log.into_iter().map(|entry| entry.operation).collect()
}

pub(crate) fn call_count(sandbox: &Sandbox, operation: &str) -> usize {
    operations(sandbox)
        .iter()
        .filter(|called| *called == operation)
        .count()
}

/// The string value of the current version.
pub(crate) fn current_value(sandbox: &Sandbox) -> Option<String> {
    sandbox.with(|world| {
        world
            .secret(NAME)
            .and_then(|secret| secret.current().and_then(|version| version.string.clone()))
    })
}

/// The number of versions, including those without labels.
pub(crate) fn version_count(sandbox: &Sandbox) -> usize {
    sandbox.with(|world| world.secret(NAME).map_or(0, |secret| secret.versions.len()))
}

/// The path of a file in a directory that does not exist.
pub(crate) fn missing_path(folder: &Path) -> String {
    folder.join("no/such/folder/file").display().to_string()
}

/// Standard error without what differs between runs: request IDs, version IDs and ARN suffixes.
pub(crate) fn normalized_stderr(outcome: &Outcome) -> String {
    // Decoded as the runner displays an annotation.
    let stderr = outcome.stderr.replace("%0A", "\n").replace("%25", "%");
    let mut out = String::new();
    for word in stderr.split_inclusive([' ', '\n', ',', ')']) {
        let bare = word.trim_end_matches([' ', '\n', ',', ')', '.']);
        let end = &word[bare.len()..];
        let hex = bare.len() == 36 && bare.chars().filter(|c| *c == '-').count() == 4;
        if hex {
            out.push_str("[id]");
        } else if let Some(cut) = bare
            .starts_with("arn:aws:secretsmanager:")
            .then(|| bare.rfind('-'))
            .flatten()
            .filter(|cut| bare.len() - cut == 7 && !bare.ends_with('?'))
        {
            out.push_str(&bare[..cut]);
            out.push_str("-[six]");
        } else {
            out.push_str(bare);
        }
        out.push_str(end);
    }
    out.trim_end().to_owned()
}

/// A policy that allows everything except these actions on these secrets.
pub(crate) fn allow_all_except(denied: &[(&str, &str)]) -> Policy {
    let deny = denied.iter().map(|(action, name)| {
        format!(
            r#",{{"Effect":"Deny","Action":"secretsmanager:{action}","Resource":["*:secret:{name}","*:secret:{name}-*"]}}"#
        )
    });
    let deny: String = deny.collect();
    Policy::from_json(&format!(
        r#"{{"Statement":[{{"Effect":"Allow","Action":"*","Resource":"*"}}{deny}]}}"#
    ))
}
