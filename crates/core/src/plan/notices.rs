//! Notices that several decisions share. It decides nothing.

use crate::labels::{CURRENT, PENDING};
use crate::request::Request;
use crate::state::SecretMetadata;

/// The notice of a write over a value that must not be read.
pub(super) const UNREAD: &str = "reading the current value (GetSecretValue) is denied: it is written without comparing, and so may make a version that changes nothing";

/// The warning that a version staged under another label becomes current because it is the first.
pub(super) fn first_version(request: &Request) -> String {
    format!(
        "{} has no version yet: AWS makes the first one current as well",
        request.target.id
    )
}

/// The notice of a rotation in progress; `None` if there is none. The rotation ends as it would without this run.
pub fn rotation(secret: &SecretMetadata) -> Option<String> {
    let id = secret.holder(PENDING)?;
    (secret.holder(CURRENT) != Some(id)).then(|| {
        format!("a rotation is in progress: AWSPENDING is on version {id}, and stays there")
    })
}
