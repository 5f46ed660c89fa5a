//! The desired state of one secret, from its inputs.

use std::collections::BTreeMap;

use upsert_secret_core::choices::{StoreAs, TagPolicy};
use upsert_secret_core::connection::Connection;
use upsert_secret_core::request::Request;
use upsert_secret_core::target::Target;
use upsert_secret_core::value::{Kind, SecretBytes, SecretValue, ValueError};

use crate::checks::{json_key, labels, leak_check, policy, replicas, tags};
use crate::diagnostics::Diagnostics;
use crate::inputs::RawInputs;
use crate::value_source::Source;

/// The shortest key for version ids: with a shorter one, the value could be searched for from an id.
const MIN_KEY_BYTES: usize = 16;
/// AWS's limit for a description, in characters.
const MAX_DESCRIPTION: usize = 2_048;
/// AWS's limit for a KMS key id, in characters.
const MAX_KMS_KEY: usize = 2_048;

/// Checks everything that is about the secret itself. What it returns is of use only where no problem was added.
pub(crate) fn check(
    raw: RawInputs,
    target: Option<Target>,
    source: Source,
    connection: &Connection,
    diagnostics: &mut Diagnostics,
    warnings: &mut Vec<String>,
) -> Request {
    let stages = labels::list(raw.version_stages.as_deref(), diagnostics);
    let expected = labels::version_id(
        "expected-version-id",
        raw.expected_version_id.as_deref(),
        diagnostics,
    );
    let value = value(&raw, source, diagnostics);
    if let Some(value) = &value {
        warnings.extend(value.warnings().into_iter().map(str::to_owned));
    }
    let json = json_key::check(&raw, value.as_ref(), diagnostics);
    check_lengths(&raw, diagnostics);
    let (tags, tag_policy) = check_tags(&raw, diagnostics);
    let (replicas, replica_policy) =
        replicas::check(&raw, connection.region.as_deref(), diagnostics);
    let (policy, allow_public_policy) = policy::check(&raw, diagnostics);
    check_key(&raw, diagnostics);
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
        json,
        composed: false,
        seeds: false,
    };
    leak_check::check(
        &request,
        &connection.identity,
        request.value.expose(),
        diagnostics,
    );
    request
}

fn value(raw: &RawInputs, source: Source, diagnostics: &mut Diagnostics) -> Option<SecretValue> {
    let kind: StoreAs = diagnostics.choice("store-as", raw.store_as.as_deref());
    SecretValue::new(source.bytes, kind.into())
        .map_err(|why| {
            let hint = match why {
                ValueError::NotUtf8 => "; `store-as: binary` stores any bytes",
                ValueError::Mask => {
                    "; pass the secret itself on, not a log line or an output of it"
                }
                _ => "",
            };
            diagnostics.reject(source.input, format!("{why}{hint}"));
        })
        .ok()
}

fn check_tags(
    raw: &RawInputs,
    diagnostics: &mut Diagnostics,
) -> (Option<BTreeMap<String, String>>, TagPolicy) {
    let tags = raw.tags.as_deref().and_then(|text| {
        tags::parse(text)
            .map_err(|why| diagnostics.reject("tags", why))
            .ok()
    });
    let policy = diagnostics.choice("tag-policy", raw.tag_policy.as_deref());
    if policy == TagPolicy::Replace && raw.tags.is_none() {
        diagnostics.reject("tag-policy", "is `replace`, but no tags are given");
    }
    (tags, policy)
}

/// `version-id-key`.
pub(crate) fn check_key(raw: &RawInputs, diagnostics: &mut Diagnostics) {
    if let Some(key) = &raw.version_id_key
        && key.expose().len() < MIN_KEY_BYTES
    {
        diagnostics.reject(
            "version-id-key",
            format!("must have at least {MIN_KEY_BYTES} bytes: version ids are public, and a short key could be guessed from them"),
        );
    }
}

fn check_lengths(raw: &RawInputs, diagnostics: &mut Diagnostics) {
    if let Some(text) = &raw.description
        && text.chars().count() > MAX_DESCRIPTION
    {
        diagnostics.reject(
            "description",
            format!("is longer than {MAX_DESCRIPTION} characters"),
        );
    }
    if let Some(key) = &raw.kms_key_id
        && (key.len() > MAX_KMS_KEY || !key.chars().all(|c| c.is_ascii_graphic()))
    {
        diagnostics.reject(
            "kms-key-id",
            "must be a key id, a key ARN, an alias (`alias/…`) or an alias ARN",
        );
    }
}
