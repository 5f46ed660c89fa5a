//! Inputs that are one of a few words, and the words. The first of each is the default.

use crate::value::Kind;

/// A choice among a few words.
pub trait Choice: Copy + Default + 'static {
    /// The words and what they mean, the default first.
    const WORDS: &'static [(&'static str, Self)];

    /// The choice of a word.
    #[must_use]
    fn parse(word: &str) -> Option<Self> {
        let (_, choice) = Self::WORDS.iter().find(|(known, _)| *known == word)?;
        Some(*choice)
    }

    /// The words alone.
    #[must_use]
    fn words() -> Vec<&'static str> {
        Self::WORDS.iter().map(|(word, _)| *word).collect()
    }
}

macro_rules! choices {
    ($($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $word:literal => $variant:ident,)* })*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq)]
            pub enum $name {
                $($(#[$variant_doc])* $variant,)*
            }

            impl Choice for $name {
                const WORDS: &'static [(&'static str, Self)] = &[$(($word, Self::$variant),)*];
            }

            impl Default for $name {
                fn default() -> Self {
                    Self::WORDS[0].1
                }
            }
        )*
    };
}

choices! {
    /// `tag-policy`
    TagPolicy {
        /// Add and change.
        "merge" => Merge,
        /// Also remove what is not listed.
        "replace" => Replace,
    }
    /// `replica-policy`
    ReplicaPolicy {
        /// Add.
        "merge" => Merge,
        /// Also remove what is not listed, and recreate what has another key.
        "replace" => Replace,
    }
    /// `if-exists`
    IfExists {
        /// Give the secret the value.
        "update" => Update,
        /// Touch nothing where there is a current value.
        "skip" => Skip,
    }
    /// `compare`
    Compare {
        /// Read where allowed.
        "auto" => Auto,
        /// A denied read is a failure.
        "always" => Always,
        /// Never read.
        "never" => Never,
    }
    /// `on-scheduled-deletion`
    OnScheduledDeletion {
        /// Reject.
        "fail" => Fail,
        /// Restore the secret and go on.
        "restore" => Restore,
    }
    /// `on-rotation`
    OnRotation {
        /// Reject.
        "fail" => Fail,
        /// Write although rotation is enabled.
        "allow" => Allow,
    }
    /// `store-as`
    StoreAs {
        /// SecretString.
        "string" => String,
        /// SecretBinary.
        "binary" => Binary,
    }
    /// `json-value-as`
    JsonValueAs {
        /// As a JSON string.
        "string" => String,
        /// As the JSON that it is.
        "json" => Json,
    }
    /// `value-encoding`
    ValueEncoding {
        /// Store the bytes as given.
        "text" => Text,
        /// Decode before storing.
        "base64" => Base64,
    }
}

impl Choice for bool {
    const WORDS: &'static [(&'static str, Self)] = &[("false", false), ("true", true)];
}

impl From<StoreAs> for Kind {
    fn from(choice: StoreAs) -> Self {
        match choice {
            StoreAs::String => Self::String,
            StoreAs::Binary => Self::Binary,
        }
    }
}
