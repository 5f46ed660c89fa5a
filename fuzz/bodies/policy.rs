//! Properties of the comparison of resource policies for any two texts: it is reflexive and symmetric, and ignores whitespace and the
//! order of statements, actions and resources. Equivalent policies contain the same words; otherwise an effect, action, principal or
//! condition of the desired policy could be lost, because the run would leave the other policy unchanged. An input is
//! `policy FF other`. libFuzzer runs this body, and a regular test runs it on `corpus/policy`.

use std::collections::BTreeSet;

use serde_json::Value;
use upsert_secret_core::resource_policy::ResourcePolicy;

/// The version of a policy without a `Version` element.
const DEFAULT_VERSION: &str = "2008-10-17";

/// Compares two policies. Panics if a property does not hold.
pub(crate) fn policy(data: &[u8]) {
    let mut parts = data.splitn(2, |&byte| byte == 0xff);
    let mut text = || str::from_utf8(parts.next().unwrap_or_default()).ok();
    let (Some(one), Some(other)) = (text(), text()) else {
        return;
    };
    let Ok(policy) = ResourcePolicy::parse(one) else {
        assert!(!matches!(serde_json::from_str(one), Ok(Value::Object(_))));
        return;
    };
    assert_eq!(policy.text(), one);
    let Ok(document) = serde_json::from_str::<Value>(one) else {
        return;
    };
    // This body's own serializer rounds them.
    if has_float(&document) {
        return;
    }
    for same in [
        one.to_owned(),
        document.to_string(),
        format!("{document:#}"),
        turned(document.clone()).to_string(),
    ] {
        assert!(policy.is_equivalent_to(&same), "{one} {same}");
    }
    // Whether AWS certainly rejects a policy must not depend on its layout.
    let again = ResourcePolicy::parse(&document.to_string());
    assert_eq!(again.ok().map(|again| again.fault()), Some(policy.fault()));

    let equivalent = policy.is_equivalent_to(other);
    let back = ResourcePolicy::parse(other).is_ok_and(|other| other.is_equivalent_to(one));
    assert_eq!(equivalent, back, "{one} {other}");
    if let Some(other) = serde_json::from_str(other).ok().filter(|_| equivalent) {
        assert_eq!(words(&document), words(&other));
    }
}

fn has_float(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_f64(),
        Value::Array(items) => items.iter().any(has_float),
        Value::Object(members) => members.values().any(has_float),
        _ => false,
    }
}

/// The policy with its unordered lists in a different order.
fn turned(mut document: Value) -> Value {
    if let Some(Value::Array(statements)) = document.get_mut("Statement") {
        statements.reverse();
        for statement in statements {
            for name in ["Action", "NotAction", "Resource", "NotResource"] {
                if let Some(Value::Array(items)) = statement.get_mut(name) {
                    items.reverse();
                }
            }
        }
    }
    document
}

/// All names and values in a policy, in lower case, except those that a policy may omit.
fn words(document: &Value) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    collect(document, &mut all);
    for implied in ["", "aws", "sid", "version", DEFAULT_VERSION] {
        all.remove(implied);
    }
    all
}

fn collect(value: &Value, all: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, all)),
        Value::Object(members) => {
            for (name, value) in members {
                all.insert(name.to_lowercase());
                collect(value, all);
            }
        }
        Value::String(text) => {
            let parts: Vec<&str> = text.split(':').collect();
            let word = match parts[..] {
                // The account principal.
                ["arn", _, "iam", "", account, "root"] => account,
                _ => text,
            };
            all.insert(word.to_lowercase());
        }
        other => {
            all.insert(other.to_string());
        }
    }
}
