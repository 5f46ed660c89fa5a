//! Every state of a secret that leads to different steps, and the steps that `plan` returns for each: together they are
//! all that a run can do. It makes no decision of its own.

use crate::attempt::Attempt;
use crate::labels::{CURRENT, WriteLabel};
use crate::plan::{Step, plan};
use crate::request::Request;
use crate::state::{Observed, PolicyView, Present, Replica, ReplicaStatus, SecretMetadata};
use crate::value::{Kind, SecretBytes, SecretValue};

/// An ID that no version has.
const VERSION: &str = "00000000-0000-4000-8000-000000000000";
/// Differs from anything that a request can contain.
const OTHER: &str = "upsert-secret:other";

/// The steps from each state to the requested one. States that the run refuses to change are left out.
pub(super) fn steps(request: &Request, region: &str) -> Vec<Step> {
    let mut scenarios = vec![Observed::Absent];
    for replicated in [false, true] {
        for value_differs in [true, false] {
            scenarios.push(present(request, |present| {
                if replicated {
                    present.secret.replicas = replicas(request);
                }
                if value_differs {
                    present.value = Some(other_value(request));
                }
            }));
        }
    }
    scenarios.push(present(request, |present| present.secret.deleted = true));
    // Created without a value, as infrastructure tools do.
    scenarios.push(present(request, |present| {
        present.secret.versions.clear();
        present.value = None;
    }));
    scenarios
        .iter()
        .filter_map(|observed| plan(request, observed, &Attempt::default(), region).ok())
        .flat_map(|plan| plan.steps)
        .collect()
}

/// A secret that holds the requested value and differs in everything else, before `change`.
fn present(request: &Request, change: impl FnOnce(&mut Present)) -> Observed {
    let holder = request.expected.as_deref().unwrap_or(VERSION);
    let expired_label = WriteLabel::until(0, VERSION).label;
    let secret = SecretMetadata {
        arn: OTHER.to_owned(),
        name: request.target.name.clone(),
        description: Some(OTHER.to_owned()),
        kms_key_id: Some(OTHER.to_owned()),
        tags: [(OTHER.to_owned(), OTHER.to_owned())].into(),
        versions: [(holder.to_owned(), vec![CURRENT.to_owned(), expired_label])].into(),
        ..SecretMetadata::default()
    };
    let value = SecretValue::stored(
        SecretBytes::new(request.value.expose().to_vec()),
        request.value.kind(),
    );
    let mut present = Present {
        secret,
        value: Some(value),
        unread: None,
        policy: PolicyView::Known(None),
        at: u64::MAX,
    };
    change(&mut present);
    Observed::Present(Box::new(present))
}

fn other_value(request: &Request) -> SecretValue {
    let text = if request.json.is_empty() { OTHER } else { "{}" };
    SecretValue::stored(SecretBytes::new(text.into()), Kind::String)
}

/// Replicas in the requested regions and in another one, all with a different key.
fn replicas(request: &Request) -> Vec<Replica> {
    let requested = request
        .replicas
        .iter()
        .flatten()
        .map(|(region, _)| region.as_str());
    requested
        .chain([OTHER])
        .map(|region| Replica {
            region: region.to_owned(),
            kms_key_id: Some(OTHER.to_owned()),
            status: ReplicaStatus::InSync,
        })
        .collect()
}
