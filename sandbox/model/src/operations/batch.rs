//! The operations on many secrets: BatchGetSecretValue and ListSecrets.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{call::Call, describe, get::get_secret_value, input::Input};
use crate::{error::ServiceError, state::Secret};

/// One filter of a request.
struct Filter {
    key: String,
    values: Vec<String>,
}

/// The error messages were not recorded. The model reports a secret that the caller may not read in `Errors`, like any other
/// failure of one secret.
pub(super) fn batch_get_secret_value(call: &mut Call<'_>) -> Result<Value, ServiceError> {
    call.authorize(call.action, "*", None)?;
    let filters = parse_filters(call)?;
    let size = page_size(call, 20)?;
    let (ids, next) = match (secret_ids(call)?, filters.is_empty()) {
        (Some(_), false) | (None, true) => {
            return Err(ServiceError::invalid_parameter(
                "Either 'SecretIdList' or 'Filters' must be provided, but not both.",
            ));
        }
        (Some(ids), true) => {
            if call.input.has("MaxResults") {
                return Err(ServiceError::invalid_parameter(
                    "To use MaxResults, you must also use the Filters parameter.",
                ));
            }
            (ids, None)
        }
        (None, false) => {
            call.authorize("ListSecrets", "*", None)?;
            let found = matching_secrets(call, &filters, false);
            let (page, next) = page(call, &found, size)?;
            (page.into_iter().map(|secret| secret.arn).collect(), next)
        }
    };
    let (mut values, mut errors) = (Vec::new(), Vec::new());
    for id in ids {
        let mut one = Call {
            world: &mut *call.world,
            caller: call.caller,
            region: call.region,
            action: "GetSecretValue",
            input: Input::new(json!({"SecretId": id})),
        };
        match get_secret_value(&mut one) {
            Ok(value) => values.push(value),
            Err(error) => errors.push(json!({
                "SecretId": id, "ErrorCode": error.code, "Message": error.message,
            })),
        }
    }
    let mut answer = json!({"SecretValues": values, "Errors": errors});
    if let Some(next) = next {
        answer["NextToken"] = json!(next);
    }
    Ok(answer)
}

/// The order was not recorded; the model sorts by name. AWS may show changes minutes later; the model shows them immediately.
pub(super) fn list_secrets(call: &mut Call<'_>) -> Result<Value, ServiceError> {
    call.authorize(call.action, "*", None)?;
    let filters = parse_filters(call)?;
    let size = page_size(call, 100)?;
    let include_scheduled = call.input.flag("IncludePlannedDeletion")?;
    let found = matching_secrets(call, &filters, include_scheduled);
    let (page, next) = page(call, &found, size)?;
    let secrets: Vec<Value> = page
        .iter()
        .map(|secret| {
            let mut entry = describe::metadata(secret, call.region);
            if let Some(stages) = describe::version_stages(secret) {
                entry.insert("SecretVersionsToStages".to_owned(), stages);
            }
            Value::Object(entry)
        })
        .collect();
    let mut answer = json!({"SecretList": secrets});
    if let Some(next) = next {
        answer["NextToken"] = json!(next);
    }
    Ok(answer)
}

fn secret_ids(call: &Call<'_>) -> Result<Option<Vec<String>>, ServiceError> {
    let Some(items) = call.input.list("SecretIdList")? else {
        return Ok(None);
    };
    check_count("secretIdList", items.len(), 20)?;
    let ids = items.iter().map(|item| {
        item.as_str()
            .map(str::to_owned)
            .ok_or_else(ServiceError::serialization)
    });
    ids.collect::<Result<_, _>>().map(Some)
}

fn parse_filters(call: &Call<'_>) -> Result<Vec<Filter>, ServiceError> {
    let Some(items) = call.input.list("Filters")? else {
        return Ok(Vec::new());
    };
    check_count("filters", items.len(), 10)?;
    let known = [
        "description",
        "name",
        "tag-key",
        "tag-value",
        "primary-region",
        "owning-service",
        "all",
    ];
    let filters = items.iter().map(|item| {
        let item = Input::new(item.clone());
        let key = item.required("Key", 1, 64)?.to_owned();
        if !known.contains(&key.as_str()) {
            let rule = format!("satisfy enum value set: [{}]", known.join(", "));
            return Err(ServiceError::constraint("key", &rule));
        }
        let values = item.list("Values")?.unwrap_or_default();
        check_count("values", values.len(), 10)?;
        let values = values
            .iter()
            .map(|value| {
                value
                    .as_str()
                    .map(str::to_owned)
                    .ok_or_else(ServiceError::serialization)
            })
            .collect::<Result<_, _>>()?;
        Ok(Filter { key, values })
    });
    filters.collect()
}

fn check_count(member: &str, length: usize, most: usize) -> Result<(), ServiceError> {
    if (1..=most).contains(&length) {
        return Ok(());
    }
    let rule = if length == 0 {
        "have length greater than or equal to 1".to_owned()
    } else {
        format!("have length less than or equal to {most}")
    };
    Err(ServiceError::constraint(member, &rule))
}

fn page_size(call: &Call<'_>, most: usize) -> Result<usize, ServiceError> {
    let Some(size) = call.input.integer("MaxResults")? else {
        return Ok(most);
    };
    let size = usize::try_from(size).ok();
    size.filter(|size| (1..=most).contains(size))
        .ok_or_else(|| {
            let rule = format!("have value between 1 and {most}");
            ServiceError::constraint("MaxResults", &rule)
        })
}

/// The secrets that match all filters, sorted by name.
fn matching_secrets(call: &Call<'_>, filters: &[Filter], include_scheduled: bool) -> Vec<Secret> {
    let region = call.region;
    let secrets = call.store().secrets();
    secrets
        .filter(|secret| include_scheduled || secret.deletion.is_none())
        .filter(|secret| filters.iter().all(|filter| filter.matches(secret, region)))
        .cloned()
        .collect()
}

impl Filter {
    /// Whether one of the filter's values is a prefix of the attribute, or, after a leading `!`, is not.
    fn matches(&self, secret: &Secret, region: &str) -> bool {
        let text = |text: &Option<String>| text.clone().into_iter().collect::<Vec<_>>();
        let tags = |pick: fn((&String, &String)) -> String| -> Vec<String> {
            secret.tags.iter().flatten().map(pick).collect()
        };
        let (keys, values) = (
            tags(|(key, _)| key.clone()),
            tags(|(_, value)| value.clone()),
        );
        let (held, any_case): (Vec<String>, bool) = match self.key.as_str() {
            "name" => (vec![secret.name.clone()], false),
            "description" => (text(&secret.description), true),
            "tag-key" => (keys, false),
            "tag-value" => (values, false),
            "owning-service" => (text(&secret.owning_service), false),
            "primary-region" => (text(&describe::primary_region(secret, region)), false),
            _ => {
                let all = [
                    vec![secret.name.clone()],
                    text(&secret.description),
                    keys,
                    values,
                ];
                (all.concat(), true)
            }
        };
        self.values.iter().any(|wanted| {
            let (not, wanted) = match wanted.strip_prefix('!') {
                Some(rest) => (true, rest),
                None => (false, wanted.as_str()),
            };
            let begins = |held: &String| {
                if any_case {
                    held.to_lowercase().starts_with(&wanted.to_lowercase())
                } else {
                    held.starts_with(wanted)
                }
            };
            held.iter().any(begins) != not
        })
    }
}

/// One page and the token of the next. As on AWS, tokens are opaque; the model's are valid only for the list they
/// came from.
fn page(
    call: &Call<'_>,
    found: &[Secret],
    size: usize,
) -> Result<(Vec<Secret>, Option<String>), ServiceError> {
    let mut hash = DefaultHasher::new();
    for secret in found {
        secret.name.hash(&mut hash);
    }
    let list = hash.finish();
    let token = |start: usize| STANDARD.encode(format!("{start} {} {list}", call.action));
    let start = match call.input.text("NextToken", 1, 4096)? {
        None => 0,
        Some(given) => (1..found.len())
            .find(|start| token(*start) == given)
            .ok_or_else(ServiceError::invalid_next_token)?,
    };
    let end = found.len().min(start + size);
    let next = (end < found.len()).then(|| token(end));
    Ok((found[start..end].to_vec(), next))
}
