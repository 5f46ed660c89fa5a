//! The values of a manifest's references: reads variables and files, and generates values. Values in Secrets Manager
//! are read later, by the caller. No value is ever in a message.

use std::sync::Arc;

use upsert_secret_core::value::{Kind, SecretBytes, SecretValue, decode_base64};

use crate::ci;
use crate::environment::Environment;
use crate::files;
use crate::manifest::{GenerateSpec, Reference, SecretRef};

mod generate;

/// Takes the place of a value that is not known; valid as a string and as JSON.
const STAND_IN: &[u8] = b"\"this value is not known yet\"";

/// Where every value is registered: for redaction, and for the CI system's masks.
pub struct SecretSink<'a> {
    /// Registers a secret for redaction.
    pub hide: &'a dyn Fn(&[u8]),
    /// Masks a secret that the CI system cannot know, if the system supports masks.
    pub mask: &'a dyn Fn(&[u8]),
}

/// The value of a reference.
#[derive(Clone)]
pub struct ResolvedValue {
    bytes: Arc<SecretBytes>,
    /// The kind of a value from Secrets Manager.
    pub(crate) kind: Option<Kind>,
    /// Whether it was generated, and so is only for a secret without a value.
    pub(crate) generated: bool,
}

impl ResolvedValue {
    fn new(bytes: SecretBytes) -> Self {
        Self {
            bytes: Arc::new(bytes),
            kind: None,
            generated: false,
        }
    }

    /// Registers a value from Secrets Manager and keeps its kind.
    pub fn stored(value: &SecretValue, sink: &SecretSink<'_>) -> Self {
        (sink.hide)(value.expose());
        (sink.mask)(value.expose());
        Self {
            kind: Some(value.kind()),
            ..Self::new(SecretBytes::new(value.expose().to_vec()))
        }
    }

    fn generate(spec: &GenerateSpec) -> Self {
        Self {
            generated: true,
            ..Self::new(generate::value(spec))
        }
    }

    /// Takes the place of a value that is not known.
    pub(crate) fn stand_in() -> Self {
        Self::new(SecretBytes::new(STAND_IN.to_vec()))
    }

    pub(crate) fn expose(&self) -> &[u8] {
        self.bytes.expose()
    }

    /// A copy of the bytes, zeroized on its own.
    pub(crate) fn copy(&self) -> SecretBytes {
        SecretBytes::new(self.bytes.expose().to_vec())
    }
}

/// What a reference resolves to without a network.
pub(crate) enum Resolution<'a> {
    Value(ResolvedValue),
    Secret(&'a SecretRef),
}

/// A stand-in for the value of a reference that is not to be read.
pub(crate) fn stand_in(reference: &Reference) -> Resolution<'_> {
    match reference {
        Reference::Secret(secret) => Resolution::Secret(secret),
        _ => Resolution::Value(ResolvedValue {
            generated: matches!(reference, Reference::Generate(_)),
            ..ResolvedValue::stand_in()
        }),
    }
}

/// Reads or generates the value of a reference.
///
/// # Errors
/// What is wrong, in words that follow the name of the key.
pub(crate) fn resolve<'a>(
    reference: &'a Reference,
    base64: bool,
    environment: &Environment,
    sink: &SecretSink<'_>,
) -> Result<Resolution<'a>, String> {
    let value = match reference {
        Reference::Secret(secret) => return Ok(Resolution::Secret(secret)),
        Reference::Env(name) => ResolvedValue::new(read_variable(name, environment)?),
        Reference::File(path) => ResolvedValue::new(read_file(path)?),
        Reference::Generate(spec) => ResolvedValue::generate(spec),
    };
    (sink.hide)(value.expose());
    if base64 {
        let decoded = decode_base64(&value.bytes)
            .map_err(|why| format!("{why}, but `value-encoding` is `base64`"))?;
        (sink.hide)(decoded.expose());
        (sink.mask)(decoded.expose());
        return Ok(Resolution::Value(ResolvedValue::new(decoded)));
    }
    // The CI system knows its own variables.
    if !matches!(reference, Reference::Env(_)) {
        (sink.mask)(value.expose());
    }
    Ok(Resolution::Value(value))
}

fn read_variable(name: &str, environment: &Environment) -> Result<SecretBytes, String> {
    if ci::is_file_variable(environment, name) {
        return Err(format!(
            "is to come from {name}, a variable of type file, which holds a path: write `{{ file: \"${{{name}}}\" }}`"
        ));
    }
    environment.secret(name).ok_or_else(|| {
        format!(
            "is to come from the variable {name}, which is empty or not set (a CI secret that is not defined \
             for this job arrives as an empty string)"
        )
    })
}

fn read_file(path: &str) -> Result<SecretBytes, String> {
    let content = files::read_value(path).map_err(|why| format!("is to come from {why}"))?;
    if content.expose().is_empty() {
        return Err("is to come from a file that is empty".to_owned());
    }
    Ok(content)
}
