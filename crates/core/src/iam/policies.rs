//! The policies that grant permissions: secrets that need the same actions share a statement, and statements are packed into as
//! few policies as IAM's size limit allows. Decides how permissions are grouped, not which are needed.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::actions::{KEY_ACTIONS, Needs, REPLICA_KEY_ACTIONS};
use crate::plan::is_default_key;
use crate::region::{domain, partition};
use crate::request::Request;
use crate::target::Target;

/// IAM's limit for a managed policy, in characters without white space ("IAM and STS quotas").
const MAX_POLICY: usize = 6_144;
/// The size limit for a policy's statements: the policy limit minus the policy's own keys, with some reserve.
const MAX_STATEMENTS: usize = MAX_POLICY - 64;
/// The number of characters that a number in its Sid and the comma after it can add to a statement.
const NUMBER_AND_COMMA: usize = 7;

const READ: &str = "ReadSecret";
const WRITE: &str = "WriteSecret";
/// Reads a secret that provides a value for another one.
const READ_SOURCE: &str = "ReadSource";
/// Validates a resource policy before its secret exists. Without this permission, the policy is validated after the secret is
/// created.
const VALIDATE: &str = "ValidatePolicy";

/// Permissions for secrets and KMS keys of one account.
pub(super) struct Permissions<'a> {
    region: &'a str,
    /// Twelve digits, or `*` if the account is unknown.
    account: &'a str,
    /// Secrets by Sid, actions and region.
    secrets: BTreeMap<(&'static str, Vec<String>, &'a str), Vec<&'a Target>>,
    /// Statements about other resources.
    others: Vec<Value>,
}

impl<'a> Permissions<'a> {
    pub(super) fn new(region: &'a str, account: Option<&'a str>) -> Self {
        Self {
            region,
            account: account.unwrap_or("*"),
            secrets: BTreeMap::new(),
            others: Vec::new(),
        }
    }

    /// Adds what one write of the request needs, including KMS keys.
    pub(super) fn add_upsert(&mut self, request: &'a Request) {
        let needs = Needs::of_upsert(request, self.region);
        self.add_secret(&request.target, &needs);
        if !needs.unnamed.is_empty() {
            self.add_unnamed(VALIDATE, &prefixed("secretsmanager", &needs.unnamed));
        }
        if let Some(key) = &request.kms_key_id
            && needs.writes.contains("UpdateSecret")
        {
            self.add_key("UseKey", key, &KEY_ACTIONS, self.region);
        }
        for (region, key) in request.replicas.iter().flatten() {
            if let Some(key) = key
                && needs.writes.contains("ReplicateSecretToRegions")
            {
                // A Sid may contain only letters and digits.
                let name: String = region.split('-').map(capitalized).collect();
                self.add_key(
                    &format!("UseKeyIn{name}"),
                    key,
                    &REPLICA_KEY_ACTIONS,
                    region,
                );
            }
        }
    }

    pub(super) fn add_secret(&mut self, target: &'a Target, needs: &Needs) {
        self.add(READ, &needs.reads, target, self.region);
        self.add(WRITE, &needs.writes, target, self.region);
    }

    pub(super) fn add_source(&mut self, target: &'a Target, region: Option<&'a str>) {
        let region = region.or(target.region()).unwrap_or(self.region);
        self.add(READ_SOURCE, &["GetSecretValue"].into(), target, region);
    }

    /// AWS accepts no narrower resource. Reading a value still requires GetSecretValue on the secret itself.
    pub(super) fn add_batch_read(&mut self) {
        let action = "secretsmanager:BatchGetSecretValue".to_owned();
        self.add_unnamed("ReadMany", &[action]);
    }

    /// Adds listing secrets, for which AWS accepts no narrower resource, and reading the metadata of secrets with these names.
    pub(super) fn add_import(&mut self, names: &[String], policies: bool) {
        self.add_unnamed("ListSecrets", &["secretsmanager:ListSecrets".to_owned()]);
        let reads: &[&str] = match policies {
            true => &["DescribeSecret", "GetResourcePolicy"],
            false => &["DescribeSecret"],
        };
        let actions = prefixed("secretsmanager", reads);
        let secrets = names.iter();
        let secrets = secrets.map(|name| self.secret(&format!("{name}-??????"), self.region));
        for chunk in pack_resources(READ, &actions, secrets.collect()) {
            self.others.push(allow(READ, &actions, &chunk));
        }
    }

    /// Adds actions of calls without a secret ID.
    fn add_unnamed(&mut self, sid: &str, actions: &[String]) {
        let statement = allow(sid, actions, &["*".to_owned()]);
        if !self.others.contains(&statement) {
            self.others.push(statement);
        }
    }

    fn add(
        &mut self,
        sid: &'static str,
        actions: &BTreeSet<&'static str>,
        target: &'a Target,
        region: &'a str,
    ) {
        if !actions.is_empty() {
            let access = (sid, prefixed("secretsmanager", actions), region);
            self.secrets.entry(access).or_default().push(target);
        }
    }

    /// Adds the use of a customer managed key; AWS managed keys need no permission.
    fn add_key(&mut self, sid: &str, key: &str, actions: &[&str], region: &str) {
        if is_default_key(key) {
            return;
        }
        let via = format!("secretsmanager.{region}.{}", domain(region));
        let (resource, alias) = self.key(key, region);
        let mut statement = json!({
            "Sid": sid,
            "Effect": "Allow",
            "Action": prefixed("kms", actions),
            "Resource": resource,
            "Condition": {"StringEquals": {"kms:ViaService": via}},
        });
        if let Some(alias) = alias {
            statement["Condition"]["ForAnyValue:StringEquals"] =
                json!({"kms:ResourceAliases": alias});
        }
        if !self.others.contains(&statement) {
            self.others.push(statement);
        }
    }

    /// The policies; more than one only if a single one would exceed IAM's limit even with secrets grouped by folder.
    pub(super) fn policies(&self) -> Vec<Value> {
        let packed = |by_folder| {
            pack(self.statements(by_folder), MAX_STATEMENTS, |statement| {
                length(statement) + NUMBER_AND_COMMA
            })
        };
        let mut policies = packed(false);
        if policies.len() > 1 {
            policies = packed(true);
        }
        policies.into_iter().map(policy_document).collect()
    }

    /// All statements, each small enough for a policy.
    fn statements(&self, by_folder: bool) -> Vec<Value> {
        let mut statements = Vec::new();
        for ((sid, actions, region), targets) in &self.secrets {
            let resources = self.resources(targets, region, *sid != WRITE, by_folder);
            for chunk in pack_resources(sid, actions, resources) {
                statements.push(allow(sid, actions, &chunk));
            }
        }
        statements.extend_from_slice(&self.others);
        statements
    }

    /// ARN patterns of secrets. `by_folder` replaces two or more secrets of one folder with `folder/*`.
    fn resources(
        &self,
        targets: &[&Target],
        region: &str,
        or_absent: bool,
        by_folder: bool,
    ) -> Vec<String> {
        let mut folders: BTreeMap<Option<&str>, Vec<&Target>> = BTreeMap::new();
        for target in targets {
            let folder = target.name.rsplit_once('/').map(|(folder, _)| folder);
            let folder = folder.filter(|folder| by_folder && !folder.is_empty());
            folders.entry(folder).or_default().push(target);
        }
        let mut resources = Vec::new();
        for (folder, targets) in folders {
            let has_arn = targets.iter().any(|target| target.is_arn());
            match folder {
                Some(folder) if targets.len() > 1 && !has_arn => {
                    resources.push(self.secret(&format!("{folder}/*"), region));
                }
                _ => {
                    let secrets = targets.into_iter();
                    resources.extend(secrets.flat_map(|it| self.patterns(it, region, or_absent)));
                }
            }
        }
        resources
    }

    /// A secret's ARN, with a pattern for the six characters that AWS appends. `or_absent` adds the ARN without them, which IAM
    /// uses to evaluate access to a secret that does not exist.
    fn patterns(&self, target: &Target, region: &str, or_absent: bool) -> Vec<String> {
        if target.is_arn() {
            return vec![target.id.clone()];
        }
        let arn = self.secret(&target.name, region);
        let mut patterns = vec![format!("{arn}-??????")];
        patterns.extend(or_absent.then_some(arn));
        patterns
    }

    fn secret(&self, name: &str, region: &str) -> String {
        self.arn("secretsmanager", region, &format!("secret:{name}"))
    }

    /// A key's ARN. For an alias: all keys, and the alias for use in a condition, because IAM identifies keys only by ID.
    fn key(&self, key: &str, region: &str) -> (String, Option<String>) {
        let arn = if key.starts_with("arn:") {
            key.to_owned()
        } else {
            self.arn("kms", region, key)
        };
        let (prefix, local) = arn.rsplit_once(':').unwrap_or_default();
        if local.starts_with("alias/") {
            return (format!("{prefix}:key/*"), Some(local.to_owned()));
        }
        let id = local.strip_prefix("key/").unwrap_or(local);
        (format!("{prefix}:key/{id}"), None)
    }

    fn arn(&self, service: &str, region: &str, resource: &str) -> String {
        let partition = partition(self.region);
        format!(
            "arn:{partition}:{service}:{region}:{}:{resource}",
            self.account
        )
    }
}

fn allow(sid: &str, actions: &[String], resources: &[String]) -> Value {
    json!({"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources})
}

fn prefixed<'a>(service: &str, actions: impl IntoIterator<Item = &'a &'a str>) -> Vec<String> {
    let actions = actions.into_iter();
    actions
        .map(|action| format!("{service}:{action}"))
        .collect()
}

fn capitalized(word: &str) -> String {
    let (first, rest) = word.split_at(word.len().min(1));
    first.to_ascii_uppercase() + rest
}

/// Puts each item into the first bin that has room for it.
fn pack<T>(items: Vec<T>, room: usize, size: impl Fn(&T) -> usize) -> Vec<Vec<T>> {
    let mut bins: Vec<(usize, Vec<T>)> = Vec::new();
    for item in items {
        let size = size(&item);
        match bins.iter_mut().find(|(used, _)| used + size <= room) {
            Some((used, bin)) => {
                *used += size;
                bin.push(item);
            }
            None => bins.push((size, vec![item])),
        }
    }
    bins.into_iter().map(|(_, bin)| bin).collect()
}

/// Splits resources into statements, each small enough for a policy.
fn pack_resources(sid: &str, actions: &[String], resources: Vec<String>) -> Vec<Vec<String>> {
    let room = MAX_STATEMENTS - length(&allow(sid, actions, &[]));
    pack(resources, room, |arn| arn.len() + r#""","#.len())
}

/// A policy with these statements. Numbers repeated Sids, because IAM rejects duplicates.
fn policy_document(mut statements: Vec<Value>) -> Value {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for statement in &mut statements {
        let sid = statement["Sid"].as_str().unwrap_or_default().to_owned();
        let count = counts.entry(sid.clone()).or_default();
        *count += 1;
        if *count > 1 {
            statement["Sid"] = json!(format!("{sid}{count}"));
        }
    }
    json!({"Version": "2012-10-17", "Statement": statements})
}

/// The size of a statement in bytes, which is at least its number of characters.
fn length(statement: &Value) -> usize {
    statement.to_string().len()
}
