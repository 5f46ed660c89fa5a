//! Authorization of a call: identity policies, resource policies, and permissions for KMS keys.

use super::call::Call;
use crate::{
    arn,
    error::ServiceError,
    policy::{Context, Decision},
    resource_policy::{AccessRequest, ResourcePolicy},
    state::Secret,
};

impl Call<'_> {
    /// Checks that the policies allow `action` on the secret that `id` names. The resource is the secret's ARN. If
    /// there is no secret, the message shows the ID as it was sent, and a name has no suffix that a pattern could
    /// match.
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

    /// Checks that a customer managed key is usable and that the caller may use it. An identity policy that does
    /// not mention KMS stands for one that leaves KMS to the key policy.
    pub(super) fn authorize_key(
        &self,
        key: Option<&str>,
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
        let arn = arn.ok_or_else(|| {
            ServiceError::new(
                400,
                "EncryptionFailure",
                "Secrets Manager can't encrypt the protected secret text using the provided KMS key. Check that the KMS key is available, enabled, and not in an invalid state.",
            )
        })?;
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
                return Err(ServiceError::new(
                    400,
                    "AccessDeniedException",
                    "Access to KMS is not allowed",
                ));
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
