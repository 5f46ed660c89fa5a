//! How the tests start the program and interrupt it. It is the one that cargo built, unless variables name a binary of another
//! target and what runs that on this machine: `.ci/lib.sh` sets them.

use std::env;
use std::process::{Child, Command};

/// The binary to test.
const PROGRAM: &str = "TESTED_PROGRAM";
/// The program that runs it, such as an emulator.
const RUNNER: &str = "TESTED_RUNNER";
/// `tests/platforms/windows/console.c`, for a binary for Windows.
const CONSOLE: &str = "TESTED_CONSOLE";

/// A command that starts the program.
pub(crate) fn command() -> Command {
    start(&[RUNNER])
}

/// A command that starts the program so that [`send_signal`] can interrupt it.
pub(crate) fn interruptible_command() -> Command {
    start(&[RUNNER, CONSOLE])
}

fn start(by: &[&str]) -> Command {
    let program = env::var(PROGRAM);
    let program = program.unwrap_or_else(|_| env!("CARGO_BIN_EXE_upsert-secret").to_owned());
    command_of(words(by).chain([program]))
}

/// The programs that these variables name.
fn words(names: &[&str]) -> impl Iterator<Item = String> {
    let given = names.iter().filter_map(|name| env::var(name).ok());
    given.filter(|word| !word.is_empty())
}

fn command_of(mut words: impl Iterator<Item = String>) -> Command {
    let mut command = Command::new(words.next().unwrap());
    command.args(words);
    command
}

/// Sends a signal by its `kill` name, `INT` or `TERM`. On Windows, which has none, these are Ctrl-C and Ctrl-Break.
pub(crate) fn send_signal(child: &Child, name: &str) {
    let mut command = match env::var_os(CONSOLE) {
        Some(_) => command_of(words(&[RUNNER, CONSOLE])),
        None => Command::new("kill"),
    };
    let sent = command
        .args([&format!("-{name}"), &child.id().to_string()])
        .status()
        .unwrap();
    assert!(sent.success());
}
