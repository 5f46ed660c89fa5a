//! Faults of a resource policy that can be found without a request: missing elements, and principals in an unknown format (IAM
//! user guide, "JSON policy elements"). Leaves everything else to AWS.

use serde_json::{Map, Value};

/// The first fault. The text follows the input's name.
pub(super) fn find(document: &Value) -> Option<&'static str> {
    let statements = match document.get("Statement") {
        None => return Some("has no `Statement`"),
        Some(Value::Array(statements)) if !statements.is_empty() => statements.as_slice(),
        Some(one) => std::slice::from_ref(one),
    };
    statements.iter().find_map(|statement| match statement {
        Value::Object(elements) => find_in_statement(elements),
        _ => Some("has a `Statement` that is neither an object nor a list of objects"),
    })
}

fn find_in_statement(elements: &Map<String, Value>) -> Option<&'static str> {
    let effect = elements.get("Effect").and_then(Value::as_str);
    let principals = elements.get("Principal").or(elements.get("NotPrincipal"));
    if !matches!(effect, Some("Allow" | "Deny")) {
        return Some("has a statement whose `Effect` is neither `Allow` nor `Deny`");
    }
    if !["Action", "NotAction"]
        .iter()
        .any(|key| elements.contains_key(*key))
    {
        return Some("has a statement without an `Action`");
    }
    let Some(principals) = principals else {
        return Some("has a statement without a `Principal`");
    };
    is_wrong(principals).then_some(
        "has a principal that is neither `*`, an account's 12 digits, an ARN, nor a service or provider under its key",
    )
}

/// Whether a `Principal` contains a text, or one under `AWS`, that is not a principal.
fn is_wrong(principals: &Value) -> bool {
    match principals {
        Value::String(text) => text != "*",
        Value::Object(kinds) => kinds.get("AWS").is_some_and(|named| match named {
            Value::Array(items) => items.iter().any(|item| !is_principal(item)),
            one => !is_principal(one),
        }),
        _ => true,
    }
}

/// Whether a value under `AWS` is everyone, an account, an ARN, or the unique ID that AWS shows for a deleted role.
fn is_principal(value: &Value) -> bool {
    let Some(text) = value.as_str() else {
        return false;
    };
    let is_account = text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit());
    let is_arn = text.starts_with("arn:") && text.split(':').count() >= 6;
    let is_unique_id = text.len() >= 16
        && text.starts_with('A')
        && text
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    text == "*" || is_account || is_arn || is_unique_id
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_certain_faults_are_found() {
        let with = |principal: Value| json!({"Statement": [{"Effect": "Allow", "Principal": principal, "Action": "*"}]});
        for sound in [
            with(json!("*")),
            with(json!({"AWS": "*"})),
            with(json!({"AWS": ["111122223333", "arn:aws:iam::111122223333:role/a"]})),
            with(json!({"AWS": "AROAEXAMPLEEXAMPLE12"})),
            with(json!({"Service": "lambda.amazonaws.com", "Federated": "made-up"})),
            json!({"Statement": {"Effect": "Deny", "NotPrincipal": {"AWS": "*"}, "NotAction": []}}),
        ] {
            assert_eq!(find(&sound), None, "{sound}");
        }
        let role_without_prefix = with(json!({"AWS": "role/a"}));
        for (faulty, wanted) in [
            (json!({}), "no `Statement`"),
            (json!({"Statement": []}), "neither an object nor a list"),
            (json!({"Statement": "a"}), "neither an object nor a list"),
            (json!({"Statement": [1]}), "neither an object nor a list"),
            (json!({"Statement": {}}), "`Effect`"),
            (json!({"Statement": {"Effect": "allow"}}), "`Effect`"),
            (json!({"Statement": {"Effect": "Deny"}}), "`Action`"),
            (
                json!({"Statement": {"Effect": "Deny", "Action": "*"}}),
                "without a `Principal`",
            ),
            (role_without_prefix, "has a principal"),
            (with(json!("111122223333")), "has a principal"),
            (with(json!({"AWS": ["*", 1]})), "has a principal"),
            (with(json!([])), "has a principal"),
        ] {
            let found = find(&faulty);
            assert!(
                found.is_some_and(|fault| fault.contains(wanted)),
                "{faulty} {found:?}"
            );
        }
    }
}
