//! The desired state of one secret, from its inputs. Whether the secret exists is for a later step.

use upsert_secret_core::connection::Connection;
use upsert_secret_core::request::Request;
use upsert_secret_core::target::Target;
use upsert_secret_core::value::{Kind, SecretBytes, SecretValue, ValueError};

use crate::checks::shapes::{NOT_A_KMS_KEY, is_kms_key};
use crate::checks::{json_key, labels, leak_check, policy, replicas, tags};
use crate::diagnostics::Diagnostics;
use crate::inputs::RawInputs;
use crate::value_source::Source;

/// The shortest `version-id-key`, in bytes: with a shorter one, the value could be searched for from a version id.
const MIN_KEY_BYTES: usize = 16;
/// Limit of AWS, in characters.
const MAX_DESCRIPTION: usize = 2_048;

/// Checks the inputs of one secret. The result is valid only if no problem was added.
pub(crate) fn check(
    raw: RawInputs,
    target: Option<Target>,
    source: Source,
    connection: &Connection,
    diagnostics: &mut Diagnostics,
) -> Request {
    let stages = labels::check_version_stages(&raw, diagnostics);
    let expected = labels::check_expected(&raw, diagnostics);
    let value = check_value(&raw, source, diagnostics);
    let json = json_key::check(&raw, value.as_ref(), diagnostics);
    check_metadata(&raw, diagnostics);
    let (tags, tag_policy) = tags::check(&raw, diagnostics);
    let own_region = connection.region.as_deref();
    let (replicas, replica_policy) = replicas::check(&raw, own_region, diagnostics);
    let (policy, allow_public_policy) = policy::check(&raw, diagnostics);
    check_version_id_key(&raw, diagnostics);
    let request = Request {
        target: target.unwrap_or_default(),
        value: value
            .unwrap_or_else(|| SecretValue::stored(SecretBytes::new(Vec::new()), Kind::String)),
        tags,
        tag_policy,
        replicas,
        replica_policy,
        policy,
        allow_public_policy,
        if_exists: diagnostics.choice("if-exists", raw.if_exists.as_deref()),
        compare: diagnostics.choice("compare", raw.compare.as_deref()),
        on_scheduled_deletion: diagnostics.choice(
            "on-scheduled-deletion",
            raw.on_scheduled_deletion.as_deref(),
        ),
        on_rotation: diagnostics.choice("on-rotation", raw.on_rotation.as_deref()),
        description: raw.description,
        kms_key_id: raw.kms_key_id,
        version_id_key: raw.version_id_key,
        stages,
        expected,
        json: json.into_iter().collect(),
        composed: false,
        seeds: false,
    };
    leak_check::check(&request, connection, request.value.expose(), diagnostics);
    request
}

fn check_value(
    raw: &RawInputs,
    source: Source,
    diagnostics: &mut Diagnostics,
) -> Option<SecretValue> {
    let kind: Kind = diagnostics.choice("store-as", raw.store_as.as_deref());
    let value = SecretValue::new(source.bytes, kind).map_err(|why| {
        let hint = match why {
            ValueError::NotUtf8 => "; `store-as: binary` stores any bytes",
            ValueError::Mask => "; pass the secret itself on, not a log line or an output of it",
            _ => "",
        };
        format!("{why}{hint}")
    });
    let value = diagnostics.accept(source.input, value)?;
    for warning in value.warnings() {
        diagnostics.warn(warning);
    }
    Some(value)
}

fn check_metadata(raw: &RawInputs, diagnostics: &mut Diagnostics) {
    if let Some(text) = &raw.description
        && text.chars().count() > MAX_DESCRIPTION
    {
        diagnostics.reject(
            "description",
            format!("is longer than {MAX_DESCRIPTION} characters"),
        );
    }
    if raw.kms_key_id.as_deref().is_some_and(|id| !is_kms_key(id)) {
        diagnostics.reject("kms-key-id", NOT_A_KMS_KEY);
    }
}

/// Checks `version-id-key`, which a manifest's secrets share.
pub(crate) fn check_version_id_key(raw: &RawInputs, diagnostics: &mut Diagnostics) {
    if let Some(key) = &raw.version_id_key
        && key.expose().len() < MIN_KEY_BYTES
    {
        diagnostics.reject(
            "version-id-key",
            format!("must have at least {MIN_KEY_BYTES} bytes: version ids are public, and a short key could be guessed from them"),
        );
    }
}
