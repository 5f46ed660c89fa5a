//! The environment as it is, and the one table of inputs: name, default, meaning. `action.yml`, the
//! README and `--help` are checked against or made from [`all`]. This room knows which variables
//! exist, not whether what they hold makes sense; and it never puts a value through a parser, whose
//! errors would quote it.

use std::ffi::OsStr;
use std::sync::Arc;

use serde::Deserialize;

use crate::failure::{Class, Failure};
use crate::value::SecretBytes;

mod environment;

pub use environment::Environment;

/// The action input `some-input` is the variable `UPSERT_SECRET_SOME_INPUT`.
pub const PREFIX: &str = "UPSERT_SECRET_";

/// Set by `action.yml`: standard output is a runner's, and inputs are spelt as in a workflow.
const FROM_ACTION: &str = "UPSERT_SECRET_ACTION";
/// Read by the launcher of a source checkout, not by us.
const LAUNCHER: &str = "UPSERT_SECRET_BIN";

/// One input, as the documents show it.
#[derive(Clone, Copy, Debug)]
pub struct Input {
    /// As in `with:` and in a manifest: `some-input`.
    pub name: &'static str,
    /// What holds when it is not given, in words; empty where there is nothing to say.
    pub default: &'static str,
    /// What it does.
    pub help: &'static str,
}

impl Input {
    /// The variable of this input.
    #[must_use]
    pub fn variable(&self) -> String {
        variable(self.name)
    }
}

/// The variable of an input: `some-input` is `UPSERT_SECRET_SOME_INPUT`.
#[must_use]
pub fn variable(input: &str) -> String {
    format!("{PREFIX}{}", input.to_ascii_uppercase().replace('-', "_"))
}

macro_rules! inputs {
    ($($field:ident = $name:literal, $default:literal, $help:literal;)*) => {
        /// Every input but the two secret ones, as text, trimmed; `None` is "not given".
        #[derive(Default, Deserialize)]
        pub struct RawInputs {
            $(#[doc = $help] pub $field: Option<String>,)*
            /// `value`, exact bytes.
            #[serde(skip)]
            pub value: Option<SecretBytes>,
            /// `version-id-key`, exact bytes.
            #[serde(skip)]
            pub version_id_key: Option<Arc<SecretBytes>>,
            /// Whether our own action started us.
            #[serde(skip)]
            pub from_action: bool,
        }

        impl RawInputs {
            /// The same without the secrets.
            #[must_use]
            pub fn public(&self) -> Self {
                Self {
                    $($field: self.$field.clone(),)*
                    value: None,
                    version_id_key: None,
                    from_action: self.from_action,
                }
            }

            /// Gives a plain input its text; whether there is one of that name.
            pub fn set(&mut self, name: &str, text: String) -> bool {
                match name {
                    $($name => self.$field = Some(text),)*
                    _ => return false,
                }
                true
            }

            /// The names of those that are given.
            #[must_use]
            pub fn given(&self) -> Vec<&'static str> {
                let mut given = Vec::new();
                $(if self.$field.is_some() { given.push($name); })*
                if self.value.is_some() {
                    given.push("value");
                }
                if self.version_id_key.is_some() {
                    given.push("version-id-key");
                }
                given
            }
        }

        const PLAIN: &[Input] = &[$(Input { name: $name, default: $default, help: $help },)*];
    };
}

inputs! {
    command = "command", "`upsert`", "`upsert`: create the secret, give it the value, or leave it alone. `promote`: make the version current that holds `stage` or is `version-id`. `rollback`: make the version current that was current before. `plan`: say what `upsert` would do, and why, and write nothing. `iam-policy`: print the least IAM policy for these inputs.";
    name = "name", "", "Required without `manifest`. Name or full ARN of the secret. An ARN's region must equal `aws-region` if that is given, and wins over `AWS_REGION`. A full ARN that does not exist cannot be created.";
    value_env = "value-env", "", "The name of the variable that holds the value, where it cannot be passed on under another name (GitLab).";
    value_file = "value-file", "", "A file that holds the value, byte for byte; `-` is standard input.";
    value_encoding = "value-encoding", "`text`", "`base64`: decode the value before storing it.";
    store_as = "store-as", "`string`", "`string` or `binary` (SecretString or SecretBinary).";
    json_key = "json-key", "", "Set this key of a secret that holds a JSON object, and leave the others as they are: a key, or a JSON pointer (`/database/password`) for a nested one.";
    json_value_as = "json-value-as", "`string`", "`json`: the value of `json-key` is JSON itself, not a string.";
    description = "description", "leave as it is", "Description of the secret, at most 2,048 characters.";
    kms_key_id = "kms-key-id", "leave as it is", "KMS key that encrypts the secret: id, ARN or alias. `alias/aws/secretsmanager` is AWS's own.";
    tags = "tags", "leave as they are", "Tags: `key=value` lines, or a YAML or JSON mapping.";
    tag_policy = "tag-policy", "`merge`", "`merge` adds and changes tags; `replace` also removes the ones that are not listed (never `aws:` ones).";
    replica_regions = "replica-regions", "leave as they are", "Regions to replicate the secret to: `region` or `region=KMS-KEY`, with white space or commas between them; `none` with `replica-policy: replace`. Waits until they are in sync.";
    replica_policy = "replica-policy", "`merge`", "`merge` adds replicas; `replace` also removes the ones that are not listed, and makes those anew that have another KMS key.";
    resource_policy = "resource-policy", "leave as it is", "Resource policy: JSON, or `file:PATH`. AWS validates it first; one that is public, or locks the caller out, is refused.";
    allow_public_policy = "allow-public-policy", "`false`", "`true`: attach `resource-policy` although it lets in everybody.";
    if_exists = "if-exists", "`update`", "`skip`: where the secret has a current value nothing is touched, neither value nor anything else.";
    compare = "compare", "`auto`", "`auto`: read the current value and write only when it differs; write also when reading is denied. `always`: a denied read is a failure. `never`: GetSecretValue is not called.";
    version_stages = "version-stages", "`AWSCURRENT`", "Staging labels for the version, with commas between them. Without AWSCURRENT the version is put beside the current one, for `promote`.";
    expected_version_id = "expected-version-id", "", "Write, promote or roll back only while this version is current; another one is a conflict (exit 5), unless the value is there already.";
    stage = "stage", "`candidate`", "For `promote`: the staging label whose version becomes current.";
    version_id = "version-id", "", "For `promote`: the version that becomes current, instead of `stage`.";
    on_scheduled_deletion = "on-scheduled-deletion", "`fail`", "`restore`: take a secret that is scheduled for deletion back and go on.";
    on_rotation = "on-rotation", "`fail`", "`allow`: write although rotation is enabled (the next rotation replaces the value).";
    manifest = "manifest", "", "A YAML file that says what many secrets shall be and where their values come from (see `docs/manifest.md`), instead of `name`, `value` and whatever else is about one secret.";
    only = "only", "all", "With `manifest`: only secrets with a name like this, such as `prod/*`; several with commas between them. `*` is any text, `?` any character, `[a-m]` one of these.";
    rate = "rate", "`40`", "With `manifest`: calls a second, at most, of each family of operations that share a quota of AWS (50 a second for most that write); slower by itself where AWS throttles.";
    fail_fast = "fail-fast", "`false`", "With `manifest`, `true`: after the first failure no further secret is begun.";
    all_or_nothing = "all-or-nothing", "`false`", "With `manifest`, `true`: every version is put beside the current one first, then all are made current; where one cannot be, those that were are taken back.";
    aws_region = "aws-region", "`AWS_REGION`, `AWS_DEFAULT_REGION`, profile", "Region of the secret.";
    role_to_assume = "role-to-assume", "", "ARN of a role to assume: with GitHub's OIDC token (the job needs `permissions: id-token: write`), with the token that `web-identity-token-env` names, or elsewhere, and with `role-chaining: true`, with the credentials that are there. Its credentials stay in this process.";
    role_session_name = "role-session-name", "`upsert-secret-OWNER-REPOSITORY-RUN`", "How AWS's logs call the session.";
    role_duration_seconds = "role-duration-seconds", "`900`", "How long the role's credentials are good for, 900 to 43200 seconds.";
    role_external_id = "role-external-id", "", "External id that the role's trust policy asks for; goes with credentials, not with an OIDC token.";
    role_chaining = "role-chaining", "`false`", "`true`: on GitHub, assume the role with the credentials that are there rather than by OIDC.";
    audience = "audience", "`sts.amazonaws.com`", "Audience of GitHub's OIDC token.";
    web_identity_token_env = "web-identity-token-env", "", "The name of the variable that holds an OIDC token (GitLab `id_tokens`, CircleCI, Bitbucket).";
    allowed_account_ids = "allowed-account-ids", "any", "AWS account ids with commas between them; credentials of any other account are refused before the secret is looked at.";
    output_file = "output-file", "`$GITHUB_OUTPUT`; on GitLab `upsert-secret.env`; else standard output", "A file that outputs are appended to instead, as `key=value` lines.";
    timeout = "timeout", "`2m`; with `manifest` `60m`", "Limit for the whole run: `90s`, `2m`, `1h`.";
}

const SECRET: &[Input] = &[
    Input {
        name: "value",
        default: "",
        help: "The value to store, byte for byte; usually `${{ secrets.NAME }}`.",
    },
    Input {
        name: "version-id-key",
        default: "",
        help: "Another CI secret, 16 bytes or more, that keys the version id to the value: an unchanged value keeps its version even with `compare: never`.",
    },
];

/// Every input of this version, in the order of the documents: `command`, `name`, `value`, the rest.
#[must_use]
pub fn all() -> Vec<Input> {
    let mut all = PLAIN.to_vec();
    all.insert(2, SECRET[0]);
    let key = all
        .iter()
        .position(|input| input.name == "on-scheduled-deletion");
    all.insert(key.unwrap_or(all.len()), SECRET[1]);
    all
}

/// Reads our variables.
///
/// # Errors
/// A variable with our prefix that is no input of this version (a typo must not pass in silence),
/// or one that is not UTF-8. The values it could read come back all the same, so that they can be
/// hidden before the failure is printed.
pub fn read(environment: &Environment) -> (RawInputs, Result<(), Failure>) {
    let mut plain = Vec::new();
    let mut problems = Vec::new();
    let mut secrets = (None, None);
    let mut from_action = false;
    let known = all();
    for (key, content) in environment.ours() {
        let given = !content.is_empty();
        if key == variable("value") {
            secrets.0 = given.then(|| bytes(content));
        } else if key == variable("version-id-key") {
            secrets.1 = given.then(|| bytes(content));
        } else if key == FROM_ACTION {
            from_action = content == "true";
        } else if key == LAUNCHER {
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
            problems.push(unknown(&key, &known));
        }
    }
    // Only fields of the struct, all of them optional text: nothing is left that envy could refuse.
    let mut raw: RawInputs = envy::prefixed(PREFIX).from_iter(plain).unwrap_or_default();
    (raw.value, raw.version_id_key) = (secrets.0, secrets.1.map(Arc::new));
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

/// The exact bytes of a variable (on Windows: of its text, as UTF-8).
#[must_use]
pub fn bytes(content: &OsStr) -> SecretBytes {
    #[cfg(unix)]
    let bytes = std::os::unix::ffi::OsStrExt::as_bytes(content).to_vec();
    #[cfg(not(unix))]
    let bytes = content.to_string_lossy().into_owned().into_bytes();
    SecretBytes::new(bytes)
}

fn unknown(key: &str, known: &[Input]) -> String {
    let near = known
        .iter()
        .map(|input| (strsim::levenshtein(&input.variable(), key), input))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, _)| *distance <= 3);
    match near {
        Some((_, input)) => format!("{key} is no input; did you mean {}?", input.variable()),
        None => format!("{key} is no input"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, &str)]) -> (RawInputs, Result<(), Failure>) {
        read(&Environment::from_pairs(
            pairs.iter().map(|(k, v)| ((*k).into(), (*v).into())),
        ))
    }

    #[test]
    fn text_is_trimmed_the_value_is_not_and_empty_is_not_given() {
        let (raw, checked) = of(&[
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
    fn a_typo_does_not_pass_in_silence() {
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
            let (_, checked) = of(&[(variable, "x")]);
            assert_eq!(
                checked.map_err(|failure| failure.what),
                Err(wanted.to_owned())
            );
        }
    }

    #[test]
    fn every_plain_input_reaches_its_field() {
        for input in PLAIN {
            let (raw, _) = of(&[(&input.variable(), "given")]);
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
            assert_eq!(fields.len(), PLAIN.len());
            assert_eq!(
                fields.iter().filter(|field| field.is_some()).count(),
                1,
                "{}",
                input.name
            );
        }
    }
}
