//! Inputs that are one of a few words. The first of each is the default.

use crate::value::Kind;

/// `tag-policy`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TagPolicy {
    /// Add and change.
    #[default]
    Merge,
    /// Also remove what is not listed.
    Replace,
}

/// `replica-policy`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReplicaPolicy {
    /// Add.
    #[default]
    Merge,
    /// Also remove what is not listed, and make anew what has another key.
    Replace,
}

/// `if-exists`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IfExists {
    /// Give the secret the value.
    #[default]
    Update,
    /// Touch nothing where there is a current value.
    Skip,
}

/// `compare`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compare {
    /// Read where allowed.
    #[default]
    Auto,
    /// A denied read is a failure.
    Always,
    /// Never read.
    Never,
}

/// `on-scheduled-deletion`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnScheduledDeletion {
    /// Refuse.
    #[default]
    Fail,
    /// Restore the secret and go on.
    Restore,
}

/// `on-rotation`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnRotation {
    /// Refuse.
    #[default]
    Fail,
    /// Write all the same.
    Allow,
}

/// `store-as`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum StoreAs {
    /// SecretString.
    #[default]
    String,
    /// SecretBinary.
    Binary,
}

impl From<StoreAs> for Kind {
    fn from(choice: StoreAs) -> Self {
        match choice {
            StoreAs::String => Self::String,
            StoreAs::Binary => Self::Binary,
        }
    }
}

/// `json-value-as`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum JsonValueAs {
    /// As a JSON string.
    #[default]
    String,
    /// As the JSON that it is.
    Json,
}
