//! Reads the fields of a request under the constraints of the API model.

use std::collections::{BTreeMap, BTreeSet};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;

use crate::{error::ServiceError, state::Content};

const MAX_VALUE_BYTES: usize = 65_536;
const MAX_TAGS: usize = 50;

pub(crate) struct Input(Value);

impl Input {
    pub(crate) fn new(value: Value) -> Self {
        Self(value)
    }

    fn member(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.member(name).is_some()
    }

    /// A string of `min` to `max` characters.
    pub(crate) fn text(
        &self,
        name: &str,
        min: usize,
        max: usize,
    ) -> Result<Option<&str>, ServiceError> {
        let Some(value) = self.member(name) else {
            return Ok(None);
        };
        let text = value.as_str().ok_or_else(ServiceError::serialization)?;
        let length = text.chars().count();
        if length < min {
            let rule = format!("have length greater than or equal to {min}");
            return Err(ServiceError::constraint(name, &rule));
        }
        if length > max {
            let rule = format!("have length less than or equal to {max}");
            return Err(ServiceError::constraint(name, &rule));
        }
        Ok(Some(text))
    }

    pub(crate) fn required(
        &self,
        name: &str,
        min: usize,
        max: usize,
    ) -> Result<&str, ServiceError> {
        self.text(name, min, max)?
            .ok_or_else(|| ServiceError::constraint(name, "not be null"))
    }

    pub(crate) fn flag(&self, name: &str) -> Result<bool, ServiceError> {
        match self.member(name) {
            None => Ok(false),
            Some(value) => value.as_bool().ok_or_else(ServiceError::serialization),
        }
    }

    pub(crate) fn integer(&self, name: &str) -> Result<Option<i64>, ServiceError> {
        self.member(name)
            .map(|value| value.as_i64().ok_or_else(ServiceError::serialization))
            .transpose()
    }

    pub(crate) fn list(&self, name: &str) -> Result<Option<&[Value]>, ServiceError> {
        match self.member(name) {
            None => Ok(None),
            Some(Value::Array(items)) => Ok(Some(items)),
            Some(_) => Err(ServiceError::serialization()),
        }
    }

    /// The idempotency token, which SDKs fill in and raw requests must include.
    pub(crate) fn token(&self) -> Result<&str, ServiceError> {
        self.text("ClientRequestToken", 32, 64)?.ok_or_else(|| {
            ServiceError::invalid_request(
                "You must provide a ClientRequestToken value. We recommend a UUID-type value.",
            )
        })
    }

    /// The value, if one was sent.
    pub(crate) fn content(&self) -> Result<Option<Content>, ServiceError> {
        let too_long = |member| {
            ServiceError::constraint(
                member,
                &format!("have length less than or equal to {MAX_VALUE_BYTES}"),
            )
        };
        let empty = || {
            ServiceError::invalid_request("You must provide either SecretString or SecretBinary.")
        };
        match (self.member("SecretString"), self.member("SecretBinary")) {
            (None, None) => Ok(None),
            (Some(_), Some(_)) => Err(ServiceError::invalid_parameter(
                "You can't specify both a binary secret value and a string secret value in the same secret.",
            )),
            (Some(value), None) => match value.as_str().ok_or_else(ServiceError::serialization)? {
                "" => Err(empty()),
                text if text.len() > MAX_VALUE_BYTES => Err(too_long("secretString")),
                text => Ok(Some(Content::String(text.into()))),
            },
            (None, Some(value)) => {
                let text = value.as_str().ok_or_else(ServiceError::serialization)?;
                let bytes = STANDARD
                    .decode(text)
                    .map_err(|_| ServiceError::serialization())?;
                match bytes.len() {
                    0 => Err(empty()),
                    n if n > MAX_VALUE_BYTES => Err(too_long("secretBinary")),
                    _ => Ok(Some(Content::Binary(bytes.into()))),
                }
            }
        }
    }

    pub(crate) fn stages(&self) -> Result<Option<BTreeSet<String>>, ServiceError> {
        let Some(items) = self.list("VersionStages")? else {
            return Ok(None);
        };
        if items.is_empty() {
            let rule = "have length greater than or equal to 1";
            return Err(ServiceError::constraint("VersionStages", rule));
        }
        if items.len() > 20 {
            let rule = "have length less than or equal to 20";
            return Err(ServiceError::constraint("VersionStages", rule));
        }
        let stages = items.iter().map(|item| {
            let stage = item.as_str().ok_or_else(ServiceError::serialization)?;
            if (1..=256).contains(&stage.chars().count()) {
                Ok(stage.to_owned())
            } else {
                let rule = "have length less than or equal to 256";
                Err(ServiceError::constraint("VersionStages", rule))
            }
        });
        stages.collect::<Result<_, _>>().map(Some)
    }

    pub(crate) fn tags(&self) -> Result<Option<BTreeMap<String, String>>, ServiceError> {
        let Some(items) = self.list("Tags")? else {
            return Ok(None);
        };
        let mut tags = BTreeMap::new();
        for item in items {
            let tag = Self(item.clone());
            let key = tag.required("Key", 1, 128)?;
            let value = tag.text("Value", 0, 256)?.unwrap_or_default();
            check_tag_key(key)?;
            tags.insert(key.to_owned(), value.to_owned());
        }
        check_tag_count(&tags)?;
        Ok(Some(tags))
    }
}

fn check_tag_key(key: &str) -> Result<(), ServiceError> {
    if key.starts_with("aws:") {
        return Err(ServiceError::invalid_parameter(
            "Tag keys that start with aws: are reserved for AWS use.",
        ));
    }
    Ok(())
}

pub(crate) fn check_tag_count(tags: &BTreeMap<String, String>) -> Result<(), ServiceError> {
    if tags.len() > MAX_TAGS {
        return Err(ServiceError::invalid_parameter(format!(
            "You can't attach more than {MAX_TAGS} tags to a secret."
        )));
    }
    Ok(())
}
