//! The values that a manifest's references stand for. Reads variables and files and generates values; values in Secrets
//! Manager are read later. No value is ever in a message.

use std::sync::Arc;
use std::time::Duration;

use upsert_secret_core::value::{Kind, SecretBytes, SecretValue, decode_base64};

use crate::environment::{Environment, bytes};
use crate::manifest::{Reference, SecretRef};
use crate::{ci, value_source};

mod generate;

/// Stands for a value that is not known yet: a string, and JSON.
const NO_VALUE: &[u8] = b"\"this value is not known yet\"";

/// Where every value is registered: for redaction, and for the CI system's masks.
pub struct SecretSink<'a> {
    /// Registers a secret for redaction.
    pub hide: &'a dyn Fn(&[u8]),
    /// Masks a secret that the CI system cannot know, where it has masks.
    pub mask: &'a dyn Fn(&[u8]),
}

/// A value, and what else is known about it.
#[derive(Clone)]
pub struct ResolvedValue {
    bytes: Arc<SecretBytes>,
    /// Its kind where it comes from, if that is Secrets Manager.
    pub(crate) kind: Option<Kind>,
    /// Whether it was generated, for a secret that has none.
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

    /// A value as Secrets Manager has it.
    #[must_use]
    pub fn stored(value: &SecretValue, sink: &SecretSink<'_>) -> Self {
        (sink.hide)(value.expose());
        (sink.mask)(value.expose());
        Self {
            kind: Some(value.kind()),
            ..Self::new(SecretBytes::new(value.expose().to_vec()))
        }
    }

    /// For a value that is not known yet.
    pub(crate) fn stand_in() -> Self {
        Self::new(SecretBytes::new(NO_VALUE.to_vec()))
    }

    /// The bytes, to look for them where they must not be.
    pub(crate) fn expose(&self) -> &[u8] {
        self.bytes.expose()
    }

    /// A copy of the bytes themselves.
    pub(crate) fn copy(&self) -> SecretBytes {
        SecretBytes::new(self.bytes.expose().to_vec())
    }
}

/// What a reference resolves to.
pub(crate) enum ValuePart {
    /// The value.
    Here(ResolvedValue),
    /// The value of another secret.
    Elsewhere(SecretRef),
}

impl ValuePart {
    /// The value, or what stands for it.
    pub(crate) fn or_stand_in(&self) -> ResolvedValue {
        match self {
            Self::Here(found) => found.clone(),
            Self::Elsewhere(_) => ResolvedValue::stand_in(),
        }
    }
}

/// What stands for a reference that is not looked up.
pub(crate) fn stand_in(reference: &Reference) -> ValuePart {
    match reference {
        Reference::Secret(origin) => ValuePart::Elsewhere(origin.clone()),
        Reference::Generate(_) => ValuePart::Here(ResolvedValue {
            generated: true,
            ..ResolvedValue::stand_in()
        }),
        Reference::Env(_) | Reference::File(_) => ValuePart::Here(ResolvedValue::stand_in()),
    }
}

/// Looks a reference up.
///
/// # Errors
/// What is wrong, without a subject: it follows the name of the key.
pub(crate) fn look_up(
    reference: &Reference,
    base64: bool,
    environment: &Environment,
    limit: Duration,
    sink: &SecretSink<'_>,
) -> Result<ValuePart, String> {
    let (found, known) = match reference {
        Reference::Secret(origin) => return Ok(ValuePart::Elsewhere(origin.clone())),
        Reference::Env(name) if ci::is_file_variable(environment, name) => {
            return Err(format!(
                "is to come from {name}, a variable of type file, which holds a path: write `{{ file: \"${{{name}}}\" }}`"
            ));
        }
        Reference::Env(name) => {
            let found = environment.raw(name).map(bytes);
            let found = found
                .filter(|found| !found.expose().is_empty())
                .ok_or_else(|| {
                    format!(
                        "is to come from the variable {name}, which is empty or not set (a CI secret that is not defined \
                         for this job arrives as an empty string)"
                    )
                })?;
            (ResolvedValue::new(found), true)
        }
        Reference::File(path) => {
            // A pipe that nobody writes to would be waited for, one after the other.
            if std::fs::metadata(path).is_ok_and(|found| !found.is_file()) {
                return Err("is to come from something that is no regular file".to_owned());
            }
            let read = value_source::read(path, limit)
                .map_err(|why| format!("is to come from a file that cannot be read: {why}"))?;
            if read.expose().is_empty() {
                return Err("is to come from a file that is empty".to_owned());
            }
            (ResolvedValue::new(read), false)
        }
        Reference::Generate(spec) => {
            let generated = ResolvedValue {
                generated: true,
                ..ResolvedValue::new(generate::value(spec))
            };
            (generated, false)
        }
    };
    (sink.hide)(found.bytes.expose());
    if !base64 {
        if !known {
            (sink.mask)(found.bytes.expose());
        }
        return Ok(ValuePart::Here(found));
    }
    let decoded = decode_base64(&found.bytes)
        .map_err(|why| format!("{why}, but `value-encoding` is `base64`"))?;
    (sink.hide)(decoded.expose());
    (sink.mask)(decoded.expose());
    Ok(ValuePart::Here(ResolvedValue::new(decoded)))
}
