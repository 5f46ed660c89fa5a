//! `cargo demo`: builds the program, starts the sandbox and does the job of a release step three
//! times: created, unchanged, updated. Shows what a user would see: log, outputs, job summary.
//! It must not know how the program works; it only calls it.

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
    let folder = Folder::new()?;
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
            &folder.0.join(number.to_string()),
            value,
        )?;
    }
    show("── Requests that Secrets Manager saw")?;
    for entry in sandbox.log() {
        show(&format!("{} {}", entry.status, entry.operation))?;
    }
    Ok(())
}

/// Builds the program with the cargo that built us, and finds it beside us.
fn build() -> Result<PathBuf> {
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--locked", "--package", "upsert-secret"])
        .status()
        .context("cannot start cargo")?;
    ensure!(built.success(), "the program does not build");
    let here = std::env::current_exe()?;
    Ok(here.with_file_name(format!("upsert-secret{}", std::env::consts::EXE_SUFFIX)))
}

fn run(program: &Path, sandbox: &Sandbox, folder: &Path, value: &str) -> Result<()> {
    fs::create_dir_all(folder)?;
    let (outputs, summary) = (folder.join("outputs"), folder.join("summary"));
    let done = Command::new(program)
        // Nothing of this machine's own: its AWS profile, its CI variables.
        .env_clear()
        .env("HOME", folder)
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

/// A folder of our own that goes when we go.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Self> {
        let path = std::env::temp_dir().join(format!("upsert-secret-demo-{}", std::process::id()));
        fs::create_dir_all(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left behind holds ids only; a failure to remove it is no failure of the demo.
        let _ = fs::remove_dir_all(&self.0);
    }
}
