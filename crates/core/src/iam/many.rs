//! The policies for a manifest: secrets that need the same actions share a statement, and the statements are packed
//! into as few policies as IAM's size limit allows. It decides how permissions are grouped, not which are needed.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::actions::Needs;
use super::arn_scope::ArnScope;
use super::statements::{allow, key_statements, policy_document, prefixed};
use crate::request::Request;
use crate::target::Target;

/// IAM's limit for a managed policy, in characters without white space ("IAM and STS quotas").
const MAX_POLICY: usize = 6_144;
/// Room for statements in a policy: the limit less the policy's own keys, rounded up.
const MAX_STATEMENTS: usize = MAX_POLICY - 64;
/// Characters that a number can add to a Sid.
const SID_NUMBER: usize = 6;

/// The purpose of a statement, in the order of printing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Access {
    Read,
    Write,
    /// Reading a secret that another one gets its value from.
    ReadSource,
}

impl Access {
    fn sid(self) -> &'static str {
        match self {
            Self::Read => "Read",
            Self::Write => "Write",
            Self::ReadSource => "Source",
        }
    }
}

/// Secrets that need the same actions in the same region.
type Groups<'a> = BTreeMap<(Access, Vec<String>, &'a str), Vec<&'a Target>>;

/// How a statement names the secrets of a group.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Naming {
    Exact,
    /// Two or more secrets of one folder as `folder/*`.
    ByFolder,
}

/// `policy`, or `policies` if one would exceed IAM's limit even with secrets named by folder.
pub(super) fn policies(
    requests: &[(&Request, Needs)],
    sources: &[(Target, Option<String>)],
    scope: &ArnScope<'_>,
) -> Value {
    let groups = groups(requests, sources, scope);
    let pack_named = |naming| pack(statements(requests, &groups, scope, naming));
    let mut policies = pack_named(Naming::Exact);
    if policies.len() > 1 {
        policies = pack_named(Naming::ByFolder);
    }
    match policies.as_slice() {
        [policy] => json!({"policy": policy}),
        _ => json!({"policies": policies}),
    }
}

fn groups<'a>(
    requests: &'a [(&Request, Needs)],
    sources: &'a [(Target, Option<String>)],
    scope: &ArnScope<'a>,
) -> Groups<'a> {
    let own = requests.iter().flat_map(|(request, needs)| {
        let accesses = [(Access::Read, &needs.reads), (Access::Write, &needs.writes)];
        accesses
            .into_iter()
            .filter(|(_, actions)| !actions.is_empty())
            .map(|(access, actions)| {
                let group = (access, prefixed("secretsmanager", actions), scope.region);
                (group, &request.target)
            })
    });
    let read = sources.iter().map(|(target, region)| {
        let actions = vec!["secretsmanager:GetSecretValue".to_owned()];
        let region = region.as_deref().or(target.region());
        let group = (Access::ReadSource, actions, region.unwrap_or(scope.region));
        (group, target)
    });
    let mut groups = Groups::new();
    for (group, target) in own.chain(read) {
        groups.entry(group).or_default().push(target);
    }
    groups
}

fn statements(
    requests: &[(&Request, Needs)],
    groups: &Groups<'_>,
    scope: &ArnScope<'_>,
    naming: Naming,
) -> Vec<Value> {
    let mut statements = Vec::new();
    if requests.iter().any(|(request, _)| request.reads()) {
        // AWS accepts no narrower resource. Reading a value still needs GetSecretValue on the secret itself.
        let batch = ["secretsmanager:BatchGetSecretValue".to_owned()];
        statements.push(allow("ReadMany", &batch, &["*".to_owned()]));
    }
    for ((access, actions, region), targets) in groups {
        let resources = resources(targets, &scope.in_region(region), *access, naming);
        statements.extend(split(access.sid(), actions, resources));
    }
    for (request, needs) in requests {
        for mut statement in key_statements(request, needs, scope) {
            statement["Sid"] = json!("UseKey");
            if !statements.contains(&statement) {
                statements.push(statement);
            }
        }
    }
    statements
}

fn resources(
    targets: &[&Target],
    scope: &ArnScope<'_>,
    access: Access,
    naming: Naming,
) -> Vec<String> {
    let mut folders: BTreeMap<&str, Vec<&Target>> = BTreeMap::new();
    for target in targets {
        let folder = target.name.rsplit_once('/');
        let folder = folder.map_or("", |(folder, _)| folder);
        folders.entry(folder).or_default().push(target);
    }
    let mut resources = Vec::new();
    for (folder, targets) in folders {
        let by_folder = naming == Naming::ByFolder
            && !folder.is_empty()
            && targets.len() > 1
            && !targets.iter().any(|target| target.is_arn());
        if by_folder {
            resources.push(scope.folder(folder));
        } else {
            let secrets = targets.into_iter();
            resources.extend(secrets.flat_map(|it| scope.secret(it, access != Access::Write)));
        }
    }
    resources
}

/// Splits a statement into several, each short enough for a policy.
fn split(sid: &str, actions: &[String], resources: Vec<String>) -> Vec<Value> {
    let room = MAX_STATEMENTS - length(&allow(sid, actions, &[]));
    let mut chunks: Vec<(usize, Vec<String>)> = Vec::new();
    for resource in resources {
        let size = resource.chars().count() + r#""","#.len();
        match chunks.last_mut() {
            Some((used, chunk)) if *used + size <= room => {
                *used += size;
                chunk.push(resource);
            }
            _ => chunks.push((size, vec![resource])),
        }
    }
    let chunks = chunks.iter();
    chunks
        .map(|(_, chunk)| allow(sid, actions, chunk))
        .collect()
}

/// Puts each statement into the first policy that has room for it.
fn pack(statements: Vec<Value>) -> Vec<Value> {
    let mut policies: Vec<(usize, Vec<Value>)> = Vec::new();
    for statement in statements {
        let size = length(&statement) + SID_NUMBER;
        let mut open = policies.iter_mut();
        match open.find(|(used, _)| *used + size <= MAX_STATEMENTS) {
            Some((used, policy)) => {
                *used += size;
                policy.push(statement);
            }
            None => policies.push((size, vec![statement])),
        }
    }
    let policies = policies.into_iter();
    policies
        .map(|(_, statements)| policy_document(&with_unique_sids(statements)))
        .collect()
}

/// Numbers repeated Sids, which IAM rejects within one policy.
fn with_unique_sids(mut statements: Vec<Value>) -> Vec<Value> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for statement in &mut statements {
        let sid = statement["Sid"].as_str().unwrap_or_default().to_owned();
        let count = counts.entry(sid.clone()).or_default();
        *count += 1;
        if *count > 1 {
            statement["Sid"] = json!(format!("{sid}{count}"));
        }
    }
    statements
}

/// The characters of a statement and the comma after it.
fn length(statement: &Value) -> usize {
    statement.to_string().chars().count() + 1
}
