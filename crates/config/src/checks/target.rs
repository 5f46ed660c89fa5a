//! `name`: the secret's name or ARN. Whether the secret exists is for AWS to say.

use upsert_secret_core::target::Target;

use crate::diagnostics::Diagnostics;

pub(crate) fn check(name: Option<&str>, diagnostics: &mut Diagnostics) -> Option<Target> {
    let Some(name) = name else {
        diagnostics.reject(
            "name",
            "is not given: it is the name or the ARN of the secret",
        );
        return None;
    };
    Target::parse(name)
        .map_err(|why| diagnostics.reject("name", why))
        .ok()
}
