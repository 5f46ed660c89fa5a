//! ARNs and ARN patterns of secrets and KMS keys in one account and region. It knows nothing of actions.

use crate::target::Target;

/// The account and region that a statement's resources are in.
#[derive(Clone, Copy)]
pub(super) struct ArnScope<'a> {
    pub(super) partition: &'a str,
    pub(super) region: &'a str,
    /// Twelve digits, or `*` if the account is not known.
    pub(super) account: &'a str,
}

impl<'a> ArnScope<'a> {
    pub(super) fn in_region(self, region: &'a str) -> Self {
        Self { region, ..self }
    }

    /// A secret's ARN, as a pattern for the six characters that AWS appends. `or_absent` adds the ARN without them, by
    /// which IAM evaluates access to a secret that does not exist.
    pub(super) fn secret(&self, target: &Target, or_absent: bool) -> Vec<String> {
        if target.is_arn() {
            return vec![target.id.clone()];
        }
        let arn = self.secret_named(&target.name);
        let mut patterns = vec![format!("{arn}-??????")];
        patterns.extend(or_absent.then_some(arn));
        patterns
    }

    /// A pattern for every secret whose name starts with `folder/`.
    pub(super) fn folder(&self, folder: &str) -> String {
        self.secret_named(&format!("{folder}/*"))
    }

    fn secret_named(&self, name: &str) -> String {
        let Self {
            partition,
            region,
            account,
        } = self;
        format!("arn:{partition}:secretsmanager:{region}:{account}:secret:{name}")
    }

    /// A key's ARN. For an alias: every key, and the alias to put into a condition, because IAM identifies keys by ID
    /// only.
    pub(super) fn key(&self, key: &str) -> (String, Option<String>) {
        let Self {
            partition,
            region,
            account,
        } = self;
        let (prefix, local) = match key.strip_prefix("arn:").and_then(|_| key.rsplit_once(':')) {
            Some((prefix, local)) => (prefix.to_owned(), local),
            None => (format!("arn:{partition}:kms:{region}:{account}"), key),
        };
        if local.starts_with("alias/") {
            (format!("{prefix}:key/*"), Some(local.to_owned()))
        } else {
            let id = local.strip_prefix("key/").unwrap_or(local);
            (format!("{prefix}:key/{id}"), None)
        }
    }
}
