//! The table of inputs: name, scope, default, meaning. `action.yml`, the README and `--help` are generated from [`all`]
//! or checked against it. Does not check what an input holds, and passes no value to a parser, whose errors would quote
//! it.

use std::sync::Arc;

use serde::Deserialize;
use upsert_secret_core::failure::{Class, Failure};
use upsert_secret_core::value::SecretBytes;

use crate::environment::{Environment, PREFIX, bytes};

/// Set by `action.yml`: a runner reads standard output, and the user spells inputs as in a workflow.
const FROM_ACTION: &str = "UPSERT_SECRET_ACTION";
/// Read by the launcher of a source checkout, not by this program.
const FROM_LAUNCHER: &str = "UPSERT_SECRET_BIN";

/// The kinds of run that an input has an effect on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope {
    /// `upsert` of one secret.
    pub upsert: bool,
    /// A run with a manifest.
    pub manifest: bool,
    /// `promote` and `rollback` of one secret.
    pub label_move: bool,
}

impl Scope {
    const fn new(upsert: bool, manifest: bool, label_move: bool) -> Self {
        Self {
            upsert,
            manifest,
            label_move,
        }
    }
}

const EVERY_RUN: Scope = Scope::new(true, true, true);
/// Describes the desired state of one secret. In a manifest it is a key of the secret's entry.
const SECRET_STATE: Scope = Scope::new(true, false, false);
/// Any command for one secret.
const SINGLE_SECRET: Scope = Scope::new(true, false, true);
const MANIFEST_RUN: Scope = Scope::new(false, true, false);
const LABEL_MOVE: Scope = Scope::new(false, false, true);
/// Every run that writes values.
const VALUE_WRITE: Scope = Scope::new(true, true, false);

/// An input, as the documents show it.
#[derive(Clone, Copy, Debug)]
pub struct Input {
    /// The spelling in `with:` and in a manifest: `some-input`.
    pub name: &'static str,
    /// What it has an effect on.
    pub scope: Scope,
    /// The default in words; empty if there is nothing to say.
    pub default: &'static str,
    /// What it does.
    pub help: &'static str,
}

impl Input {
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
    ($($field:ident = $name:literal, $scope:ident, $default:literal, $help:literal;)*) => {
        /// The given inputs, unchecked. All but the two secret ones are trimmed text; `None` is "not given".
        #[derive(Default, Deserialize)]
        pub struct RawInputs {
            $(#[doc = $help] pub $field: Option<String>,)*
            /// The exact bytes of `value`.
            #[serde(skip)]
            pub value: Option<SecretBytes>,
            /// The exact bytes of `version-id-key`.
            #[serde(skip)]
            pub version_id_key: Option<Arc<SecretBytes>>,
            /// Whether this tool's own action started it.
            #[serde(skip)]
            pub from_action: bool,
        }

        impl RawInputs {
            /// A copy without the secret inputs.
            pub fn public(&self) -> Self {
                Self {
                    $($field: self.$field.clone(),)*
                    value: None,
                    version_id_key: None,
                    from_action: self.from_action,
                }
            }

            /// Sets an input that is not secret; false if there is none of that name.
            pub fn set(&mut self, name: &str, text: String) -> bool {
                match name {
                    $($name => self.$field = Some(text),)*
                    _ => return false,
                }
                true
            }

            /// The inputs that are given.
            pub fn given(&self) -> Vec<Input> {
                let is_given = |input: &Input| match input.name {
                    $($name => self.$field.is_some(),)*
                    "value" => self.value.is_some(),
                    _ => self.version_id_key.is_some(),
                };
                all().into_iter().filter(is_given).collect()
            }
        }

        const TEXT_INPUTS: &[Input] = &[$(Input { name: $name, scope: $scope, default: $default, help: $help },)*];
    };
}

inputs! {
    command = "command", EVERY_RUN, "`upsert`", "`upsert`: create the secret, give it the value, or leave it alone. `promote`: make the version current that holds `stage` or is `version-id`. `rollback`: make the version current that was current before. `plan`: say what `upsert` would do, and why, and write nothing. `iam-policy`: print the least IAM policy for these inputs.";
    name = "name", SINGLE_SECRET, "", "Required without `manifest`. Name or full ARN of the secret. An ARN's region must equal `aws-region` if that is given, and wins over `AWS_REGION`. A full ARN that does not exist cannot be created.";
    value_env = "value-env", SECRET_STATE, "", "The name of the variable that holds the value, where it cannot be passed on under another name (GitLab).";
    value_file = "value-file", SECRET_STATE, "", "A file that holds the value, byte for byte; `-` is standard input.";
    value_encoding = "value-encoding", SECRET_STATE, "`text`", "`base64`: decode the value before storing it.";
    store_as = "store-as", SECRET_STATE, "`string`", "`string` or `binary` (SecretString or SecretBinary).";
    json_key = "json-key", SECRET_STATE, "", "Set this key of a secret that holds a JSON object, and leave the others as they are: a key, or a JSON pointer (`/database/password`) for a nested one.";
    json_value_as = "json-value-as", SECRET_STATE, "`string`", "`json`: the value of `json-key` is JSON itself, not a string.";
    description = "description", SECRET_STATE, "leave as it is", "Description of the secret, at most 2,048 characters.";
    kms_key_id = "kms-key-id", SECRET_STATE, "leave as it is", "KMS key that encrypts the secret: id, ARN or alias. `alias/aws/secretsmanager` is AWS's own.";
    tags = "tags", SECRET_STATE, "leave as they are", "Tags: `key=value` lines, or a YAML or JSON mapping.";
    tag_policy = "tag-policy", SECRET_STATE, "`merge`", "`merge` adds and changes tags; `replace` also removes the ones that are not listed (never `aws:` ones).";
    replica_regions = "replica-regions", SECRET_STATE, "leave as they are", "Regions to replicate the secret to: `region` or `region=KMS-KEY`, with white space or commas between them; `none` with `replica-policy: replace`. Waits until they are in sync.";
    replica_policy = "replica-policy", SECRET_STATE, "`merge`", "`merge` adds replicas; `replace` also removes the ones that are not listed, and makes those anew that have another KMS key.";
    resource_policy = "resource-policy", SECRET_STATE, "leave as it is", "Resource policy: JSON, or `file:PATH`. AWS validates it first; one that is public, or locks the caller out, is refused.";
    allow_public_policy = "allow-public-policy", SECRET_STATE, "`false`", "`true`: attach `resource-policy` although it lets in everybody.";
    if_exists = "if-exists", SECRET_STATE, "`update`", "`skip`: where the secret has a current value nothing is touched, neither value nor anything else.";
    compare = "compare", SECRET_STATE, "`auto`", "`auto`: read the current value and write only when it differs; write also when reading is denied. `always`: a denied read is a failure. `never`: GetSecretValue is not called.";
    version_stages = "version-stages", SECRET_STATE, "`AWSCURRENT`", "Staging labels for the version, with commas between them. Without AWSCURRENT the version is put beside the current one, for `promote`.";
    expected_version_id = "expected-version-id", SINGLE_SECRET, "", "Write, promote or roll back only while this version is current; another one is a conflict (exit 5), unless the value is there already.";
    stage = "stage", LABEL_MOVE, "`candidate`", "For `promote`: the staging label whose version becomes current.";
    version_id = "version-id", LABEL_MOVE, "", "For `promote`: the version that becomes current, instead of `stage`.";
    on_scheduled_deletion = "on-scheduled-deletion", SECRET_STATE, "`fail`", "`restore`: take a secret that is scheduled for deletion back and go on.";
    on_rotation = "on-rotation", SINGLE_SECRET, "`fail`", "`allow`: write although rotation is enabled (the next rotation replaces the value).";
    manifest = "manifest", MANIFEST_RUN, "", "A YAML file that says what many secrets shall be and where their values come from (see `docs/manifest.md`), instead of `name`, `value` and whatever else is about one secret.";
    only = "only", MANIFEST_RUN, "all", "With `manifest`: only secrets with a name like this, such as `prod/*`; several with commas between them. `*` is any text, `?` any character, `[a-m]` one of these.";
    rate = "rate", MANIFEST_RUN, "`40`", "With `manifest`: calls a second, at most, of each family of operations that share a quota of AWS (50 a second for most that write); slower by itself where AWS throttles.";
    fail_fast = "fail-fast", MANIFEST_RUN, "`false`", "With `manifest`, `true`: after the first failure no further secret is begun.";
    all_or_nothing = "all-or-nothing", MANIFEST_RUN, "`false`", "With `manifest`, `true`: every version is put beside the current one first, then all are made current; where one cannot be, those that were are taken back.";
    aws_region = "aws-region", EVERY_RUN, "`AWS_REGION`, `AWS_DEFAULT_REGION`, profile", "Region of the secret.";
    role_to_assume = "role-to-assume", EVERY_RUN, "", "ARN of a role to assume: with GitHub's OIDC token (the job needs `permissions: id-token: write`), with the token that `web-identity-token-env` names, or elsewhere, and with `role-chaining: true`, with the credentials that are there. Its credentials stay in this process.";
    role_session_name = "role-session-name", EVERY_RUN, "`upsert-secret-OWNER-REPOSITORY-RUN`", "How AWS's logs call the session.";
    role_duration_seconds = "role-duration-seconds", EVERY_RUN, "`900`", "How long the role's credentials are good for, 900 to 43200 seconds.";
    role_external_id = "role-external-id", EVERY_RUN, "", "External id that the role's trust policy asks for; goes with credentials, not with an OIDC token.";
    role_chaining = "role-chaining", EVERY_RUN, "`false`", "`true`: on GitHub, assume the role with the credentials that are there rather than by OIDC.";
    audience = "audience", EVERY_RUN, "`sts.amazonaws.com`", "Audience of GitHub's OIDC token.";
    web_identity_token_env = "web-identity-token-env", EVERY_RUN, "", "The name of the variable that holds an OIDC token (GitLab `id_tokens`, CircleCI, Bitbucket).";
    allowed_account_ids = "allowed-account-ids", EVERY_RUN, "any", "AWS account ids with commas between them; credentials of any other account are refused before the secret is looked at.";
    output_file = "output-file", EVERY_RUN, "`$GITHUB_OUTPUT`; on GitLab `upsert-secret.env`; else standard output", "A file that outputs are appended to instead, as `key=value` lines.";
    timeout = "timeout", EVERY_RUN, "`2m`; with `manifest` `60m`", "Limit for the whole run: `90s`, `2m`, `1h`.";
}

const SECRET_INPUTS: &[Input] = &[
    Input {
        name: "value",
        scope: SECRET_STATE,
        default: "",
        help: "The value to store, byte for byte; usually `${{ secrets.NAME }}`.",
    },
    Input {
        name: "version-id-key",
        scope: VALUE_WRITE,
        default: "",
        help: "Another CI secret, 16 bytes or more, that keys the version id to the value: an unchanged value keeps its version even with `compare: never`.",
    },
];

/// Every input of this version, in the order of the documents: `command`, `name`, `value`, the rest.
pub fn all() -> Vec<Input> {
    let mut all = TEXT_INPUTS.to_vec();
    all.insert(2, SECRET_INPUTS[0]);
    let key = all
        .iter()
        .position(|input| input.name == "on-scheduled-deletion");
    all.insert(key.unwrap_or(all.len()), SECRET_INPUTS[1]);
    all
}

/// Reads the variables of this tool.
///
/// # Errors
/// Unknown variables with the prefix, so that typos are caught, and variables that are not UTF-8. The other inputs are
/// returned as well, so that their values can be hidden before the failure is printed.
pub fn read(environment: &Environment) -> (RawInputs, Result<(), Failure>) {
    let mut plain = Vec::new();
    let mut problems = Vec::new();
    let (mut value, mut version_id_key) = (None, None);
    let mut from_action = false;
    let known = all();
    for (key, content) in environment.own_variables() {
        let given = !content.is_empty();
        if key == variable("value") {
            value = given.then(|| bytes(content));
        } else if key == variable("version-id-key") {
            version_id_key = given.then(|| bytes(content));
        } else if key == FROM_ACTION {
            from_action = content == "true";
        } else if key == FROM_LAUNCHER {
        } else if known.iter().any(|input| input.variable() == key) {
            match content.to_str() {
                // Trimmed here and nowhere else; empty is "not given".
                Some(text) if !text.trim().is_empty() => {
                    plain.push((key, text.trim().to_owned()));
                }
                Some(_) => {}
                None => problems.push(format!("{key} is not valid UTF-8")),
            }
        } else {
            problems.push(describe_unknown(&key, &known));
        }
    }
    // Every pair is a field of the struct and every field is optional text, so that envy finds nothing to reject.
    let mut raw: RawInputs = envy::prefixed(PREFIX).from_iter(plain).unwrap_or_default();
    raw.value = value;
    raw.version_id_key = version_id_key.map(Arc::new);
    raw.from_action = from_action;
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

fn describe_unknown(key: &str, known: &[Input]) -> String {
    let nearest = known
        .iter()
        .map(|input| (strsim::levenshtein(&input.variable(), key), input))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, _)| *distance <= 3);
    match nearest {
        Some((_, input)) => format!("{key} is no input; did you mean {}?", input.variable()),
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
    fn every_text_input_reaches_its_field() {
        for input in TEXT_INPUTS {
            let (raw, _) = read_pairs(&[(&input.variable(), "given")]);
            let fields = [
                &raw.command,
                &raw.name,
                &raw.value_env,
                &raw.value_file,
                &raw.value_encoding,
                &raw.store_as,
                &raw.json_key,
                &raw.json_value_as,
                &raw.description,
                &raw.kms_key_id,
                &raw.tags,
                &raw.tag_policy,
                &raw.replica_regions,
                &raw.replica_policy,
                &raw.resource_policy,
                &raw.allow_public_policy,
                &raw.if_exists,
                &raw.compare,
                &raw.version_stages,
                &raw.expected_version_id,
                &raw.stage,
                &raw.version_id,
                &raw.on_scheduled_deletion,
                &raw.on_rotation,
                &raw.manifest,
                &raw.only,
                &raw.rate,
                &raw.fail_fast,
                &raw.all_or_nothing,
                &raw.aws_region,
                &raw.role_to_assume,
                &raw.role_session_name,
                &raw.role_duration_seconds,
                &raw.role_external_id,
                &raw.role_chaining,
                &raw.audience,
                &raw.web_identity_token_env,
                &raw.allowed_account_ids,
                &raw.output_file,
                &raw.timeout,
            ];
            assert_eq!(fields.len(), TEXT_INPUTS.len());
            assert_eq!(
                fields.iter().filter(|field| field.is_some()).count(),
                1,
                "{}",
                input.name
            );
        }
    }
}
