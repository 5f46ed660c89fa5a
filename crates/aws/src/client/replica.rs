//! Calls that add and remove replicas. They return before AWS has replicated anything; DescribeSecret shows the progress.

use std::collections::BTreeMap;

use aws_sdk_secretsmanager::types::ReplicaRegionType;
use upsert_secret_core::store::Call;

use super::sdk::{SdkClient, call};

impl SdkClient {
    pub(super) async fn replicate(
        &self,
        id: &str,
        regions: &BTreeMap<String, Option<String>>,
    ) -> Call<()> {
        call!(
            self,
            "ReplicateSecretToRegions",
            self.client
                .replicate_secret_to_regions()
                .secret_id(id)
                .set_add_replica_regions(Some(sdk_regions(regions)))
        )
        .map(drop)
    }

    pub(super) async fn remove_replicas(&self, id: &str, regions: &[String]) -> Call<()> {
        call!(
            self,
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
