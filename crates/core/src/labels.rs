//! Staging labels: AWS's own, the rules for those that users may name, and the private labels of this tool. No other
//! module may know how a private label is written.

mod transaction;
mod write;

pub use transaction::{TransactionLabel, is_transaction_label};
pub use write::{LabelState, MAX_RUN, WriteLabel, label_state};

/// The label of the version that readers get.
pub const CURRENT: &str = "AWSCURRENT";
/// The label of the version that was current before; AWS moves it.
pub const PREVIOUS: &str = "AWSPREVIOUS";
/// The label of a rotation in progress.
pub const PENDING: &str = "AWSPENDING";

/// AWS's limit for a label, in characters.
const MAX_LABEL: usize = 256;

/// Whether a label is one of this tool's private labels.
#[must_use]
pub fn is_private(label: &str) -> bool {
    write::has_prefix(label) || is_transaction_label(label)
}

/// Why users may not name this label; `None` where they may.
#[must_use]
pub fn rejection(label: &str) -> Option<&'static str> {
    match label {
        PREVIOUS => Some("must not name AWSPREVIOUS: it follows AWSCURRENT by itself"),
        PENDING => Some("must not name AWSPENDING: it belongs to rotation"),
        _ if is_private(label) => Some("must not name a private label of this tool"),
        _ if label.len() > MAX_LABEL
            || !label.bytes().all(|b| b.is_ascii_graphic() && b != b',') =>
        {
            Some(
                "must be printable ASCII without spaces and commas, at most 256 characters a label",
            )
        }
        _ => None,
    }
}
