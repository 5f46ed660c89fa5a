//! What `--help` prints, and the tables that the README shares with it: the commands here, inputs, outputs and exit
//! codes where they belong. It words nothing that a table of another room says already.

use std::fmt::Write;

use upsert_secret_config::inputs;
use upsert_secret_core::failure::Class;

use crate::commands::COMMANDS;
use crate::outputs;

/// What stands below the options.
pub(crate) fn after_help() -> String {
    let mut page = String::from("Commands:\n");
    for entry in &COMMANDS {
        let plain = without_code(entry.meaning);
        let (word, example) = (entry.word, entry.example);
        let _ = write!(page, "\n  {word:<12}{plain}\n      {example}\n");
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
    for output in outputs::all() {
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

/// Adds a text in lines of at most 72 characters, each after `margin`.
fn paragraph(page: &mut String, margin: &str, text: &str) {
    let text = without_code(text);
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= margin.len() + 72 => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(format!("{margin}{word}")),
        }
    }
    for line in lines {
        let _ = writeln!(page, "{line}");
    }
}
