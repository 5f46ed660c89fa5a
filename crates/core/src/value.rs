//! Secret values: how they are held, checked, decoded and compared. Nothing here may format one: types that hold a value
//! have no `Debug`, `Display` or `Serialize`, and zeroize their bytes when they are dropped.

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use thiserror::Error;
use zeroize::Zeroizing;

/// The limit of Secrets Manager for a string or a binary value ("Secrets Manager quotas"), in bytes before base64.
pub const MAX_BYTES: usize = 65_536;

/// Bytes that are never printed: a value, a token, the key given as `version-id-key`.
#[derive(PartialEq, Eq)]
pub struct SecretBytes(Zeroizing<Vec<u8>>);

impl SecretBytes {
    /// Takes ownership of the bytes, and zeroizes them when it is dropped.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
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

/// Why bytes cannot be stored as requested. The message completes a sentence that starts with the input's name, and
/// never contains the bytes.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum ValueError {
    /// No bytes.
    #[error("is empty")]
    Empty,
    /// More than [`MAX_BYTES`].
    #[error("has more than {MAX_BYTES} bytes, the most that Secrets Manager stores")]
    TooLarge,
    /// A string that is not UTF-8.
    #[error("is not valid UTF-8, so it cannot be stored as a string")]
    NotUtf8,
    /// The text that a CI system prints in place of a secret.
    #[error("is a mask (`***` or `[MASKED]`), not a secret")]
    Mask,
    /// A reference to a variable that the CI system did not expand.
    #[error(
        "is a reference such as `$(NAME)`, which a CI system leaves as it is where a variable is not defined"
    )]
    Reference,
    /// Not base64, although the input says so.
    #[error("is not valid base64")]
    NotBase64,
}

/// Whether the whole text is a reference to a variable: `$(NAME)` in Azure Pipelines, `${NAME}`, `${{ … }}` on GitHub.
/// `$NAME` may be a password.
fn is_reference(text: &[u8]) -> bool {
    let between = |start: &str, end: &str| {
        text.strip_prefix(start.as_bytes())?
            .strip_suffix(end.as_bytes())
    };
    let is_name = |name: &[u8]| {
        name.first()
            .is_some_and(|&first| first.is_ascii_alphabetic() || first == b'_')
            && name
                .iter()
                .all(|&byte| byte.is_ascii_alphanumeric() || b"_.".contains(&byte))
    };
    between("$(", ")").is_some_and(is_name)
        || between("${", "}").is_some_and(is_name)
        || between("${{", "}}").is_some_and(|inner| !inner.contains(&b'}'))
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
        if raw.is_empty() {
            Err(ValueError::Empty)
        } else if matches!(raw.trim_ascii(), b"***" | b"[MASKED]") {
            Err(ValueError::Mask)
        } else if is_reference(raw.trim_ascii()) {
            Err(ValueError::Reference)
        } else if raw.len() > MAX_BYTES {
            Err(ValueError::TooLarge)
        } else if kind == Kind::String && str::from_utf8(raw).is_err() {
            Err(ValueError::NotUtf8)
        } else {
            Ok(Self { kind, bytes })
        }
    }

    /// A value that AWS already stores, and that is therefore not checked.
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

    /// Probable mistakes in the CI secret. The value is stored unchanged, because some values end in a newline.
    pub fn warnings(&self) -> Vec<&'static str> {
        let raw = self.expose();
        let mut warnings = Vec::new();
        if self.kind == Kind::String {
            if raw.trim_ascii().is_empty() {
                warnings.push("the value is white space only; it is stored exactly as given");
            } else if raw.trim_ascii().len() != raw.len() {
                warnings.push(
                    "the value begins or ends with white space; it is stored exactly as given",
                );
            }
            if raw.contains(&b'\r') {
                warnings.push("the value contains a carriage return (Windows line ends?); it is stored exactly as given");
            }
        }
        if raw.len() < 4 {
            warnings.push("the value has fewer than 4 bytes; text that short cannot be redacted from logs without wrecking them");
        }
        warnings
    }
}

/// Decodes base64: standard alphabet, optional padding. White space is ignored, because CI variables often hold wrapped
/// lines.
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
mod tests {
    use super::*;

    fn make(bytes: &[u8], kind: Kind) -> Result<SecretValue, ValueError> {
        SecretValue::new(SecretBytes::new(bytes.to_vec()), kind)
    }

    #[test]
    fn value_out_of_limits_is_rejected() {
        let full = vec![b'x'; MAX_BYTES];
        let over = vec![b'x'; MAX_BYTES + 1];
        let cases: &[(&[u8], Kind, Option<ValueError>)] = &[
            (b"", Kind::String, Some(ValueError::Empty)),
            (b"***", Kind::String, Some(ValueError::Mask)),
            (b"[MASKED]\n", Kind::Binary, Some(ValueError::Mask)),
            (b"\xff\xfe", Kind::String, Some(ValueError::NotUtf8)),
            (b"\xff\xfe", Kind::Binary, None),
            (&full, Kind::String, None),
            (&over, Kind::String, Some(ValueError::TooLarge)),
            (b" ", Kind::String, None),
        ];
        for (bytes, kind, wanted) in cases {
            assert_eq!(make(bytes, *kind).err(), *wanted, "{} bytes", bytes.len());
        }
    }

    #[test]
    fn unexpanded_reference_is_rejected() {
        for text in [
            "$(MODEL_API_KEY)",
            "$(system.accessToken)\n",
            "${MODEL_API_KEY}",
            "${{ secrets.MODEL_API_KEY }}",
        ] {
            let made = make(text.as_bytes(), Kind::String).err();
            assert_eq!(made, Some(ValueError::Reference), "{text}");
        }
        for text in [
            "$(made up)",
            "$()",
            "${1a}",
            "$MADE_UP",
            "x$(MADE_UP)",
            "$(MADE)$(UP)",
            "${{a}}${{b}}",
        ] {
            assert!(make(text.as_bytes(), Kind::String).is_ok(), "{text}");
        }
    }

    #[test]
    fn string_and_binary_are_never_equal() {
        let (Ok(string), Ok(binary)) = (make(b"a", Kind::String), make(b"a", Kind::Binary)) else {
            panic!("both are valid");
        };
        assert!(string != binary);
        assert!(string == string);
    }

    #[test]
    fn base64_may_be_wrapped_and_unpadded() {
        let decode = |text: &str| {
            decode_base64(&SecretBytes::new(text.as_bytes().to_vec()))
                .map(|bytes| bytes.expose().to_vec())
        };
        assert_eq!(decode("aGVs\nbG8="), Ok(b"hello".to_vec()));
        assert_eq!(decode("aGVsbG8"), Ok(b"hello".to_vec()));
        assert_eq!(decode("aGVs*G8="), Err(ValueError::NotBase64));
        assert_eq!(decode(""), Ok(Vec::new()));
    }

    #[test]
    fn suspicious_value_is_warned_about() {
        let warnings = |bytes: &[u8], kind| make(bytes, kind).map(|value| value.warnings().len());
        assert_eq!(warnings(b"key-made-up\n", Kind::String), Ok(1));
        assert_eq!(warnings(b"line\r\nline", Kind::String), Ok(1));
        assert_eq!(warnings(b"ab", Kind::String), Ok(1));
        assert_eq!(warnings(b"key-made-up", Kind::String), Ok(0));
        assert_eq!(warnings(b"\x00\x0d\x0a\x0a", Kind::Binary), Ok(0));
    }
}
