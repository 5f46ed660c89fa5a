//! The caller and its location, as far as needed for a diagnosis. Must not explain errors itself.

use upsert_secret_core::connection::CiSystem;

/// The caller, as far as a diagnosis needs it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Caller {
    /// The region of the store.
    pub(crate) region: String,
    pub(crate) ci: CiSystem,
    /// The problem with the credentials, if AWS rejects them.
    pub(crate) key_pair: Option<KeyPair>,
}

/// An access key and a session token that do not belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyPair {
    /// A long-term key with a session token.
    StrayToken,
    /// A temporary key without a session token.
    LacksToken,
}

impl KeyPair {
    /// Detects the problem by the prefix of the access key ID (IAM documentation, "Understanding unique ID prefixes").
    /// Emulators accept any key, so this can explain a rejection but not predict one.
    pub(crate) fn of(access_key_id: &str, session_token: Option<&str>) -> Option<Self> {
        let has_token = session_token.is_some_and(|token| !token.is_empty());
        match access_key_id.get(..4)? {
            "AKIA" if has_token => Some(Self::StrayToken),
            "ASIA" if !has_token => Some(Self::LacksToken),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stray_and_missing_session_tokens_are_seen() {
        for (id, token, expected) in [
            ("AKIAMADEUP", Some("made-up"), Some(KeyPair::StrayToken)),
            ("AKIAMADEUP", Some(""), None),
            ("AKIAMADEUP", None, None),
            ("ASIAMADEUP", None, Some(KeyPair::LacksToken)),
            ("ASIAMADEUP", Some("made-up"), None),
            ("test", Some("made-up"), None),
            ("ä", None, None),
        ] {
            assert_eq!(KeyPair::of(id, token), expected, "{id} {token:?}");
        }
    }
}
