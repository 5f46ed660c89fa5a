//! Resource policies: their syntax, the principals they name, whether they are public, and what they deny. Knows
//! neither which principals exist nor which error a policy causes.
//!
//! Deny statements are enforced. Allow statements are not: they matter only for callers whose identity policy is
//! silent and for callers of other accounts, and the model denies both.

use serde_json::{Map, Value};

use crate::{
    policy::{Condition, Context},
    wildcard::matches,
};

/// A principal that a statement names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Principal {
    Everyone,
    Account(String),
    /// A user, a role or a role session.
    Arn(String),
    Service(String),
    /// A kind of principal that Secrets Manager does not support.
    Unsupported,
}

/// A policy document with valid syntax.
pub(crate) struct ResourcePolicy(Vec<Statement>);

/// The items of a policy element. `negated` is its `Not` form, such as `NotAction`.
struct Element<T> {
    items: Vec<T>,
    negated: bool,
}

struct Statement {
    allow: bool,
    principals: Element<Principal>,
    actions: Element<String>,
    resources: Element<String>,
    conditions: Vec<StatementCondition>,
}

/// One condition. If [`Condition`] does not model the operator, the condition never holds; rejecting the document
/// for it would be wrong.
struct StatementCondition {
    operator: String,
    key: String,
    values: Vec<String>,
    model: Option<Condition>,
}

/// A request that a policy is evaluated for. Without a resource, it represents all resources.
pub(crate) struct AccessRequest<'a> {
    pub(crate) account: &'a str,
    pub(crate) arn: &'a str,
    pub(crate) role: Option<&'a str>,
    pub(crate) action: &'a str,
    pub(crate) resource: Option<&'a str>,
}

impl ResourcePolicy {
    /// `None` if the document is not JSON or not a valid policy.
    pub(crate) fn parse(document: &str) -> Option<Self> {
        let document: Value = serde_json::from_str(document).ok()?;
        let document = document.as_object()?;
        has_only_keys(document, &["Version", "Id", "Statement"])?;
        if let Some(version) = document.get("Version") {
            ["2012-10-17", "2008-10-17"]
                .contains(&version.as_str()?)
                .then_some(())?;
        }
        let statements = match document.get("Statement")? {
            Value::Array(items) if !items.is_empty() => items.iter().map(statement).collect(),
            one @ Value::Object(_) => statement(one).map(|one| vec![one]),
            _ => None,
        };
        statements.map(Self)
    }

    pub(crate) fn principals(&self) -> impl Iterator<Item = &Principal> {
        let statements = self.0.iter();
        statements.flat_map(|statement| &statement.principals.items)
    }

    /// Whether the policy allows public access. AWS decides that by automated reasoning; the model looks for an
    /// Allow for everyone without a condition that limits the principal or the source.
    pub(crate) fn is_public(&self) -> bool {
        self.0.iter().any(|statement| {
            let everyone = statement.principals.negated
                || statement.principals.items.contains(&Principal::Everyone);
            statement.allow
                && everyone
                && !statement.conditions.iter().any(StatementCondition::narrows)
        })
    }

    pub(crate) fn denies(&self, request: &AccessRequest<'_>, context: &Context) -> bool {
        self.0
            .iter()
            .any(|statement| !statement.allow && statement.applies(request, context))
    }
}

impl Statement {
    fn applies(&self, request: &AccessRequest<'_>, context: &Context) -> bool {
        let is = |principal: &Principal| match principal {
            Principal::Everyone => true,
            Principal::Account(account) => account == request.account,
            Principal::Arn(arn) => arn == request.arn || Some(arn.as_str()) == request.role,
            Principal::Service(_) | Principal::Unsupported => false,
        };
        let action = request.action.to_ascii_lowercase();
        let does = |pattern: &String| matches(&pattern.to_ascii_lowercase(), &action);
        let to = |pattern: &String| request.resource.is_none_or(|arn| matches(pattern, arn));
        self.principals.items.iter().any(is) != self.principals.negated
            && self.actions.items.iter().any(does) != self.actions.negated
            && self.resources.items.iter().any(to) != self.resources.negated
            && self.conditions.iter().all(|condition| {
                let model = condition.model.as_ref();
                model.is_some_and(|condition| condition.holds(context))
            })
    }
}

impl StatementCondition {
    /// Whether the condition limits access to fixed principals or sources.
    fn narrows(&self) -> bool {
        let operators = [
            "StringEquals",
            "StringEqualsIgnoreCase",
            "StringLike",
            "ArnEquals",
            "ArnLike",
            "IpAddress",
        ];
        let keys = [
            "aws:principalaccount",
            "aws:principalarn",
            "aws:principalorgid",
            "aws:sourceaccount",
            "aws:sourcearn",
            "aws:sourceip",
            "aws:sourcevpc",
            "aws:sourcevpce",
            "aws:userid",
        ];
        let fixed = |value: &String| !value.contains(['*', '?']) && !value.ends_with("/0");
        operators.contains(&self.operator.as_str())
            && keys.contains(&self.key.as_str())
            && self.values.iter().all(fixed)
    }
}

fn has_only_keys(object: &Map<String, Value>, known: &[&str]) -> Option<()> {
    object
        .keys()
        .all(|key| known.contains(&key.as_str()))
        .then_some(())
}

fn statement(value: &Value) -> Option<Statement> {
    let object = value.as_object()?;
    has_only_keys(
        object,
        &[
            "Sid",
            "Effect",
            "Principal",
            "NotPrincipal",
            "Action",
            "NotAction",
            "Resource",
            "NotResource",
            "Condition",
        ],
    )?;
    let allow = match object.get("Effect")?.as_str()? {
        "Allow" => true,
        "Deny" => false,
        _ => return None,
    };
    let principals = element(object, "Principal", principals)?;
    let actions = element(object, "Action", strings)?;
    let named = |action: &String| action == "*" || action.contains(':');
    let resources = element(object, "Resource", strings)?;
    let found = |resource: &String| resource == "*" || resource.starts_with("arn:");
    let whole = actions.items.iter().all(named) && resources.items.iter().all(found);
    whole.then_some(())?;
    let conditions = match object.get("Condition") {
        None => Vec::new(),
        Some(condition) => conditions(condition.as_object()?)?,
    };
    Some(Statement {
        allow,
        principals,
        actions,
        resources,
        conditions,
    })
}

/// The element `name` or its `Not` form. A statement must have exactly one of the two.
fn element<T>(
    object: &Map<String, Value>,
    name: &str,
    read: fn(&Value) -> Option<Vec<T>>,
) -> Option<Element<T>> {
    let not = format!("Not{name}");
    let (value, negated) = match (object.get(name), object.get(&not)) {
        (Some(value), None) => (value, false),
        (None, Some(value)) => (value, true),
        _ => return None,
    };
    let items = read(value)?;
    Some(Element { items, negated })
}

/// One string, or a list of at least one.
fn strings(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(text) => Some(vec![text.clone()]),
        Value::Array(items) if !items.is_empty() => items
            .iter()
            .map(|item| item.as_str().map(str::to_owned))
            .collect(),
        _ => None,
    }
}

fn principals(value: &Value) -> Option<Vec<Principal>> {
    if value == "*" {
        return Some(vec![Principal::Everyone]);
    }
    let object = value.as_object().filter(|object| !object.is_empty())?;
    let mut all = Vec::new();
    for (kind, value) in object {
        for text in strings(value)? {
            all.push(match kind.as_str() {
                "AWS" => principal(text),
                "Service" => Principal::Service(text),
                "Federated" | "CanonicalUser" => Principal::Unsupported,
                _ => return None,
            });
        }
    }
    Some(all)
}

fn principal(text: String) -> Principal {
    let is_account = |id: &str| id.len() == 12 && id.chars().all(|c| c.is_ascii_digit());
    let root = text.strip_prefix("arn:aws:iam::");
    let root = root.and_then(|rest| rest.strip_suffix(":root"));
    match (text.as_str(), root) {
        ("*", _) => Principal::Everyone,
        (_, Some(id)) if is_account(id) => Principal::Account(id.to_owned()),
        (id, _) if is_account(id) => Principal::Account(id.to_owned()),
        _ => Principal::Arn(text),
    }
}

fn conditions(operators: &Map<String, Value>) -> Option<Vec<StatementCondition>> {
    let mut all = Vec::new();
    for (operator, keys) in operators {
        is_operator(operator).then_some(())?;
        for (key, value) in keys.as_object()? {
            let model = Condition::new(operator, key, value);
            all.push(StatementCondition {
                operator: operator.clone(),
                key: key.to_ascii_lowercase(),
                values: strings(value).or_else(|| value.as_bool().map(|b| vec![b.to_string()]))?,
                model,
            });
        }
    }
    Some(all)
}

/// Whether IAM has such an operator.
fn is_operator(operator: &str) -> bool {
    let base = operator.trim_start_matches("ForAllValues:");
    let base = base.trim_start_matches("ForAnyValue:");
    let base = base.strip_suffix("IfExists").unwrap_or(base);
    let families = ["String", "Numeric", "Date", "Arn"];
    families.iter().any(|family| base.starts_with(family))
        || ["Bool", "BinaryEquals", "IpAddress", "NotIpAddress", "Null"].contains(&base)
}
