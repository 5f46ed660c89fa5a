//! Calls on the secret's resource policy.

use super::SecretsManager;
use crate::aws::AwsError;
use crate::aws::gate::send;

/// What ValidateResourcePolicy says of a document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Validation {
    /// It may be attached.
    pub passed: bool,
    /// Why not.
    pub faults: Vec<Fault>,
}

/// One check that a document did not pass. AWS's words; which checks there are is not documented.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The check.
    pub check: String,
    /// What is wrong.
    pub message: String,
}

impl SecretsManager {
    /// GetResourcePolicy; `None` where there is none, or no secret, or one that is scheduled for deletion.
    ///
    /// # Errors
    /// Any other.
    pub async fn policy(&self, id: &str) -> Result<Option<String>, AwsError> {
        let sent: Result<_, AwsError> = send!(
            &self.gate,
            "GetResourcePolicy",
            self.client.get_resource_policy().secret_id(id)
        );
        match sent {
            Ok((answer, _)) => Ok(answer.resource_policy.filter(|policy| !policy.is_empty())),
            // DescribeSecret tells these two apart.
            Err(error)
                if error.is("ResourceNotFoundException") || error.is("InvalidRequestException") =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// ValidateResourcePolicy: syntax, public access, and whether it locks the caller out.
    ///
    /// # Errors
    /// Any; MalformedPolicyDocumentException for a document that is no policy, or names a principal that does
    /// not exist, or not yet.
    pub async fn validate_policy(&self, id: &str, policy: &str) -> Result<Validation, AwsError> {
        let (answer, _) = send!(
            &self.gate,
            "ValidateResourcePolicy",
            self.client
                .validate_resource_policy()
                .secret_id(id)
                .resource_policy(policy)
        )?;
        Ok(Validation {
            passed: answer.policy_validation_passed,
            faults: answer
                .validation_errors
                .unwrap_or_default()
                .into_iter()
                .map(|fault| Fault {
                    check: fault.check_name.unwrap_or_default(),
                    message: fault.error_message.unwrap_or_default(),
                })
                .collect(),
        })
    }

    /// PutResourcePolicy, in place of the one there is.
    ///
    /// # Errors
    /// Any; PublicPolicyException for one that lets in everybody, unless that is allowed.
    pub async fn put_policy(
        &self,
        id: &str,
        policy: &str,
        allow_public: bool,
    ) -> Result<(), AwsError> {
        send!(
            &self.gate,
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
