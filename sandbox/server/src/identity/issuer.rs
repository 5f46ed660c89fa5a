//! Owns the OpenID Connect issuers the sandbox plays, and GitHub's endpoint that hands a job its token.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use sandbox_model::ServiceError;
use serde_json::{Value, json};

use super::{Ask, jwt::SigningKey};
use crate::random;

const GITHUB: &str = "https://token.actions.githubusercontent.com";
pub(crate) const GITLAB: &str = "https://gitlab.com";

/// How long GitHub's tokens last.
const GITHUB_LIFETIME: Duration = Duration::from_secs(300);

/// The issuers, each with a key of its own, and the jobs that may ask for a token.
#[derive(Default)]
pub(crate) struct Issuers {
    keys: BTreeMap<String, SigningKey>,
    jobs: Vec<Job>,
}

/// A job of GitHub Actions with the right to ask.
struct Job {
    path: String,
    bearer: String,
    subject: String,
}

/// What a token says.
pub(crate) struct Claims<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) subject: &'a str,
    pub(crate) audience: &'a str,
    pub(crate) lifetime: Duration,
    /// What this issuer says beyond that.
    pub(crate) more: Value,
}

impl Issuers {
    /// The key of an issuer the sandbox has played so far, by its URL without the scheme.
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

    /// Lets one more job ask; answers the path with its query, and the bearer token.
    pub(crate) fn add_job(&mut self, subject: &str) -> (String, String) {
        // The empty part of the path is GitHub's own.
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

/// GitHub's answers beside 200 were not recorded but for the 403 of a job that does not run yet; statuses and
/// words are those of the service it is built on.
pub(crate) fn get_id_token(ask: &mut Ask<'_>) -> Result<Value, ServiceError> {
    if ask.incoming.method != "GET" {
        let text = "The requested resource does not support this http method.";
        return Err(ServiceError::new(405, "MethodNotAllowed", text));
    }
    let issuers = &mut ask.identity.issuers;
    let job = issuers
        .jobs
        .iter()
        .find(|job| job.path == ask.incoming.path);
    let job = job.ok_or_else(|| ServiceError::new(404, "NotFound", "The job was not found."))?;
    let given = ask.incoming.header("authorization").unwrap_or_default();
    let allowed = given.split_once(' ').is_some_and(|(scheme, token)| {
        scheme.eq_ignore_ascii_case("bearer") && token == job.bearer
    });
    if !allowed {
        return Err(ServiceError::new(401, "Unauthorized", "Unauthorized"));
    }
    if ask.incoming.input["api-version"].as_str().is_none() {
        let text = "No api-version was supplied for the \"GET\" request.";
        return Err(ServiceError::new(
            400,
            "VssVersionNotSpecifiedException",
            text,
        ));
    }
    let subject = job.subject.clone();
    let repository = subject.split(':').nth(1).unwrap_or_default().to_owned();
    let owner = repository.split('/').next().unwrap_or_default().to_owned();
    let audience = match ask.incoming.input["audience"].as_str() {
        Some(audience) if !audience.is_empty() => audience.to_owned(),
        _ => format!("https://github.com/{owner}"),
    };
    let claims = Claims {
        issuer: GITHUB,
        subject: &subject,
        audience: &audience,
        lifetime: GITHUB_LIFETIME,
        more: json!({
            "repository": repository,
            "repository_owner": owner,
            "event_name": "push",
            "runner_environment": "github-hosted",
        }),
    };
    Ok(json!({"value": issuers.token(claims, ask.now)}))
}
