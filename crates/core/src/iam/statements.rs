//! IAM policy statements: those of one secret, and the pieces that statements of many are made from. It turns needs
//! into JSON and adds no action of its own.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::actions::Needs;
use super::arn_scope::ArnScope;
use crate::plan::is_default_key;
use crate::region::domain;
use crate::request::Request;
use crate::target::Target;

pub(super) fn policy_document(statements: &[Value]) -> Value {
    json!({"Version": "2012-10-17", "Statement": statements})
}

pub(super) fn allow(sid: &str, actions: &[String], resources: &[String]) -> Value {
    json!({"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources})
}

pub(super) fn prefixed(service: &str, actions: &BTreeSet<&'static str>) -> Vec<String> {
    let actions = actions.iter();
    actions
        .map(|action| format!("{service}:{action}"))
        .collect()
}

pub(super) fn secret_statements(
    target: &Target,
    needs: &Needs,
    scope: &ArnScope<'_>,
) -> Vec<Value> {
    [
        ("ReadSecret", &needs.reads, true),
        ("WriteSecret", &needs.writes, false),
    ]
    .into_iter()
    .filter(|(_, actions, _)| !actions.is_empty())
    .map(|(sid, actions, or_absent)| {
        let actions = prefixed("secretsmanager", actions);
        allow(sid, &actions, &scope.secret(target, or_absent))
    })
    .collect()
}

/// Statements for customer managed keys; AWS managed keys need none.
pub(super) fn key_statements(request: &Request, needs: &Needs, scope: &ArnScope<'_>) -> Vec<Value> {
    let own = request
        .kms_key_id
        .as_deref()
        .map(|key| ("UseKey".to_owned(), key, &needs.key, scope.region));
    let replicas = request.replicas.iter().flatten();
    let replicas = replicas.filter_map(|(region, key)| {
        // A Sid has letters and digits only.
        let name: String = region.split('-').map(capitalized).collect();
        Some((
            format!("UseKeyIn{name}"),
            key.as_deref()?,
            &needs.replica_key,
            region.as_str(),
        ))
    });
    own.into_iter()
        .chain(replicas)
        .filter(|(_, key, actions, _)| !is_default_key(key) && !actions.is_empty())
        .map(|(sid, key, actions, region)| {
            let (resource, alias) = scope.in_region(region).key(key);
            let via = format!("secretsmanager.{region}.{}", domain(region));
            let mut condition = json!({"StringEquals": {"kms:ViaService": via}});
            if let Some(alias) = alias {
                condition["ForAnyValue:StringEquals"] = json!({"kms:ResourceAliases": alias});
            }
            json!({
                "Sid": sid,
                "Effect": "Allow",
                "Action": prefixed("kms", actions),
                "Resource": resource,
                "Condition": condition,
            })
        })
        .collect()
}

fn capitalized(word: &str) -> String {
    let mut letters = word.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_ascii_uppercase().to_string())
        + letters.as_str()
}
