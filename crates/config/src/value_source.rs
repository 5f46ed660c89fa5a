//! The value of a single secret: from a variable, a variable that another one names, a file, or standard input; plain
//! or base64. No value is ever in a message.

use upsert_secret_core::choices::ValueEncoding;
use upsert_secret_core::failure::{Class, Failure};
use upsert_secret_core::value::{SecretBytes, decode_base64};

use crate::checks::connection::timeout_or_default;
use crate::ci::{self, LogFormat};
use crate::diagnostics::{Diagnostics, Spelling};
use crate::environment::{Environment, is_variable_name};
use crate::files;
use crate::inputs::RawInputs;
use crate::resolve::{ResolvedValue, SecretSink};

/// The inputs that a value can come from.
const INPUTS: [&str; 3] = ["value", "value-env", "value-file"];

/// The decoded value and the input it came from, for messages.
pub(crate) struct Source {
    pub(crate) bytes: SecretBytes,
    pub(crate) input: &'static str,
}

impl Source {
    /// Takes the place of a value that is not needed.
    pub(crate) fn stand_in() -> Self {
        Self {
            bytes: ResolvedValue::stand_in().copy(),
            input: "value",
        }
    }
}

/// Reads and decodes the value. Every form of it is hidden before anything can fail, and masked if the CI system cannot
/// know it.
///
/// # Errors
/// No source or two, one that cannot be read, nothing in it, or not base64.
pub(crate) fn load(
    raw: &RawInputs,
    environment: &Environment,
    sink: &SecretSink<'_>,
) -> Result<Source, Failure> {
    ci::check_value(environment, raw)?;
    let spelling = Spelling::from_inputs(raw);
    let given = raw.given().into_iter().map(|input| input.name);
    let given: Vec<_> = given.filter(|input| INPUTS.contains(input)).collect();
    if let [first, second, ..] = given[..] {
        let [first, second] = [first, second].map(|input| spelling.name(input));
        return Err(Failure::new(
            Class::Input,
            format!("{first} and {second} are both given"),
            "give the value one way only",
        ));
    }
    let input = given.first().copied().unwrap_or("value");
    let content = match (&raw.value_env, &raw.value_file) {
        (Some(name), _) => environment.secret(name),
        (_, Some(path)) => Some(read_file(path, raw, spelling)?),
        _ => raw
            .value
            .as_ref()
            .map(|value| SecretBytes::new(value.expose().to_vec())),
    };
    let Some(content) = content.filter(|content| !content.expose().is_empty()) else {
        return Err(no_value(raw, input, environment));
    };
    (sink.hide)(content.expose());
    let mut diagnostics = Diagnostics::new(spelling);
    let encoding = diagnostics.choice("value-encoding", raw.value_encoding.as_deref());
    diagnostics.check_problems()?;
    let bytes = match encoding {
        ValueEncoding::Text => content,
        ValueEncoding::Base64 => decode_base64(&content).map_err(|why| {
            Failure::new(
                Class::Input,
                format!("{} {why}, but `value-encoding` is `base64`", spelling.name(input)),
                "encode the secret with `base64` before storing it in CI, or leave `value-encoding` out",
            )
        })?,
    };
    if encoding == ValueEncoding::Base64 {
        (sink.hide)(bytes.expose());
    }
    if input == "value-file" || encoding == ValueEncoding::Base64 {
        (sink.mask)(bytes.expose());
    }
    Ok(Source { bytes, input })
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

fn no_value(raw: &RawInputs, input: &str, environment: &Environment) -> Failure {
    let input = Spelling::from_inputs(raw).name(input);
    let subject = match raw.value_env.as_deref() {
        None => input,
        // The text is shown only if it is the name of a variable that is set: it may be the value, put here by mistake,
        // and most API keys are shaped like names.
        Some(name) if environment.raw(name).is_some() => format!("the variable {name}"),
        Some(name) if is_variable_name(name) => format!("the variable that {input} names"),
        Some(_) => {
            return Failure::new(
                Class::Input,
                format!("{input} is not the name of a variable"),
                "it takes the name of the variable that holds the value, not the value itself",
            );
        }
    };
    let next = match ci::log_format(environment) {
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
    };
    Failure::new(
        Class::Input,
        format!("there is no value: {subject} is empty or not set"),
        next,
    )
    .because("a CI secret that is not defined arrives as an empty string")
}
