//! The OIDC token claims that a role's trust policy tests, for diagnosis and for printed policies. The claims are public. Must
//! not read or verify the signature, which makes a token secret.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::Value;

/// The claims that trust policies test; all absent if the token cannot be read.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
pub struct Claims {
    /// The subject, such as `repo:acme/models:ref:refs/heads/main`.
    pub sub: Option<String>,
    /// The audience: a text or a list.
    pub aud: Option<Value>,
    /// The issuer: the URL of the identity provider.
    pub iss: Option<String>,
}

impl Claims {
    /// Reads the payload of a token.
    pub fn parse(token: &str) -> Self {
        token
            .split('.')
            .nth(1)
            .and_then(|payload| URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok())
            .and_then(|json| serde_json::from_slice(&json).ok())
            .unwrap_or_default()
    }

    /// The audience, or the first of several.
    pub fn audience(&self) -> Option<&str> {
        match self.aud.as_ref()? {
            Value::Array(audiences) => audiences.first()?.as_str(),
            one => one.as_str(),
        }
    }

    /// The identity provider as trust policies name it: the issuer without `https://`.
    pub fn provider(&self) -> Option<&str> {
        self.iss.as_deref()?.strip_prefix("https://")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_of_invalid_token_are_absent() {
        for text in ["", "a.b.c", "made-up", "..", "a.e30", "a.eyJzdWIiOjF9.c"] {
            assert_eq!(Claims::parse(text), Claims::default(), "{text}");
        }
    }

    #[test]
    fn claims_are_read_from_payload() {
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
