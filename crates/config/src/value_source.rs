//! The value of a single secret: from a variable, a variable that another one names, a file, or standard input; plain or
//! base64. Reading is limited in size and time. No value is ever in a message.

use std::fs::{self, File};
use std::io;
use std::sync::mpsc;
use std::time::Duration;

use upsert_secret_core::bounded::{self, io_reason};
use upsert_secret_core::failure::{Class, Failure};
use upsert_secret_core::value::{MAX_BYTES, SecretBytes, decode_base64};

use crate::checks::timeout;
use crate::diagnostics::Spelling;
use crate::environment::{Environment, bytes};
use crate::inputs::RawInputs;

/// More than the longest value in base64 with line ends; enough to tell that it is too large.
const MAX_FILE: usize = MAX_BYTES * 2;

/// The value, decoded, and where it came from.
pub(crate) struct Source {
    /// What is to be stored.
    pub(crate) bytes: SecretBytes,
    /// The input it came from, for messages.
    pub(crate) input: &'static str,
    /// Whether the CI system cannot know these bytes, because we decoded them or read a file.
    pub(crate) unmasked: bool,
}

/// Finds and decodes the value. `hide` is called with every form of it before anything can fail.
///
/// # Errors
/// No source or two, one that cannot be read, nothing in it, or not base64.
pub(crate) fn load(
    raw: &RawInputs,
    environment: &Environment,
    hide: impl Fn(&[u8]),
) -> Result<Source, Failure> {
    let spelling = Spelling::from_inputs(raw);
    let given: Vec<&'static str> = [
        ("value", raw.value.is_some()),
        ("value-env", raw.value_env.is_some()),
        ("value-file", raw.value_file.is_some()),
    ]
    .into_iter()
    .filter_map(|(name, given)| given.then_some(name))
    .collect();
    let input = match given[..] {
        [input] => input,
        [] => return Err(missing(&spelling.name("value"), environment)),
        [first, second, ..] => {
            return Err(Failure::new(
                Class::Input,
                format!(
                    "{} and {} are both given",
                    spelling.name(first),
                    spelling.name(second)
                ),
                "give the value one way only",
            ));
        }
    };
    let (found, of_file) = match (&raw.value, &raw.value_env, &raw.value_file) {
        (_, Some(name), _) => (environment.raw(name).map(bytes), false),
        (_, _, Some(path)) => {
            let limit = timeout::unchecked(raw.timeout.as_deref());
            let read = read(path, limit).map_err(|why| {
                Failure::new(
                    Class::Input,
                    format!("{} cannot be read", spelling.name("value-file")),
                    "give the path of a readable file that holds the value and nothing else, or `-` for standard input",
                )
                .because(why)
            })?;
            (Some(read), true)
        }
        (Some(value), ..) => (Some(SecretBytes::new(value.expose().to_vec())), false),
        (None, None, None) => (None, false),
    };
    let Some(found) = found.filter(|bytes| !bytes.expose().is_empty()) else {
        let name = match &raw.value_env {
            // Only a variable that is there is named: somebody may have passed the value for the name,
            // and most API keys are shaped like names.
            Some(name) if environment.raw(name).is_some() => format!("the variable {name}"),
            Some(name) if is_variable_name(name) => {
                format!("the variable that {} names", spelling.name("value-env"))
            }
            Some(_) => {
                return Err(Failure::new(
                    Class::Input,
                    format!(
                        "{} is not the name of a variable",
                        spelling.name("value-env")
                    ),
                    "it takes the name of the variable that holds the value, not the value itself",
                ));
            }
            None => spelling.name(input),
        };
        return Err(missing(&name, environment));
    };
    hide(found.expose());
    let (bytes, decoded) = match raw.value_encoding.as_deref() {
        None | Some("text") => (found, false),
        Some("base64") => {
            let decoded = decode_base64(&found).map_err(|why| {
                Failure::new(
                    Class::Input,
                    format!("{} {why}, but `value-encoding` is `base64`", spelling.name(input)),
                    "encode the secret with `base64` before storing it in CI, or leave `value-encoding` out",
                )
            })?;
            hide(decoded.expose());
            (decoded, true)
        }
        Some(_) => {
            return Err(Failure::new(
                Class::Input,
                format!(
                    "{} must be `text` or `base64`",
                    spelling.name("value-encoding")
                ),
                "correct the input; nothing was sent to AWS",
            ));
        }
    };
    Ok(Source {
        bytes,
        input,
        unmasked: decoded || of_file,
    })
}

fn missing(name: &str, environment: &Environment) -> Failure {
    let next = if environment.text("GITHUB_ACTIONS") == Some("true") {
        "is the secret defined for this repository, and for this job's `environment:`? Is its name spelled as in `secrets.NAME`?\n\
         Secrets are not passed to workflows that a fork or Dependabot triggers"
    } else if environment.text("GITLAB_CI") == Some("true") {
        "is the variable defined for this project and this environment scope?\n\
         A protected variable is absent on a branch or tag that is not protected"
    } else {
        "set UPSERT_SECRET_VALUE, or name the variable that holds the value in UPSERT_SECRET_VALUE_ENV"
    };
    Failure::new(
        Class::Input,
        format!("there is no value: {name} is empty or not set"),
        next,
    )
    .because("a CI secret that is not defined arrives as an empty string")
}

fn is_variable_name(text: &str) -> bool {
    text.len() <= 128
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && !text.starts_with(|c: char| c.is_ascii_digit())
}

/// Reads a file or standard input. Anything but a regular file is read in a thread, because a pipe that is never closed
/// must not hang the job.
pub(crate) fn read(path: &str, limit: Duration) -> Result<SecretBytes, String> {
    if fs::metadata(path).is_ok_and(|meta| meta.is_file()) {
        return read_all(File::open(path));
    }
    let (sender, receiver) = mpsc::channel();
    let path = path.to_owned();
    std::thread::spawn(move || {
        let read = if path == "-" {
            read_all(Ok(io::stdin().lock()))
        } else {
            read_all(File::open(&path))
        };
        // The receiver may have given up.
        let _ = sender.send(read);
    });
    receiver
        .recv_timeout(limit)
        .unwrap_or_else(|_| Err("it did not come to an end within `timeout`".to_owned()))
}

/// The content, cut off beyond any size that could be stored: the check of the value's size rejects it.
fn read_all(source: io::Result<impl io::Read>) -> Result<SecretBytes, String> {
    source
        .and_then(|source| bounded::read_prefix(source, MAX_FILE))
        .map(SecretBytes::new)
        .map_err(|error| io_reason(&error))
}
