//! Resource policies as documents: whether two of them say the same. IAM lets many things be written in two
//! ways, and AWS gives a document back as it likes. Pure; whether a policy is a good one is AWS's to say.

use serde_json::{Map, Value};

/// A resource policy as the user gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourcePolicy {
    text: String,
}

impl ResourcePolicy {
    /// A policy from its text.
    ///
    /// # Errors
    /// Not a JSON object: the place, never the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        match serde_json::from_str::<Value>(text) {
            Ok(Value::Object(_)) => Ok(Self {
                text: text.to_owned(),
            }),
            Ok(_) => Err("is not a JSON object".to_owned()),
            Err(error) => Err(format!(
                "is not JSON: line {}, column {}",
                error.line(),
                error.column()
            )),
        }
    }

    /// The document, as given.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether another document says the same. Where that cannot be told it does not.
    #[must_use]
    pub fn is_equivalent_to(&self, other: &str) -> bool {
        let parse = |text: &str| serde_json::from_str::<Value>(text).ok().map(document);
        self.text == other
            || matches!((parse(&self.text), parse(other)), (Some(a), Some(b)) if a == b)
    }
}

/// IAM's version where a document names none (IAM user guide, "Version").
const OLD: &str = "2008-10-17";

fn document(value: Value) -> Value {
    let Value::Object(mut object) = value else {
        return value;
    };
    object.entry("Version").or_insert_with(|| OLD.into());
    if let Some(statements) = object.remove("Statement") {
        // All of them are evaluated, whatever their order.
        object.insert("Statement".to_owned(), set(statements, statement));
    }
    Value::Object(object)
}

fn statement(value: Value) -> Value {
    let Value::Object(object) = value else {
        return value;
    };
    let said = object.into_iter().filter_map(|(key, value)| {
        let value = match key.as_str() {
            "Sid" if value == "" => return None,
            // Actions are compared without case, the rest with (IAM user guide, "Action").
            "Action" | "NotAction" => set(value, lower),
            "Resource" | "NotResource" => set(value, |resource| resource),
            "Principal" | "NotPrincipal" => principal(value),
            "Condition" => condition(value),
            _ => value,
        };
        Some((key, value))
    });
    Value::Object(said.collect())
}

/// `"*"` is `{"AWS": "*"}`, and an account is its root (IAM user guide, "Principal").
fn principal(value: Value) -> Value {
    match value {
        Value::Object(kinds) => Value::Object(
            kinds
                .into_iter()
                .map(|(kind, who)| {
                    let who = if kind == "AWS" {
                        set(who, account)
                    } else {
                        set(who, |who| who)
                    };
                    (kind, who)
                })
                .collect(),
        ),
        everybody => {
            let mut kinds = Map::new();
            kinds.insert("AWS".to_owned(), set(everybody, account));
            Value::Object(kinds)
        }
    }
}

fn account(value: Value) -> Value {
    let root = value.as_str().and_then(|arn| {
        let parts: Vec<&str> = arn.split(':').collect();
        match parts[..] {
            ["arn", _, "iam", "", account, "root"] => Some(account.to_owned()),
            _ => None,
        }
    });
    root.map_or(value, Value::String)
}

/// Keys are compared without case, and booleans and numbers are as good as their text (IAM user guide,
/// "Condition").
fn condition(value: Value) -> Value {
    let Value::Object(operators) = value else {
        return value;
    };
    let operators = operators.into_iter().map(|(operator, tests)| {
        let Value::Object(tests) = tests else {
            return (operator, tests);
        };
        let mut keys = Map::new();
        for (key, values) in tests {
            let plain = key.to_ascii_lowercase();
            // Two spellings in one document: left as they are.
            let key = if keys.contains_key(&plain) {
                key
            } else {
                plain
            };
            keys.insert(key, set(values, text));
        }
        (operator, Value::Object(keys))
    });
    Value::Object(operators.collect())
}

fn lower(value: Value) -> Value {
    match value {
        Value::String(text) => text.to_ascii_lowercase().into(),
        other => other,
    }
}

fn text(value: Value) -> Value {
    match value {
        Value::Bool(flag) => flag.to_string().into(),
        Value::Number(number) => number.to_string().into(),
        other => other,
    }
}

/// One item or a list of them, each in its plain form, in no order and without doubles.
fn set(value: Value, plain: impl Fn(Value) -> Value) -> Value {
    let items = match value {
        Value::Array(items) => items,
        one => vec![one],
    };
    let mut items: Vec<Value> = items.into_iter().map(plain).collect();
    items.sort_by_cached_key(Value::to_string);
    items.dedup();
    Value::Array(items)
}

#[cfg(test)]
mod tests;
