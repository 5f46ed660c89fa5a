//! Connections to the secrets that values come from. Checks how they are reached, and reads none of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use upsert_secret_core::connection::Connection;
use upsert_secret_core::failure::Failure;
use upsert_secret_core::region::is_region;
use upsert_secret_core::target::Target;

use crate::checks::identity;
use crate::diagnostics::{Diagnostics, Spelling};
use crate::environment::Environment;
use crate::inputs::RawInputs;
use crate::manifest::SecretRef;

/// One connection for each pair of region and role, where they differ from the run's.
#[derive(Default)]
pub(super) struct RemoteConnections(BTreeMap<(Option<String>, Option<String>), Arc<Connection>>);

impl RemoteConnections {
    /// The connection to a secret; `None` if it cannot be reached. `problems` are in words that follow the name of the
    /// key.
    pub(super) fn connect(
        &mut self,
        reference: &SecretRef,
        own: &Connection,
        raw: &RawInputs,
        environment: &Environment,
        problems: &mut Vec<String>,
    ) -> Option<Arc<Connection>> {
        check_id(reference, own, problems);
        let key = (reference.region.clone(), reference.role.clone());
        if let Some(connection) = self.0.get(&key) {
            return Some(Arc::clone(connection));
        }
        let region = reference.region.as_deref();
        if region.is_some_and(|region| !is_region(region)) {
            problems.push("names a region that is none, such as `eu-west-1`".to_owned());
        }
        let identity = match &reference.role {
            None => Arc::clone(&own.identity),
            Some(role) => {
                let mut raw = raw.clone();
                raw.role_to_assume = Some(role.clone());
                // They restrict the run's own account.
                raw.allowed_account_ids = None;
                let mut diagnostics = Diagnostics::new(Spelling::Input);
                let checked = identity::check(&raw, environment, &mut diagnostics);
                let (rejections, _) = diagnostics.into_rejections();
                problems.extend(rejections.into_iter().map(|(_, why)| why));
                let unusable =
                    |why: Failure| format!("cannot be read with that role: {}", why.what);
                Arc::new(checked.map_err(|why| problems.push(unusable(why))).ok()?)
            }
        };
        let connection = Arc::new(Connection {
            region: region.or(own.region.as_deref()).map(str::to_owned),
            identity,
            timeout: own.timeout,
            settings: own.settings.clone(),
        });
        self.0.insert(key, Arc::clone(&connection));
        Some(connection)
    }
}

fn check_id(reference: &SecretRef, own: &Connection, problems: &mut Vec<String>) {
    let region = reference.region.as_ref().or(own.region.as_ref());
    match Target::parse(&reference.id) {
        Err(why) => problems.push(format!("names a secret whose name {why}")),
        Ok(target) => {
            if let (Some(of_arn), Some(region)) = (target.region(), region)
                && of_arn != region
            {
                problems.push(format!(
                    "names an ARN of {of_arn}, but is read in {region}: give `region` with it"
                ));
            }
        }
    }
}
