//! The rights that the secrets of a manifest need together: those that need the same are in one statement, exact names
//! as long as they fit, names of one folder as `folder/*` where they do not, and several policies where even those are
//! too long for one.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::actions::Needs;
use super::{Place, keys, named, policy};
use crate::request::Request;
use crate::target::Target;

/// The most that IAM takes as one managed policy, in characters without white space (IAM and STS quotas).
const MAX_POLICY: usize = 6_144;
/// What stands around the statements.
const AROUND: usize = 64;

/// Secrets whose rights are the same, by those rights.
type Groups<'a> = BTreeMap<Vec<String>, Vec<&'a Target>>;

/// `policy`, or `policies` where it takes more than one.
pub(super) fn policies(
    all: &[(&Request, Needs)],
    origins: &[(Target, Option<String>)],
    place: &Place<'_>,
) -> Value {
    let exact = pack(statements(all, origins, place, false));
    let mut packed = if exact.len() == 1 {
        exact
    } else {
        pack(statements(all, origins, place, true))
    };
    if packed.len() == 1 {
        json!({"policy": packed.remove(0)})
    } else {
        json!({"policies": packed})
    }
}

fn statements(
    all: &[(&Request, Needs)],
    origins: &[(Target, Option<String>)],
    place: &Place<'_>,
    by_folder: bool,
) -> Vec<Value> {
    let (mut reads, mut writes) = (Groups::new(), Groups::new());
    for (request, needs) in all {
        for (groups, actions) in [(&mut reads, &needs.reads), (&mut writes, &needs.writes)] {
            if !actions.is_empty() {
                let group = groups.entry(named("secretsmanager", actions)).or_default();
                group.push(&request.target);
            }
        }
    }
    let mut statements = Vec::new();
    if all.iter().any(|(request, _)| request.reads()) {
        // It is about no secret in particular; what it may read of each is what GetSecretValue says.
        statements.push(allow(
            "ReadMany",
            &["secretsmanager:BatchGetSecretValue".to_owned()],
            &["*".to_owned()],
        ));
    }
    for (actions, targets) in &reads {
        statements.extend(chunked(
            "Read",
            actions,
            &resources(targets, place, true, by_folder),
        ));
    }
    for (actions, targets) in &writes {
        statements.extend(chunked(
            "Write",
            actions,
            &resources(targets, place, false, by_folder),
        ));
    }
    let mut sources: BTreeMap<&str, Vec<&Target>> = BTreeMap::new();
    for (target, region) in origins {
        let region = region
            .as_deref()
            .or(target.region())
            .unwrap_or(place.region);
        sources.entry(region).or_default().push(target);
    }
    for (region, targets) in sources {
        let there = Place { region, ..*place };
        let read = ["secretsmanager:GetSecretValue".to_owned()];
        statements.extend(chunked(
            "Source",
            &read,
            &resources(&targets, &there, true, by_folder),
        ));
    }
    let mut of_keys: Vec<Value> = Vec::new();
    for (request, needs) in all {
        for mut statement in keys(request, needs, place) {
            statement["Sid"] = Value::Null;
            if !of_keys.contains(&statement) {
                of_keys.push(statement);
            }
        }
    }
    for mut statement in of_keys {
        statement["Sid"] = json!("UseKey");
        statements.push(statement);
    }
    statements
}

fn allow(sid: &str, actions: &[String], resources: &[String]) -> Value {
    json!({"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources})
}

/// Statements of which each fits into a policy.
fn chunked(sid: &str, actions: &[String], resources: &[String]) -> Vec<Value> {
    let mut statements = Vec::new();
    let mut some: Vec<String> = Vec::new();
    let empty = length(&allow(sid, actions, &[]));
    let mut size = empty;
    for resource in resources {
        let more = resource.chars().count() + 3;
        if size + more + AROUND > MAX_POLICY && !some.is_empty() {
            statements.push(allow(sid, actions, &some));
            some.clear();
            size = empty;
        }
        size += more;
        some.push(resource.clone());
    }
    if !some.is_empty() {
        statements.push(allow(sid, actions, &some));
    }
    statements
}

fn resources(targets: &[&Target], place: &Place<'_>, bare: bool, by_folder: bool) -> Vec<String> {
    let mut folders: BTreeMap<&str, Vec<&Target>> = BTreeMap::new();
    for target in targets {
        let folder = target
            .name
            .rsplit_once('/')
            .map_or("", |(folder, _)| folder);
        folders.entry(folder).or_default().push(target);
    }
    let mut resources = Vec::new();
    for (folder, targets) in folders {
        let whole = by_folder && !folder.is_empty() && targets.len() > 1;
        if whole && !targets.iter().any(|target| target.is_arn()) {
            resources.push(place.folder(folder));
        } else {
            resources.extend(
                targets
                    .iter()
                    .flat_map(|target| place.secrets(target, bare)),
            );
        }
    }
    resources
}

/// Puts each statement into the first policy that has room for it.
fn pack(statements: Vec<Value>) -> Vec<Value> {
    let mut policies: Vec<(usize, Vec<Value>)> = Vec::new();
    for statement in statements {
        // Its number makes the Sid unique.
        let size = length(&statement) + 6;
        let room = policies
            .iter_mut()
            .find(|(used, _)| used + size + AROUND <= MAX_POLICY);
        match room {
            Some((used, some)) => {
                *used += size;
                some.push(statement);
            }
            None => policies.push((size, vec![statement])),
        }
    }
    policies
        .into_iter()
        .map(|(_, mut statements)| {
            number(&mut statements);
            policy(&statements)
        })
        .collect()
}

/// Sids are unique in a policy.
fn number(statements: &mut [Value]) {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for statement in statements {
        let sid = statement["Sid"].as_str().unwrap_or_default().to_owned();
        let count = seen.entry(sid.clone()).or_default();
        *count += 1;
        if *count > 1 {
            statement["Sid"] = json!(format!("{sid}{count}"));
        }
    }
}

/// As IAM counts: without white space.
fn length(value: &Value) -> usize {
    value.to_string().chars().count() + 1
}
