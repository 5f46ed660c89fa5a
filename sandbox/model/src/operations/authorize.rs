//! Authorization of a call: identity policies, resource policies, and permissions for KMS keys.

use super::call::Call;
use crate::{
    arn,
    error::ServiceError,
    policy::{Context, Decision},
    resource_policy::{AccessRequest, ResourcePolicy},
    state::{KmsError, Secret},
};

/// The use of a key, which determines how a KMS error is reported.
#[derive(Clone, Copy)]
pub(super) enum KeyPurpose {
    /// The request names the key (CreateSecret: hashicorp/terraform-provider-aws#13303).
    Named,
    /// A value is written under the secret's key (hashicorp/terraform-provider-aws#30272).
    Encrypt,
    /// A value is read.
    Decrypt,
}

impl KeyPurpose {
    fn failure(self, error: &KmsError) -> ServiceError {
        let KmsError { code, message } = error;
        if *code == "AccessDeniedException" {
            return kms_denied();
        }
        let verb = match self {
            Self::Named => {
                return ServiceError::invalid_parameter(format!(
                    "The operation failed because of an invalid KMS key: {message}"
                ));
            }
            Self::Encrypt => "encrypt",
            Self::Decrypt => "decrypt",
        };
        let failure = match self {
            Self::Decrypt => "DecryptionFailure",
            Self::Named | Self::Encrypt => "EncryptionFailure",
        };
        let text = format!(
            "Secrets Manager can't {verb} the secret value: {message} (Service: AWSKMS; Status Code: 400; Error Code: {code}; Request ID: 00000000-0000-4000-8000-000000000000)"
        );
        ServiceError::new(400, failure, text)
    }
}

fn kms_denied() -> ServiceError {
    ServiceError::new(400, "AccessDeniedException", "Access to KMS is not allowed")
}

impl Call<'_> {
    /// Checks that the policies allow `action` on the secret that `id` names. The resource is the secret's ARN. If there is no
    /// secret, the message shows the ID as sent, and the name has no suffix that a pattern could match.
    pub(super) fn authorize(
        &self,
        action: &str,
        id: &str,
        secret: Option<&Secret>,
    ) -> Result<(), ServiceError> {
        let region = self.region;
        let account = self.caller.account();
        let (resource, shown) = match secret {
            Some(secret) => (secret.arn.clone(), secret.arn.as_str()),
            None if id.starts_with("arn:") => (id.to_owned(), id),
            // CreateSecret is matched with the suffix that the secret will get (iann0036/iam-dataset#22, tested on AWS).
            None if self.action == "CreateSecret" => {
                let suffix = self.world.random.clone().arn_suffix();
                (arn::secret(account, region, id, &suffix), id)
            }
            None => {
                let arn = format!("arn:aws:secretsmanager:{region}:{account}:secret:{id}");
                (arn, id)
            }
        };
        self.check(
            &format!("secretsmanager:{action}"),
            &resource,
            shown,
            &self.context(secret),
        )?;
        let attached = secret.and_then(|secret| secret.policy.as_deref());
        let attached = attached.and_then(ResourcePolicy::parse);
        if attached.is_some_and(|policy| self.denied_by(&policy, action, secret)) {
            return Err(ServiceError::denied(
                self.caller.arn(),
                &format!("secretsmanager:{action}"),
                shown,
                "with an explicit deny in a resource-based policy",
            ));
        }
        Ok(())
    }

    /// Whether this resource policy denies the caller the action.
    pub(super) fn denied_by(
        &self,
        policy: &ResourcePolicy,
        action: &str,
        secret: Option<&Secret>,
    ) -> bool {
        let request = AccessRequest {
            account: self.caller.account(),
            arn: self.caller.arn(),
            role: self.caller.role(),
            action: &format!("secretsmanager:{action}"),
            resource: secret.map(|secret| secret.arn.as_str()),
        };
        self.caller.obeys_resource_policies() && policy.denies(&request, &self.context(secret))
    }

    /// Checks that a customer managed key is usable and that the caller may use it. An identity policy that does not mention
    /// KMS represents one that leaves KMS to the key policy.
    pub(super) fn authorize_key(
        &self,
        key: Option<&str>,
        purpose: KeyPurpose,
        actions: &[&str],
    ) -> Result<(), ServiceError> {
        let Some(key) = key else {
            return Ok(());
        };
        let (account, region) = (self.caller.account(), self.region);
        let arn = self
            .world
            .store(account, region)
            .kms
            .usable(key, account, region);
        let arn = arn.map_err(|error| purpose.failure(&error))?;
        if !self.caller.policy().mentions("kms") {
            return Ok(());
        }
        let mut context = self.context(None);
        let aliases = self.world.store(account, region).kms.aliases(&arn);
        context.insert("kms:resourcealiases".to_owned(), aliases);
        let via = format!("secretsmanager.{region}.amazonaws.com");
        context.insert("kms:viaservice".to_owned(), vec![via]);
        for action in actions {
            if self.caller.policy().decide(action, &arn, &context) != Decision::Allowed {
                return Err(kms_denied());
            }
        }
        Ok(())
    }

    fn check(
        &self,
        action: &str,
        resource: &str,
        shown: &str,
        context: &Context,
    ) -> Result<(), ServiceError> {
        match self.caller.policy().decide(action, resource, context) {
            Decision::Allowed => Ok(()),
            decision => Err(ServiceError::denied(
                self.caller.arn(),
                action,
                shown,
                &decision.reason(action),
            )),
        }
    }

    fn context(&self, secret: Option<&Secret>) -> Context {
        let mut context = self.caller.context();
        let mut add = |key: String, value: &str| {
            context
                .entry(key.to_ascii_lowercase())
                .or_default()
                .push(value.to_owned());
        };
        add("aws:RequestedRegion".to_owned(), self.region);
        for (key, value) in secret
            .and_then(|secret| secret.tags.as_ref())
            .into_iter()
            .flatten()
        {
            add(format!("secretsmanager:ResourceTag/{key}"), value);
            add(format!("aws:ResourceTag/{key}"), value);
        }
        for (key, value) in self.input.tags().ok().flatten().into_iter().flatten() {
            add(format!("aws:RequestTag/{key}"), &value);
            add("aws:TagKeys".to_owned(), &key);
        }
        for key in self
            .input
            .list("TagKeys")
            .ok()
            .flatten()
            .into_iter()
            .flatten()
        {
            add("aws:TagKeys".to_owned(), key.as_str().unwrap_or_default());
        }
        for member in [
            "Name",
            "Description",
            "KmsKeyId",
            "SecretId",
            "VersionId",
            "VersionStage",
        ] {
            if let Ok(Some(value)) = self.input.text(member, 0, usize::MAX) {
                add(format!("secretsmanager:{member}"), value);
            }
        }
        for member in [
            "BlockPublicPolicy",
            "ForceDeleteWithoutRecovery",
            "ForceOverwriteReplicaSecret",
        ] {
            if self.input.has(member)
                && let Ok(flag) = self.input.flag(member)
            {
                add(format!("secretsmanager:{member}"), &flag.to_string());
            }
        }
        context
    }
}
