//! `cargo demo`: builds the program and the sandbox, then runs the program as a release workflow would and prints its reports.
//! Uses both only as programs, and fails if a run ends differently than expected.

use std::collections::BTreeSet;
use std::error::Error;
use std::fs;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

type Result<T> = std::result::Result<T, Box<dyn Error>>;
/// Variables without their prefix, with their values.
type Inputs<'a> = &'a [(&'a str, &'a str)];

const NAME: &str = "prod/model/api-key";
const WIDTH: usize = 80;
/// The column of the program's report, after the title of a step.
const COLUMN: usize = 18;
const VALUES: [&str; 4] = [
    "sk-made-up-0001-first",
    "sk-made-up-0002-second",
    "sk-made-up-0003-pasted",
    "sk-made-up-0004-candidate",
];

fn main() -> Result<()> {
    let folder = build()?;
    let mut story = Story {
        sandbox: Sandbox::start(&folder)?,
        program: folder.join(format!("upsert-secret{}", std::env::consts::EXE_SUFFIX)),
        files: TempDir::new()?,
        output: Vec::new(),
    };
    let [first, second, pasted, candidate] = VALUES;
    let description = format!("API key {pasted}");

    show("upsert-secret against an emulator of AWS on this machine (no account needed)\n")?;
    story.step("A new secret", "upsert", &[("VALUE", first)], 0)?;
    story.step("The same value", "upsert", &[("VALUE", first)], 0)?;
    story.step("Another value", "upsert", &[("VALUE", second)], 0)?;
    let inputs = [("VALUE", pasted), ("DESCRIPTION", &description)];
    story.step("A mistake", "upsert", &inputs, 2)?;
    let inputs = [("VALUE", candidate), ("VERSION_STAGES", "candidate")];
    story.step("A candidate", "upsert", &inputs, 0)?;
    story.step("Promote it", "promote", &[], 0)?;
    story.step("Roll back", "rollback", &[], 0)?;

    let found: usize = VALUES
        .iter()
        .map(|value| occurrences(&story.output, value.as_bytes()))
        .sum();
    show(&format!(
        "\nThe value occurs {found} times in {} kB of output, debug log included.",
        story.output.len().div_ceil(1000)
    ))?;
    show("Next: README.md to use it, `cargo run -- --help`, CONTRIBUTING.md to change it")?;
    if found > 0 {
        return Err("a value leaked".into());
    }
    Ok(())
}

/// Builds both programs with the same cargo, and returns their directory. They are built together, because separate builds
/// would use different features of the same crates, and compile most crates twice.
fn build() -> Result<PathBuf> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--locked", "--bins"]);
    for package in ["upsert-secret", "sandbox"] {
        cargo.args(["--package", package]);
    }
    if !cargo.status()?.success() {
        return Err("the build failed".into());
    }
    let own = std::env::current_exe()?;
    Ok(own.parent().ok_or("no folder")?.to_owned())
}

/// The sandbox process, which is killed when this is dropped.
struct Sandbox {
    process: Child,
    /// The environment for reaching it, including a key.
    env: Vec<(String, String)>,
}

impl Sandbox {
    fn start(folder: &Path) -> Result<Self> {
        let program = folder.join(format!("sandbox{}", std::env::consts::EXE_SUFFIX));
        let mut process = Command::new(program).stdout(Stdio::piped()).spawn()?;
        let printed = process.stdout.take().ok_or("no pipe")?;
        let mut sandbox = Self {
            process,
            env: Vec::new(),
        };
        for line in BufReader::new(printed).lines() {
            if let Some((name, value)) = line?.split_once('=') {
                sandbox.env.push((name.to_owned(), value.to_owned()));
                // This is the last line, and the sandbox keeps the pipe open.
                if name == "AWS_SECRET_ACCESS_KEY" {
                    return Ok(sandbox);
                }
            }
        }
        Err("the sandbox did not start".into())
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // It may have ended by itself, which is harmless.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

struct Story {
    sandbox: Sandbox,
    program: PathBuf,
    files: TempDir,
    /// Everything the program has written.
    output: Vec<u8>,
}

impl Story {
    /// Runs a command, checks its exit code, and prints its report.
    fn step(&mut self, title: &str, command: &str, inputs: Inputs<'_>, exit: i32) -> Result<()> {
        let outputs = self.files.0.join("outputs");
        fs::write(&outputs, "")?;
        let mut program = Command::new(&self.program);
        program
            .arg(command)
            // Excludes the machine's AWS profile and CI variables.
            .env_clear()
            .env("HOME", &self.files.0)
            .envs(self.sandbox.env.iter().map(|(name, value)| (name, value)))
            .env("RUNNER_DEBUG", "1")
            .env("UPSERT_SECRET_NAME", NAME)
            .env("UPSERT_SECRET_OUTPUT_FILE", &outputs);
        for (name, value) in inputs {
            program.env(format!("UPSERT_SECRET_{name}"), value);
        }
        let ended = program.output()?;
        let log = String::from_utf8(ended.stderr)?;
        if ended.status.code() != Some(exit) {
            return Err(format!("{title}: {}\n{log}", ended.status).into());
        }
        let outputs = fs::read_to_string(outputs)?;
        show(&report(title, &log, &outputs))?;
        self.output.extend(log.into_bytes());
        self.output.extend(ended.stdout);
        self.output.extend(outputs.into_bytes());
        Ok(())
    }
}

/// The report of a run, next to its title: all lines of the log except IDs, which are for scripts.
fn report(title: &str, log: &str, outputs: &str) -> String {
    let (debug, lines): (Vec<_>, Vec<_>) =
        log.lines().partition(|line| line.starts_with("debug: "));
    let is_id = |line: &&str| line.starts_with("  secret ") || line.starts_with("  version ");
    let mut lines: Vec<_> = lines
        .into_iter()
        .filter(|line| !is_id(line))
        .map(str::to_owned)
        .collect();
    let operations = debug
        .iter()
        .filter_map(|line| line.split_whitespace().nth(1));
    let operations: BTreeSet<_> = operations.collect();
    let reads = ["DescribeSecret", "GetSecretValue"];
    if !operations.is_empty() && operations.iter().all(|name| reads.contains(name)) {
        let names: Vec<_> = operations.into_iter().collect();
        lines.push(format!("nothing written; requests: {}", names.join(", ")));
    }
    let is_new = lines.iter().any(|line| line.contains("wrote the value"));
    if let Some(previous) = outputs
        .lines()
        .find_map(|line| line.strip_prefix("previous_version_id="))
        .filter(|id| is_new && !id.is_empty())
    {
        lines.push(format!("version {previous} is kept as AWSPREVIOUS"));
    }
    let margin = " ".repeat(COLUMN);
    let lines: Vec<_> = lines
        .iter()
        .flat_map(|line| wrapped(&shortened(line)))
        .collect();
    let text = lines.join(&format!("\n{margin}"));
    format!("{title:COLUMN$}{text}")
}

/// A line with shortened version IDs.
fn shortened(line: &str) -> String {
    let words = line.split(' ').map(|word| {
        let id = word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        let is_id = id.len() == 36 && id.matches('-').count() == 4;
        if is_id {
            word.replacen(id, &format!("{}…", &id[..8]), 1)
        } else {
            word.to_owned()
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Wraps a line to fit next to the titles; continuation lines are indented.
fn wrapped(line: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in line.split_whitespace() {
        let Some(last) = lines.last_mut() else {
            continue;
        };
        if last.chars().count() + 1 + word.chars().count() > WIDTH - COLUMN {
            lines.push(format!("  {word}"));
        } else {
            if !last.is_empty() {
                last.push(' ');
            }
            last.push_str(word);
        }
    }
    lines
}

fn occurrences(text: &[u8], part: &[u8]) -> usize {
    text.windows(part.len())
        .filter(|window| *window == part)
        .count()
}

fn show(text: &str) -> io::Result<()> {
    writeln!(io::stdout(), "{text}")
}

/// A temporary directory, which is removed on drop.
struct TempDir(PathBuf);

impl TempDir {
    fn new() -> io::Result<Self> {
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
