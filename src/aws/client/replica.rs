//! Calls that make and remove replicas. AWS does the copying afterwards; DescribeSecret tells how it goes.

use std::collections::BTreeMap;

use aws_sdk_secretsmanager::types::ReplicaRegionType;

use super::SecretsManager;
use crate::aws::AwsError;
use crate::aws::gate::send;

impl SecretsManager {
    /// ReplicateSecretToRegions. A secret of the same name in such a region is never overwritten: AWS shows a
    /// failed replica instead.
    ///
    /// # Errors
    /// Any; what goes wrong with the copying is none.
    pub async fn replicate(
        &self,
        id: &str,
        regions: &BTreeMap<String, Option<String>>,
    ) -> Result<(), AwsError> {
        send!(
            &self.gate,
            "ReplicateSecretToRegions",
            self.client
                .replicate_secret_to_regions()
                .secret_id(id)
                .set_add_replica_regions(Some(sdk_regions(regions)))
        )
        .map(drop)
    }

    /// RemoveRegionsFromReplication: the replicas there are gone at once.
    ///
    /// # Errors
    /// Any.
    pub async fn unreplicate(&self, id: &str, regions: &[String]) -> Result<(), AwsError> {
        send!(
            &self.gate,
            "RemoveRegionsFromReplication",
            self.client
                .remove_regions_from_replication()
                .secret_id(id)
                .set_remove_replica_regions(Some(regions.to_vec()))
        )
        .map(drop)
    }
}

pub(super) fn sdk_regions(regions: &BTreeMap<String, Option<String>>) -> Vec<ReplicaRegionType> {
    regions
        .iter()
        .map(|(region, key)| {
            ReplicaRegionType::builder()
                .region(region)
                .set_kms_key_id(key.clone())
                .build()
        })
        .collect()
}
