//! Calls that read, validate and replace the secret's resource policy.

use upsert_secret_core::state::{Finding, Validation};
use upsert_secret_core::store::Call;

use super::sdk::{SdkClient, call, non_empty};

impl SdkClient {
    pub(super) async fn get_policy(&self, id: &str) -> Call<Option<String>> {
        let sent = call!(
            self,
            "GetResourcePolicy",
            self.client.get_resource_policy().secret_id(id)
        );
        match sent {
            Ok((output, _)) => Ok(output.resource_policy.and_then(non_empty)),
            // No secret, and one that is scheduled for deletion. DescribeSecret tells them apart.
            Err(error)
                if error.is("ResourceNotFoundException") || error.is("InvalidRequestException") =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    pub(super) async fn validate_policy(&self, id: &str, policy: &str) -> Call<Validation> {
        let (output, _) = call!(
            self,
            "ValidateResourcePolicy",
            self.client
                .validate_resource_policy()
                .secret_id(id)
                .resource_policy(policy)
        )?;
        Ok(Validation {
            passed: output.policy_validation_passed,
            findings: output
                .validation_errors
                .unwrap_or_default()
                .into_iter()
                .map(|finding| Finding {
                    check: finding.check_name.unwrap_or_default(),
                    message: finding.error_message.unwrap_or_default(),
                })
                .collect(),
        })
    }

    pub(super) async fn put_policy(&self, id: &str, policy: &str, allow_public: bool) -> Call<()> {
        call!(
            self,
            "PutResourcePolicy",
            self.client
                .put_resource_policy()
                .secret_id(id)
                .resource_policy(policy)
                .block_public_policy(!allow_public)
        )
        .map(drop)
    }
}
