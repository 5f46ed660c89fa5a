//! `cargo demo`: builds the program, starts the sandbox and runs the release step three times: created, unchanged,
//! updated. Prints the log, the outputs and the job summary. Knows the program only by its interface.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use sandbox::Sandbox;

const NAME: &str = "prod/model/api-key";

fn main() -> Result<()> {
    let program = build()?;
    let sandbox = Sandbox::start();
    let directory = TempDir::new()?;
    let runs = [
        ("The secret does not exist yet", "sk-made-up-0001"),
        ("The same value again", "sk-made-up-0001"),
        ("A new value", "sk-made-up-0002"),
    ];
    for (number, (title, value)) in runs.iter().enumerate() {
        show(&format!("── {}. {title}", number + 1))?;
        run(
            &program,
            &sandbox,
            &directory.0.join(number.to_string()),
            value,
        )?;
    }
    show("── Requests that Secrets Manager received")?;
    for entry in sandbox.log() {
        show(&format!("{} {}", entry.status, entry.operation))?;
    }
    Ok(())
}

/// Builds the program with the same cargo, and returns the path of the binary, which is next to this one.
fn build() -> Result<PathBuf> {
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--locked", "--package", "upsert-secret"])
        .status()
        .context("cannot start cargo")?;
    ensure!(built.success(), "the program does not build");
    let here = std::env::current_exe()?;
    Ok(here.with_file_name(format!("upsert-secret{}", std::env::consts::EXE_SUFFIX)))
}

fn run(program: &Path, sandbox: &Sandbox, directory: &Path, value: &str) -> Result<()> {
    fs::create_dir_all(directory)?;
    let (outputs, summary) = (directory.join("outputs"), directory.join("summary"));
    let done = Command::new(program)
        // Excludes the machine's AWS profile and CI variables.
        .env_clear()
        .env("HOME", directory)
        .envs(sandbox.env())
        .env("GITHUB_ACTIONS", "true")
        .env("GITHUB_OUTPUT", &outputs)
        .env("GITHUB_STEP_SUMMARY", &summary)
        .env("UPSERT_SECRET_NAME", NAME)
        .env("UPSERT_SECRET_VALUE", value)
        .env(
            "UPSERT_SECRET_DESCRIPTION",
            "API key for AI model deployment workflow",
        )
        .output()
        .with_context(|| format!("cannot start {}", program.display()))?;
    show("\nlog")?;
    show(&indented(&String::from_utf8_lossy(&done.stdout)))?;
    show(&indented(&String::from_utf8_lossy(&done.stderr)))?;
    ensure!(done.status.success(), "the program failed: {}", done.status);
    show("outputs")?;
    show(&indented(&fs::read_to_string(outputs)?))?;
    show("summary")?;
    show(&indented(&fs::read_to_string(summary)?))
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}

fn show(text: &str) -> Result<()> {
    if !text.is_empty() {
        writeln!(io::stdout(), "{text}").context("cannot print")?;
    }
    Ok(())
}

/// A temporary directory that is removed when this is dropped.
struct TempDir(PathBuf);

impl TempDir {
    fn new() -> Result<Self> {
        let path = std::env::temp_dir().join(format!("upsert-secret-demo-{}", std::process::id()));
        fs::create_dir_all(&path)?;
        Ok(Self(path))
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        // The files contain only IDs, so a failure to remove them is harmless.
        let _ = fs::remove_dir_all(&self.0);
    }
}
