//! JSON documents composed of values: the members of a manifest's `json`, or the pairs of a `.env` file. Must not read values
//! itself, or quote one in a message.

use upsert_secret_core::json::{self, JsonText, KeyPath};
use upsert_secret_core::request::JsonKey;
use upsert_secret_core::value::{Kind, MAX_BYTES, SecretBytes, SecretValue, ValueError};

use crate::checks::json_key::parse_json;
use crate::dotenv::Pair;
use crate::files::PATH_OF_FILE;

/// A key of a document and its value.
pub(crate) struct Part<'p> {
    pub(crate) key: &'p KeyPath,
    pub(crate) value: SecretBytes,
    /// Whether the value is JSON rather than the text of a string.
    pub(crate) as_json: bool,
    /// Whether it is only set in a document without the key.
    pub(crate) seeds: bool,
    /// Whether it is the path of a file, whose content may have been intended.
    pub(crate) is_path_of_file: bool,
    /// The pair of a `.env` file that it comes from.
    pub(crate) pair: Option<&'p Pair>,
}

impl<'p> Part<'p> {
    /// A pair of a `.env` file.
    pub(crate) fn of_pair(pair: &'p Pair) -> Self {
        Self {
            key: &pair.name,
            value: pair.value.clone(),
            as_json: false,
            seeds: false,
            is_path_of_file: false,
            pair: Some(pair),
        }
    }

    fn render(&self) -> Result<JsonText, String> {
        let checked = SecretValue::new(self.value.clone(), Kind::String);
        match checked {
            // Considered intentional, as far as a file can show it.
            Err(ValueError::Empty | ValueError::Blank) if self.pair.is_some() => {}
            checked => {
                checked.map_err(|why| why.to_string())?;
            }
        }
        let text = str::from_utf8(self.value.expose());
        let text = text.map_err(|_| ValueError::NotUtf8.to_string())?;
        if self.as_json {
            Ok(parse_json(text)?)
        } else {
            Ok(JsonText::string(text))
        }
    }

    /// The name of the value in messages. A line of a file is named by its number, because its name may be a misplaced secret.
    fn subject(&self) -> String {
        match self.pair {
            Some(pair) => format!("the value in line {}", pair.line),
            None => format!("the value of the key {}", self.key),
        }
    }
}

/// A document with exactly these keys, and the keys.
///
/// # Errors
/// The reason a value cannot be the value of its key, or two keys of which one is inside the other's value.
pub(crate) fn compose(parts: &[Part<'_>]) -> Result<(SecretBytes, Vec<JsonKey>), String> {
    let mut keys = Vec::with_capacity(parts.len());
    let mut length = 0;
    for part in parts {
        // Checked before thousands of keys multiply a long value.
        length += part.value.expose().trim_ascii().len();
        if length > MAX_BYTES {
            return Err(ValueError::TooLarge.to_string());
        }
        let text = part.render();
        let text = text.map_err(|why| match part.pair {
            Some(pair) => format!("has a value in line {} that {why}", pair.line),
            None => format!("has a key {} whose value {why}", part.key),
        })?;
        keys.push(JsonKey {
            path: part.key.clone(),
            text,
            seeds: part.seeds,
        });
    }
    match json::apply_edits(b"{}", &keys) {
        Ok(Some(text)) => {
            let document = SecretBytes::new(text.as_bytes().to_vec());
            Ok((document, keys))
        }
        Ok(None) => Err("has no keys".to_owned()),
        Err(why) => Err(format!("cannot be a JSON document: {why}")),
    }
}

/// Probable mistakes in the values, as sentences. JSON is stored without the white space around it.
pub(crate) fn warnings(parts: &[Part<'_>]) -> Vec<String> {
    let mut warnings = Vec::new();
    for part in parts {
        let subject = part.subject();
        if part.is_path_of_file {
            warnings.push(format!("{subject} {PATH_OF_FILE}"));
        }
        if part.as_json {
            continue;
        }
        let value = SecretValue::stored(part.value.clone(), Kind::String);
        let of_text = value.text_warnings(&subject);
        if let Some(pair) = part.pair {
            if pair.is_bare {
                warnings.push(format!(
                    "{subject} is empty; is the variable that it was written from defined? Write `\"\"` for an empty value"
                ));
            } else if pair.expands_elsewhere && of_text.is_empty() {
                warnings.push(format!(
                    "{subject} has a `$` that other programs may expand as a variable; it is stored \
                     exactly as given. Use single quotes if that is intended"
                ));
            }
        }
        warnings.extend(of_text);
    }
    warnings
}
