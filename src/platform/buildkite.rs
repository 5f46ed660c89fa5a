//! Stores outputs as meta-data of a Buildkite build, set by the `buildkite-agent` program. Passes it the IDs and what it needs
//! to reach Buildkite, never a secret.

use std::env;
use std::ffi::OsStr;
use std::io::{self, Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{anyhow, bail};
use upsert_secret_config::environment::Environment;
use upsert_secret_core::bounded::{self, io_reason};
use upsert_secret_core::quote::ForeignText;

use crate::outputs;

/// The agent program, found in `PATH`.
const PROGRAM: &str = if cfg!(windows) {
    "buildkite-agent.exe"
} else {
    "buildkite-agent"
};

/// The total time limit for all agents. Their own retries take longer.
const LIMIT: Duration = Duration::from_secs(10);

/// The interval at which exits are polled: the standard library has no wait with a timeout.
const POLL: Duration = Duration::from_millis(10);

/// The maximum size in bytes of an agent message, and the time limit for reading it.
const MAX_MESSAGE: usize = 4096;
const MESSAGE_LIMIT: Duration = Duration::from_secs(1);

/// The prefix of our keys, because all steps of a build share its meta-data.
const PREFIX: &str = "upsert-secret";

/// The placeholder for an empty output, because meta-data can be neither empty nor deleted.
const EMPTY: &str = "none";

/// Variables passed to the agent, in addition to its own.
const PASSED: [&str; 13] = [
    "HOME",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
    "PATH",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "SYSTEMDRIVE",
    "SYSTEMROOT",
    "TEMP",
    "TMP",
    "TMPDIR",
    "USERPROFILE",
];

/// The agent's program.
pub(super) struct Agent {
    program: PathBuf,
}

impl Agent {
    /// Finds the program. Skips relative directories in `PATH`, where a checked-out repository could place a program with that
    /// name.
    pub(super) fn find(environment: &Environment) -> Option<Self> {
        let folders = env::split_paths(environment.raw("PATH")?);
        let mut programs = folders
            .filter(|folder| folder.is_absolute())
            .map(|folder| folder.join(PROGRAM));
        let program = programs.find(|program| program.is_file())?;
        Some(Self { program })
    }

    /// Sets the meta-data for all outputs concurrently, since each is one request. An output without a value still replaces the
    /// value that an earlier run set for the key.
    ///
    /// # Errors
    /// The agent cannot be started, fails, or exceeds the time limit.
    pub(super) fn set(&self, outputs: &[(&str, &str)]) -> anyhow::Result<()> {
        let prefix = key_prefix(outputs);
        let deadline = Instant::now() + LIMIT;
        let started: Vec<_> = complete(outputs)
            .into_iter()
            .map(|(name, value)| self.start(&format!("{prefix}{name}"), value))
            .collect();
        // Wait for each one, even after another one has failed.
        let ended: Vec<_> = started
            .into_iter()
            .map(|agent| finish(agent?, deadline))
            .collect();
        ended.into_iter().collect()
    }

    /// Starts an agent for one key. The value is not passed as an argument, because every process could read it.
    fn start(&self, key: &str, value: &str) -> anyhow::Result<Started> {
        let value = if value.is_empty() { EMPTY } else { value };
        let mut child = Command::new(&self.program)
            .args(["meta-data", "set", key])
            .env_clear()
            .envs(env::vars_os().filter(|(name, _)| is_passed(name)))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| anyhow!("cannot start {PROGRAM}: {}", io_reason(&error)))?;
        if let Some(mut stdin) = child.stdin.take() {
            // An agent that does not read it exits with its own error.
            let _ = stdin.write_all(value.as_bytes());
        }
        let message = message(&mut child);
        Ok(Started { child, message })
    }
}

/// A running agent.
struct Started {
    child: Child,
    /// The start of its standard error output.
    message: Receiver<Vec<u8>>,
}

/// Reads all standard error output of an agent, because an agent with a full pipe would block forever. The thread does not keep
/// the process alive.
fn message(child: &mut Child) -> Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    if let Some(mut stderr) = child.stderr.take() {
        // If the system does not permit another thread, there is no message.
        let _ = thread::Builder::new().spawn(move || {
            let read = bounded::read_prefix(stderr.by_ref(), MAX_MESSAGE);
            let _ = sender.send(read.unwrap_or_default());
            let _ = io::copy(&mut stderr, &mut io::sink());
        });
    }
    receiver
}

/// The outputs, including those without a value that this kind of run has.
fn complete<'o>(outputs: &[(&'o str, &'o str)]) -> Vec<(&'o str, &'o str)> {
    let mut all = outputs.to_vec();
    let has = |wanted: &str| outputs.iter().any(|(name, _)| *name == wanted);
    let is_single = has("secret_name");
    if is_single || has("failed") {
        let absent = outputs::names(is_single).filter(|name| !has(name));
        all.extend(absent.map(|name| (name, "")));
    } else {
        // A single-secret run with an unknown secret name: the values that a manifest run has under the same keys are not about
        // this secret.
        all.retain(|(name, _)| outputs::names(false).all(|shared| shared != *name));
    }
    all
}

/// The prefix of the keys. Each secret has its own, so that several secrets in one build do not collide.
fn key_prefix(outputs: &[(&str, &str)]) -> String {
    let secret = outputs.iter().find(|(name, _)| *name == "secret_name");
    match secret {
        Some((_, secret)) => format!("{PREFIX}:{secret}:"),
        None => format!("{PREFIX}:"),
    }
}

/// Where later steps find the outputs.
pub(super) fn place(outputs: &[(&str, &str)]) -> Option<String> {
    let all = complete(outputs);
    let (first, _) = all.first()?;
    Some(format!(
        "meta-data of this build, such as {}{first}",
        key_prefix(outputs)
    ))
}

/// Whether a variable is passed to the agent: its own variables, except plugin settings, which can contain a secret.
fn is_passed(name: &OsStr) -> bool {
    let name = name.to_string_lossy().to_ascii_uppercase();
    let is_own = name.starts_with("BUILDKITE") && !name.starts_with("BUILDKITE_PLUGIN");
    is_own || PASSED.contains(&name.as_str())
}

/// Waits for an agent, and kills it at the deadline.
fn finish(agent: Started, deadline: Instant) -> anyhow::Result<()> {
    let Started { mut child, message } = agent;
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if Instant::now() < deadline => thread::sleep(POLL),
            Ok(None) => {
                let _ = child.kill();
                bail!("{PROGRAM} did not end within {} s", LIMIT.as_secs());
            }
            Err(error) => bail!("cannot wait for {PROGRAM}: {}", io_reason(&error)),
        }
    };
    if status.success() {
        return Ok(());
    }
    let message = message.recv_timeout(MESSAGE_LIMIT).unwrap_or_default();
    Err(failed(&status.to_string(), &message))
}

/// The failure of an agent, with as much of its message as can be shown.
fn failed(status: &str, message: &[u8]) -> anyhow::Error {
    let said = ForeignText::new(&String::from_utf8_lossy(message)).quote(&[]);
    if said.is_empty() {
        anyhow!("{PROGRAM} meta-data set failed: {status}")
    } else {
        anyhow!("{PROGRAM} meta-data set failed: {status}; it said: {said}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agent_gets_no_variable_that_it_does_not_need() {
        for (name, passed) in [
            ("BUILDKITE_AGENT_ACCESS_TOKEN", true),
            ("BUILDKITE_PLUGINS", false),
            ("BUILDKITE_PLUGIN_EXAMPLE_API_KEY", false),
            ("https_proxy", true),
            ("Path", true),
            ("AWS_SECRET_ACCESS_KEY", false),
            ("UPSERT_SECRET_VALUE", false),
            ("MODEL_API_KEY", false),
        ] {
            assert_eq!(is_passed(OsStr::new(name)), passed, "{name}");
        }
    }

    #[test]
    #[cfg(unix)]
    fn agent_that_does_not_end_is_stopped() {
        let mut waiting = Command::new("cat");
        let waiting = waiting.stdin(Stdio::piped()).stdout(Stdio::null());
        let mut child = waiting.spawn().unwrap();
        // While it is open, `cat` waits for more.
        let stdin = child.stdin.take();
        let message = message(&mut child);
        let ended = finish(Started { child, message }, Instant::now()).unwrap_err();
        assert_eq!(ended.to_string(), "buildkite-agent did not end within 10 s");
        drop(stdin);
    }

    #[test]
    fn output_without_value_is_completed() {
        let names = |outputs: &[(&'static str, &'static str)]| {
            let all = complete(outputs);
            all.iter()
                .map(|(name, _)| *name)
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(
            names(&[("secret_name", "a"), ("region", "b")]),
            "secret_name region secret_id secret_version_id previous_version_id version_stages result changed restored"
        );
        assert_eq!(
            names(&[("result", ""), ("failed", "1")]),
            "result failed changed region created updated unchanged not_tried report_path"
        );
        assert_eq!(names(&[("secret_id", "a"), ("region", "b")]), "secret_id");
        assert_eq!(place(&[("region", "b")]), None);
        assert_eq!(names(&[]), "");
    }

    #[test]
    fn keys_of_two_secrets_differ() {
        let outputs = |secret| [("secret_id", "arn"), ("secret_name", secret)];
        assert_eq!(
            key_prefix(&outputs("prod/model/api-key")),
            "upsert-secret:prod/model/api-key:"
        );
        assert_ne!(key_prefix(&outputs("a")), key_prefix(&outputs("b")));
        assert_eq!(key_prefix(&[("created", "1")]), "upsert-secret:");
    }
}
