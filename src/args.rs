//! Parses the command line. Accepts no secret value as an argument, and errors never quote an argument, because a user may have
//! typed a secret there.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use lexopt::{Arg, Parser};
use upsert_secret_config::run::Action;
use upsert_secret_core::failure::{Class, Failure};

use crate::commands::{Command, command};
use crate::help;

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
    /// The input `only`, for `import`.
    pub(crate) only: Option<String>,
}

/// Parses the arguments, excluding the program name.
///
/// # Errors
/// Anything except a command, `--manifest`, `--format`, `--help`, `--help-all`, `--version` and, after `import`, secret names.
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Parsed, Failure> {
    let mut arguments = arguments.into_iter().peekable();
    if arguments.peek().is_some_and(|word| is_shell(word)) {
        return Err(started_as_shell());
    }
    let arguments: Vec<_> = arguments.collect();
    read(Parser::from_args(arguments)).map_err(|problem| match problem {
        Problem::Syntax(error) => rejection(&error),
        Problem::Failure(failure) => failure,
    })
}

/// The reason a command line is rejected.
enum Problem {
    Syntax(lexopt::Error),
    Failure(Failure),
}

impl From<lexopt::Error> for Problem {
    fn from(error: lexopt::Error) -> Self {
        Self::Syntax(error)
    }
}

fn read(mut parser: Parser) -> Result<Parsed, Problem> {
    let (mut format, mut manifest) = (None, None);
    let mut words = Vec::new();
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Short('h') | Arg::Long("help") => return Ok(Parsed::Help(help::summary())),
            Arg::Long("help-all") => return Ok(Parsed::Help(help::reference())),
            Arg::Short('V') | Arg::Long("version") => return Ok(Parsed::Help(help::version())),
            Arg::Long("format") if format.is_none() => format = Some(text(parser.value()?)?),
            Arg::Long("manifest") if manifest.is_none() => manifest = Some(text(parser.value()?)?),
            Arg::Long("format" | "manifest") => {
                return Err(Problem::Failure(rejected("an option is given twice")));
            }
            Arg::Value(word) => words.push(text(word)?),
            unknown => return Err(unknown.unexpected().into()),
        }
    }
    let format = match format.as_deref() {
        None | Some("text") => Format::Text,
        Some("json") => Format::Json,
        Some(_) => {
            return Err(Problem::Failure(Failure::new(
                Class::Input,
                "unknown --format",
                "use `--format text` or `--format json`",
            )));
        }
    };
    let mut words = words.into_iter();
    let command = words.next().map(|word| command(&word)).transpose();
    let command = command.map_err(Problem::Failure)?;
    let patterns: Vec<_> = words.collect();
    if !patterns.is_empty() && command != Some(Command::Run(Action::Import)) {
        return Err(Problem::Failure(rejected("too many arguments")));
    }
    Ok(Parsed::Run(Args {
        command,
        format,
        manifest,
        only: (!patterns.is_empty()).then(|| patterns.join(",")),
    }))
}

fn text(argument: OsString) -> Result<String, lexopt::Error> {
    argument
        .into_string()
        .map_err(lexopt::Error::NonUnicodeValue)
}

/// Whether the argument is a shell. CI systems run job scripts with one.
fn is_shell(word: &OsStr) -> bool {
    let name = Path::new(word).file_name().and_then(OsStr::to_str);
    matches!(name, Some("sh" | "bash" | "ash" | "dash"))
}

/// The failure for a container image that has this program as its entrypoint: the CI system's `sh -c …` becomes the program's
/// arguments. The script never runs, so with exit code 0 GitLab would report the job as passed.
fn started_as_shell() -> Failure {
    Failure::new(
        Class::Input,
        "upsert-secret was started as if it were a shell, and the script was not run",
        "remove the entrypoint (GitLab: `image: {name: …, entrypoint: [\"\"]}`) or use the published image, which has none;\n\
         then call `upsert-secret` in the job's script",
    )
    .because(
        "this looks like a CI system that starts a shell in an image whose entrypoint is upsert-secret",
    )
}

/// The failure for a command line with a syntax error. Never includes the error's own text, which quotes the argument.
fn rejection(error: &lexopt::Error) -> Failure {
    rejected(match error {
        lexopt::Error::UnexpectedOption(_) => "unknown option on the command line",
        lexopt::Error::MissingValue { .. } => "an option lacks its value",
        lexopt::Error::NonUnicodeValue(_) => "an argument is not valid UTF-8",
        _ => "the command line is not valid",
    })
}

fn rejected(what: &str) -> Failure {
    Failure::new(
        Class::Input,
        what,
        "set inputs as environment variables (UPSERT_SECRET_NAME, UPSERT_SECRET_VALUE, …): other processes can read the\n\
         command line, so it takes no secret; `upsert-secret --help` shows what it takes",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

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
                only: None,
            }))
        );
        assert_eq!(
            parse_all(&["import", "prod/*", "dev/key"]),
            Ok(Parsed::Run(Args {
                command: Some(Command::Run(Action::Import)),
                only: Some("prod/*,dev/key".to_owned()),
                ..Args::default()
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
        let lines: [&[&str]; 11] = [
            &["made-up-key"],
            &["--value", "made-up-key"],
            &["--value=made-up-key"],
            &["upsert", "made-up-key"],
            &["--format", "made-up-key"],
            &["sh", "-c", "made-up-key"],
            &["made-up-key", "sh"],
            &["iam-policy", "made-up-key"],
            &["import", "--made-up-key"],
            &["-x", "made-up-key"],
            &["--manifest", "a", "--manifest", "made-up-key"],
        ];
        for words in lines {
            let Err(failure) = parse_all(words) else {
                panic!("{words:?} is accepted");
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
    fn help_page_is_selected_by_its_option() {
        let pages = [
            ("-h", help::summary()),
            ("--help", help::summary()),
            ("--help-all", help::reference()),
            ("-V", help::version()),
        ];
        for (option, page) in pages {
            for words in [&[option][..], &["promote", option]] {
                assert_eq!(
                    parse_all(words),
                    Ok(Parsed::Help(page.clone())),
                    "{words:?}"
                );
            }
        }
    }

    #[cfg(unix)]
    #[test]
    fn argument_that_is_not_unicode_is_rejected() {
        use std::os::unix::ffi::OsStrExt as _;
        let word = OsStr::from_bytes(b"\xff").to_owned();
        for words in [vec![word.clone()], vec!["--manifest".into(), word]] {
            let failure = parse(words).unwrap_err();
            assert_eq!(failure.what, "an argument is not valid UTF-8");
        }
    }
}
