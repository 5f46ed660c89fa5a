//! Explains an error that AWS returned: finds the matching row of the table and fills it in. `table` has the texts.

use upsert_secret_core::error::is_about_kms_key;
use upsert_secret_core::failure::Failure;
use upsert_secret_core::quote::{ForeignText, is_api_name};
use upsert_secret_core::region::{is_enabled_by_default, partition};
use upsert_secret_core::store::Subject;

use super::table::{Fact, Row, TABLE, UNKNOWN};
use crate::caller::{Caller, KeyPair};

/// An AWS error, and what else is known about the call.
pub(super) struct Situation<'a> {
    pub(super) operation: &'a str,
    pub(super) code: &'a str,
    pub(super) message: &'a ForeignText,
    /// The HTTP status.
    pub(super) status: u16,
    pub(super) subject: Subject<'a>,
    pub(super) caller: &'a Caller,
}

pub(super) fn explain(situation: &Situation<'_>) -> Failure {
    let row = row(situation);
    let message = situation.message;
    Failure {
        why: (!message.is_empty())
            .then(|| format!("AWS answered: {}", message.quote(&situation.public()))),
        ..Failure::new(
            row.class,
            fill(row.what, situation),
            fill(row.next, situation),
        )
    }
}

/// The first matching row of the table.
pub(super) fn row(situation: &Situation<'_>) -> &'static Row {
    TABLE
        .iter()
        .find(|row| situation.fits(row))
        .unwrap_or(&UNKNOWN)
}

impl Situation<'_> {
    fn fits(&self, row: &Row) -> bool {
        let Row {
            operations,
            codes,
            phrases,
            fact,
            ..
        } = *row;
        (operations.is_empty() || operations.contains(&self.operation))
            && (codes.is_empty() || codes.contains(&self.code))
            && (phrases.is_empty() || phrases.iter().any(|part| self.message.contains(part)))
            && self.knows(fact)
    }

    fn knows(&self, fact: Fact) -> bool {
        let region = &self.caller.region;
        match fact {
            Fact::None => true,
            Fact::ServerError => self.status >= 500,
            Fact::Key => self.is_about_key(),
            Fact::NewKey => self.new_key().is_some(),
            Fact::AboutNewKey => self.new_key().is_some() && self.is_about_key(),
            Fact::KeyOfOtherRegion => {
                let key_region = self.new_key().and_then(|key| arn_part(key, 3));
                self.is_about_key() && key_region.is_some_and(|other| other != region)
            }
            Fact::LacksTagsOrKey => {
                !self.subject.asked.has_tags || self.subject.asked.kms_key_id.is_none()
            }
            Fact::StrayToken => self.caller.key_pair == Some(KeyPair::StrayToken),
            Fact::LacksToken => self.caller.key_pair == Some(KeyPair::LacksToken),
            Fact::OptInRegion => !is_enabled_by_default(region),
        }
    }

    fn is_about_key(&self) -> bool {
        is_about_kms_key(self.code, self.message)
    }

    /// Arguments that AWS may quote: they belong to the user or to the run.
    fn public(&self) -> Vec<&str> {
        let Subject {
            id,
            name,
            arn,
            asked,
        } = self.subject;
        let known = [Some(id), Some(name), arn, asked.kms_key_id];
        known
            .into_iter()
            .flatten()
            .chain([self.caller.region.as_str()])
            .collect()
    }

    /// The requested key, if this call used it. A read uses the stored key.
    fn new_key(&self) -> Option<&str> {
        let uses_it = ["CreateSecret", "UpdateSecret", "PutSecretValue"].contains(&self.operation);
        self.subject.asked.kms_key_id.filter(|_| uses_it)
    }

    fn key(&self) -> String {
        match self.new_key() {
            Some(key) => format!("the KMS key {key}"),
            None => format!("the KMS key of {}", self.subject.id),
        }
    }

    /// The account in which a KMS key is looked up, in words.
    fn account(&self) -> String {
        let arns = [self.new_key(), self.subject.arn, Some(self.subject.id)];
        arns.into_iter()
            .flatten()
            .find_map(|arn| arn_part(arn, 4))
            .or_else(|| caller_account(self.message))
            .map_or_else(
                || "the caller's account".to_owned(),
                |account| format!("account {account}"),
            )
    }

    /// The denied action. Only the message contains it: CreateSecret with tags also needs TagResource.
    fn action(&self) -> &str {
        self.message
            .words_after("not authorized to perform: ")
            .next()
            .and_then(|action| action.strip_prefix("secretsmanager:"))
            .filter(|action| is_api_name(action))
            .unwrap_or(self.operation)
    }

    /// The resources for a policy: the ARN, or a pattern for an unknown ARN. Reads of a missing secret are authorized by its
    /// bare name, so a policy with only the pattern would deny them instead of reporting that the secret does not exist.
    fn resources(&self) -> String {
        let Subject { id, name, arn, .. } = self.subject;
        // AWS accepts no narrower resource.
        if self.action() == "ListSecrets" {
            return "*".to_owned();
        }
        if let Some(arn) = arn.or(Some(id).filter(|id| id.starts_with("arn:"))) {
            return arn.to_owned();
        }
        let region = &self.caller.region;
        let bare = format!(
            "arn:{}:secretsmanager:{region}:{}:secret:{name}",
            partition(region),
            caller_account(self.message).unwrap_or("*"),
        );
        match self.action() {
            "DescribeSecret" | "GetSecretValue" => format!("{bare}-??????\n  and       {bare}"),
            _ => format!("{bare}-??????"),
        }
    }
}

/// A part of an ARN, counted from 0; `None` if the text is not an ARN.
fn arn_part(text: &str, index: usize) -> Option<&str> {
    let arn = Some(text).filter(|text| text.starts_with("arn:"))?;
    arn.split(':').nth(index).filter(|part| !part.is_empty())
}

/// The caller's account: "User: arn:aws:sts::111122223333:assumed-role/… is not authorized".
fn caller_account(message: &ForeignText) -> Option<&str> {
    let mut words = message.words_after("");
    let arn = words.find(|word| word.starts_with("arn:"))?;
    arn_part(arn, 4)
        .filter(|account| account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit()))
}

/// A text of the table with its placeholders filled in.
fn fill(text: &str, situation: &Situation<'_>) -> String {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, (placeholder, after))) = rest
        .split_once('{')
        .and_then(|(before, after)| Some((before, after.split_once('}')?)))
    {
        filled.push_str(before);
        match placeholder {
            "operation" => filled.push_str(situation.operation),
            "secret" => filled.push_str(situation.subject.id),
            "region" => filled.push_str(&situation.caller.region),
            "account" => filled.push_str(&situation.account()),
            "code" => filled.push_str(situation.code),
            "action" => filled.push_str(situation.action()),
            "resources" => filled.push_str(&situation.resources()),
            "key" => filled.push_str(&situation.key()),
            _ => {}
        }
        rest = after;
    }
    filled + rest
}
