//! Identity policies, and their decisions about an action, a resource and a context of condition keys. Independent of
//! operations: operations name what they need and provide the context.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::wildcard::matches;

/// The condition keys of one request. Names are lowercase, because IAM ignores their case.
pub(crate) type Context = BTreeMap<String, Vec<String>>;

/// An identity policy: a small part of the IAM policy language.
///
/// Supported are `Effect`, `Action`, `NotAction`, `Resource`, and `Condition` with `StringEquals`,
/// `StringNotEquals`, `StringLike`, `StringNotLike`, `ArnEquals`, `ArnLike`, `ArnNotEquals`, `ArnNotLike`, `Bool`,
/// `Null`, their `...IfExists` forms and the `ForAllValues:` and `ForAnyValue:` prefixes.
#[derive(Clone, Debug)]
pub struct Policy {
    statements: Vec<Statement>,
}

#[derive(Clone, Debug)]
struct Statement {
    allow: bool,
    actions: Vec<String>,
    negated: bool,
    resources: Vec<String>,
    conditions: Vec<Condition>,
}

#[derive(Clone, Debug)]
pub(crate) struct Condition {
    operator: String,
    key: String,
    values: Vec<String>,
}

/// The decision of an identity policy about one action on one resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// A statement allows the action and none denies it.
    Allowed,
    /// No statement allows or denies the action.
    ImplicitDeny,
    /// A statement denies the action.
    ExplicitDeny,
}

impl Decision {
    /// The last part of the AccessDeniedException message, as recorded.
    pub(crate) fn reason(self, action: &str) -> String {
        match self {
            Self::ExplicitDeny => "with an explicit deny in an identity-based policy".to_owned(),
            _ => format!("because no identity-based policy allows the {action} action"),
        }
    }
}

impl Policy {
    /// Allows all actions on all resources.
    #[must_use]
    pub fn allow_all() -> Self {
        Self {
            statements: vec![Statement::plain(true, vec!["*".to_owned()])],
        }
    }

    /// Allows all actions except these, which may contain wildcards.
    #[must_use]
    pub fn deny(actions: &[&str]) -> Self {
        let mut policy = Self::allow_all();
        let actions = actions.iter().map(|action| (*action).to_owned()).collect();
        policy.statements.push(Statement::plain(false, actions));
        policy
    }

    /// Parses an IAM policy document.
    ///
    /// # Panics
    /// If the document is not JSON or uses a part of the language that is not modeled: a test that relied on it
    /// would prove nothing.
    #[must_use]
    pub fn from_json(document: &str) -> Self {
        assert!(!document.contains("${"), "policy variables are not modeled");
        let document: Value = serde_json::from_str(document).expect("a policy is JSON");
        let statements = match &document["Statement"] {
            Value::Array(statements) => statements.iter().map(Statement::parse).collect(),
            one => vec![Statement::parse(one)],
        };
        Self { statements }
    }

    /// Whether any statement names an action of this service, such as `kms`.
    pub(crate) fn mentions(&self, service: &str) -> bool {
        let prefix = format!("{service}:");
        let names = |action: &String| action.to_ascii_lowercase().starts_with(&prefix);
        self.statements.iter().any(|s| s.actions.iter().any(names))
    }

    pub(crate) fn decide(&self, action: &str, resource: &str, context: &Context) -> Decision {
        let mut decision = Decision::ImplicitDeny;
        for statement in &self.statements {
            if statement.applies(action, resource, context) {
                if !statement.allow {
                    return Decision::ExplicitDeny;
                }
                decision = Decision::Allowed;
            }
        }
        decision
    }
}

impl Statement {
    fn plain(allow: bool, actions: Vec<String>) -> Self {
        Self {
            allow,
            actions,
            negated: false,
            resources: vec!["*".to_owned()],
            conditions: Vec::new(),
        }
    }

    fn parse(value: &Value) -> Self {
        let allow = match value["Effect"].as_str() {
            Some("Allow") => true,
            Some("Deny") => false,
            _ => panic!("a statement's Effect is Allow or Deny"),
        };
        for key in value.as_object().expect("a statement is an object").keys() {
            let known = [
                "Sid",
                "Effect",
                "Action",
                "NotAction",
                "Resource",
                "Condition",
            ];
            assert!(known.contains(&key.as_str()), "{key} is not modeled");
        }
        let negated = value.get("NotAction").is_some();
        let mut conditions = Vec::new();
        for (operator, keys) in value["Condition"].as_object().into_iter().flatten() {
            for (key, values) in keys.as_object().into_iter().flatten() {
                let condition = Condition::new(operator, key, values);
                conditions.push(condition.unwrap_or_else(|| panic!("{operator} is not modeled")));
            }
        }
        Self {
            allow,
            actions: strings(&value[if negated { "NotAction" } else { "Action" }]),
            negated,
            resources: strings(&value["Resource"]),
            conditions,
        }
    }

    fn applies(&self, action: &str, resource: &str, context: &Context) -> bool {
        let action = action.to_ascii_lowercase();
        let named = |pattern: &String| matches(&pattern.to_ascii_lowercase(), &action);
        self.actions.iter().any(named) != self.negated
            && self
                .resources
                .iter()
                .any(|pattern| matches(pattern, resource))
            && self
                .conditions
                .iter()
                .all(|condition| condition.holds(context))
    }
}

impl Condition {
    /// `None` for an operator that is not modeled.
    pub(crate) fn new(operator: &str, key: &str, values: &Value) -> Option<Self> {
        Self::is_known(operator).then(|| Self {
            operator: operator.to_owned(),
            key: key.to_ascii_lowercase(),
            values: strings(values),
        })
    }

    fn is_known(operator: &str) -> bool {
        let (_, base, _) = Self::parts(operator);
        [
            "StringEquals",
            "StringNotEquals",
            "StringLike",
            "StringNotLike",
            "ArnEquals",
            "ArnNotEquals",
            "ArnLike",
            "ArnNotLike",
            "Bool",
            "Null",
        ]
        .contains(&base)
    }

    fn parts(operator: &str) -> (Option<&str>, &str, bool) {
        let (set, rest) = match operator.split_once(':') {
            Some((set, rest)) => (Some(set), rest),
            None => (None, operator),
        };
        match rest.strip_suffix("IfExists") {
            Some(base) => (set, base, true),
            None => (set, rest, false),
        }
    }

    pub(crate) fn holds(&self, context: &Context) -> bool {
        let (set, base, if_exists) = Self::parts(&self.operator);
        let present: &[String] = context.get(&self.key).map_or(&[], Vec::as_slice);
        if base == "Null" {
            return self.values.iter().any(|v| v == "true") == present.is_empty();
        }
        if present.is_empty() {
            return if_exists || set.map_or(base.contains("Not"), |set| set == "ForAllValues");
        }
        let one = |value: &String| match base {
            "StringEquals" => self.values.contains(value),
            "StringNotEquals" => !self.values.contains(value),
            "StringNotLike" | "ArnNotEquals" | "ArnNotLike" => {
                !self.values.iter().any(|pattern| matches(pattern, value))
            }
            "Bool" => self.values.iter().any(|v| v.eq_ignore_ascii_case(value)),
            _ => self.values.iter().any(|pattern| matches(pattern, value)),
        };
        match set {
            Some("ForAllValues") => present.iter().all(one),
            _ => present.iter().any(one),
        }
    }
}

fn strings(value: &Value) -> Vec<String> {
    match value {
        Value::Array(values) => values.iter().flat_map(strings).collect(),
        Value::String(text) => vec![text.clone()],
        Value::Bool(flag) => vec![flag.to_string()],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_limit_an_allow() {
        let policy = Policy::from_json(
            r#"{"Statement":[
                {"Effect":"Allow","Action":"secretsmanager:*","Resource":"*",
                 "Condition":{"StringEquals":{"secretsmanager:ResourceTag/team":"a"}}},
                {"Effect":"Deny","Action":"secretsmanager:Delete*","Resource":"*"}]}"#,
        );
        let tagged = |team: &str| {
            Context::from([(
                "secretsmanager:resourcetag/team".to_owned(),
                vec![team.to_owned()],
            )])
        };
        let decide = |action, context| policy.decide(action, "r", &context);
        assert_eq!(
            decide("secretsmanager:GetSecretValue", tagged("a")),
            Decision::Allowed
        );
        assert_eq!(
            decide("secretsmanager:GetSecretValue", tagged("b")),
            Decision::ImplicitDeny
        );
        assert_eq!(
            decide("secretsmanager:GetSecretValue", Context::new()),
            Decision::ImplicitDeny
        );
        assert_eq!(
            decide("secretsmanager:DeleteSecret", tagged("a")),
            Decision::ExplicitDeny
        );
    }

    #[test]
    #[should_panic(expected = "not modeled")]
    fn unmodeled_operator_panics() {
        let _ = Policy::from_json(
            r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"DateLessThan":{"a":"b"}}}}"#,
        );
    }
}
