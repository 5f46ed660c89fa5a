//! The command `iam-policy`: the least rights that these inputs need, as IAM policy documents. What is needed is
//! not listed anywhere: it is read off the steps that the run's own decisions lead to, in every state that a
//! secret can be found in. Pure.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::failure::Failure;
use crate::plan::is_default_key;
use crate::request::{Ask, Grant, Request, Target, Trust, Wanted, domain, partition};

mod actions;
mod many;
mod scenarios;

use actions::{Needs, of_steps};

/// The documents: `policy`, and `trust` where a role is assumed by OIDC.
///
/// # Errors
/// The system has no random numbers.
pub fn documents(grant: &Grant) -> Result<Value, Failure> {
    let place = Place {
        partition: partition(&grant.region),
        region: &grant.region,
        account: grant.account.as_deref().unwrap_or("*"),
    };
    let mut documents = match &grant.job {
        Wanted::Many(requests, origins) => {
            let all = requests
                .iter()
                .map(|request| Ok((request, of_upsert(request, &grant.region)?)))
                .collect::<Result<Vec<_>, Failure>>()?;
            many::policies(&all, origins, &place)
        }
        Wanted::Upsert(request) => {
            let needs = of_upsert(request, &grant.region)?;
            let mut statements = of_secret(&request.target, &needs, &place);
            statements.extend(keys(request, &needs, &place));
            json!({"policy": policy(&statements)})
        }
        Wanted::Shift(shift) => {
            let statements = of_secret(&shift.target, &of_shift(&shift.ask), &place);
            json!({"policy": policy(&statements)})
        }
    };
    if let Some(trust) = &grant.trust {
        documents["trust"] = self::trust(trust);
    }
    Ok(documents)
}

fn policy(statements: &[Value]) -> Value {
    json!({"Version": "2012-10-17", "Statement": statements})
}

fn of_secret(target: &Target, needs: &Needs, place: &Place<'_>) -> Vec<Value> {
    let mut statements = vec![json!({
        "Sid": "ReadSecret",
        "Effect": "Allow",
        "Action": named("secretsmanager", &needs.reads),
        // IAM judges a secret that does not exist by its bare name, and "denied" is not "absent".
        "Resource": place.secrets(target, true),
    })];
    if !needs.writes.is_empty() {
        statements.push(json!({
            "Sid": "WriteSecret",
            "Effect": "Allow",
            "Action": named("secretsmanager", &needs.writes),
            "Resource": place.secrets(target, false),
        }));
    }
    statements
}

fn of_upsert(request: &Request, region: &str) -> Result<Needs, Failure> {
    let mut needs = Needs::default();
    needs.reads.insert("DescribeSecret");
    if request.reads() {
        needs.reads.insert("GetSecretValue");
        needs.key.insert("Decrypt");
    }
    if request.policy.is_some() {
        needs.reads.insert("GetResourcePolicy");
    }
    for steps in scenarios::steps(request, region)? {
        of_steps(&steps, request, &mut needs);
    }
    Ok(needs)
}

fn of_shift(ask: &Ask) -> Needs {
    let mut needs = Needs::default();
    needs.reads.insert("DescribeSecret");
    if *ask == Ask::Rollback {
        needs.reads.insert("ListSecretVersionIds");
    }
    needs.writes.insert("UpdateSecretVersionStage");
    needs
}

fn named(service: &str, actions: &BTreeSet<&'static str>) -> Vec<String> {
    actions
        .iter()
        .map(|action| format!("{service}:{action}"))
        .collect()
}

/// Statements for the keys of customers; AWS's own needs none.
fn keys(request: &Request, needs: &Needs, place: &Place<'_>) -> Vec<Value> {
    let own = request
        .kms_key_id
        .as_deref()
        .map(|key| ("UseKey".to_owned(), key, &needs.key, place.region));
    let replicas = request.replicas.iter().flatten();
    let replicas = replicas.filter_map(|(region, key)| {
        let name: String = region.split('-').map(capital).collect();
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
            let place = Place { region, ..*place };
            let (resource, alias) = place.key(key);
            let via = format!("secretsmanager.{region}.{}", domain(region));
            let mut condition = json!({"StringEquals": {"kms:ViaService": via}});
            if let Some(alias) = alias {
                condition["ForAnyValue:StringEquals"] = json!({"kms:ResourceAliases": alias});
            }
            json!({
                "Sid": sid,
                "Effect": "Allow",
                "Action": named("kms", actions),
                "Resource": resource,
                "Condition": condition,
            })
        })
        .collect()
}

/// A region as part of a Sid, which has letters and digits only.
fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_ascii_uppercase().to_string())
        + letters.as_str()
}

#[derive(Clone, Copy)]
struct Place<'a> {
    partition: &'a str,
    region: &'a str,
    account: &'a str,
}

impl Place<'_> {
    /// The secret, whatever suffix AWS gives its ARN; and its bare name.
    fn secrets(&self, target: &Target, bare: bool) -> Vec<String> {
        if target.is_arn() {
            return vec![target.id.clone()];
        }
        let Self {
            partition,
            region,
            account,
        } = self;
        let name = format!(
            "arn:{partition}:secretsmanager:{region}:{account}:secret:{}",
            target.name
        );
        let pattern = format!("{name}-??????");
        if bare {
            vec![pattern, name]
        } else {
            vec![pattern]
        }
    }

    /// All secrets of a folder.
    fn folder(&self, folder: &str) -> String {
        let Self {
            partition,
            region,
            account,
        } = self;
        format!("arn:{partition}:secretsmanager:{region}:{account}:secret:{folder}/*")
    }

    /// The key's resource, and the alias that it must have: IAM knows keys by their ids only.
    fn key(&self, key: &str) -> (String, Option<String>) {
        let Self {
            partition,
            region,
            account,
        } = self;
        let (prefix, local) = match key.strip_prefix("arn:").and_then(|_| key.rsplit_once(':')) {
            Some((prefix, local)) => (prefix.to_owned(), local),
            None => (format!("arn:{partition}:kms:{region}:{account}"), key),
        };
        if local.starts_with("alias/") {
            (format!("{prefix}:key/*"), Some(local.to_owned()))
        } else {
            let id = local.strip_prefix("key/").unwrap_or(local);
            (format!("{prefix}:key/{id}"), None)
        }
    }
}

fn trust(trust: &Trust) -> Value {
    let Trust {
        account,
        partition,
        provider,
        audience,
        subject,
    } = trust;
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Sid": "AssumeRoleFromCI",
            "Effect": "Allow",
            "Principal": {"Federated": format!("arn:{partition}:iam::{account}:oidc-provider/{provider}")},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringEquals": {
                format!("{provider}:aud"): audience,
                format!("{provider}:sub"): subject,
            }},
        }],
    })
}
