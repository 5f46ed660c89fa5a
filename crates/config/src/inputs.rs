//! The table of inputs: name, scope, default, meaning. `action.yml`, the README and `--help` are generated from [`all`]
//! or checked against it. Knows lists and numbers, but not what an input means, and passes no value to a parser, whose
//! errors would quote it.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;

use serde::Deserialize;
use upsert_secret_core::failure::{Class, Failure};
use upsert_secret_core::value::SecretBytes;

use self::RunKind::{LabelMove, Manifest, Upsert};
use crate::environment::{Environment, PREFIX};

/// Set by `action.yml`: a runner reads standard output, and the user spells inputs as in a workflow.
const FROM_ACTION: &str = "UPSERT_SECRET_ACTION";
/// Read by the launcher of a source checkout, not by this program.
const FROM_LAUNCHER: &str = "UPSERT_SECRET_BIN";

/// A kind of run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RunKind {
    /// `upsert` of one secret.
    Upsert,
    /// A run with a manifest.
    Manifest,
    /// `promote` and `rollback` of one secret.
    LabelMove,
}

/// The kinds of run that an input has an effect on.
type Scope = &'static [RunKind];

const EVERY_RUN: Scope = &[Upsert, Manifest, LabelMove];
/// Describes the desired state of one secret. In a manifest it is a key of the secret's entry.
const SECRET_STATE: Scope = &[Upsert];
/// Any command for one secret.
const SINGLE_SECRET: Scope = &[Upsert, LabelMove];
const MANIFEST_RUN: Scope = &[Manifest];
const LABEL_MOVE: Scope = &[LabelMove];
/// Every run that writes values.
const VALUE_WRITE: Scope = &[Upsert, Manifest];

/// An input, as the documents show it.
#[derive(Clone, Copy, Debug)]
pub struct Input {
    /// The spelling in `with:` and in a manifest: `some-input`.
    pub name: &'static str,
    /// What it has an effect on.
    scope: Scope,
    /// The default in words; empty if there is nothing to say.
    pub default: &'static str,
    /// What it does.
    pub help: &'static str,
}

impl Input {
    /// Whether it has an effect on a kind of run.
    pub(crate) fn applies_to(&self, kind: RunKind) -> bool {
        self.scope.contains(&kind)
    }

    /// The variable of this input.
    pub fn variable(&self) -> String {
        variable(self.name)
    }
}

/// The variable of an input: `some-input` is `UPSERT_SECRET_SOME_INPUT`.
pub fn variable(input: &str) -> String {
    format!("{PREFIX}{}", input.to_ascii_uppercase().replace('-', "_"))
}

macro_rules! inputs {
    ($($(#[$attribute:meta])* $field:ident: $type:ty = $name:literal, $scope:ident, $default:literal, $help:literal;)*) => {
        /// The given inputs, unchecked. All but the two secret ones are trimmed text; `None` is "not given".
        #[derive(Clone, Default, Deserialize)]
        // Without it, each field brings the code for its absence.
        #[serde(default)]
        pub struct RawInputs {
            $(#[doc = $help] $(#[$attribute])* pub $field: Option<$type>,)*
            /// Whether this tool's own action started it.
            #[serde(skip)]
            pub from_action: bool,
        }

        impl RawInputs {
            /// Whether each input of the table is given.
            fn presence(&self) -> impl Iterator<Item = bool> {
                [$(self.$field.is_some(),)*].into_iter()
            }
        }

        const INPUTS: &[Input] = &[$(Input { name: $name, scope: $scope, default: $default, help: $help },)*];
    };
}

inputs! {
    command: String = "command", EVERY_RUN, "`upsert`", "`upsert`: create the secret, give it the value, or leave it alone. `promote`: make the version current that holds `stage` or is `version-id`. `rollback`: make the version current that was current before. `plan`: say what `upsert` would do, and why, and write nothing. `iam-policy`: print the least IAM policy for these inputs.";
    name: String = "name", SINGLE_SECRET, "", "Required without `manifest`. Name or full ARN of the secret. An ARN's region must equal `aws-region` if that is given, and wins over `AWS_REGION`. A full ARN that does not exist cannot be created.";
    #[serde(skip)] value: Arc<SecretBytes> = "value", SECRET_STATE, "", "The value to store, byte for byte; usually `${{ secrets.NAME }}`.";
    value_env: String = "value-env", SECRET_STATE, "", "The name of the variable that holds the value, where it cannot be passed on under another name (GitLab).";
    value_file: String = "value-file", SECRET_STATE, "", "A file that holds the value, byte for byte; `-` is standard input.";
    value_encoding: String = "value-encoding", SECRET_STATE, "`text`", "`base64`: decode the value before storing it.";
    store_as: String = "store-as", SECRET_STATE, "`string`", "`string` or `binary` (SecretString or SecretBinary).";
    json_key: String = "json-key", SECRET_STATE, "", "Set this key of a secret that holds a JSON object, and leave the others as they are: a key, or a JSON pointer (`/database/password`) for a nested one.";
    json_value_as: String = "json-value-as", SECRET_STATE, "`string`", "`json`: the value of `json-key` is JSON itself, not a string.";
    description: String = "description", SECRET_STATE, "leave as it is", "Description of the secret, at most 2,048 characters.";
    kms_key_id: String = "kms-key-id", SECRET_STATE, "leave as it is", "KMS key that encrypts the secret: id, ARN or alias. `alias/aws/secretsmanager` is AWS's own.";
    tags: String = "tags", SECRET_STATE, "leave as they are", "Tags: `key=value` lines, or a YAML or JSON mapping.";
    tag_policy: String = "tag-policy", SECRET_STATE, "`merge`", "`merge` adds and changes tags; `replace` also removes the ones that are not listed (never `aws:` ones).";
    replica_regions: String = "replica-regions", SECRET_STATE, "leave as they are", "Regions to replicate the secret to: `region` or `region=KMS-KEY`, with white space or commas between them; `none` with `replica-policy: replace`. Waits until they are in sync.";
    replica_policy: String = "replica-policy", SECRET_STATE, "`merge`", "`merge` adds replicas; `replace` also removes the ones that are not listed, and makes those anew that have another KMS key.";
    resource_policy: String = "resource-policy", SECRET_STATE, "leave as it is", "Resource policy: JSON, or `file:PATH`. AWS validates it first; one that is public, or locks the caller out, is refused.";
    allow_public_policy: String = "allow-public-policy", SECRET_STATE, "`false`", "`true`: attach `resource-policy` although it lets in everybody.";
    if_exists: String = "if-exists", SECRET_STATE, "`update`", "`skip`: where the secret has a current value nothing is touched, neither value nor anything else.";
    compare: String = "compare", SECRET_STATE, "`auto`", "`auto`: read the current value and write only when it differs; write also when reading is denied. `always`: a denied read is a failure. `never`: GetSecretValue is not called.";
    version_stages: String = "version-stages", SECRET_STATE, "`AWSCURRENT`", "Staging labels for the version, with commas between them. Without AWSCURRENT the version is put beside the current one, for `promote`.";
    expected_version_id: String = "expected-version-id", SINGLE_SECRET, "", "Write, promote or roll back only while this version is current; another one is a conflict (exit 5), unless the value is there already.";
    stage: String = "stage", LABEL_MOVE, "`candidate`", "For `promote`: the staging label whose version becomes current.";
    version_id: String = "version-id", LABEL_MOVE, "", "For `promote`: the version that becomes current, instead of `stage`.";
    #[serde(skip)] version_id_key: Arc<SecretBytes> = "version-id-key", VALUE_WRITE, "", "Another CI secret, 16 bytes or more, that keys the version id to the value: an unchanged value keeps its version even with `compare: never`.";
    on_scheduled_deletion: String = "on-scheduled-deletion", SECRET_STATE, "`fail`", "`restore`: take a secret that is scheduled for deletion back and go on.";
    on_rotation: String = "on-rotation", SINGLE_SECRET, "`fail`", "`allow`: write although rotation is enabled (the next rotation replaces the value).";
    manifest: String = "manifest", MANIFEST_RUN, "", "A YAML file that says what many secrets shall be and where their values come from (see `docs/manifest.md`), instead of `name`, `value` and whatever else is about one secret.";
    only: String = "only", MANIFEST_RUN, "all", "With `manifest`: only secrets with a name like this, such as `prod/*`; several with commas between them. `*` is any text, `?` any character, `[a-m]` one of these.";
    rate: String = "rate", MANIFEST_RUN, "`40`", "With `manifest`: calls a second, at most, of each family of operations that share a quota of AWS (50 a second for most that write); slower by itself where AWS throttles.";
    fail_fast: String = "fail-fast", MANIFEST_RUN, "`false`", "With `manifest`, `true`: after the first failure no further secret is begun.";
    all_or_nothing: String = "all-or-nothing", MANIFEST_RUN, "`false`", "With `manifest`, `true`: either every new version becomes current or none does. A conflict with another writer starts over; a run that is killed is rolled back by the next one.";
    aws_region: String = "aws-region", EVERY_RUN, "`AWS_REGION`, `AWS_DEFAULT_REGION`, profile", "Region of the secret.";
    role_to_assume: String = "role-to-assume", EVERY_RUN, "", "ARN of a role to assume: with GitHub's OIDC token (the job needs `permissions: id-token: write`), with the token that `web-identity-token-env` names, or elsewhere, and with `role-chaining: true`, with the credentials that are there. Its credentials stay in this process.";
    role_session_name: String = "role-session-name", EVERY_RUN, "`upsert-secret-OWNER-REPOSITORY-RUN`", "How AWS's logs call the session.";
    role_duration_seconds: String = "role-duration-seconds", EVERY_RUN, "`900`", "How long the role's credentials are good for, 900 to 43200 seconds.";
    role_external_id: String = "role-external-id", EVERY_RUN, "", "External id that the role's trust policy asks for; goes with credentials, not with an OIDC token.";
    role_chaining: String = "role-chaining", EVERY_RUN, "`false`", "`true`: on GitHub, assume the role with the credentials that are there rather than by OIDC.";
    audience: String = "audience", EVERY_RUN, "`sts.amazonaws.com`", "Audience of GitHub's OIDC token.";
    web_identity_token_env: String = "web-identity-token-env", EVERY_RUN, "", "The name of the variable that holds an OIDC token (GitLab `id_tokens`, CircleCI, Bitbucket).";
    allowed_account_ids: String = "allowed-account-ids", EVERY_RUN, "any", "AWS account ids with commas between them; credentials of any other account are refused before the secret is looked at.";
    output_file: String = "output-file", EVERY_RUN, "`$GITHUB_OUTPUT`; on GitLab `upsert-secret.env`; else standard output", "A file that outputs are appended to instead, as `key=value` lines.";
    timeout: String = "timeout", EVERY_RUN, "`2m`; with `manifest` `60m`", "Limit for the whole run: `90s`, `2m`, `1h`.";
}

impl RawInputs {
    /// The inputs that are given.
    pub(crate) fn given(&self) -> Vec<&'static Input> {
        let inputs = INPUTS.iter().zip(self.presence());
        inputs
            .filter_map(|(input, is_given)| is_given.then_some(input))
            .collect()
    }

    /// The inputs with these names and texts; the last text of a name counts. Secret inputs are not among them.
    pub(crate) fn from_texts(texts: Vec<(&'static str, String)>) -> Self {
        let texts = texts.into_iter();
        let fields: BTreeMap<_, _> = texts
            .map(|(name, text)| (name.replace('-', "_"), text))
            .collect();
        // Every field is optional text, so that envy finds nothing to reject.
        envy::from_iter(fields).unwrap_or_default()
    }
}

/// The items of an input that is a list, with commas or white space between them.
pub(crate) fn items(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c == ',' || c.is_whitespace())
        .filter(|item| !item.is_empty())
}

/// The number in a text, or the default.
///
/// # Errors
/// It is no number, or out of range, in words that follow the name of the input.
pub(crate) fn number_or(
    default: u32,
    given: Option<&str>,
    range: RangeInclusive<u32>,
) -> Result<u32, String> {
    let number = given.map_or(Ok(default), str::parse).ok();
    number
        .filter(|number| range.contains(number))
        .ok_or_else(|| format!("must be a number from {} to {}", range.start(), range.end()))
}

/// Every input of this version, in the order of the documents.
pub fn all() -> &'static [Input] {
    INPUTS
}

/// Reads the variables of this tool.
///
/// # Errors
/// Unknown variables with the prefix, so that typos are caught, and variables that are not UTF-8. The other inputs are
/// returned as well, so that their values can be hidden before the failure is printed.
pub fn read(environment: &Environment) -> (RawInputs, Result<(), Failure>) {
    let mut texts = Vec::new();
    let mut problems = Vec::new();
    for (key, content) in environment.own_variables() {
        let input = INPUTS.iter().find(|input| input.variable() == key);
        match (input.map(|input| input.name), content.to_str()) {
            (Some("value" | "version-id-key"), _) => {}
            // Trimmed here and nowhere else; empty is "not given".
            (Some(name), Some(text)) => texts.push((name, text.trim().to_owned())),
            (Some(_), None) => problems.push(format!("{key} is not valid UTF-8")),
            (None, _) if [FROM_ACTION, FROM_LAUNCHER].contains(&key) => {}
            (None, _) => problems.push(describe_unknown(key)),
        }
    }
    texts.retain(|(_, text)| !text.is_empty());
    let secret = |input| environment.secret(&variable(input)).map(Arc::new);
    let raw = RawInputs {
        value: secret("value"),
        version_id_key: secret("version-id-key"),
        from_action: environment.text(FROM_ACTION) == Some("true"),
        ..RawInputs::from_texts(texts)
    };
    let checked = if problems.is_empty() {
        Ok(())
    } else {
        Err(Failure::new(
            Class::Input,
            problems.join("\n"),
            "correct or remove the variable; `upsert-secret --help` lists them all",
        ))
    };
    (raw, checked)
}

fn describe_unknown(key: &str) -> String {
    let nearest = INPUTS
        .iter()
        .map(Input::variable)
        .min_by_key(|variable| strsim::levenshtein(variable, key))
        .filter(|variable| strsim::levenshtein(variable, key) <= 3);
    match nearest {
        Some(variable) => format!("{key} is no input; did you mean {variable}?"),
        None => format!("{key} is no input"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_pairs(pairs: &[(&str, &str)]) -> (RawInputs, Result<(), Failure>) {
        read(&Environment::from_pairs(
            pairs.iter().map(|(k, v)| ((*k).into(), (*v).into())),
        ))
    }

    #[test]
    fn text_is_trimmed_and_value_is_not() {
        let (raw, checked) = read_pairs(&[
            ("UPSERT_SECRET_NAME", "  prod/key \n"),
            ("UPSERT_SECRET_VALUE", " made up \n"),
            ("UPSERT_SECRET_DESCRIPTION", "  "),
            ("UPSERT_SECRET_VERSION_ID_KEY", ""),
            ("OTHER", "x"),
        ]);
        assert_eq!(checked, Ok(()));
        assert_eq!(raw.name.as_deref(), Some("prod/key"));
        assert_eq!(raw.description, None);
        assert_eq!(
            raw.value.map(|value| value.expose().to_vec()),
            Some(b" made up \n".to_vec())
        );
        assert!(raw.version_id_key.is_none());
    }

    #[test]
    fn unknown_variable_is_rejected() {
        let cases = [
            (
                "UPSERT_SECRET_NAEM",
                "UPSERT_SECRET_NAEM is no input; did you mean UPSERT_SECRET_NAME?",
            ),
            ("UPSERT_SECRET_FOO_BAR", "UPSERT_SECRET_FOO_BAR is no input"),
            (
                "UPSERT_SECRET_UPSERT_SECRET_NAME",
                "UPSERT_SECRET_UPSERT_SECRET_NAME is no input",
            ),
            (
                "UPSERT_SECRET_FAILFAST",
                "UPSERT_SECRET_FAILFAST is no input; did you mean UPSERT_SECRET_FAIL_FAST?",
            ),
        ];
        for (variable, wanted) in cases {
            let (_, checked) = read_pairs(&[(variable, "x")]);
            assert_eq!(
                checked.map_err(|failure| failure.what),
                Err(wanted.to_owned())
            );
        }
    }

    #[test]
    fn every_input_reaches_its_field() {
        for input in INPUTS {
            let (raw, _) = read_pairs(&[(&input.variable(), "given")]);
            let given: Vec<_> = raw.given().iter().map(|input| input.name).collect();
            assert_eq!(given, [input.name]);
        }
    }
}
