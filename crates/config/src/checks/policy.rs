//! `resource-policy` and `allow-public-policy`: the document, from the input itself or from a file. AWS decides whether the
//! policy is public.

use upsert_secret_core::resource_policy::ResourcePolicy;

use crate::diagnostics::Diagnostics;
use crate::files;
use crate::inputs::RawInputs;

/// AWS limit for a resource policy, in characters (API model; PutResourcePolicy).
pub(crate) const MAX_POLICY: usize = 20_480;
/// The same limit in bytes, assuming the longest UTF-8 encoding of each character.
const MAX_BYTES: usize = 4 * MAX_POLICY;
const FILE_PREFIX: &str = "file:";

pub(crate) fn check(
    raw: &RawInputs,
    diagnostics: &mut Diagnostics,
) -> (Option<ResourcePolicy>, bool) {
    let allow_public =
        diagnostics.choice("allow-public-policy", raw.allow_public_policy.as_deref());
    let Some(given) = raw.resource_policy.as_deref() else {
        if allow_public {
            diagnostics.reject(
                "allow-public-policy",
                "is set, but `resource-policy` is not",
            );
        }
        return (None, allow_public);
    };
    let text = match given.strip_prefix(FILE_PREFIX) {
        Some(path) => read_file(path),
        None => Ok(given.to_owned()),
    };
    let policy = diagnostics.accept("resource-policy", text.and_then(|text| parse(text.trim())));
    if let Some(fault) = policy.as_ref().and_then(ResourcePolicy::fault) {
        diagnostics.reject("resource-policy", fault);
    }
    (policy, allow_public)
}

fn parse(text: &str) -> Result<ResourcePolicy, String> {
    if text.chars().count() > MAX_POLICY {
        return Err(format!("is longer than {MAX_POLICY} characters"));
    }
    if text.starts_with('\u{feff}') {
        return Err(
            "begins with a byte order mark (U+FEFF), which JSON does not allow; save it without one"
                .to_owned(),
        );
    }
    ResourcePolicy::parse(text)
}

fn read_file(path: &str) -> Result<String, String> {
    let content = files::read(path, MAX_BYTES).map_err(|why| format!("names {why}"))?;
    let content = content.ok_or_else(|| format!("is longer than {MAX_POLICY} characters"))?;
    String::from_utf8(content).map_err(|_| "names a file that is not UTF-8".to_owned())
}
