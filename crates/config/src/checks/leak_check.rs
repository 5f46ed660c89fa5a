//! Rejects public inputs that contain the value. Everyone with permission to list secrets can read names, descriptions and
//! tags, and they appear in logs, so a value in one of them is a mistake. Compares text without showing it.

use std::collections::HashSet;

use upsert_secret_core::connection::{Connection, TokenSource};
use upsert_secret_core::json::for_each_leaf;
use upsert_secret_core::request::Request;
use upsert_secret_core::resource_policy::ResourcePolicy;
use upsert_secret_core::views::{fold, for_each_view};

use crate::diagnostics::Diagnostics;

/// The minimum length in bytes of a value that does not occur in other text by chance.
pub(crate) const MIN_DISTINCTIVE_BYTES: usize = 16;

/// The minimum length in bytes of a part of a value that is searched for: a string in a JSON document or a line of a PEM file.
const MIN_PART: usize = 8;

/// The maximum length in bytes of a text that is decoded. Longer texts are policies.
const MAX_DECODED: usize = 4096;

const WHY: &str = "contains the value or a part of it, and can be read without access to the value; if \
                   both match by coincidence, set `on-value-in-metadata: allow`";

/// Rejects public inputs of a request, and of its role, that contain one of `secrets` (the request's value and its parts), a
/// string of a JSON document in one of them, or a line of a PEM file in one of them, either verbatim or encoded.
pub(crate) fn check<'s>(
    request: &Request,
    connection: &Connection,
    secrets: impl IntoIterator<Item = &'s [u8]>,
    diagnostics: &mut Diagnostics,
) {
    let secrets = Secrets::of(secrets);
    let json_keys = request.json.iter().map(|key| key.path.to_string());
    let json_keys: Vec<_> = json_keys.collect();
    let mut rejected = Vec::new();
    for (input, text) in public_texts(request, connection, &json_keys) {
        if !rejected.contains(&input) && secrets.are_in(text) {
            diagnostics.reject(input, WHY);
            rejected.push(input);
        }
    }
}

/// The publicly readable texts of a request and of its role, each with its input.
fn public_texts<'r>(
    request: &'r Request,
    connection: &'r Connection,
    json_keys: &'r [String],
) -> Vec<(&'static str, &'r str)> {
    let mut texts: Vec<(&'static str, &str)> = vec![("name", &request.target.id)];
    let mut add = |input, text: Option<&'r str>| texts.extend(text.map(|text| (input, text)));
    add("description", request.description.as_deref());
    add("kms-key-id", request.kms_key_id.as_deref());
    for (region, key) in request.replicas.iter().flatten() {
        add("replica-regions", Some(region));
        add("replica-regions", key.as_deref());
    }
    add(
        "resource-policy",
        request.policy.as_ref().map(ResourcePolicy::text),
    );
    for stage in &request.stages {
        add("version-stages", Some(stage));
    }
    for key in json_keys {
        add("json-key", Some(key));
    }
    for (key, value) in request.tags.iter().flatten() {
        add("tags", Some(key));
        add("tags", Some(value));
    }
    // STS logs these.
    if let Some(role) = &connection.identity.role {
        add("role-to-assume", Some(&role.arn));
        add("role-session-name", Some(&role.session_name));
        match &role.source {
            TokenSource::Github(request) => add("audience", Some(&request.audience)),
            TokenSource::Credentials { external_id } => {
                add("role-external-id", external_id.as_deref());
            }
            TokenSource::Token(_) | TokenSource::TokenFile(_) => {}
        }
    }
    texts
}

/// Secrets that public text must not contain.
#[derive(Default)]
struct Secrets {
    /// Values of any length: no text may be equal to one of them.
    whole: HashSet<String>,
    /// Values that no text may contain, normalized, and whether each is distinctive enough to be found inside a word.
    inside: HashSet<(Vec<u8>, bool)>,
    /// The length of the shortest of these values.
    shortest: usize,
}

impl Secrets {
    fn of<'s>(all: impl IntoIterator<Item = &'s [u8]>) -> Self {
        let mut secrets = Self {
            shortest: usize::MAX,
            ..Self::default()
        };
        // Many members may share one document.
        let mut seen = HashSet::new();
        for text in all
            .into_iter()
            .filter(|secret| seen.insert((secret.as_ptr(), secret.len())))
            .filter_map(|secret| str::from_utf8(secret).ok())
        {
            let text = text.trim_start_matches('\u{feff}').trim();
            // The members of an entry may come from one document.
            if text.is_empty() || !secrets.whole.insert(text.to_owned()) {
                continue;
            }
            secrets.add(text, MIN_DISTINCTIVE_BYTES);
            if text.starts_with(['{', '[']) {
                for_each_leaf(text, &mut |leaf| secrets.add(leaf.trim(), MIN_PART));
            }
            if text.contains("-----BEGIN ") {
                let lines = text.lines().filter(|line| !line.starts_with("-----"));
                lines.for_each(|line| secrets.add(line.trim(), MIN_PART));
            }
        }
        secrets
    }

    fn add(&mut self, text: &str, shortest: usize) {
        if text.len() >= shortest {
            let folded: Vec<_> = folded(text.as_bytes());
            self.shortest = self.shortest.min(folded.len());
            self.inside
                .insert((folded, text.len() >= MIN_DISTINCTIVE_BYTES));
        }
    }

    /// Whether a text contains one of them, verbatim or encoded.
    fn are_in(&self, text: &str) -> bool {
        if self.whole.contains(text) {
            return true;
        }
        // No encoding is shorter than its content.
        if text.len() < self.shortest {
            return false;
        }
        let mut views: Vec<_> = Vec::new();
        if text.len() <= MAX_DECODED {
            for_each_view(text, &mut |view| views.push(view.folded().0));
        } else {
            views.push(folded(text.as_bytes()));
        }
        // Thousands of parts are searched for, and almost none is found.
        let starts: HashSet<&[u8]> = views
            .iter()
            .flat_map(|view| view.windows(MIN_PART))
            .collect();
        let mut inside = self.inside.iter();
        inside.any(|(secret, is_distinctive)| {
            secret
                .get(..MIN_PART)
                .is_some_and(|start| starts.contains(start))
                && views
                    .iter()
                    .any(|view| contains(view, secret, *is_distinctive))
        })
    }
}

/// Whether a text contains a secret, as a separate word unless the secret is distinctive.
fn contains(view: &[u8], secret: &[u8], is_distinctive: bool) -> bool {
    let is_letter = |at: Option<usize>| {
        let byte = at.and_then(|at| view.get(at));
        byte.is_some_and(u8::is_ascii_alphanumeric)
    };
    let mut found = (0..)
        .zip(view.windows(secret.len()))
        .filter(|(_, part)| *part == secret);
    found.any(|(at, _): (usize, _)| {
        is_distinctive || !is_letter(at.checked_sub(1)) && !is_letter(Some(at + secret.len()))
    })
}

fn folded(bytes: &[u8]) -> Vec<u8> {
    fold(bytes.iter().map(|byte| (*byte, ())))
        .map(|(byte, ())| byte)
        .collect()
}
