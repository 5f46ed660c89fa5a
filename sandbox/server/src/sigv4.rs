//! AWS Signature Version 4: signs for the test client, and verifies. Independent of access keys; `keys.rs` decides whether a
//! request is authenticated.

use std::time::SystemTime;

use aws_lc_rs::{digest, hmac};

use crate::time;

pub(crate) const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// The parts of a request that its signature covers.
pub(crate) struct RequestToSign<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) query: &'a str,
    /// Names are in lower case; the order does not matter.
    pub(crate) headers: &'a [(String, String)],
    pub(crate) body: &'a [u8],
}

/// A parsed `Authorization` header.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Authorization {
    pub(crate) key_id: String,
    pub(crate) date: String,
    pub(crate) region: String,
    pub(crate) service: String,
    pub(crate) signed_headers: Vec<String>,
    pub(crate) signature: String,
}

impl Authorization {
    pub(crate) fn parse(header: &str) -> Option<Self> {
        let rest = header.strip_prefix(ALGORITHM)?;
        let (mut credential, mut headers, mut signature) = (None, None, None);
        for part in rest.split(',') {
            match part.trim().split_once('=')? {
                ("Credential", value) => credential = Some(value),
                ("SignedHeaders", value) => headers = Some(value),
                ("Signature", value) => signature = Some(value),
                _ => {}
            }
        }
        let mut scope = credential?.split('/');
        let mut next = || scope.next().map(str::to_owned);
        let parsed = Self {
            key_id: next()?,
            date: next()?,
            region: next()?,
            service: next()?,
            signed_headers: headers?.split(';').map(str::to_owned).collect(),
            signature: signature?.to_owned(),
        };
        (scope.next() == Some("aws4_request")).then_some(parsed)
    }

    fn scope(&self) -> String {
        format!(
            "{}/{}/{}/aws4_request",
            self.date, self.region, self.service
        )
    }

    /// Whether this signature was made with `secret` over `request`, dated `amz_date`.
    pub(crate) fn is_made_with(
        &self,
        secret: &str,
        amz_date: &str,
        request: &RequestToSign<'_>,
    ) -> bool {
        let Some(signature) = decode_hex(&self.signature) else {
            return false;
        };
        let canonical = canonical_request(request, &self.signed_headers);
        let string_to_sign = string_to_sign(amz_date, &self.scope(), &canonical);
        let key = signing_key(secret, &self.date, &self.region, &self.service);
        hmac::verify(&key, string_to_sign.as_bytes(), &signature).is_ok()
    }
}

/// Creates the `Authorization` header of a request; all of its headers are signed.
pub(crate) fn sign(
    key_id: &str,
    secret: &str,
    region: &str,
    service: &str,
    at: SystemTime,
    request: &RequestToSign<'_>,
) -> String {
    let amz_date = time::compact(at);
    let mut names: Vec<String> = request
        .headers
        .iter()
        .map(|(name, _)| name.clone())
        .collect();
    names.sort();
    let date = &amz_date[..8];
    let scope = format!("{date}/{region}/{service}/aws4_request");
    let string_to_sign = string_to_sign(&amz_date, &scope, &canonical_request(request, &names));
    let signature = hmac::sign(
        &signing_key(secret, date, region, service),
        string_to_sign.as_bytes(),
    );
    format!(
        "{ALGORITHM} Credential={key_id}/{scope}, SignedHeaders={}, Signature={}",
        names.join(";"),
        hex(signature.as_ref())
    )
}

fn canonical_request(request: &RequestToSign<'_>, names: &[String]) -> String {
    let mut query: Vec<&str> = request.query.split('&').collect();
    query.sort_unstable();
    let mut headers = String::new();
    for name in names {
        let values: Vec<String> = request
            .headers
            .iter()
            .filter(|(header, _)| header == name)
            .map(|(_, value)| value.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect();
        headers.push_str(&format!("{name}:{}\n", values.join(",")));
    }
    format!(
        "{}\n{}\n{}\n{headers}\n{}\n{}",
        request.method,
        request.path,
        query.join("&"),
        names.join(";"),
        hex(digest::digest(&digest::SHA256, request.body).as_ref())
    )
}

fn string_to_sign(amz_date: &str, scope: &str, canonical: &str) -> String {
    let hash = digest::digest(&digest::SHA256, canonical.as_bytes());
    format!("{ALGORITHM}\n{amz_date}\n{scope}\n{}", hex(hash.as_ref()))
}

fn signing_key(secret: &str, date: &str, region: &str, service: &str) -> hmac::Key {
    let mut key = hmac::Key::new(hmac::HMAC_SHA256, format!("AWS4{secret}").as_bytes());
    for part in [date, region, service, "aws4_request"] {
        let tag = hmac::sign(&key, part.as_bytes());
        key = hmac::Key::new(hmac::HMAC_SHA256, tag.as_ref());
    }
    key
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn decode_hex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) {
        return None;
    }
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `get-vanilla` of the test suite that AWS published for Signature Version 4.
    #[test]
    fn signature_matches_published_example() {
        let headers = [
            ("host".to_owned(), "example.amazonaws.com".to_owned()),
            ("x-amz-date".to_owned(), "20150830T123600Z".to_owned()),
        ];
        let request = RequestToSign {
            method: "GET",
            path: "/",
            query: "",
            headers: &headers,
            body: b"",
        };
        let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
        let at = time::parse_compact("20150830T123600Z").expect("a date");
        let header = sign("AKIDEXAMPLE", secret, "us-east-1", "service", at, &request);
        assert!(
            header.ends_with("5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
            "{header}"
        );
        let parsed = Authorization::parse(&header).expect("our own header");
        assert!(parsed.is_made_with(secret, "20150830T123600Z", &request));
        assert!(!parsed.is_made_with("another", "20150830T123600Z", &request));
        let other = RequestToSign {
            body: b"x",
            ..request
        };
        assert!(!parsed.is_made_with(secret, "20150830T123600Z", &other));
    }
}
