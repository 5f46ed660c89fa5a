//! `resource-policy` and `allow-public-policy`: the document, from the input itself or from a file. Whether the policy
//! is public is for AWS to say.

use upsert_secret_core::resource_policy::ResourcePolicy;

use crate::diagnostics::Diagnostics;
use crate::files;
use crate::inputs::RawInputs;

/// Limit of AWS for a resource policy, in characters (API model; PutResourcePolicy).
const MAX_POLICY: usize = 20_480;
/// The same limit in bytes, with the longest UTF-8 encoding of a character.
const MAX_BYTES: usize = 4 * MAX_POLICY;
const FILE_PREFIX: &str = "file:";

pub(crate) fn check(
    raw: &RawInputs,
    diagnostics: &mut Diagnostics,
) -> (Option<ResourcePolicy>, bool) {
    let allow_public =
        diagnostics.choice("allow-public-policy", raw.allow_public_policy.as_deref());
    let Some(given) = raw.resource_policy.as_deref() else {
        if raw.allow_public_policy.is_some() {
            diagnostics.reject("allow-public-policy", "is given, but no `resource-policy`");
        }
        return (None, allow_public);
    };
    let text = match given.strip_prefix(FILE_PREFIX) {
        Some(path) => read_file(path),
        None => Ok(given.to_owned()),
    };
    let policy = diagnostics.accept("resource-policy", text.and_then(|text| parse(text.trim())));
    (policy, allow_public)
}

fn parse(text: &str) -> Result<ResourcePolicy, String> {
    if text.chars().count() > MAX_POLICY {
        return Err(format!("is longer than {MAX_POLICY} characters"));
    }
    ResourcePolicy::parse(text)
}

fn read_file(path: &str) -> Result<String, String> {
    let content = files::read(path, MAX_BYTES).map_err(|why| format!("names {why}"))?;
    let content = content.ok_or_else(|| format!("is longer than {MAX_POLICY} characters"))?;
    String::from_utf8(content).map_err(|_| "names a file that is not UTF-8".to_owned())
}
