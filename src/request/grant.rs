//! `iam-policy`: what rights are asked for, where, and who shall have them. Needs no value and no credentials:
//! people run it before there is either.

use super::{Batch, Draft, Problems, Reach, Request, Shift, Source, Spelling, Target, identity};
use crate::aws::Claims;
use crate::failure::{Class, Failure};
use crate::inputs::{Environment, RawInputs};
use crate::platform;
use crate::value::SecretBytes;

/// GitHub's OIDC provider, as IAM knows it.
const GITHUB: &str = "token.actions.githubusercontent.com";
/// Stands for the value: a string, and JSON.
const NO_VALUE: &[u8] = b"\"no value is needed here\"";

/// What is asked for.
pub struct Grant {
    /// The run that needs the rights.
    pub job: Wanted,
    /// The region; always known.
    pub region: String,
    /// The account's twelve digits, where the inputs tell it.
    pub account: Option<String>,
    /// Who may have the role by OIDC; `None` where there is no role, or credentials lead to it.
    pub trust: Option<Trust>,
    /// What people should know.
    pub notes: Vec<String>,
}

/// A run that needs rights.
pub enum Wanted {
    /// `upsert`
    Upsert(Box<Request>),
    /// `promote`, `rollback`
    Shift(Box<Shift>),
    /// A manifest: its secrets, and those that values come from by the same credentials, with their regions.
    Many(Vec<Request>, Vec<(Target, Option<String>)>),
}

/// Whom an OIDC role trusts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trust {
    /// The account that has the provider.
    pub account: String,
    /// The partition of the role.
    pub partition: String,
    /// The provider, without `https://`.
    pub provider: String,
    /// The token's audience.
    pub audience: String,
    /// The token's subject.
    pub subject: String,
}

impl Grant {
    /// Checks everything. `shift` is the command `promote` (`true`) or `rollback`, where it is for one of them.
    ///
    /// # Errors
    /// Every problem at once, class `bad input`.
    pub fn check(
        shift: Option<bool>,
        mut raw: RawInputs,
        environment: &Environment,
    ) -> Result<Self, Failure> {
        let spelling = Spelling::of(&raw);
        let mut notes = Vec::new();
        let role = role(&raw, environment, &mut notes)?;
        // A run would look for tokens now, which are somewhere else.
        for input in [
            &mut raw.role_to_assume,
            &mut raw.role_session_name,
            &mut raw.role_external_id,
            &mut raw.role_duration_seconds,
            &mut raw.role_chaining,
            &mut raw.audience,
            &mut raw.web_identity_token_env,
            &mut raw.value_env,
            &mut raw.value_file,
        ] {
            *input = None;
        }
        raw.value = None;
        let reach;
        let (job, account) = match (shift, raw.manifest.clone()) {
            (Some(promote), _) => {
                let shift = Shift::check(promote, &raw, environment)?;
                reach = Place::of(&shift.reach);
                let account = shift.target.account().map(str::to_owned);
                (Wanted::Shift(Box::new(shift)), account)
            }
            (None, Some(path)) => {
                let batch = Batch::check(&raw, &path, environment, None)?;
                reach = Place::of(&batch.reach);
                (many(batch, &mut notes), None)
            }
            (None, None) => {
                let source = Source {
                    bytes: SecretBytes::new(NO_VALUE.to_vec()),
                    input: "value",
                    unmasked: false,
                };
                let request = Request::check(raw, source, environment)?;
                reach = Place::of(&request.reach);
                let account = request.target.account().map(str::to_owned);
                (Wanted::Upsert(Box::new(request)), account)
            }
        };
        let Some(region) = reach.region else {
            return Err(Failure::new(
                Class::Input,
                format!(
                    "{} is not given, and the policy names it",
                    spelling.name("aws-region")
                ),
                "set it, or AWS_REGION",
            ));
        };
        let account = account
            .or_else(|| role.as_ref().map(|role| role.account.clone()))
            .or(reach.only_account);
        if account.is_none() {
            notes.push(format!(
                "the account is `*` in the policy: {} or {} tells which one it is",
                spelling.name("role-to-assume"),
                spelling.name("allowed-account-ids")
            ));
        }
        Ok(Self {
            job,
            region,
            account,
            trust: role.and_then(|role| role.trust),
            notes,
        })
    }
}

/// Where the rights are for, as far as the inputs tell.
struct Place {
    region: Option<String>,
    only_account: Option<String>,
}

impl Place {
    fn of(reach: &Reach) -> Self {
        let allowed = &reach.identity.allowed_accounts;
        Self {
            region: reach.region.clone(),
            only_account: (allowed.len() == 1).then(|| allowed[0].clone()),
        }
    }
}

/// The secrets of a manifest, and those that values come from.
fn many(batch: Batch, notes: &mut Vec<String>) -> Wanted {
    let mut requests = Vec::with_capacity(batch.drafts.len());
    let mut origins = Vec::new();
    for draft in batch.drafts {
        match draft {
            Draft::Whole(request) => requests.push(*request),
            Draft::Lacking(lacking) => {
                for (origin, _) in lacking.origins() {
                    match &origin.role {
                        None => origins.extend(
                            Target::parse(&origin.id)
                                .ok()
                                .map(|target| (target, origin.region.clone())),
                        ),
                        Some(role) => notes.push(format!(
                            "the role {role} needs secretsmanager:GetSecretValue on {}, and must trust whoever runs this",
                            origin.id
                        )),
                    }
                }
                requests.push(lacking.with_stand_ins());
            }
        }
    }
    if !origins.is_empty() {
        notes.push(
            "where a secret that a value comes from has a KMS key of its own, add kms:Decrypt on that key"
                .to_owned(),
        );
    }
    Wanted::Many(requests, origins)
}

struct Role {
    account: String,
    trust: Option<Trust>,
}

/// The role, and whom it trusts: from the token where it is at hand, else from what is known of the platform.
fn role(
    raw: &RawInputs,
    environment: &Environment,
    notes: &mut Vec<String>,
) -> Result<Option<Role>, Failure> {
    let Some(arn) = &raw.role_to_assume else {
        return Ok(None);
    };
    if !identity::is_role(arn) {
        let mut problems = Problems::new(Spelling::of(raw));
        problems.add("role-to-assume", identity::NO_ROLE);
        return Err(problems.failure());
    }
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let (partition, account) = (parts[1].to_owned(), parts[4].to_owned());
    let by_credentials = raw.role_chaining.as_deref() == Some("true")
        || raw.web_identity_token_env.is_none() && platform::is_gitlab(environment);
    if by_credentials {
        notes.push(
            "the role is assumed with credentials: its trust policy must allow sts:AssumeRole to whoever has them"
                .to_owned(),
        );
        return Ok(Some(Role {
            account,
            trust: None,
        }));
    }
    let (provider, audience, subject) = match &raw.web_identity_token_env {
        Some(name) => of_token(name, environment, notes),
        None => of_github(raw, environment, notes),
    };
    Ok(Some(Role {
        trust: Some(Trust {
            account: account.clone(),
            partition,
            provider,
            audience,
            subject,
        }),
        account,
    }))
}

fn of_token(
    name: &str,
    environment: &Environment,
    notes: &mut Vec<String>,
) -> (String, String, String) {
    let claims = Claims::of(environment.text(name).unwrap_or_default().trim());
    match (claims.provider(), claims.audience(), claims.sub.as_deref()) {
        (Some(provider), Some(audience), Some(subject)) => {
            (provider.to_owned(), audience.to_owned(), subject.to_owned())
        }
        _ => {
            notes.push(
                "there is no OIDC token here to read: put the provider's host name, the audience and the subject into the trust policy\n\
                 (GitLab's subject: `project_path:GROUP/PROJECT:ref_type:branch:ref:main`)"
                    .to_owned(),
            );
            let unknown = |what: &str| what.to_owned();
            (unknown("PROVIDER"), unknown("AUDIENCE"), unknown("SUBJECT"))
        }
    }
}

fn of_github(
    raw: &RawInputs,
    environment: &Environment,
    notes: &mut Vec<String>,
) -> (String, String, String) {
    let of = |name: &str| environment.text(name).filter(|text| is_plain(text));
    let repository = of("GITHUB_REPOSITORY").unwrap_or("OWNER/REPOSITORY");
    let branch = of("GITHUB_REF").unwrap_or("refs/heads/main");
    notes.push(format!(
        "the trust policy is for jobs of {repository} on {branch}; a job with `environment: NAME` has the subject `repo:{repository}:environment:NAME`"
    ));
    (
        GITHUB.to_owned(),
        raw.audience
            .clone()
            .unwrap_or_else(|| identity::DEFAULT_AUDIENCE.to_owned()),
        format!("repo:{repository}:ref:{branch}"),
    )
}

/// Without the wildcards of IAM: nothing that would let in more than it names.
fn is_plain(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_graphic() && b != b'*' && b != b'?')
}
