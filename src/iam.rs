//! IAM policies with the least permissions that a run needs, for the command `iam-policy`. The actions are not listed
//! by hand: they follow from the steps that `plan` returns for every state a secret can be in. It calls nothing and
//! prints nothing.

use serde_json::{Value, json};

use crate::failure::Failure;
use crate::request::{Grant, Trust, Wanted, partition};

mod actions;
mod arn_scope;
mod many;
mod scenarios;
mod statements;

use actions::Needs;
use arn_scope::ArnScope;
use statements::{key_statements, policy_document, secret_statements};

/// The documents to print: `policy`, or `policies` if one would exceed IAM's limit, and `trust` for a role that is
/// assumed by OIDC.
///
/// # Errors
/// The system has no random numbers.
pub fn documents(grant: &Grant) -> Result<Value, Failure> {
    let scope = ArnScope {
        partition: partition(&grant.region),
        region: &grant.region,
        account: grant.account.as_deref().unwrap_or("*"),
    };
    let mut documents = match &grant.job {
        Wanted::Many(requests, sources) => {
            let requests = requests
                .iter()
                .map(|request| Ok((request, Needs::of_upsert(request, &grant.region)?)))
                .collect::<Result<Vec<_>, Failure>>()?;
            many::policies(&requests, sources, &scope)
        }
        Wanted::Upsert(request) => {
            let needs = Needs::of_upsert(request, &grant.region)?;
            let mut statements = secret_statements(&request.target, &needs, &scope);
            statements.extend(key_statements(request, &needs, &scope));
            json!({"policy": policy_document(&statements)})
        }
        Wanted::Shift(shift) => {
            let needs = Needs::of_label_move(&shift.ask);
            let statements = secret_statements(&shift.target, &needs, &scope);
            json!({"policy": policy_document(&statements)})
        }
    };
    if let Some(trust) = &grant.trust {
        documents["trust"] = trust_policy(trust);
    }
    Ok(documents)
}

fn trust_policy(trust: &Trust) -> Value {
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
