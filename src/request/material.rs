//! The values that a manifest's references stand for, and what is made of them: one value, or the keys of a JSON
//! document. Reads variables and files; what is in Secrets Manager is read later, by others. No value is ever in a
//! message.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::rand;
use zeroize::Zeroizing;

use super::{JsonKey, source};
use crate::inputs::{Environment, bytes};
use crate::json::{self, JsonText, KeyEdit};
use crate::manifest::{Class, Member, Origin, Recipe, Reference};
use crate::platform;
use crate::value::{Kind, SecretBytes, SecretValue, decode_base64};

/// Stands for a value that is not known yet: a string, and JSON.
const NO_VALUE: &[u8] = b"\"this value is not known yet\"";

/// Who has to be told of every value: those that print, and those that mask.
pub struct Secrecy<'a> {
    /// From now on nobody prints this.
    pub hide: &'a dyn Fn(&[u8]),
    /// The CI system cannot know this one and has to be told, where it can be.
    pub mask: &'a dyn Fn(&[u8]),
}

/// A value, and what is known of it besides.
#[derive(Clone)]
pub struct Found {
    bytes: Arc<SecretBytes>,
    /// What it is where it comes from, if that is Secrets Manager.
    pub kind: Option<Kind>,
    /// It was made just now, for a secret that has none.
    pub made: bool,
}

impl Found {
    fn new(bytes: SecretBytes) -> Self {
        Self {
            bytes: Arc::new(bytes),
            kind: None,
            made: false,
        }
    }

    /// As Secrets Manager has it.
    #[must_use]
    pub fn stored(value: &SecretValue, secrecy: &Secrecy<'_>) -> Self {
        (secrecy.hide)(value.expose());
        (secrecy.mask)(value.expose());
        Self {
            kind: Some(value.kind()),
            ..Self::new(SecretBytes::new(value.expose().to_vec()))
        }
    }

    /// For a value that is not known yet.
    #[must_use]
    pub fn stand_in() -> Self {
        Self::new(SecretBytes::new(NO_VALUE.to_vec()))
    }

    /// The bytes, to look for them where they must not be.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        self.bytes.expose()
    }

    /// A copy of the bytes themselves.
    #[must_use]
    pub fn take(&self) -> SecretBytes {
        SecretBytes::new(self.bytes.expose().to_vec())
    }
}

/// What a reference comes to.
pub(super) enum Part {
    /// The value.
    Here(Found),
    /// The value of another secret.
    There(Origin),
}

impl Part {
    /// The value, or what stands for it.
    pub(super) fn or_stand_in(&self) -> Found {
        match self {
            Self::Here(found) => found.clone(),
            Self::There(_) => Found::stand_in(),
        }
    }
}

/// A reference that is not looked up.
pub(super) fn unseen(reference: &Reference) -> Part {
    match reference {
        Reference::Secret(origin) => Part::There(origin.clone()),
        Reference::Generate(_) => Part::Here(Found {
            made: true,
            ..Found::stand_in()
        }),
        Reference::Env(_) | Reference::File(_) => Part::Here(Found::stand_in()),
    }
}

/// Looks a reference up.
///
/// # Errors
/// What is wrong, without a subject: it follows the name of the key.
pub(super) fn look_up(
    reference: &Reference,
    base64: bool,
    environment: &Environment,
    limit: Duration,
    secrecy: &Secrecy<'_>,
) -> Result<Part, String> {
    let (found, known) = match reference {
        Reference::Secret(origin) => return Ok(Part::There(origin.clone())),
        Reference::Env(name) if platform::is_file_variable(environment, name) => {
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
            (Found::new(found), true)
        }
        Reference::File(path) => {
            // A pipe that nobody writes to would be waited for, one after the other.
            if std::fs::metadata(path).is_ok_and(|found| !found.is_file()) {
                return Err("is to come from something that is no regular file".to_owned());
            }
            let read = source::read(path, limit)
                .map_err(|why| format!("is to come from a file that cannot be read: {why}"))?;
            if read.expose().is_empty() {
                return Err("is to come from a file that is empty".to_owned());
            }
            (Found::new(read), false)
        }
        Reference::Generate(recipe) => {
            let made =
                generate(recipe).ok_or("cannot be made: the system gives no random numbers")?;
            let made = Found {
                made: true,
                ..Found::new(made)
            };
            (made, false)
        }
    };
    (secrecy.hide)(found.bytes.expose());
    if !base64 {
        if !known {
            (secrecy.mask)(found.bytes.expose());
        }
        return Ok(Part::Here(found));
    }
    let decoded = decode_base64(&found.bytes)
        .map_err(|why| format!("{why}, but `value-encoding` is `base64`"))?;
    (secrecy.hide)(decoded.expose());
    (secrecy.mask)(decoded.expose());
    Ok(Part::Here(Found::new(decoded)))
}

/// The members of a document as keys to be set.
///
/// # Errors
/// What is wrong with which of them.
pub(super) fn keys(members: &[Member], found: &[Found]) -> Result<Vec<JsonKey>, (String, String)> {
    members
        .iter()
        .zip(found)
        .map(|(member, found)| {
            let rendered = render(member, found).map_err(|why| (member.key.to_string(), why))?;
            Ok(JsonKey {
                key: member.key.clone(),
                rendered,
                seeds: found.made,
            })
        })
        .collect()
}

fn render(member: &Member, found: &Found) -> Result<JsonText, String> {
    let value = SecretValue::new(found.take(), Kind::String).map_err(|why| why.to_string())?;
    let text = str::from_utf8(value.expose()).map_err(|_| "is not valid UTF-8".to_owned())?;
    if member.as_json {
        JsonText::json(text).map_err(|_| {
            "is not JSON, as `json-value-as: json` asks; it is not shown here".to_owned()
        })
    } else {
        Ok(JsonText::string(text))
    }
}

/// The document that has these keys and no others.
///
/// # Errors
/// Two keys of which one is inside the other's value.
pub(super) fn document(keys: &[JsonKey]) -> Result<SecretBytes, String> {
    let edits = keys.iter().map(|key| KeyEdit {
        only_if_absent: false,
        ..key.edit()
    });
    match json::apply_edits(b"{}", edits) {
        Ok(Some(text)) => Ok(SecretBytes::new(text.as_bytes().to_vec())),
        Ok(None) => Err("has no keys".to_owned()),
        Err(why) => Err(format!("makes no document: {why}")),
    }
}

/// Characters of each class. No quotes, backslashes, `$`, `%` or blanks: shells, YAML and connection strings read those.
const fn alphabet(class: Class) -> &'static [u8] {
    match class {
        Class::Lower => b"abcdefghijklmnopqrstuvwxyz",
        Class::Upper => b"ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        Class::Digits => b"0123456789",
        Class::Symbols => b"!#()*+,-./:;<=>?@[]^_{|}~",
    }
}

/// Random text of these classes, with at least one character of each; `None` without random numbers.
fn generate(recipe: &Recipe) -> Option<SecretBytes> {
    let all: Vec<u8> = recipe
        .classes
        .iter()
        .flat_map(|class| alphabet(*class))
        .copied()
        .collect();
    loop {
        let mut text = Zeroizing::new(Vec::with_capacity(recipe.length));
        while text.len() < recipe.length {
            text.push(*all.get(below(all.len())?)?);
        }
        let has = |class: &Class| text.iter().any(|byte| alphabet(*class).contains(byte));
        // All texts that have every class are equally likely.
        if recipe.classes.iter().all(has) {
            return Some(SecretBytes::new(text.to_vec()));
        }
    }
}

/// A number below `limit`, which is at most 256, each as likely as the others.
fn below(limit: usize) -> Option<usize> {
    let fair = 256 / limit * limit;
    loop {
        let mut byte = Zeroizing::new([0]);
        rand::fill(byte.as_mut_slice()).ok()?;
        let number = usize::from(byte[0]);
        if number < fair {
            return Some(number % limit);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn generated_text_is_as_long_as_asked_and_has_every_class(
            length in 8_usize..200,
            picked in proptest::sample::subsequence(
                vec![Class::Lower, Class::Upper, Class::Digits, Class::Symbols], 1..=4),
        ) {
            let recipe = Recipe { length, classes: picked.clone() };
            let (Some(one), Some(other)) = (generate(&recipe), generate(&recipe)) else {
                panic!("random numbers");
            };
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
