//! Staging labels: those of AWS, the rules for user labels, and this tool's private labels. Owns the format of private labels.

use crate::quote::plain_text;

mod transaction;
mod write;

pub use transaction::{TransactionLabel, is_transaction_label};
pub use write::{LabelState, MAX_RUN, WriteLabel, label_state};

/// The label of the current version.
pub const CURRENT: &str = "AWSCURRENT";
/// The label of the previous version, which AWS moves automatically.
pub const PREVIOUS: &str = "AWSPREVIOUS";
/// The label of a rotation in progress.
pub const PENDING: &str = "AWSPENDING";

/// The maximum length of a label in AWS, in characters (API reference, "PutSecretValue").
const MAX_LABEL: usize = 256;

/// Whether a label is one of this tool's private labels.
pub fn is_private(label: &str) -> bool {
    write::has_prefix(label) || is_transaction_label(label)
}

/// The reason an input must not name this label; `None` if it may. The text completes a sentence that starts with the input's
/// name.
pub fn rejection(label: &str) -> Option<&'static str> {
    match label {
        PREVIOUS => Some("must not include AWSPREVIOUS: AWS moves it along with AWSCURRENT"),
        PENDING => Some("must not include AWSPENDING: it belongs to rotation"),
        _ if is_private(label) => Some("must not include a private label of upsert-secret"),
        _ if label.len() > MAX_LABEL
            || !label.bytes().all(|b| b.is_ascii_graphic() && b != b',') =>
        {
            Some(
                "must be printable ASCII without spaces and commas, at most 256 characters per label",
            )
        }
        _ => None,
    }
}

/// A label returned by AWS, as text: shown in full if it looks like one that people or AWS would choose. Anything else may be a
/// misplaced secret.
pub(crate) fn shown_label(label: &str) -> String {
    if [CURRENT, PREVIOUS, PENDING].contains(&label) {
        label.to_owned()
    } else {
        plain_text(label)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNIQUE: &str = "00000000-0000-8000-8000-000000000000";

    #[test]
    fn labels_of_both_kinds_are_private() {
        let write = WriteLabel::until(1, UNIQUE).label;
        let transaction = TransactionLabel::until(1, "a", "eu-west-1", None, 2, UNIQUE);
        for label in [write, transaction.member(), transaction.record()] {
            assert!(is_private(&label), "{label}");
            assert!(rejection(&label).is_some_and(|why| why.contains("private")));
        }
        assert!(!is_private(CURRENT));
    }

    #[test]
    fn label_reserved_by_aws_is_rejected() {
        for label in [PREVIOUS, PENDING] {
            assert!(rejection(label).is_some_and(|why| why.contains(label)));
        }
        assert_eq!(rejection(CURRENT), None);
    }

    #[test]
    fn label_must_be_short_printable_ascii() {
        let longest = "x".repeat(256);
        let too_long = "x".repeat(257);
        for label in ["a", "blue-2.0_x/y", &longest] {
            assert_eq!(rejection(label), None, "{label}");
        }
        for label in ["a b", "a,b", "\u{e4}", "a\n", &too_long] {
            assert!(
                rejection(label).is_some_and(|why| why.contains("ASCII")),
                "{label}"
            );
        }
    }
}
