//! Secret values: how they are held, checked, decoded and compared. Must not format a value: types that hold one must not
//! implement `Debug`, `Display` or `Serialize`, and must zeroize their bytes on drop.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use thiserror::Error;
use zeroize::Zeroizing;

mod text;

pub use text::is_invisible;

/// The size limit of Secrets Manager for a string or binary value ("Secrets Manager quotas"), in bytes before base64 encoding.
pub const MAX_BYTES: usize = 65_536;

/// Bytes that are never printed: a value, a token, the key given as `version-id-key`. Clones share the bytes, so that a value
/// used by thousands of secrets exists only once in memory.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretBytes(Arc<Zeroizing<Vec<u8>>>);

impl SecretBytes {
    /// Takes ownership of the bytes, and zeroizes them when the last clone is dropped.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Arc::new(Zeroizing::new(bytes)))
    }

    /// The bytes, only to hash, send or redact them.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

/// The field of a version that holds the value. The same bytes in the other field are a different value to readers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// `SecretString`
    #[default]
    String,
    /// `SecretBinary`
    Binary,
}

/// The reason bytes cannot be stored as requested. The message completes a sentence that starts with the input's name, and
/// never contains the bytes.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum ValueError {
    /// No bytes.
    #[error("is empty")]
    Empty,
    /// Only white space and other invisible characters.
    #[error("consists of white space or other invisible characters only")]
    Blank,
    /// More than [`MAX_BYTES`].
    #[error("has more than {MAX_BYTES} bytes, the most that Secrets Manager stores")]
    TooLarge,
    /// A string that is not UTF-8.
    #[error("is not valid UTF-8, so it cannot be stored as a string")]
    NotUtf8,
    /// A string that starts with the UTF-16 byte order mark.
    #[error("is UTF-16 text, not UTF-8, so it cannot be stored as a string")]
    Utf16,
    /// An unpaired surrogate in a Windows variable, which cannot be represented in UTF-8.
    #[error("contains half a character (an unpaired surrogate), so its bytes are not defined")]
    UnpairedSurrogate,
    /// The text that a CI system prints in place of a secret.
    #[error("is a mask (`***` or `[MASKED]`), not a secret")]
    Mask,
    /// A variable reference that the CI system did not expand.
    #[error(
        "is a reference to a variable (such as `$NAME`, `${{NAME}}` or `$(NAME)`), which CI systems and \
         shells leave unchanged if they do not know the variable"
    )]
    Reference,
    /// Not valid base64, although the input declares it as base64.
    #[error("is not valid base64")]
    NotBase64,
}

/// Rejects text that a CI system leaves in a variable in place of a secret. A file, or standard input, may contain such text on
/// purpose. `content` is the variable's content before it is decoded.
///
/// # Errors
/// [`ValueError::Mask`] or [`ValueError::Reference`].
pub fn check_variable(content: &[u8]) -> Result<(), ValueError> {
    let text = str::from_utf8(content).unwrap_or_default();
    if text::is_mask(text) {
        Err(ValueError::Mask)
    } else if text::is_reference(text) {
        Err(ValueError::Reference)
    } else {
        Ok(())
    }
}

/// A value that Secrets Manager can store: 1 to 65,536 bytes, and UTF-8 if it is a string.
#[derive(PartialEq, Eq)]
pub struct SecretValue {
    kind: Kind,
    bytes: SecretBytes,
}

impl SecretValue {
    /// Checks the bytes against the service's limits, and for text that a CI system passes in place of a secret.
    ///
    /// # Errors
    /// See [`ValueError`].
    pub fn new(bytes: SecretBytes, kind: Kind) -> Result<Self, ValueError> {
        let raw = bytes.expose();
        let text = str::from_utf8(raw);
        if raw.is_empty() {
            Err(ValueError::Empty)
        } else if text.is_ok_and(text::is_mask) {
            Err(ValueError::Mask)
        } else if raw.len() > MAX_BYTES {
            Err(ValueError::TooLarge)
        } else if text.is_ok_and(|text| is_blank(text, kind)) {
            Err(ValueError::Blank)
        } else if kind == Kind::String && text.is_err() {
            Err(if text::has_utf16_mark(raw) {
                ValueError::Utf16
            } else {
                ValueError::NotUtf8
            })
        } else {
            Ok(Self { kind, bytes })
        }
    }

    /// A value that is already stored in AWS and is therefore not checked.
    pub fn stored(bytes: SecretBytes, kind: Kind) -> Self {
        Self { kind, bytes }
    }

    /// The field that holds the value.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The bytes, only to hash, send or redact them.
    pub fn expose(&self) -> &[u8] {
        self.bytes.expose()
    }

    /// Probable mistakes in the CI secret, as sentences about `subject`. The value is stored unchanged, because some values
    /// legitimately end in a newline.
    pub fn warnings(&self, subject: &str) -> Vec<String> {
        let mut warnings = self.text_warnings(subject);
        if self.expose().len() < 4 {
            warnings.push(format!(
                "{subject} has fewer than 4 bytes; text that short cannot be redacted \
                 from logs without making them unreadable"
            ));
        }
        warnings
    }

    /// The warnings about a string's characters.
    pub fn text_warnings(&self, subject: &str) -> Vec<String> {
        let text = str::from_utf8(self.expose()).ok();
        text.filter(|_| self.kind == Kind::String)
            .map(text::suspicions)
            .unwrap_or_default()
            .into_iter()
            .map(|what| format!("{subject} {what}; it is stored exactly as given"))
            .collect()
    }
}

/// Whether a value has no visible content. Zero bytes may be a binary key.
fn is_blank(text: &str, kind: Kind) -> bool {
    text::is_blank(text) && (kind == Kind::String || !text.contains('\0'))
}

/// Decodes base64: standard alphabet, optional padding. Ignores white space, because CI variables often contain wrapped lines.
///
/// # Errors
/// [`ValueError::NotBase64`], without a position: an offset and a symbol would reveal a part of the value.
pub fn decode_base64(encoded: &SecretBytes) -> Result<SecretBytes, ValueError> {
    const LENIENT: GeneralPurpose = GeneralPurpose::new(
        &base64::alphabet::STANDARD,
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    let mut packed = Zeroizing::new(encoded.expose().to_vec());
    packed.retain(|byte| !byte.is_ascii_whitespace());
    // Allocated once: a buffer that grew would leave a partial copy behind.
    let mut decoded = Zeroizing::new(vec![0; packed.len() / 4 * 3 + 3]);
    let length = LENIENT
        .decode_slice(packed.as_slice(), decoded.as_mut_slice())
        .map_err(|_| ValueError::NotBase64)?;
    Ok(SecretBytes::new(decoded[..length].to_vec()))
}

#[cfg(test)]
mod tests;
