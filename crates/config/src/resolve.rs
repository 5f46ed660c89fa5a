//! The values of a manifest's references: reads variables and files, and generates values. Values in Secrets Manager
//! are read later, by the caller. No value is ever in a message.

use std::sync::Arc;

use upsert_secret_core::value::{Kind, SecretBytes, SecretValue, decode_base64};
use zeroize::Zeroizing;

use crate::ci;
use crate::environment::Environment;
use crate::files;
use crate::manifest::{CharacterClass, GenerateSpec, Reference};
use crate::random;

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
    /// Registers a value from Secrets Manager and keeps its kind.
    pub fn stored(value: &SecretValue, sink: &SecretSink<'_>) -> Self {
        (sink.hide)(value.expose());
        (sink.mask)(value.expose());
        Self {
            bytes: Arc::new(SecretBytes::new(value.expose().to_vec())),
            kind: Some(value.kind()),
            generated: false,
        }
    }

    /// Takes the place of a value that is not known.
    pub(crate) fn stand_in() -> Self {
        Self {
            bytes: Arc::new(SecretBytes::new(STAND_IN.to_vec())),
            kind: None,
            generated: false,
        }
    }

    pub(crate) fn expose(&self) -> &[u8] {
        self.bytes.expose()
    }

    /// A copy of the bytes, zeroized on its own.
    pub(crate) fn copy(&self) -> SecretBytes {
        SecretBytes::new(self.bytes.expose().to_vec())
    }
}

/// Reads or generates the value of a reference. Values of other secrets, and all values without a sink, have stand-ins.
///
/// # Errors
/// What is wrong, in words that follow the name of the key.
pub(crate) fn resolve(
    reference: &Reference,
    base64: bool,
    environment: &Environment,
    sink: Option<&SecretSink<'_>>,
) -> Result<ResolvedValue, String> {
    let stand_in = ResolvedValue {
        generated: matches!(reference, Reference::Generate(_)),
        ..ResolvedValue::stand_in()
    };
    let Some(sink) = sink else {
        return Ok(stand_in);
    };
    let mut bytes = match reference {
        Reference::Secret(_) => return Ok(stand_in),
        Reference::Env(name) => read_variable(name, environment)?,
        Reference::File(path) => read_file(path)?,
        Reference::Generate(spec) => generate(spec),
    };
    (sink.hide)(bytes.expose());
    if base64 {
        bytes = decode_base64(&bytes)
            .map_err(|why| format!("{why}, but `value-encoding` is `base64`"))?;
        (sink.hide)(bytes.expose());
    }
    // The CI system knows its own variables, though not what they decode to.
    if base64 || !matches!(reference, Reference::Env(_)) {
        (sink.mask)(bytes.expose());
    }
    Ok(ResolvedValue {
        bytes: Arc::new(bytes),
        ..stand_in
    })
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

/// The characters of a class, without quotes, backslashes, `$`, `%` and spaces, which shells, YAML and connection
/// strings interpret.
const fn alphabet(class: CharacterClass) -> &'static [u8] {
    match class {
        CharacterClass::Lower => b"abcdefghijklmnopqrstuvwxyz",
        CharacterClass::Upper => b"ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        CharacterClass::Digits => b"0123456789",
        CharacterClass::Symbols => b"!#()*+,-./:;<=>?@[]^_{|}~",
    }
}

/// Generates text of the classes, with at least one character of each.
fn generate(spec: &GenerateSpec) -> SecretBytes {
    let all: Vec<u8> = spec
        .classes
        .iter()
        .flat_map(|class| alphabet(*class))
        .copied()
        .collect();
    loop {
        let mut text = Zeroizing::new(Vec::with_capacity(spec.length));
        while text.len() < spec.length {
            let mut byte = Zeroizing::new([0]);
            random::fill(byte.as_mut_slice());
            let number = usize::from(byte[0]);
            // Larger numbers would make the first characters more frequent than the others.
            if number < 256 / all.len() * all.len() {
                text.push(all[number % all.len()]);
            }
        }
        let has = |class: &CharacterClass| text.iter().any(|byte| alphabet(*class).contains(byte));
        // Uniformly distributed among the texts that have every class.
        if spec.classes.iter().all(has) {
            return SecretBytes::new(text.to_vec());
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn generated_text_has_length_and_every_class(
            length in 8_usize..200,
            picked in proptest::sample::subsequence(
                vec![CharacterClass::Lower, CharacterClass::Upper, CharacterClass::Digits, CharacterClass::Symbols], 1..=4),
        ) {
            let spec = GenerateSpec { length, classes: picked.clone() };
            let (one, other) = (generate(&spec), generate(&spec));
            prop_assert_eq!(one.expose().len(), length);
            prop_assert!(one.expose() != other.expose());
            for class in &picked {
                prop_assert!(one.expose().iter().any(|byte| alphabet(*class).contains(byte)));
            }
            let known = |byte: &u8| picked.iter().any(|class| alphabet(*class).contains(byte));
            prop_assert!(one.expose().iter().all(known));
        }
    }
}
