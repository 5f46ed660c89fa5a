//! Moves of staging labels, each of them a compare-and-swap of AWS's.

use super::SecretsManager;
use crate::aws::AwsError;
use crate::aws::gate::send;

impl SecretsManager {
    /// UpdateSecretVersionStage: moves a label, if `from` holds it, or nobody where that is `None`. AWS
    /// compares and swaps.
    ///
    /// # Errors
    /// Any; InvalidParameterException where somebody else holds it.
    pub async fn move_label(
        &self,
        id: &str,
        label: &str,
        from: Option<&str>,
        to: &str,
    ) -> Result<(), AwsError> {
        send!(
            &self.gate,
            "UpdateSecretVersionStage",
            self.client
                .update_secret_version_stage()
                .secret_id(id)
                .version_stage(label)
                .set_remove_from_version_id(from.map(str::to_owned))
                .move_to_version_id(to)
        )
        .map(drop)
    }

    /// UpdateSecretVersionStage: takes a label off a version.
    ///
    /// # Errors
    /// Any; InvalidParameterException where the version does not hold it.
    pub async fn drop_label(&self, id: &str, label: &str, from: &str) -> Result<(), AwsError> {
        send!(
            &self.gate,
            "UpdateSecretVersionStage",
            self.client
                .update_secret_version_stage()
                .secret_id(id)
                .version_stage(label)
                .remove_from_version_id(from)
        )
        .map(drop)
    }
}
