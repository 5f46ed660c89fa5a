//! The shape of KMS key ids in `kms-key-id` and `replica-regions`. Which keys exist is for AWS to say.

/// Limit of AWS, in characters.
const MAX_LENGTH: usize = 2_048;

/// Whether a text can be a key id, a key ARN, an alias or an alias ARN.
pub(crate) fn is_kms_key(text: &str) -> bool {
    (1..=MAX_LENGTH).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}
