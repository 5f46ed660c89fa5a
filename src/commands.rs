//! The table of commands, used by the command line, the `command` input and the documentation. Must not run commands.

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

/// A documented command.
pub struct Entry {
    /// The command.
    pub command: Command,
    /// The argument that selects the command.
    pub word: &'static str,
    /// The description.
    pub meaning: &'static str,
    /// A shell command line.
    pub example: &'static str,
}

/// Every command.
pub const COMMANDS: [Entry; 6] = [
    Entry {
        command: Command::Run(Action::Upsert),
        word: "upsert",
        meaning: "create or update the secret, or leave it if it already matches (default)",
        example: "UPSERT_SECRET_NAME=prod/key UPSERT_SECRET_VALUE_ENV=API_KEY upsert-secret",
    },
    Entry {
        command: Command::Plan,
        word: "plan",
        meaning: "show what `upsert` would change, and why, without writing",
        example: "UPSERT_SECRET_NAME=prod/key UPSERT_SECRET_VALUE_ENV=API_KEY upsert-secret plan",
    },
    Entry {
        command: Command::Run(Action::Promote),
        word: "promote",
        meaning: "make the version with a staging label (`candidate`) or an ID current; with a manifest, for every secret",
        example: "UPSERT_SECRET_NAME=prod/key upsert-secret promote",
    },
    Entry {
        command: Command::Run(Action::Rollback),
        word: "rollback",
        meaning: "make the previous version current again; with `release`, for every secret that a run changed",
        example: "UPSERT_SECRET_NAME=prod/key upsert-secret rollback",
    },
    Entry {
        command: Command::Run(Action::Import),
        word: "import",
        meaning: "print a manifest of existing secrets; reads no values",
        example: "upsert-secret import 'prod/*' > secrets.yaml",
    },
    Entry {
        command: Command::IamPolicy,
        word: "iam-policy",
        meaning: "print the least-privilege IAM policy for these inputs; sends no requests and needs no value",
        example: "UPSERT_SECRET_NAME=prod/key upsert-secret iam-policy",
    },
];

/// Finds a command by name.
///
/// # Errors
/// The command is unknown. The failure does not quote it.
pub(crate) fn command(word: &str) -> Result<Command, Failure> {
    let known = COMMANDS.iter().find(|entry| entry.word == word);
    let unknown = || {
        Failure::new(
            Class::Input,
            "unknown command",
            "use `upsert` (default), `plan`, `promote`, `rollback`, `import` or `iam-policy`; `upsert-secret --help` describes them",
        )
    };
    known.map(|entry| entry.command).ok_or_else(unknown)
}
