//! The output of `--help`, `--help-all` and `--version`, generated on request from the tables that also generate the README.

use upsert_secret_config::inputs;
use upsert_secret_core::failure::Class;

use crate::commands::COMMANDS;
use crate::outputs;

/// The width of a page in characters.
const WIDTH: usize = 80;

const HEAD: &str = "\
Stores a CI secret in AWS Secrets Manager and outputs its ARN and version ID.

Inputs are environment variables. Values are never printed. Secrets are never
deleted or rotated.

Usage: upsert-secret [COMMAND] [--manifest FILE] [--format text|json]
       upsert-secret import [PATTERN]...

Options:
      --manifest FILE     manifest of many secrets (UPSERT_SECRET_MANIFEST)
      --format text|json  json: print the result as JSON on standard output
  -h, --help              print the commands and the common inputs
      --help-all          print all inputs, outputs and exit codes
  -V, --version           print the version

Patterns for import are names of secrets, with * ? [a-m] as wildcards
(UPSERT_SECRET_ONLY).
";

/// The inputs that most runs need, with short descriptions.
const COMMON_INPUTS: [(&str, &str); 13] = [
    ("name", "name or ARN of the secret"),
    ("value", "value to store"),
    ("value-env", "name of the variable that holds the value"),
    (
        "value-file",
        "file that holds the value; - is standard input",
    ),
    ("json-key", "key to set in a secret that holds JSON"),
    ("description", "description of the secret"),
    ("tags", "key=value lines"),
    ("kms-key-id", "KMS key: ID, ARN or alias"),
    ("version-stages", "candidate: stage the value for promote"),
    ("aws-region", "region; default: AWS_REGION, profile"),
    ("role-to-assume", "ARN of the role to assume"),
    ("manifest", "YAML file with many secrets"),
    ("timeout", "limit for the run: 90s, 2m, 1h"),
];

/// The page of `--help`.
pub(crate) fn summary() -> String {
    let mut page = commands();
    page += "\nCommon inputs (all of them: upsert-secret --help-all):\n";
    for (name, words) in COMMON_INPUTS {
        page += &item(&format!("  {:<32}", inputs::variable(name)), words);
    }
    page + "\nDocumentation: https://github.com/upsert-secret/upsert-secret\n"
}

/// The section that both help pages start with.
fn commands() -> String {
    let mut page = format!("{HEAD}\nCommands:\n");
    for entry in &COMMANDS {
        page += &item(&format!("  {:<12}", entry.word), entry.meaning);
    }
    page += "\nExamples:\n";
    for entry in &COMMANDS {
        page += &format!("  {}\n", entry.example);
    }
    page
}

/// The page of `--help-all`.
pub(crate) fn reference() -> String {
    let mut page = commands();
    page += "\nInputs (environment variables; an empty one counts as not set):\n";
    for input in inputs::all() {
        let default = match input.default {
            "" => String::new(),
            default => format!(" Default: {default}."),
        };
        page += &format!("\n  {}\n", input.variable());
        page += &item("      ", &format!("{}{default}", input.help));
    }
    page += "\nOutputs (of the CI system, else key=value lines on standard output):\n";
    for output in outputs::all() {
        page += &format!("\n  {}\n", output.name);
        page += &item("      ", output.meaning);
    }
    page += "\nExit codes:\n\n  0    done\n";
    for class in Class::ALL {
        let text = format!("{}: {}", class.name(), class.examples());
        page += &item(&format!("  {:<5}", class.exit_code()), &text);
    }
    page
}

/// The page of `--version`.
pub(crate) fn version() -> String {
    concat!("upsert-secret ", env!("CARGO_PKG_VERSION"), "\n").to_owned()
}

/// An item: a label, and text wrapped at [`WIDTH`] characters and aligned below its first word.
fn item(label: &str, text: &str) -> String {
    let margin = label.trim_start_matches('\n').chars().count();
    let mut item = label.to_owned();
    let mut column = margin;
    for word in text.replace('`', "").split_whitespace() {
        let length = word.chars().count();
        if column == margin {
            column += length;
        } else if column + 1 + length <= WIDTH {
            item.push(' ');
            column += 1 + length;
        } else {
            item += &format!("\n{:margin$}", "");
            column = margin + length;
        }
        item += word;
    }
    item.push('\n');
    item
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_fit_a_terminal() {
        for page in [summary(), reference()] {
            for line in page.lines() {
                assert!(line.chars().count() <= WIDTH, "{line}");
            }
        }
        assert!(summary().lines().count() <= 60);
    }

    #[test]
    fn reference_lists_every_input() {
        let page = reference();
        for input in inputs::all() {
            assert!(page.contains(&format!("\n  {}\n", input.variable())));
        }
    }

    #[test]
    fn common_inputs_exist() {
        for (name, _) in COMMON_INPUTS {
            assert!(inputs::all().iter().any(|input| input.name == name));
        }
    }
}
