//! Owns what every operation needs: who calls, which secret is meant, and whether it is allowed.

use std::time::SystemTime;

use super::Input;
use crate::{
    policy::{Context, Policy, Verdict},
    refusal::Refusal,
    resource_policy::{Asked, ResourcePolicy},
    state::{self, ACCOUNT, Secret, World},
};

/// Who signed the request.
#[derive(Clone)]
pub(crate) struct Caller {
    pub(crate) account: String,
    pub(crate) arn: String,
    /// What GetCallerIdentity calls the user id.
    pub(crate) user_id: String,
    /// The ARN of the role, for a session of one.
    pub(crate) role: Option<String>,
    pub(crate) policy: Policy,
    /// The test itself: no policy of a secret is in its way.
    pub(crate) arranges: bool,
}

impl Caller {
    /// The test itself, arranging a scene.
    pub(crate) fn internal() -> Self {
        Self {
            account: ACCOUNT.to_owned(),
            arn: format!("arn:aws:iam::{ACCOUNT}:root"),
            user_id: ACCOUNT.to_owned(),
            role: None,
            policy: Policy::allow_all(),
            arranges: true,
        }
    }

    /// What the caller's own policy says about an action of another service than Secrets Manager.
    pub(crate) fn decide(&self, action: &str, resource: &str) -> Verdict {
        self.policy.decide(action, resource, &self.context())
    }

    /// The condition keys that tell who calls.
    fn context(&self) -> Context {
        // For a session, IAM compares the ARN of its role.
        let arn = self.role.as_ref().unwrap_or(&self.arn);
        Context::from([
            ("aws:principalarn".to_owned(), vec![arn.clone()]),
            (
                "aws:principalaccount".to_owned(),
                vec![self.account.clone()],
            ),
        ])
    }
}

pub(crate) struct Call<'a> {
    pub(crate) world: &'a mut World,
    pub(crate) caller: &'a Caller,
    pub(crate) region: &'a str,
    pub(crate) action: &'static str,
    pub(crate) input: Input,
}

impl Call<'_> {
    pub(crate) fn now(&self) -> SystemTime {
        self.world.now()
    }

    pub(crate) fn store(&mut self) -> &mut state::Store {
        self.world.store(&self.caller.account, self.region)
    }

    /// A copy of the secret that SecretId names, once the caller may do this to it.
    pub(crate) fn secret(&mut self) -> Result<Secret, Refusal> {
        let id = self.input.required("SecretId", 1, 2048)?.to_owned();
        check_id(&id)?;
        let found = self.store().find(&id).cloned();
        self.authorize(self.action, &id, found.as_ref())?;
        found.ok_or_else(Refusal::no_secret)
    }

    /// The same, if it can be read or changed: not while it is scheduled for deletion.
    pub(crate) fn live(&mut self) -> Result<Secret, Refusal> {
        let secret = self.secret()?;
        if secret.deletion.is_some() {
            return Err(Refusal::marked_for_deletion());
        }
        Ok(secret)
    }

    /// The same, if it can be changed by this caller: not a replica, not managed by another service.
    pub(crate) fn writable(&mut self) -> Result<Secret, Refusal> {
        let secret = self.live()?;
        if secret.is_replica() {
            return Err(Refusal::replica());
        }
        if secret.owning_service.is_some() {
            return Err(Refusal::invalid_request(
                "The secret is managed by another service, and you must use that service to update it.",
            ));
        }
        Ok(secret)
    }

    /// Puts a changed copy back.
    pub(crate) fn commit(&mut self, secret: Secret) {
        let name = secret.name.clone();
        self.store().secrets.insert(name, secret);
    }

    /// Whether the policy allows `action` on the secret that `id` names. The resource is the ARN; where nothing
    /// is found the message shows the id as it was sent, and a name has no suffix that a pattern could match.
    pub(crate) fn authorize(
        &self,
        action: &str,
        id: &str,
        secret: Option<&Secret>,
    ) -> Result<(), Refusal> {
        let region = self.region;
        let account = &self.caller.account;
        let (resource, shown) = match secret {
            Some(secret) => (secret.arn.clone(), secret.arn.as_str()),
            None if id.starts_with("arn:") => (id.to_owned(), id),
            // CreateSecret is matched with a suffix it does not have yet (iann0036/iam-dataset#22, tested on AWS).
            None if self.action == "CreateSecret" => (state::arn(account, region, id), id),
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
            return Err(Refusal::denied(
                &self.caller.arn,
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
        let asked = Asked {
            account: &self.caller.account,
            arn: &self.caller.arn,
            role: self.caller.role.as_deref(),
            action: &format!("secretsmanager:{action}"),
            resource: secret.map(|secret| secret.arn.as_str()),
        };
        !self.caller.arranges && policy.denies(&asked, &self.context(secret))
    }

    /// Whether the caller may use a customer's key. Policies that say nothing of KMS stand for callers
    /// whose rights to the key come from elsewhere.
    pub(crate) fn authorize_key(
        &mut self,
        key: Option<&str>,
        actions: &[&str],
    ) -> Result<(), Refusal> {
        let Some(key) = key else {
            return Ok(());
        };
        let (account, region) = (&self.caller.account, self.region);
        let arn = self
            .world
            .store(account, region)
            .kms
            .usable(key, account, region);
        let arn = arn.ok_or_else(|| {
            Refusal::new(
                400,
                "EncryptionFailure",
                "Secrets Manager can't encrypt the protected secret text using the provided KMS key. Check that the KMS key is available, enabled, and not in an invalid state.",
            )
        })?;
        if !self.caller.policy.mentions("kms") {
            return Ok(());
        }
        let mut context = self.context(None);
        let aliases = self.world.store(account, region).kms.aliases(&arn);
        context.insert("kms:resourcealiases".to_owned(), aliases);
        let via = format!("secretsmanager.{region}.amazonaws.com");
        context.insert("kms:viaservice".to_owned(), vec![via]);
        for action in actions {
            if self.caller.policy.decide(action, &arn, &context) != Verdict::Allowed {
                return Err(Refusal::new(
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
    ) -> Result<(), Refusal> {
        match self.caller.policy.decide(action, resource, context) {
            Verdict::Allowed => Ok(()),
            verdict => Err(Refusal::denied(
                &self.caller.arn,
                action,
                shown,
                &verdict.reason(action),
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

/// The characters a name may have; an ARN has colons too.
pub(crate) fn check_id(id: &str) -> Result<(), Refusal> {
    let colons = id.starts_with("arn:");
    let allowed =
        |c: char| c.is_ascii_alphanumeric() || "-/_+=.@!".contains(c) || (colons && c == ':');
    if id.chars().all(allowed) {
        Ok(())
    } else {
        Err(Refusal::bad_name())
    }
}
