//! The OpenID Connect issuers that the sandbox acts as, and the GitHub jobs that may request a token.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, json};

use super::jwt::SigningKey;
use crate::random;

pub(super) const GITHUB: &str = "https://token.actions.githubusercontent.com";
pub(crate) const GITLAB: &str = "https://gitlab.com";

/// The issuers, each with its own key, and the jobs that may request a token.
#[derive(Default)]
pub(crate) struct Issuers {
    keys: BTreeMap<String, SigningKey>,
    jobs: Vec<Job>,
}

/// A GitHub Actions job that may request ID tokens.
pub(super) struct Job {
    path: String,
    pub(super) bearer: String,
    pub(super) subject: String,
}

/// The claims of a token.
pub(crate) struct Claims<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) subject: &'a str,
    pub(crate) audience: &'a str,
    pub(crate) lifetime: Duration,
    /// Additional claims of the issuer, as an object.
    pub(crate) more: Value,
}

impl Issuers {
    /// The key of an issuer that the sandbox has acted as, by its URL without the scheme.
    pub(crate) fn key(&self, issuer: &str) -> Option<&SigningKey> {
        self.keys.get(issuer)
    }

    pub(crate) fn token(&mut self, claims: Claims<'_>, now: SystemTime) -> String {
        let issuer = claims.issuer.trim_start_matches("https://").to_owned();
        let key = self.keys.entry(issuer).or_insert_with(SigningKey::generate);
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let mut all = claims.more;
        for (name, value) in [
            ("iss", json!(claims.issuer)),
            ("sub", json!(claims.subject)),
            ("aud", json!(claims.audience)),
            ("iat", json!(now)),
            ("nbf", json!(now)),
            ("exp", json!(now + claims.lifetime.as_secs())),
            ("jti", json!(random::uuid())),
        ] {
            all[name] = value;
        }
        key.sign(&all)
    }

    /// The job whose token is requested at this path.
    pub(super) fn job(&self, path: &str) -> Option<&Job> {
        self.jobs.iter().find(|job| job.path == path)
    }

    /// Adds a job; returns the path with its query, and the bearer token.
    pub(crate) fn add_job(&mut self, subject: &str) -> (String, String) {
        // The empty path segment is GitHub's.
        let path = format!("/1//idtoken/{}/{}", random::uuid(), random::uuid());
        let bearer = random::base64(120);
        let url = format!("{path}?api-version=2.0");
        self.jobs.push(Job {
            path,
            bearer: bearer.clone(),
            subject: subject.to_owned(),
        });
        (url, bearer)
    }
}
