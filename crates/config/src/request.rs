//! Builds the desired state of one secret from its inputs. A later step checks whether the secret exists.

use std::mem;

use upsert_secret_core::choices::OnValueInMetadata;
use upsert_secret_core::connection::Connection;
use upsert_secret_core::request::Request;
use upsert_secret_core::target::Target;
use upsert_secret_core::value::{Kind, SecretBytes, SecretValue, ValueError, check_variable};

use crate::checks::shapes::check_kms_key;
use crate::checks::{json_key, labels, leak_check, policy, replicas, tags};
use crate::diagnostics::Diagnostics;
use crate::inputs::RawInputs;
use crate::resolve::ResolvedValue;
use crate::value_source::{Source, relation};

/// The minimum length of a `version-id-key`, in bytes: with a shorter key, the value could be guessed from a version ID.
const MIN_KEY_BYTES: usize = 16;
/// AWS limit, in characters.
const MAX_DESCRIPTION: usize = 2_048;

/// Checks the inputs of one secret, whose value may be composed of `parts`. The result is valid only if no problem was added.
pub(crate) fn check(
    raw: RawInputs,
    target: Option<Target>,
    mut source: Source,
    parts: &[ResolvedValue],
    connection: &Connection,
    diagnostics: &mut Diagnostics,
) -> Request {
    for warning in source.warnings.drain(..) {
        diagnostics.warn(warning);
    }
    let composed = mem::take(&mut source.composed);
    let stages = labels::check_version_stages(&raw, diagnostics);
    let expected = labels::check_expected(&raw, diagnostics);
    let value = check_value(&raw, source, diagnostics);
    let json = json_key::check(&raw, value.as_ref(), diagnostics);
    check_metadata(&raw, connection.region.as_deref(), diagnostics);
    let (tags, tag_policy) = tags::check(&raw, diagnostics);
    let own_region = connection.region.as_deref();
    let (replicas, replica_policy) = replicas::check(&raw, own_region, diagnostics);
    let (policy, allow_public_policy) = policy::check(&raw, diagnostics);
    check_version_id_key(&raw, diagnostics);
    let on_value_in_metadata: OnValueInMetadata =
        diagnostics.choice("on-value-in-metadata", raw.on_value_in_metadata.as_deref());
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
        composed,
        seeds: false,
    };
    if on_value_in_metadata == OnValueInMetadata::Fail {
        let parts = parts.iter().flat_map(ResolvedValue::secrets);
        let secrets = parts.chain([request.value.expose()]);
        leak_check::check(&request, connection, secrets, diagnostics);
    }
    request
}

fn check_value(
    raw: &RawInputs,
    source: Source,
    diagnostics: &mut Diagnostics,
) -> Option<SecretValue> {
    let kind: Kind = diagnostics.choice("store-as", raw.store_as.as_deref());
    if kind == Kind::Binary && raw.value_encoding.as_deref() == Some("dotenv") {
        diagnostics.reject(
            "store-as",
            "is for bytes; `value-encoding: dotenv` makes text",
        );
    }
    let value = SecretValue::new(source.bytes, kind).map_err(|why| {
        let hint = match why {
            ValueError::NotUtf8 => "; `store-as: binary` stores any bytes",
            ValueError::Utf16 => "; save it as UTF-8 (`store-as: binary` stores any bytes)",
            ValueError::Mask => "; pass the secret itself, not text from a log or a masked output",
            _ => "",
        };
        format!("{}{why}{hint}", relation(source.input))
    });
    let value = diagnostics.accept(source.input, value)?;
    // JSON is stored without surrounding white space.
    if raw.json_value_as.as_deref() != Some("json") {
        for warning in value.warnings("the value") {
            diagnostics.warn(warning);
        }
    }
    Some(value)
}

/// Checks the description and the KMS key of a secret.
pub(crate) fn check_metadata(
    raw: &RawInputs,
    own_region: Option<&str>,
    diagnostics: &mut Diagnostics,
) {
    if let Some(text) = &raw.description
        && text.chars().count() > MAX_DESCRIPTION
    {
        diagnostics.reject(
            "description",
            format!("is longer than {MAX_DESCRIPTION} characters"),
        );
    }
    if let Some(key) = raw.kms_key_id.as_deref() {
        diagnostics.accept("kms-key-id", check_kms_key(key, own_region));
    }
}

/// Checks `version-id-key`, which all secrets of a manifest share.
pub(crate) fn check_version_id_key(raw: &RawInputs, diagnostics: &mut Diagnostics) {
    let Some(key) = &raw.version_id_key else {
        return;
    };
    if let Err(why) = check_variable(key.expose()) {
        diagnostics.reject("version-id-key", why.to_string());
    } else if key.expose().len() < MIN_KEY_BYTES {
        diagnostics.reject(
            "version-id-key",
            format!(
                "must have at least {MIN_KEY_BYTES} bytes: version IDs are public, and a short key \
                     could be guessed from them"
            ),
        );
    }
}
