//! What `--help` prints, and the tables that the README shares with it: the commands here, inputs, outputs and exit
//! codes where they belong. It words nothing that a table of another room says already.

use std::fmt::Write;

use super::Command;
use crate::failure::Class;
use crate::inputs;
use crate::report;

/// A command, as the documents show it.
pub struct Entry {
    /// What it is.
    pub command: Command,
    /// Its word.
    pub word: &'static str,
    /// What it does.
    pub meaning: &'static str,
    /// A line for a shell.
    pub example: &'static str,
}

/// Every command.
pub const COMMANDS: [Entry; 5] = [
    Entry {
        command: Command::Upsert,
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
        command: Command::Promote,
        word: "promote",
        meaning: "make the version current that holds a label (`candidate`), or has an id",
        example: "UPSERT_SECRET_NAME=prod/key UPSERT_SECRET_STAGE=candidate upsert-secret promote",
    },
    Entry {
        command: Command::Rollback,
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

/// What stands below the options.
pub(super) fn after_help() -> String {
    let mut page = String::from("Commands:\n");
    for entry in &COMMANDS {
        let plain = without_code(entry.meaning);
        let _ = write!(
            page,
            "\n  {:<12}{plain}\n      {}\n",
            entry.word, entry.example
        );
    }
    page.push_str("\nInputs (environment variables; empty is \"not given\"):\n");
    for input in inputs::all() {
        let default = match input.default {
            "" => String::new(),
            default => format!(" Default: {default}."),
        };
        let _ = write!(page, "\n  {}\n", input.variable());
        paragraph(&mut page, "      ", &format!("{}{default}", input.help));
    }
    page.push_str(
        "\nOutputs (key=value lines in the step's outputs, in GitLab's dotenv report, or on standard output):\n",
    );
    for output in report::OUTPUTS.iter().chain(&report::many::MANY) {
        let _ = write!(page, "\n  {}\n", output.name);
        paragraph(&mut page, "      ", output.meaning);
    }
    page.push_str("\nExit codes:\n\n  0    done\n");
    for class in Class::ALL {
        let _ = write!(page, "  {:<5}", class.exit_code());
        let text = format!("{}: {}", class.name(), class.examples());
        let mut lines = String::new();
        paragraph(&mut lines, "       ", &text);
        page.push_str(lines.trim_start());
    }
    page.trim_end().to_owned()
}

fn without_code(text: &str) -> String {
    text.replace('`', "")
}

/// Adds a text in lines of 72 characters, each after `margin`.
fn paragraph(page: &mut String, margin: &str, text: &str) {
    for line in wrap(&without_code(text), 72) {
        let _ = writeln!(page, "{margin}{line}");
    }
}

fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line)
                if line.is_empty() || line.chars().count() + 1 + word.chars().count() <= width =>
            {
                if !line.is_empty() {
                    line.push(' ');
                }
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
