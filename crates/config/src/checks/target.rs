//! `name`.

use upsert_secret_core::target::Target;

use crate::problems::Problems;

/// The input `name`.
pub(crate) fn check(name: Option<&str>, problems: &mut Problems) -> Option<Target> {
    let Some(name) = name else {
        problems.add(
            "name",
            "is not given: it is the name or the ARN of the secret",
        );
        return None;
    };
    Target::parse(name)
        .map_err(|why| problems.add("name", why))
        .ok()
}
