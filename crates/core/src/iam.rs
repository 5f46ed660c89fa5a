//! Least-privilege IAM policies for a run, for the command `iam-policy`. The actions for writes follow from the steps that
//! `plan` returns for every possible state of a secret. Must not make calls or print.

use serde_json::{Value, json};

use crate::request::{LabelMove, Request};
use crate::target::Target;

mod actions;
mod policies;

use actions::Needs;
use policies::Permissions;

/// A run to print permissions for.
pub struct PolicyRequest {
    /// What the run does.
    pub run: PolicyRun,
    /// The region; always known.
    pub region: String,
    /// The account's twelve digits, if the inputs contain them.
    pub account: Option<String>,
    /// The OIDC trust policy; `None` without a role, or if the role is assumed with credentials.
    pub trust: Option<Trust>,
    /// Notes for the user.
    pub notes: Vec<String>,
}

/// The work of a run, as far as it affects permissions.
pub enum PolicyRun {
    /// `upsert`
    Upsert(Box<Request>),
    /// `promote`, `rollback`
    Moves(Vec<LabelMove>),
    /// A manifest: its secrets, and the secrets that provide values with the same credentials, each with its region.
    Manifest(Vec<Request>, Vec<(Target, Option<String>)>),
    /// `import`
    Import {
        /// Names, as IAM patterns.
        names: Vec<String>,
        /// Whether the run reads resource policies.
        policies: bool,
    },
}

/// Parameters of the role's OIDC trust policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trust {
    /// The account of the identity provider.
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

/// The documents to print: `policy`, or `policies` if one would exceed IAM's limit, and `trust` for a role that is assumed with
/// OIDC.
pub fn documents(request: &PolicyRequest) -> Value {
    let mut permissions = Permissions::new(&request.region, request.account.as_deref());
    match &request.run {
        PolicyRun::Upsert(secret) => permissions.add_upsert(secret),
        PolicyRun::Moves(moves) => {
            for label_move in moves {
                let needs = Needs::of_label_move(&label_move.direction);
                permissions.add_secret(&label_move.target, &needs);
            }
        }
        PolicyRun::Manifest(requests, sources) => {
            if requests.iter().any(Request::reads) {
                permissions.add_batch_read();
            }
            for secret in requests {
                permissions.add_upsert(secret);
            }
            for (target, region) in sources {
                permissions.add_source(target, region.as_deref());
            }
        }
        PolicyRun::Import { names, policies } => permissions.add_import(names, *policies),
    }
    let policies = permissions.policies();
    let mut documents = match policies.as_slice() {
        [policy] => json!({"policy": policy}),
        _ => json!({"policies": policies}),
    };
    if let Some(trust) = &request.trust {
        documents["trust"] = trust_policy(trust);
    }
    documents
}

fn trust_policy(trust: &Trust) -> Value {
    let Trust {
        account, partition, ..
    } = trust;
    let provider = &trust.provider;
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Sid": "AssumeRoleFromCI",
            "Effect": "Allow",
            "Principal": {"Federated": format!("arn:{partition}:iam::{account}:oidc-provider/{provider}")},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringEquals": {
                format!("{provider}:aud"): trust.audience,
                format!("{provider}:sub"): trust.subject,
            }},
        }],
    })
}

#[cfg(test)]
mod tests;
