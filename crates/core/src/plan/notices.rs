//! Notices shared by several decisions. Must not make decisions.

use crate::error::StoreError;
use crate::labels::{CURRENT, PENDING};
use crate::request::Request;
use crate::state::SecretMetadata;
use crate::target::Target;
use crate::value::{Kind, SecretValue};

/// The notice for overwriting a value that cannot be read.
pub(super) fn unread(error: &StoreError) -> String {
    let cause = if error.is_about_kms_key() {
        "the current value cannot be decrypted with its KMS key"
    } else {
        "permission to read the current value (GetSecretValue) is denied"
    };
    format!(
        "{cause}: the value is written without comparing, which adds a version even if nothing changes"
    )
}

/// The warning that a version staged under another label becomes current because it is the first.
pub(super) fn first_version(request: &Request) -> String {
    format!(
        "{} gets its first version, which AWS also makes current",
        request.target.id
    )
}

/// The warning about a new secret whose name ends like an ARN: a hyphen and six characters. `similar` is the secret named by
/// the part before them, if there is one.
pub fn suffixed_name(target: &Target, similar: Option<&SecretMetadata>) -> String {
    let name = &target.name;
    let Some(similar) = similar else {
        return format!(
            "the name {name} ends in a hyphen and six characters, like the ARN of another secret: AWS does not find it by an \
             ARN without its suffix"
        );
    };
    let other = &similar.name;
    if similar.arn.ends_with(&format!(":secret:{name}")) {
        format!(
            "{name} is the end of the ARN of {other}, which exists, and no secret has it as its name: use the name {other} if \
             that secret is meant"
        )
    } else {
        format!(
            "the name {name} ends in a hyphen and six characters, like an ARN of {other}, which exists: use the name {other} \
             if that secret is meant"
        )
    }
}

/// The warning about changing the kind of value; `None` if the kind stays the same.
pub(super) fn kind_change(request: &Request, stored: Option<&SecretValue>) -> Option<String> {
    let (from, to) = match (stored?.kind(), request.value.kind()) {
        (Kind::Binary, Kind::String) => ("SecretBinary", "SecretString"),
        (Kind::String, Kind::Binary) => ("SecretString", "SecretBinary"),
        _ => return None,
    };
    Some(format!(
        "{} held {from} until now: readers must switch to {to} (see `store-as`)",
        request.target.id
    ))
}

/// The notice of a rotation in progress; `None` if there is none. The rotation ends as it would without this run.
pub fn rotation(secret: &SecretMetadata) -> Option<String> {
    let id = secret.holder(PENDING)?;
    (secret.holder(CURRENT) != Some(id)).then(|| {
        format!("a rotation is in progress: AWSPENDING is on version {id}, and stays there")
    })
}
