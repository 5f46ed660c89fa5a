//! IAM policies with the least permissions that a run needs, for the command `iam-policy`. The actions are not listed
//! by hand: they follow from the steps that `plan` returns for every state a secret can be in. It calls nothing and
//! prints nothing.

use serde_json::{Value, json};

use crate::region::partition;
use crate::request::{LabelMove, Request};
use crate::target::Target;

mod actions;
mod arn_scope;
mod many;
mod scenarios;
mod statements;

use actions::Needs;
use arn_scope::ArnScope;
use statements::{key_statements, policy_document, secret_statements};

/// A run that permissions are printed for.
pub struct PolicyRequest {
    /// What it does.
    pub run: PolicyRun,
    /// The region; always known.
    pub region: String,
    /// The account's twelve digits, if the inputs contain them.
    pub account: Option<String>,
    /// The OIDC trust policy; `None` without a role, or if credentials assume it.
    pub trust: Option<Trust>,
    /// Notes for the user.
    pub notes: Vec<String>,
}

/// What a run does, as far as permissions go.
pub enum PolicyRun {
    /// `upsert`
    Upsert(Box<Request>),
    /// `promote`, `rollback`
    Move(Box<LabelMove>),
    /// A manifest: its secrets, and those that values come from with the same credentials, with their regions.
    Manifest(Vec<Request>, Vec<(Target, Option<String>)>),
}

/// Parameters of the role's OIDC trust policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trust {
    /// The account that has the provider.
    pub account: String,
    /// The partition of the role.
    pub partition: String,
    /// The provider, without `https://`.
    pub provider: String,
    /// The token's audience.
    pub audience: String,
    /// The token's subject.
    pub subject: String,
}

/// The documents to print: `policy`, or `policies` if one would exceed IAM's limit, and `trust` for a role that is
/// assumed by OIDC.
pub fn documents(request: &PolicyRequest) -> Value {
    let scope = ArnScope {
        partition: partition(&request.region),
        region: &request.region,
        account: request.account.as_deref().unwrap_or("*"),
    };
    let mut documents = match &request.run {
        PolicyRun::Manifest(requests, sources) => {
            let requests = requests
                .iter()
                .map(|secret| (secret, Needs::of_upsert(secret, &request.region)))
                .collect::<Vec<_>>();
            many::policies(&requests, sources, &scope)
        }
        PolicyRun::Upsert(secret) => {
            let needs = Needs::of_upsert(secret, &request.region);
            let mut statements = secret_statements(&secret.target, &needs, &scope);
            statements.extend(key_statements(secret, &needs, &scope));
            json!({"policy": policy_document(&statements)})
        }
        PolicyRun::Move(label_move) => {
            let needs = Needs::of_label_move(&label_move.direction);
            let statements = secret_statements(&label_move.target, &needs, &scope);
            json!({"policy": policy_document(&statements)})
        }
    };
    if let Some(trust) = &request.trust {
        documents["trust"] = trust_policy(trust);
    }
    documents
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
