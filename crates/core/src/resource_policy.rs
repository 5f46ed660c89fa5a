//! Resource policies, and whether two of them are equivalent: IAM has several forms for the same policy, and AWS does not
//! return a policy as it was written. ValidateResourcePolicy decides what a policy allows.

use serde_json::{Value, json};

/// A resource policy as given by the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourcePolicy(String);

impl ResourcePolicy {
    /// Checks that the text is a JSON object.
    ///
    /// # Errors
    /// The reason it is not, with the position but without the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        match serde_json::from_str::<Value>(text) {
            Ok(Value::Object(_)) => Ok(Self(text.to_owned())),
            Ok(_) => Err("is not a JSON object".to_owned()),
            Err(error) => Err(format!(
                "is not JSON: line {}, column {}",
                error.line(),
                error.column()
            )),
        }
    }

    /// The document, unchanged.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// A fault that AWS would certainly reject; `None` if only AWS can decide. The text follows the input's name.
    pub fn fault(&self) -> Option<&'static str> {
        let document = serde_json::from_str(&self.0).ok()?;
        faults::find(&document)
    }

    /// Whether another document is equivalent. A difference counts unless it is known to be only a different form.
    pub fn is_equivalent_to(&self, other: &str) -> bool {
        let parse = |text: &str| serde_json::from_str::<Value>(text).ok().map(normal_policy);
        self.0 == other || matches!((parse(&self.0), parse(other)), (Some(a), Some(b)) if a == b)
    }
}

mod faults;

/// The default version of a policy (IAM user guide, "Version").
const DEFAULT_VERSION: &str = "2008-10-17";

fn normal_policy(value: Value) -> Value {
    let Value::Object(mut object) = value else {
        return value;
    };
    object
        .entry("Version")
        .or_insert_with(|| DEFAULT_VERSION.into());
    if let Some(statements) = object.remove("Statement") {
        // The order of statements has no effect.
        object.insert("Statement".to_owned(), set(statements, normal_statement));
    }
    Value::Object(object)
}

fn normal_statement(value: Value) -> Value {
    map_members(value, |key, value| {
        let value = match key.as_str() {
            "Sid" if value == "" => return None,
            // Only actions are case-insensitive (IAM user guide, "Action").
            "Action" | "NotAction" => set(value, lowercase),
            "Resource" | "NotResource" => set(value, |resource| resource),
            "Principal" | "NotPrincipal" => normal_principal(value),
            "Condition" => normal_condition(value),
            _ => value,
        };
        Some((key, value))
    })
}

/// Maps the members of an object; keeps any other value unchanged.
fn map_members(
    value: Value,
    mut normal: impl FnMut(String, Value) -> Option<(String, Value)>,
) -> Value {
    match value {
        Value::Object(members) => {
            let members = members.into_iter();
            Value::Object(
                members
                    .filter_map(|(key, value)| normal(key, value))
                    .collect(),
            )
        }
        other => other,
    }
}

/// `"*"` means `{"AWS": "*"}`, and the ARN of an account's root means the account (IAM user guide, "Principal").
fn normal_principal(value: Value) -> Value {
    let kinds = match value {
        Value::Object(_) => value,
        anyone => json!({"AWS": anyone}),
    };
    map_members(kinds, |kind, principals| {
        let principals = match kind.as_str() {
            "AWS" => set(principals, normal_account),
            _ => set(principals, |principal| principal),
        };
        Some((kind, principals))
    })
}

fn normal_account(value: Value) -> Value {
    let root = value.as_str().and_then(|arn| {
        let parts: Vec<&str> = arn.split(':').collect();
        match parts[..] {
            ["arn", _, "iam", "", account, "root"] => Some(account.to_owned()),
            _ => None,
        }
    });
    root.map_or(value, Value::String)
}

/// Condition keys are case-insensitive, and a boolean or number is equivalent to its text (IAM user guide, "Condition").
fn normal_condition(value: Value) -> Value {
    map_members(value, |operator, tests| {
        let tests = match tests {
            // Uses a list, to keep keys separate that differ only in case.
            Value::Object(tests) => tests
                .into_iter()
                .map(|(key, values)| json!([key.to_ascii_lowercase(), set(values, scalar_text)]))
                .collect(),
            other => other,
        };
        Some((operator, set(tests, |test| test)))
    })
}

fn lowercase(value: Value) -> Value {
    match value {
        Value::String(text) => text.to_ascii_lowercase().into(),
        other => other,
    }
}

fn scalar_text(value: Value) -> Value {
    match value {
        Value::Bool(flag) => flag.to_string().into(),
        Value::Number(number) => number.to_string().into(),
        other => other,
    }
}

/// An item or a list of items as a sorted list without duplicates.
fn set(value: Value, normal: impl Fn(Value) -> Value) -> Value {
    let items = match value {
        Value::Array(items) => items,
        one => vec![one],
    };
    let mut items: Vec<Value> = items.into_iter().map(normal).collect();
    items.sort_by_cached_key(Value::to_string);
    items.dedup();
    Value::Array(items)
}

#[cfg(test)]
mod tests;
