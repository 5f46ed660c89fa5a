//! Every state that a secret can be found in, as far as it makes a difference to the steps that follow: what the
//! plan says to each of them is all that a run can do.

use crate::aws::{Described, Replica, Replication};
use crate::failure::Failure;
use crate::lease::Lease;
use crate::observe::{Attached, Observed, Present};
use crate::outcome::Outcome;
use crate::plan::{Step, plan};
use crate::request::{CURRENT, Request};
use crate::value::{Kind, SecretBytes, SecretValue};

/// Nobody's version.
const VERSION: &str = "00000000-0000-4000-8000-000000000000";
/// What nobody asks for.
const OTHER: &str = "upsert-secret:other";

/// The steps that lead from each state to the goal; a state in which the run is refused has none.
pub(super) fn steps(request: &Request, region: &str) -> Result<Vec<Vec<Step>>, Failure> {
    let mut worlds = vec![Observed::Absent];
    for replicated in [false, true] {
        for holds in [false, true] {
            worlds.push(present(request, |present| {
                if replicated {
                    present.secret.replicas = replicas(request);
                }
                if !holds {
                    present.value = Some(other_value(request));
                }
            })?);
        }
    }
    worlds.push(present(request, |present| present.secret.deleted = true)?);
    // Made by other tools, which fill it later.
    worlds.push(present(request, |present| {
        present.secret.versions.clear();
        present.value = None;
    })?);
    Ok(worlds
        .iter()
        .filter_map(|world| plan(request, world, &Outcome::default(), region).ok())
        .map(|plan| plan.steps)
        .collect())
}

/// A secret that has the value, and is another one in every other respect.
fn present(request: &Request, change: impl FnOnce(&mut Present)) -> Result<Observed, Failure> {
    let holder = request.expected.as_deref().unwrap_or(VERSION);
    let left_behind = Lease::until(0)?.label;
    let mut secret = Described {
        arn: OTHER.to_owned(),
        name: request.target.name.clone(),
        description: Some(OTHER.to_owned()),
        kms_key_id: Some(OTHER.to_owned()),
        ..Described::default()
    };
    secret.tags.insert(OTHER.to_owned(), OTHER.to_owned());
    secret
        .versions
        .insert(holder.to_owned(), vec![CURRENT.to_owned(), left_behind]);
    let value = SecretValue::stored(
        SecretBytes::new(request.value.expose().to_vec()),
        request.value.kind(),
    );
    let mut present = Present {
        secret,
        value: Some(value),
        unread: None,
        policy: Attached::Is(None),
        at: u64::MAX,
    };
    change(&mut present);
    Ok(Observed::Present(Box::new(present)))
}

fn other_value(request: &Request) -> SecretValue {
    let text: &[u8] = if !request.json.is_empty() {
        b"{}"
    } else {
        OTHER.as_bytes()
    };
    SecretValue::stored(SecretBytes::new(text.to_vec()), Kind::String)
}

/// Replicas of which none is as it shall be.
fn replicas(request: &Request) -> Vec<Replica> {
    let asked = request
        .replicas
        .iter()
        .flatten()
        .map(|(region, _)| region.as_str());
    asked
        .chain([OTHER])
        .map(|region| Replica {
            region: region.to_owned(),
            kms_key_id: Some(OTHER.to_owned()),
            status: Replication::InSync,
        })
        .collect()
}
