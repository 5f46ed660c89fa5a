//! The table of commands, for the command line, the input `command` and the documents. It runs none of them.

use upsert_secret_config::run::Action;
use upsert_secret_core::failure::{Class, Failure};

/// A command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Perform an action on the secrets.
    Run(Action),
    /// Describe the changes of a run without making them.
    Plan,
    /// Print the permissions that a run needs.
    IamPolicy,
}

/// A command as documented.
pub struct Entry {
    /// The command.
    pub command: Command,
    /// The argument that selects it.
    pub word: &'static str,
    /// The description.
    pub meaning: &'static str,
    /// A shell command line.
    pub example: &'static str,
}

/// Every command.
pub const COMMANDS: [Entry; 5] = [
    Entry {
        command: Command::Run(Action::Upsert),
        word: "upsert",
        meaning: "create the secret, or give it the value, or leave it alone; the default",
        example: "UPSERT_SECRET_NAME=prod/key UPSERT_SECRET_VALUE_ENV=API_KEY upsert-secret",
    },
    Entry {
        command: Command::Plan,
        word: "plan",
        meaning: "say what a run would do, and why; writes nothing",
        example: "UPSERT_SECRET_NAME=prod/key UPSERT_SECRET_VALUE_ENV=API_KEY upsert-secret plan",
    },
    Entry {
        command: Command::Run(Action::Promote),
        word: "promote",
        meaning: "make the version current that holds a label (`candidate`), or has an id",
        example: "UPSERT_SECRET_NAME=prod/key UPSERT_SECRET_STAGE=candidate upsert-secret promote",
    },
    Entry {
        command: Command::Run(Action::Rollback),
        word: "rollback",
        meaning: "make the version current again that was current before",
        example: "UPSERT_SECRET_NAME=prod/key upsert-secret rollback",
    },
    Entry {
        command: Command::IamPolicy,
        word: "iam-policy",
        meaning: "print the least IAM policy for these inputs; asks nobody, needs no value",
        example: "UPSERT_SECRET_NAME=prod/key upsert-secret iam-policy",
    },
];

/// Finds a command by its argument.
///
/// # Errors
/// An unknown command, which the failure does not quote.
pub(crate) fn command(word: &str) -> Result<Command, Failure> {
    let known = COMMANDS.iter().find(|entry| entry.word == word);
    let unknown = || {
        Failure::new(
            Class::Input,
            "unknown command",
            "the commands are `upsert` (the default), `plan`, `promote`, `rollback` and `iam-policy`; `upsert-secret --help` explains",
        )
    };
    known.map(|entry| entry.command).ok_or_else(unknown)
}
