//! Moves of staging labels, each of them AWS's compare-and-swap.

use upsert_secret_core::store::Call;

use super::sdk::{SdkClient, call};

impl SdkClient {
    /// UpdateSecretVersionStage: moves a label to a version, or removes it from one.
    pub(super) async fn move_label(
        &self,
        id: &str,
        label: &str,
        from: Option<&str>,
        to: Option<&str>,
    ) -> Call<()> {
        call!(
            self,
            "UpdateSecretVersionStage",
            self.client
                .update_secret_version_stage()
                .secret_id(id)
                .version_stage(label)
                .set_remove_from_version_id(from.map(str::to_owned))
                .set_move_to_version_id(to.map(str::to_owned))
        )
        .map(drop)
    }
}
