//! The value of a single secret: from a variable, a variable named by another one, a file, or standard input; plain, base64, or
//! the pairs of a `.env` file. Must not include a value in a message.

use upsert_secret_core::choices::ValueEncoding;
use upsert_secret_core::failure::{Class, Failure};
use upsert_secret_core::json::KeyPath;
use upsert_secret_core::value::{SecretBytes, ValueError, check_variable, decode_base64};

use crate::checks::connection::timeout_or_default;
use crate::ci::{self, LogFormat};
use crate::diagnostics::Diagnostics;
use crate::document::{self, Part};
use crate::environment::{Environment, is_variable_name};
use crate::files;
use crate::inputs::{RawInputs, variable};
use crate::resolve::{ResolvedValue, SecretSink, read_pairs};
use crate::spelling::Spelling;

/// The inputs that a value can come from.
const INPUTS: [&str; 3] = ["value", "value-env", "value-file"];

/// The decoded value and the input it came from, for messages.
pub(crate) struct Source {
    pub(crate) bytes: SecretBytes,
    pub(crate) input: &'static str,
    /// Possible mistakes, as sentences.
    pub(crate) warnings: Vec<String>,
    /// The keys of the document that the value is composed of.
    pub(crate) composed: Vec<KeyPath>,
}

impl Source {
    /// The placeholder for a value that is not needed.
    pub(crate) fn stand_in() -> Self {
        Self {
            bytes: ResolvedValue::stand_in().bytes(),
            input: "value",
            warnings: Vec::new(),
            composed: Vec::new(),
        }
    }
}

/// Reads and decodes the value. Registers every form of it for redaction before anything can fail, and masks it if the CI
/// system cannot know it.
///
/// # Errors
/// There is no source or more than one, or it cannot be read, is empty, or is not base64.
pub(crate) fn load(
    raw: &RawInputs,
    environment: &Environment,
    sink: &SecretSink<'_>,
) -> Result<Source, Failure> {
    ci::check_value(environment, raw)?;
    let spelling = Spelling::of(raw);
    let given = raw.given().into_iter().map(|input| input.name);
    let given: Vec<_> = given.filter(|input| INPUTS.contains(input)).collect();
    if let [first, second, ..] = given[..] {
        let [first, second] = [first, second].map(|input| spelling.name(input));
        return Err(Failure::new(
            Class::Input,
            format!("{first} and {second} are both given"),
            "set only one of them",
        ));
    }
    let input = given.first().copied().unwrap_or("value");
    let content = match (&raw.value_env, &raw.value_file) {
        (Some(name), _) => environment.secret(name),
        (_, Some(path)) => Some(read_file(path, raw, spelling)?),
        _ => raw.value.as_deref().cloned(),
    };
    let Some(content) = content.filter(|content| !content.expose().is_empty()) else {
        return Err(no_value(raw, input, environment));
    };
    let mut diagnostics = Diagnostics::new(spelling);
    let encoding = diagnostics.choice("value-encoding", raw.value_encoding.as_deref());
    if encoding != ValueEncoding::Dotenv {
        (sink.hide)(content.expose());
    }
    let is_file = input == "value-file";
    if !is_file {
        check_content(content.expose(), input, environment, spelling)?;
    }
    diagnostics.check_problems()?;
    let is_path = !is_file && files::is_path_of_file(content.expose());
    let bytes = match encoding {
        ValueEncoding::Text => content,
        ValueEncoding::Dotenv => return compose(content.expose(), input, spelling, sink),
        ValueEncoding::Base64 => decode_base64(&content).map_err(|why| {
            Failure::new(
                Class::Input,
                format!(
                    "{} {}{why}, but `value-encoding` is `base64`",
                    spelling.name(input),
                    relation(input)
                ),
                "encode the secret with `base64` before storing it in CI, or omit `value-encoding`",
            )
        })?,
    };
    if encoding == ValueEncoding::Base64 {
        (sink.hide)(bytes.expose());
    }
    if is_file || encoding == ValueEncoding::Base64 {
        (sink.mask)(bytes.expose());
    }
    Ok(Source {
        bytes,
        input,
        warnings: Vec::from_iter(is_path.then(|| format!("the value {}", files::PATH_OF_FILE))),
        ..Source::stand_in()
    })
}

/// The JSON object of the pairs of a `.env` file.
fn compose(
    file: &[u8],
    input: &'static str,
    spelling: Spelling,
    sink: &SecretSink<'_>,
) -> Result<Source, Failure> {
    let reject = |why: String| {
        Failure::new(
            Class::Input,
            format!(
                "{} {}is not a `.env` file, but `value-encoding` is `dotenv`",
                spelling.name(input),
                relation(input)
            ),
            "correct the file (the rules are in docs/manifest.md), or omit `value-encoding` to store it \
             unchanged",
        )
        .because(why)
    };
    let pairs = read_pairs(file, sink).map_err(|why| reject(why.to_string()))?;
    let parts: Vec<_> = pairs.iter().map(Part::of_pair).collect();
    let (bytes, keys) = document::compose(&parts).map_err(|why| reject(format!("it {why}")))?;
    Ok(Source {
        bytes,
        input,
        warnings: document::warnings(&parts),
        composed: keys.into_iter().map(|key| key.path).collect(),
    })
}

/// The words between an input and a statement about the value, if the input only names the place of the value.
pub(crate) fn relation(input: &str) -> &'static str {
    match input {
        "value-env" => "names a variable that ",
        "value-file" => "names a file that ",
        _ => "",
    }
}

/// Rejects content that can only be in a variable: an unexpanded reference, or an unpaired surrogate.
fn check_content(
    content: &[u8],
    input: &str,
    environment: &Environment,
    spelling: Spelling,
) -> Result<(), Failure> {
    let reject = |why: ValueError, next: String| {
        Err(Failure::new(
            Class::Input,
            format!("{} {}{why}", spelling.name(input), relation(input)),
            next,
        ))
    };
    if let Err(why) = environment.check_bytes(content) {
        return reject(
            why,
            "store the secret again, or give it in a file".to_owned(),
        );
    }
    match check_variable(content) {
        // A mask is rejected from every source.
        Ok(()) | Err(ValueError::Mask) => Ok(()),
        Err(why) => {
            let file = spelling.name("value-file");
            let next = format!(
                "define the variable for this job, or correct its name; to store exactly this text, give it in a file or on \
                 standard input ({file})"
            );
            reject(why, next)
        }
    }
}

fn read_file(path: &str, raw: &RawInputs, spelling: Spelling) -> Result<SecretBytes, Failure> {
    files::read_value_within(timeout_or_default(raw), path).map_err(|why| {
        Failure::new(
            Class::Input,
            format!("{} cannot be read", spelling.name("value-file")),
            "give the path of a readable file that holds the value and nothing else, or `-` for standard input",
        )
        .because(why)
    })
}

/// The failure for a source without content.
fn no_value(raw: &RawInputs, input: &str, environment: &Environment) -> Failure {
    let spelling = Spelling::of(raw);
    let input = spelling.name(input);
    let fail = |what: String, next: &str| Failure::new(Class::Input, what, next);
    if let Some(path) = raw.value_file.as_deref() {
        return if path == "-" {
            fail(
                "there is no value: standard input is empty".to_owned(),
                "pipe the value into upsert-secret; does the command before the pipe succeed?",
            )
        } else {
            fail(
                format!("there is no value: the file that {input} names is empty"),
                "check the path, and the step that writes the file",
            )
        };
    }
    let Some(name) = raw.value_env.as_deref() else {
        return if environment.raw(&variable("value")).is_some() {
            fail(
                format!("there is no value: {input} is empty"),
                undefined_secret(environment),
            )
            .because(EMPTY_SECRET)
        } else {
            fail(
                format!("there is no value: {input} is not set"),
                undefined_secret(environment),
            )
        };
    };
    // Show the text only if it is the name of a variable that is set: it may be the value, given by mistake, and most API keys
    // have the format of names.
    if environment.raw(name).is_some() {
        let next = format!(
            "define {name} for this job\n{}",
            undefined_secret(environment)
        );
        fail(
            format!("there is no value: the variable {name}, which {input} names, is empty"),
            &next,
        )
        .because(EMPTY_SECRET)
    } else if is_variable_name(name) {
        let next = format!(
            "define that variable for this job, or correct the name\n{}",
            undefined_secret(environment)
        );
        fail(
            format!("there is no value: the variable that {input} names is not set"),
            &next,
        )
    } else {
        fail(
            format!("{input} is not the name of a variable"),
            "it takes the name of the variable that holds the value, without `$` or braces, not the value itself",
        )
    }
}

const EMPTY_SECRET: &str = "a CI secret that is not defined arrives as an empty string";

/// What to check if a CI secret is missing.
fn undefined_secret(environment: &Environment) -> &'static str {
    match ci::log_format(environment) {
        LogFormat::Github => {
            "is the secret defined for this repository, and for this job's `environment:`? Is its name spelled as in `secrets.NAME`?\n\
         Secrets are not passed to workflows that a fork or Dependabot triggers"
        }
        LogFormat::Gitlab => {
            "is the variable defined for this project and this environment scope?\n\
         A protected variable is absent on a branch or tag that is not protected"
        }
        LogFormat::Plain => {
            "set UPSERT_SECRET_VALUE, or name the variable that holds the value in UPSERT_SECRET_VALUE_ENV"
        }
    }
}
