//! The values of a manifest's references: reads variables and files, and extracts elements from documents. The caller reads
//! values in Secrets Manager later. Must not include a value in a message.

use std::sync::Arc;

use upsert_secret_core::json::{KeyPath, LookupError, lookup};
use upsert_secret_core::value::{
    Kind, SecretBytes, SecretValue, ValueError, check_variable, decode_base64,
};

use crate::ci;
use crate::dotenv::{self, DotenvError, Pair};
use crate::environment::{Environment, is_conventional_name};
use crate::files;
use crate::generate::generate;
use crate::manifest::Reference;

/// The placeholder for an unknown value; valid as a string and as JSON.
const STAND_IN: &[u8] = b"\"this value is not known yet\"";

/// The minimum length in bytes of a text that can be redacted.
const MIN_SECRET: usize = 4;

/// The registry of all values: for redaction, and for the CI system's masks.
pub struct SecretSink<'a> {
    /// Registers a secret for redaction.
    pub hide: &'a dyn Fn(&[u8]),
    /// Masks a secret that the CI system cannot know, if the system supports masks.
    pub mask: &'a dyn Fn(&[u8]),
}

/// The value of a reference.
#[derive(Clone)]
pub struct ResolvedValue {
    bytes: SecretBytes,
    /// The kind of a value from Secrets Manager.
    pub(crate) kind: Option<Kind>,
    /// Whether it was generated, and so is only for a secret without a value.
    pub(crate) generated: bool,
    /// Whether it is the path of a file, whose content may have been intended.
    pub(crate) is_path_of_file: bool,
    /// The pairs of a `.env` file, which has no other value.
    pub(crate) pairs: Option<Arc<Vec<Pair>>>,
    /// The document that the value was extracted from.
    document: Option<SecretBytes>,
}

impl ResolvedValue {
    /// Registers a value from Secrets Manager and keeps its kind.
    pub fn stored(value: &SecretValue, sink: &SecretSink<'_>) -> Self {
        (sink.hide)(value.expose());
        (sink.mask)(value.expose());
        Self {
            bytes: SecretBytes::new(value.expose().to_vec()),
            kind: Some(value.kind()),
            ..Self::stand_in()
        }
    }

    /// The placeholder for an unknown value.
    pub(crate) fn stand_in() -> Self {
        Self {
            bytes: SecretBytes::new(STAND_IN.to_vec()),
            kind: None,
            generated: false,
            is_path_of_file: false,
            pairs: None,
            document: None,
        }
    }

    /// The placeholder for the value of a reference that is not read.
    pub(crate) fn stand_in_for(reference: &Reference) -> Self {
        let is_dotenv = matches!(reference, Reference::Dotenv(_));
        Self {
            generated: matches!(reference, Reference::Generate(_)),
            pairs: is_dotenv.then(|| Arc::new(dotenv::stand_in())),
            ..Self::stand_in()
        }
    }

    pub(crate) fn expose(&self) -> &[u8] {
        self.bytes.expose()
    }

    pub(crate) fn bytes(&self) -> SecretBytes {
        self.bytes.clone()
    }

    /// All secrets that public text must not contain: the value, and the document that it was extracted from, whose other
    /// elements are just as secret.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &[u8]> {
        [Some(&self.bytes), self.document.as_ref()]
            .into_iter()
            .flatten()
            .map(SecretBytes::expose)
    }
}

/// Reads or generates the value of a reference. Values of other secrets, and all values without a sink, become placeholders.
///
/// # Errors
/// The problem, as text that follows the name of the key.
pub(crate) fn resolve(
    reference: &Reference,
    base64: bool,
    environment: &Environment,
    sink: Option<&SecretSink<'_>>,
) -> Result<ResolvedValue, String> {
    let stand_in = ResolvedValue::stand_in_for(reference);
    let Some(sink) = sink else {
        return Ok(stand_in);
    };
    let mut bytes = match reference {
        Reference::Secret(_) => return Ok(stand_in),
        Reference::Env(name) => read_variable(name, environment)?,
        Reference::File(path) => read_file(path)?,
        Reference::Dotenv(path) => {
            let file = read_file(path)?;
            let pairs = read_pairs(file.expose(), sink);
            let pairs = pairs
                .map_err(|why| format!("comes from a `.env` file that cannot be read: {why}"))?;
            return Ok(ResolvedValue {
                pairs: Some(Arc::new(pairs)),
                ..stand_in
            });
        }
        Reference::Generate(spec) => generate(spec),
    };
    (sink.hide)(bytes.expose());
    let is_variable = matches!(reference, Reference::Env(_));
    if is_variable {
        check_content(bytes.expose(), environment)?;
    }
    let is_path_of_file = is_variable && files::is_path_of_file(bytes.expose());
    if base64 {
        bytes = decode_base64(&bytes)
            .map_err(|why| format!("{why}, but `value-encoding` is `base64`"))?;
        (sink.hide)(bytes.expose());
    }
    // The CI system knows its own variables, but not their decoded content.
    if base64 || !is_variable {
        (sink.mask)(bytes.expose());
    }
    Ok(ResolvedValue {
        bytes,
        is_path_of_file,
        ..stand_in
    })
}

/// Extracts an element from a value that is a JSON document. `neighbor` is the key that `json-value-as` belongs next to.
///
/// # Errors
/// The problem, as text that follows the name of the key.
pub(crate) fn extract(
    document: &ResolvedValue,
    pointer: &KeyPath,
    as_json: bool,
    reference: &Reference,
    neighbor: &str,
    sink: &SecretSink<'_>,
) -> Result<ResolvedValue, String> {
    let found = lookup(document.expose(), pointer).and_then(|element| {
        if as_json {
            return Ok(SecretBytes::new(element.json().as_bytes().to_vec()));
        }
        let text = element.into_text()?;
        Ok(SecretBytes::new(text.as_bytes().to_vec()))
    });
    let bytes = found.map_err(|why| {
        let from = match reference {
            Reference::Env(name) => format!("the variable {name}"),
            Reference::Secret(secret) => format!("the secret {}", secret.id),
            _ => "the file".to_owned(),
        };
        let hint = match why {
            LookupError::NotString { .. } => {
                format!("; `json-value-as: json` beside `{neighbor}` takes it as JSON")
            }
            _ => String::new(),
        };
        format!("comes from `{pointer}` in {from}, but {why}{hint}")
    })?;
    (sink.hide)(bytes.expose());
    (sink.mask)(bytes.expose());
    Ok(ResolvedValue {
        bytes,
        document: Some(document.bytes()),
        ..ResolvedValue::stand_in()
    })
}

/// Reads the pairs of a `.env` file and registers their values, or the whole file if it cannot be parsed.
pub(crate) fn read_pairs(file: &[u8], sink: &SecretSink<'_>) -> Result<Vec<Pair>, DotenvError> {
    // Redaction also covers pieces of a secret, and the names in the file are not secret.
    let pairs = dotenv::parse(file).inspect_err(|_| (sink.hide)(file))?;
    for pair in &pairs {
        let value = pair.value.expose();
        if !is_setting(value) {
            (sink.hide)(value);
            (sink.mask)(value);
        }
    }
    Ok(pairs)
}

/// Registers the values of a `.env` file for redaction, or the whole file if it cannot be parsed.
pub fn hide_pairs(file: &[u8], hide: &dyn Fn(&[u8])) {
    let mask = &|_: &[u8]| {};
    // The caller reads it again and reports the error.
    let _ = read_pairs(file, &SecretSink { hide, mask });
}

/// Whether a value of a `.env` file is a flag, or too short to be a secret. As a mask, it would garble every log and empty
/// every output that is `true`.
fn is_setting(value: &[u8]) -> bool {
    value.len() < MIN_SECRET
        || [&b"true"[..], b"false"]
            .iter()
            .any(|word| value.eq_ignore_ascii_case(word))
}

fn read_variable(name: &str, environment: &Environment) -> Result<SecretBytes, String> {
    if ci::is_file_variable(environment, name) {
        return Err(format!(
            "comes from {name}, a variable of type file, which holds a path: write `{{ file: \"${{{name}}}\" }}`"
        ));
    }
    let Some(content) = environment.secret(name) else {
        return Err(match environment.raw(name) {
            Some(_) => format!(
                "comes from the variable {name}, which is empty, like a CI secret that is not defined for \
                 this job"
            ),
            None if is_conventional_name(name) => format!(
                "comes from the variable {name}, which is not set: define it for this job"
            ),
            None => "comes from a variable that is not set: define it for this job, or correct the name, \
                     which is not shown because it may be the value itself"
                .to_owned(),
        });
    };
    Ok(content)
}

/// Rejects content that can only be in a variable: an unexpanded reference, or an unpaired surrogate.
fn check_content(content: &[u8], environment: &Environment) -> Result<(), String> {
    environment
        .check_bytes(content)
        .map_err(|why| why.to_string())?;
    match check_variable(content) {
        // A mask is rejected from every source.
        Ok(()) | Err(ValueError::Mask) => Ok(()),
        Err(why) => Err(format!(
            "{why}; to store exactly this text, put it into a file: `{{ file: PATH }}`"
        )),
    }
}

fn read_file(path: &str) -> Result<SecretBytes, String> {
    let content = files::read_value(path).map_err(|why| format!("comes from {why}"))?;
    if content.expose().is_empty() {
        return Err("comes from a file that is empty".to_owned());
    }
    Ok(content)
}
