//! The command line and `--help`. It takes no value, and an error never quotes an argument, because a secret may have been
//! typed there. The help is generated from the same tables as the README: commands, inputs, outputs, exit codes.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use clap::error::ErrorKind;
use clap::{Arg, Command as Clap};
use upsert_secret_config::inputs;
use upsert_secret_core::failure::{Class, Failure};

use crate::commands::{COMMANDS, Command, command};
use crate::outputs;

/// The format of the result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Format {
    /// Text on standard error.
    #[default]
    Text,
    /// In addition, one object on standard output.
    Json,
}

/// A valid command line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Parsed {
    /// Run.
    Run(Args),
    /// Print this page and exit with 0.
    Help(String),
}

/// The arguments of a run.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Args {
    /// The command, if one is given.
    pub(crate) command: Option<Command>,
    /// The format of the result.
    pub(crate) format: Format,
    /// The input `manifest`.
    pub(crate) manifest: Option<String>,
}

/// Parses the arguments, which come without the program's name.
///
/// # Errors
/// Anything but a command, `--manifest`, `--format`, `--help` and `--version`.
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Parsed, Failure> {
    let mut arguments = arguments.into_iter().peekable();
    if arguments.peek().is_some_and(|word| is_shell(word)) {
        return Err(started_as_shell());
    }
    let matches = match grammar().try_get_matches_from(arguments) {
        Ok(matches) => matches,
        // `--help` and `--version` are no errors. The tables are laid out only here, because every run would
        // pay for it.
        Err(page) if page.kind() == ErrorKind::DisplayHelp => {
            let mut grammar = grammar().after_help(after_help());
            return Ok(Parsed::Help(grammar.render_help().to_string()));
        }
        Err(page) if !page.use_stderr() => return Ok(Parsed::Help(page.to_string())),
        // Never the error's own text: it quotes the arguments.
        Err(error) => return Err(rejection(error.kind())),
    };
    let text = |id: &str| matches.get_one::<String>(id).map(String::as_str);
    let format = match text("format") {
        None | Some("text") => Format::Text,
        Some("json") => Format::Json,
        Some(_) => {
            return Err(Failure::new(
                Class::Input,
                "unknown --format",
                "use `--format text` or `--format json`",
            ));
        }
    };
    Ok(Parsed::Run(Args {
        command: text("command").map(command).transpose()?,
        format,
        manifest: text("manifest").map(str::to_owned),
    }))
}

/// Whether an argument is a shell, with which CI systems run the script of a job.
fn is_shell(word: &OsStr) -> bool {
    let name = Path::new(word).file_name().and_then(OsStr::to_str);
    matches!(name, Some("sh" | "bash" | "ash" | "dash"))
}

/// The failure of an image with this program as its entrypoint: `sh -c …` of the CI system becomes our arguments. The script
/// never runs, and with exit code 0 GitLab would show the job as passed.
fn started_as_shell() -> Failure {
    Failure::new(
        Class::Input,
        "upsert-secret was started as if it were a shell, and the script was not run",
        "do not make upsert-secret the entrypoint; GitLab: `image: {name: …, entrypoint: [\"\"]}`, or the published image\n\
         as it is, which has no entrypoint; call `upsert-secret` in the job's script",
    )
    .because(
        "this looks like a CI system that starts a shell in an image whose entrypoint is upsert-secret",
    )
}

fn rejection(kind: ErrorKind) -> Failure {
    let what = match kind {
        ErrorKind::UnknownArgument => "the command line has a word that is not known",
        ErrorKind::InvalidUtf8 => "the command line has a word that is not valid UTF-8",
        ErrorKind::TooManyValues | ErrorKind::ArgumentConflict => {
            "the command line has a word too many"
        }
        _ => "the command line could not be understood",
    };
    Failure::new(
        Class::Input,
        what,
        "inputs, and above all the value, come from the environment (UPSERT_SECRET_NAME, UPSERT_SECRET_VALUE …), \
         never from the command line, where every process can read them; `upsert-secret --help` explains",
    )
}

fn grammar() -> Clap {
    Clap::new("upsert-secret")
        .no_binary_name(true)
        .version(env!("CARGO_PKG_VERSION"))
        .about(
            "Put a CI secret into AWS Secrets Manager and hand its ids to the next step.\n\n\
             Reads everything from the environment. It never deletes a secret, never rotates one\n\
             and never prints a value.",
        )
        .override_usage("upsert-secret [COMMAND] [--manifest FILE] [--format text|json]")
        .disable_help_subcommand(true)
        .arg(
            Arg::new("command")
                .value_name("COMMAND")
                .help("one of the commands below; upsert where none is given"),
        )
        .arg(
            Arg::new("format")
                .long("format")
                .value_name("text|json")
                .help("json: one object on standard output, text on standard error"),
        )
        .arg(
            Arg::new("manifest")
                .long("manifest")
                .value_name("FILE")
                .help("many secrets in one run, as this YAML file says (UPSERT_SECRET_MANIFEST)"),
        )
}

/// The part of the help below the options.
fn after_help() -> String {
    let mut page = String::from("Commands:\n");
    for entry in &COMMANDS {
        let (word, example) = (entry.word, entry.example);
        let meaning = without_code(entry.meaning);
        page += &format!("\n  {word:<12}{meaning}\n      {example}\n");
    }
    page += "\nInputs (environment variables; empty is \"not given\"):\n";
    for input in inputs::all() {
        let default = match input.default {
            "" => String::new(),
            default => format!(" Default: {default}."),
        };
        let text = paragraph("      ", &format!("{}{default}", input.help));
        page += &format!("\n  {}\n{text}", input.variable());
    }
    page += "\nOutputs (key=value lines in the step's outputs, in GitLab's dotenv report, or on standard output):\n";
    for output in outputs::all() {
        let text = paragraph("      ", output.meaning);
        page += &format!("\n  {}\n{text}", output.name);
    }
    page += "\nExit codes:\n\n  0    done\n";
    for class in Class::ALL {
        let text = format!("{}: {}", class.name(), class.examples());
        let text = paragraph("       ", &text);
        page += &format!("  {:<5}{}", class.exit_code(), text.trim_start());
    }
    page.trim_end().to_owned()
}

fn without_code(text: &str) -> String {
    text.replace('`', "")
}

/// A text in lines of at most 72 characters, each after `margin`.
fn paragraph(margin: &str, text: &str) -> String {
    let mut paragraph = String::new();
    let mut length = 0;
    for word in without_code(text).split_whitespace() {
        let word_length = word.chars().count();
        if length > 0 && length + 1 + word_length <= 72 {
            paragraph += &format!(" {word}");
            length += 1 + word_length;
        } else {
            paragraph += &format!("\n{margin}{word}");
            length = word_length;
        }
    }
    format!("{}\n", paragraph.trim_start_matches('\n'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use upsert_secret_config::run::Action;

    fn parse_all(words: &[&str]) -> Result<Parsed, Failure> {
        parse(words.iter().map(Into::into))
    }

    #[test]
    fn arguments_are_parsed() {
        assert_eq!(parse_all(&[]), Ok(Parsed::Run(Args::default())));
        assert_eq!(
            parse_all(&["upsert", "--format", "json", "--manifest", "secrets.yaml"]),
            Ok(Parsed::Run(Args {
                command: Some(Command::Run(Action::Upsert)),
                format: Format::Json,
                manifest: Some("secrets.yaml".to_owned()),
            }))
        );
        let Ok(Parsed::Help(version)) = parse_all(&["--version"]) else {
            panic!("a page");
        };
        assert_eq!(
            version.trim(),
            concat!("upsert-secret ", env!("CARGO_PKG_VERSION"))
        );
    }

    #[test]
    fn unknown_argument_is_not_echoed() {
        let lines: [&[&str]; 7] = [
            &["made-up-key"],
            &["--value", "made-up-key"],
            &["--value=made-up-key"],
            &["upsert", "made-up-key"],
            &["--format", "made-up-key"],
            &["sh", "-c", "made-up-key"],
            &["made-up-key", "sh"],
        ];
        for words in lines {
            let Err(failure) = parse_all(words) else {
                panic!("{words:?} is refused");
            };
            assert_eq!(failure.class, Class::Input);
            assert!(!failure.to_string().contains("made-up-key"), "{failure}");
        }
    }

    #[test]
    fn shell_is_detected_by_first_argument() {
        for word in [
            "sh",
            "bash",
            "/bin/sh",
            "/usr/local/bin/bash",
            "ash",
            "dash",
        ] {
            assert_eq!(parse_all(&[word]), Err(started_as_shell()), "{word}");
        }
        for words in [&["upsert", "sh"][..], &["zsh-like"], &["sh.key"], &["-c"]] {
            assert_ne!(parse_all(words), Err(started_as_shell()), "{words:?}");
        }
    }

    #[test]
    fn help_lists_every_input() {
        let Ok(Parsed::Help(page)) = parse_all(&["--help"]) else {
            panic!("a page");
        };
        for input in inputs::all() {
            assert!(page.contains(&input.variable()), "{}", input.name);
        }
    }
}
