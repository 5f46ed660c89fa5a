//! JSON Web Tokens: signs them (ES256) and parses them. Must not validate their claims.

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair,
        UnparsedPublicKey,
    },
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

/// The key with which an issuer signs tokens.
pub(crate) struct SigningKey(EcdsaKeyPair);

impl SigningKey {
    pub(crate) fn generate() -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING);
        Self(pair.expect("the system has random numbers"))
    }

    pub(crate) fn sign(&self, claims: &Value) -> String {
        let header = json!({"alg": "ES256", "kid": "sandbox", "typ": "JWT"});
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(claims));
        let signature = self.0.sign(&SystemRandom::new(), signed.as_bytes());
        let signature = signature.expect("the system has random numbers");
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    pub(crate) fn has_signed(&self, token: &Token<'_>) -> bool {
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, self.0.public_key().as_ref())
            .verify(token.signed.as_bytes(), &token.signature)
            .is_ok()
    }
}

/// A parsed token. Neither its signature nor its claims are verified.
pub(crate) struct Token<'a> {
    signed: &'a str,
    signature: Vec<u8>,
    pub(crate) claims: Value,
}

impl<'a> Token<'a> {
    /// `None` if the text is not a JWT: three base64 parts, the first two of which are JSON objects.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let (signed, signature) = text.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let object = |part: &str| {
            let bytes = URL_SAFE_NO_PAD.decode(part).ok()?;
            let value: Value = serde_json::from_slice(&bytes).ok()?;
            value.is_object().then_some(value)
        };
        object(header)?;
        Some(Self {
            signed,
            signature: URL_SAFE_NO_PAD.decode(signature).ok()?,
            claims: object(claims)?,
        })
    }

    pub(crate) fn text(&self, claim: &str) -> Option<&str> {
        self.claims[claim].as_str()
    }

    pub(crate) fn number(&self, claim: &str) -> Option<u64> {
        self.claims[claim].as_u64()
    }

    /// The `aud` claim, which is one string or a list.
    pub(crate) fn audiences(&self) -> Vec<String> {
        match &self.claims["aud"] {
            Value::String(one) => vec![one.clone()],
            Value::Array(all) => all
                .iter()
                .filter_map(|one| one.as_str().map(str::to_owned))
                .collect(),
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signature_needs_own_key_and_unchanged_token() {
        let key = SigningKey::generate();
        let text = key.sign(&json!({"iss": "i", "aud": ["a", "b"], "exp": 7}));
        let token = Token::parse(&text).expect("a token");
        assert!(key.has_signed(&token));
        assert!(!SigningKey::generate().has_signed(&token));
        assert_eq!(token.text("iss"), Some("i"));
        assert_eq!(token.number("exp"), Some(7));
        assert_eq!(token.audiences(), ["a", "b"]);

        let mut parts: Vec<&str> = text.split('.').collect();
        let other = URL_SAFE_NO_PAD.encode(json!({"iss": "other"}).to_string());
        parts[1] = &other;
        let forged = parts.join(".");
        assert!(!key.has_signed(&Token::parse(&forged).expect("a token")));
    }

    #[test]
    fn malformed_tokens_do_not_parse() {
        for text in [
            "",
            "junk",
            "a.b.c",
            "e30.e30",
            "e30.e30.*",
            "bnVsbA.e30.e30",
        ] {
            assert!(Token::parse(text).is_none(), "{text}");
        }
        assert!(Token::parse("e30.e30.e30").is_some());
    }
}
