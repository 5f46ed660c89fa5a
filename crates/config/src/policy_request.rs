//! The request for an IAM policy: the run that needs permissions, the account, and the role's trust policy. Must not require a
//! value or credentials, because people use it before they have any.

use upsert_secret_core::claims::Claims;
use upsert_secret_core::failure::{Class, Failure};
use upsert_secret_core::iam::{PolicyRequest, PolicyRun, Trust};
use upsert_secret_core::request::Job;
use upsert_secret_core::target::Target;

use crate::checks::identity;
use crate::checks::shapes::{NOT_A_ROLE, is_role};
use crate::ci;
use crate::diagnostics::Diagnostics;
use crate::environment::Environment;
use crate::inputs::RawInputs;
use crate::run::{Action, Draft, Run};
use crate::spelling::Spelling;

/// The OIDC provider of github.com, as IAM names it.
const GITHUB_PROVIDER: &str = "token.actions.githubusercontent.com";

/// Checks the inputs of `iam-policy`.
///
/// # Errors
/// All problems at once, class `bad input`.
pub fn check(
    action: Action,
    raw: RawInputs,
    environment: &Environment,
) -> Result<PolicyRequest, Failure> {
    let spelling = Spelling::of(&raw);
    let mut notes = Vec::new();
    let (role_account, trust) = check_role(&raw, environment, &mut notes)?;
    // Tokens and values are available where the run will take place, which may not be here.
    let raw = RawInputs {
        role_to_assume: None,
        role_session_name: None,
        role_external_id: None,
        role_duration_seconds: None,
        role_chaining: None,
        audience: None,
        web_identity_token_env: None,
        value: None,
        value_env: None,
        value_file: None,
        ..raw
    };
    let run = Run::check(action, raw, environment, None)?;
    let Some(region) = run.connection.region.clone() else {
        let input = spelling.name("aws-region");
        return Err(Failure::new(
            Class::Input,
            format!("{input} is not set, but the policy names it"),
            "set it, or AWS_REGION",
        ));
    };
    let only_account = match &run.connection.identity.allowed_accounts[..] {
        [account] => Some(account.clone()),
        _ => None,
    };
    let target_account = match &run.drafts[..] {
        [Draft::Ready(job)] if run.manifest.is_none() => job.target().account().map(str::to_owned),
        _ => None,
    };
    let run = policy_run(run, &mut notes);
    let account = target_account.or(role_account).or(only_account);
    if account.is_none() {
        notes.push(format!(
            "the account is `*` in the policy; set {} or {} to name it",
            spelling.name("role-to-assume"),
            spelling.name("allowed-account-ids")
        ));
    }
    Ok(PolicyRequest {
        run,
        region,
        account,
        trust,
        notes,
    })
}

/// The work of a run, as far as it affects permissions.
fn policy_run(run: Run, notes: &mut Vec<String>) -> PolicyRun {
    if let Some(import) = run.import {
        return PolicyRun::Import {
            names: import.iam_patterns(),
            policies: import.with_policies,
        };
    }
    let is_manifest = run.manifest.is_some();
    let mut requests = Vec::with_capacity(run.drafts.len());
    let (mut sources, mut moves) = (Vec::new(), Vec::new());
    for draft in run.drafts {
        match draft {
            Draft::Ready(Job::Move(label_move)) => moves.push(*label_move),
            Draft::Ready(Job::Upsert(request)) if !is_manifest => {
                return PolicyRun::Upsert(request);
            }
            Draft::Ready(Job::Upsert(request)) => requests.push(*request),
            Draft::Unresolved(unresolved) => {
                for (reference, _) in unresolved.references() {
                    if let Some(role) = &reference.role {
                        notes.push(format!(
                            "the role {role} needs secretsmanager:GetSecretValue on {}, and must trust the \
                             caller of this run",
                            reference.id
                        ));
                    } else if let Ok(target) = Target::parse(&reference.id) {
                        sources.push((target, reference.region.clone()));
                    }
                }
                requests.push(unresolved.with_stand_ins());
            }
        }
    }
    if !sources.is_empty() {
        notes.push(
            "if a secret that a value comes from has its own KMS key, add kms:Decrypt on that key"
                .to_owned(),
        );
    }
    if moves.is_empty() {
        PolicyRun::Manifest(requests, sources)
    } else {
        PolicyRun::Moves(moves)
    }
}

/// The role's account and its trust policy: from the OIDC token if there is one, otherwise from what is known about the CI
/// system.
fn check_role(
    raw: &RawInputs,
    environment: &Environment,
    notes: &mut Vec<String>,
) -> Result<(Option<String>, Option<Trust>), Failure> {
    let Some(arn) = &raw.role_to_assume else {
        return Ok((None, None));
    };
    if !is_role(arn) {
        let mut diagnostics = Diagnostics::new(Spelling::of(raw));
        diagnostics.reject("role-to-assume", NOT_A_ROLE);
        diagnostics.check_problems()?;
    }
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let (partition, account) = (parts[1].to_owned(), parts[4].to_owned());
    let uses_credentials = raw.role_chaining.as_deref() == Some("true")
        || raw.web_identity_token_env.is_none() && ci::is_gitlab(environment);
    if uses_credentials {
        notes.push(
            "the role is assumed with credentials: its trust policy must allow sts:AssumeRole to the \
             principal of those credentials"
                .to_owned(),
        );
        return Ok((Some(account), None));
    }
    let [provider, audience, subject] = match &raw.web_identity_token_env {
        Some(name) => token_claims(name, environment, notes),
        None => github_claims(raw, environment, notes),
    };
    let trust = Trust {
        account: account.clone(),
        partition,
        provider,
        audience,
        subject,
    };
    Ok((Some(account), Some(trust)))
}

/// Provider, audience and subject of the token in the variable `name`; placeholders for unreadable parts.
fn token_claims(name: &str, environment: &Environment, notes: &mut Vec<String>) -> [String; 3] {
    let claims = Claims::parse(environment.text(name).unwrap_or_default().trim());
    let claims = (claims.provider(), claims.audience(), claims.sub.as_deref());
    let (Some(provider), Some(audience), Some(subject)) = claims else {
        notes.push(
            "no OIDC token is available here: put the provider's host name, the audience and the subject into the trust policy\n\
             (GitLab's subject: `project_path:GROUP/PROJECT:ref_type:branch:ref:main`)"
                .to_owned(),
        );
        return ["PROVIDER", "AUDIENCE", "SUBJECT"].map(str::to_owned);
    };
    [provider, audience, subject].map(str::to_owned)
}

/// Provider, audience and subject of the tokens that GitHub issues to this job; placeholders outside GitHub.
fn github_claims(
    raw: &RawInputs,
    environment: &Environment,
    notes: &mut Vec<String>,
) -> [String; 3] {
    let plain_text = |name| environment.text(name).filter(|text| is_plain(text));
    let repository = plain_text("GITHUB_REPOSITORY").unwrap_or("OWNER/REPOSITORY");
    let branch = plain_text("GITHUB_REF").unwrap_or("refs/heads/main");
    let audience = raw
        .audience
        .as_deref()
        .unwrap_or(identity::DEFAULT_AUDIENCE);
    notes.push(format!(
        "the trust policy is for jobs of {repository} on {branch}; a job with `environment: NAME` has the subject `repo:{repository}:environment:NAME`"
    ));
    let provider = github_provider(environment);
    let id = |name| plain_text(name).unwrap_or("ID");
    if provider != GITHUB_PROVIDER {
        notes.push(format!(
            "`{provider}` must be the `iss` of the job's tokens, without `https://`"
        ));
    } else if let Some((owner, name)) = repository.split_once('/') {
        // docs.github.com, "OpenID Connect reference", immutable subject claims.
        notes.push(format!(
            "the subject has IDs if {repository} was created, renamed or transferred on github.com after July 15, 2026: \
             `repo:{owner}@{}/{name}@{}:ref:{branch}`",
            id("GITHUB_REPOSITORY_OWNER_ID"),
            id("GITHUB_REPOSITORY_ID"),
        ));
    }
    let subject = format!("repo:{repository}:ref:{branch}");
    [provider, audience.to_owned(), subject]
}

/// The OIDC provider of the GitHub server that the job belongs to: github.com, a subdomain of ghe.com, or an instance of GitHub
/// Enterprise Server (docs.github.com, "OpenID Connect reference").
fn github_provider(environment: &Environment) -> String {
    let server = environment.text("GITHUB_SERVER_URL").unwrap_or_default();
    let host = server
        .strip_prefix("https://")
        .map(|host| host.trim_end_matches('/'));
    let is_host = |host: &&str| {
        let mut bytes = host.bytes();
        bytes.all(|b| b.is_ascii_alphanumeric() || b"-.:".contains(&b)) && !host.is_empty()
    };
    match host.filter(is_host) {
        None | Some("github.com") => GITHUB_PROVIDER.to_owned(),
        Some(host) if host.ends_with(".ghe.com") => format!("token.actions.{host}"),
        Some(host) => format!("{host}/_services/token"),
    }
}

/// Whether a text contains no IAM wildcards, which would trust more than intended.
fn is_plain(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_graphic() && !b"*?".contains(&b))
}
