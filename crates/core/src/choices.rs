//! Inputs with a fixed set of values, and their defaults. Must not read inputs.

use crate::value::Kind;

/// An input with a fixed set of values.
pub trait Choice: Copy + Default + 'static {
    /// The words and their meanings, default first.
    const WORDS: &'static [(&'static str, Self)];

    /// The meaning of a word; `None` if it is not one of the set.
    fn parse(word: &str) -> Option<Self> {
        let (_, choice) = Self::WORDS.iter().find(|(known, _)| *known == word)?;
        Some(*choice)
    }

    /// The words, for error messages.
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
        /// Also remove tags that are not listed.
        "replace" => Replace,
    }
    /// `replica-policy`
    ReplicaPolicy {
        /// Add.
        "merge" => Merge,
        /// Also remove replicas that are not listed, and recreate those with a different key.
        "replace" => Replace,
    }
    /// `if-exists`
    IfExists {
        /// Write the value.
        "update" => Update,
        /// Change nothing if there is a current value.
        "skip" => Skip,
    }
    /// `compare`
    Compare {
        /// Read the value if permitted.
        "auto" => Auto,
        /// Fail if the read is denied.
        "always" => Always,
        /// Never read.
        "never" => Never,
    }
    /// `on-scheduled-deletion`
    OnScheduledDeletion {
        /// Reject.
        "fail" => Fail,
        /// Restore the secret first.
        "restore" => Restore,
    }
    /// `on-rotation`
    OnRotation {
        /// Reject.
        "fail" => Fail,
        /// Write although rotation is enabled.
        "allow" => Allow,
    }
    /// `on-value-in-metadata`
    OnValueInMetadata {
        /// Reject.
        "fail" => Fail,
        /// Accept a name, description, tag or label that contains the value.
        "allow" => Allow,
    }
    /// `json-value-as`
    JsonValueAs {
        /// As a JSON string.
        "string" => String,
        /// As JSON.
        "json" => Json,
    }
    /// `value-encoding`
    ValueEncoding {
        /// Store the bytes as given.
        "text" => Text,
        /// Decode before storing.
        "base64" => Base64,
        /// Store the pairs of a `.env` file as a JSON object.
        "dotenv" => Dotenv,
    }
}

impl Choice for bool {
    const WORDS: &'static [(&'static str, Self)] = &[("false", false), ("true", true)];
}

/// `store-as`
impl Choice for Kind {
    const WORDS: &'static [(&'static str, Self)] =
        &[("string", Self::String), ("binary", Self::Binary)];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_parsed_and_listed_default_first() {
        assert_eq!(Compare::words(), ["auto", "always", "never"]);
        assert_eq!(Compare::default(), Compare::Auto);
        assert_eq!(Compare::parse("never"), Some(Compare::Never));
        for text in ["", "Never", "never ", "sometimes"] {
            assert_eq!(Compare::parse(text), None, "{text}");
        }
    }
}
