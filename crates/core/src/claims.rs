//! What an OIDC token says about its job: the claims that a role's trust policy is about. They are
//! no secret; the signature that makes a token one is never looked at.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::Value;

/// The claims that trust policies are about; absent where the token could not be read.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
pub struct Claims {
    /// Who: `repo:acme/models:ref:refs/heads/main`.
    pub sub: Option<String>,
    /// For whom; may be a list.
    pub aud: Option<Value>,
    /// From whom: the URL of the provider.
    pub iss: Option<String>,
}

impl Claims {
    /// Reads a token's second part.
    #[must_use]
    pub fn parse(token: &str) -> Self {
        token
            .split('.')
            .nth(1)
            .and_then(|part| URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).ok())
            .and_then(|json| serde_json::from_slice(&json).ok())
            .unwrap_or_default()
    }

    /// The audience, the first of several.
    #[must_use]
    pub fn audience(&self) -> Option<&str> {
        match self.aud.as_ref()? {
            Value::Array(all) => all.first()?.as_str(),
            one => one.as_str(),
        }
    }

    /// The provider as a trust policy names it: without `https://`.
    #[must_use]
    pub fn provider(&self) -> Option<&str> {
        self.iss.as_deref()?.strip_prefix("https://")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_token_has_no_claims() {
        for text in ["", "a.b.c", "made-up", "..", "a.e30", "a.eyJzdWIiOjF9.c"] {
            assert_eq!(Claims::parse(text), Claims::default(), "{text}");
        }
        let token = format!(
            "e30.{}.made-up",
            URL_SAFE_NO_PAD.encode(r#"{"sub":"s","aud":["a","b"],"iss":"https://i/p","exp":1}"#)
        );
        let claims = Claims::parse(&token);
        assert_eq!(claims.sub.as_deref(), Some("s"));
        assert_eq!(claims.audience(), Some("a"));
        assert_eq!(claims.provider(), Some("i/p"));
    }
}
