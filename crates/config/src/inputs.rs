//! The table of inputs: name, scope, default, meaning. `action.yml`, the README and `--help` are generated from [`all`] or
//! checked against it. Handles lists and numbers, but not the meaning of inputs. Must not pass a value to a parser, whose
//! errors would quote it.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;

use serde::Deserialize;
use upsert_secret_core::value::SecretBytes;

use self::RunKind::{Import, LabelMove, Manifest, Promotion, Undo, Upsert};
use crate::environment::PREFIX;

/// A kind of run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RunKind {
    /// `upsert` of one secret.
    Upsert,
    /// A run with a manifest.
    Manifest,
    /// `promote` and `rollback` of one secret.
    LabelMove,
    /// `promote` with a manifest.
    Promotion,
    /// `rollback` of a release.
    Undo,
    /// `import`
    Import,
}

/// The kinds of run that an input affects.
type Scope = &'static [RunKind];

const EVERY_RUN: Scope = &[Upsert, Manifest, LabelMove, Promotion, Undo, Import];
/// Every run that writes.
const WRITE: Scope = &[Upsert, Manifest, LabelMove, Promotion, Undo];
/// Describes the desired state of one secret. In a manifest, it is a key of the secret's entry.
const SECRET_STATE: Scope = &[Upsert];
/// Any command for one secret.
const SINGLE_SECRET: Scope = &[Upsert, LabelMove];
/// Any run that writes a version and takes its settings from inputs; in a manifest, each entry has them.
const WRITE_OF_VERSION: Scope = &[Upsert, LabelMove, Undo];
const MANIFEST_RUN: Scope = &[Manifest, Promotion];
/// Any run that writes to many secrets.
const MANY_WRITES: Scope = &[Manifest, Promotion, Undo];
/// Any run that selects from many secrets.
const MANY_SECRETS: Scope = &[Manifest, Promotion, Undo, Import];
const LABEL_MOVE: Scope = &[LabelMove];
const PROMOTION: Scope = &[LabelMove, Promotion];
const UNDO: Scope = &[Undo];
const IMPORT: Scope = &[Import];
/// Every run that writes values.
const VALUE_WRITE: Scope = &[Upsert, Manifest];

/// A documented input.
#[derive(Clone, Copy, Debug)]
pub struct Input {
    /// The spelling in `with:` and in a manifest: `some-input`.
    pub name: &'static str,
    /// The kinds of run that it affects.
    scope: Scope,
    /// The default in words; empty if there is none to document.
    pub default: &'static str,
    /// What it does.
    pub help: &'static str,
}

impl Input {
    /// Whether it affects a kind of run.
    pub(crate) fn applies_to(&self, kind: RunKind) -> bool {
        self.scope.contains(&kind)
    }

    /// Whether only `import` accepts it.
    pub(crate) fn is_for_import_alone(&self) -> bool {
        self.scope == IMPORT
    }

    /// Whether it is a key of a secret in a manifest.
    pub(crate) fn is_manifest_key(&self) -> bool {
        !self.applies_to(Manifest) && self.applies_to(Upsert)
    }

    /// The variable of this input.
    pub fn variable(&self) -> String {
        variable(self.name)
    }
}

/// The reason an input of `import` is rejected with another command.
pub(crate) const FOR_IMPORT: &str = "is for the command `import`";

/// The variable of an input: `some-input` becomes `UPSERT_SECRET_SOME_INPUT`.
pub fn variable(input: &str) -> String {
    format!("{PREFIX}{}", input.to_ascii_uppercase().replace('-', "_"))
}

macro_rules! inputs {
    ($($(#[$attribute:meta])* $field:ident: $type:ty = $name:literal, $scope:ident, $default:literal, $help:literal;)*) => {
        /// The given inputs, unchecked. All except the two secret ones are trimmed text; `None` means not given.
        #[derive(Clone, Default, Deserialize)]
        // Without it, each field would generate code for its absence.
        #[serde(default)]
        pub struct RawInputs {
            $(#[doc = $help] $(#[$attribute])* pub $field: Option<$type>,)*
            /// Whether this tool's action started the program.
            #[serde(skip)]
            pub from_action: bool,
            /// Whether the GitLab component started the program.
            #[serde(skip)]
            pub from_component: bool,
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
    command: String = "command", EVERY_RUN, "`upsert`", "`upsert`: create or update the secret. `plan`: show what `upsert` would change, and why, without writing. `promote`: make the version with the staging label `stage` or the ID `version-id` current; with `manifest`, for every secret. `rollback`: make the previous version current again; with `release`, for every secret that the run changed. `import`: print a manifest of existing secrets, without their values. `iam-policy`: print the least-privilege IAM policy for these inputs.";
    name: String = "name", SINGLE_SECRET, "", "Name or full ARN of the secret. Required without `manifest`. The region of an ARN must equal `aws-region`, if set, and overrides `AWS_REGION`. A secret cannot be created by ARN.";
    #[serde(skip)] value: Arc<SecretBytes> = "value", SECRET_STATE, "", "The value to store, byte for byte; usually `${{ secrets.NAME }}`.";
    value_env: String = "value-env", SECRET_STATE, "", "Name of the variable that holds the value, where the CI system cannot pass it under another name (GitLab).";
    value_file: String = "value-file", SECRET_STATE, "", "File that holds the value, stored byte for byte; `-` is standard input.";
    value_encoding: String = "value-encoding", SECRET_STATE, "`text`", "`base64`: decode the value before storing it. `dotenv`: parse the value as a `.env` file and store its pairs as a JSON object.";
    store_as: String = "store-as", SECRET_STATE, "`string`", "`string` or `binary` (SecretString or SecretBinary).";
    json_key: String = "json-key", SECRET_STATE, "", "Key to set in a secret that holds a JSON object; other keys stay unchanged. A JSON pointer (`/database/password`) sets a nested key.";
    json_value_as: String = "json-value-as", SECRET_STATE, "`string`", "`json`: the value of `json-key` is JSON, not a string.";
    description: String = "description", SECRET_STATE, "leave unchanged", "Description of the secret, at most 2,048 characters.";
    kms_key_id: String = "kms-key-id", SECRET_STATE, "leave unchanged", "KMS key that encrypts the secret: ID, ARN or alias. `alias/aws/secretsmanager` is the AWS managed key.";
    tags: String = "tags", SECRET_STATE, "leave unchanged", "Tags: `key=value` lines, or a YAML or JSON mapping.";
    tag_policy: String = "tag-policy", SECRET_STATE, "`merge`", "`merge` adds and changes tags; `replace` also removes tags that are not listed (never `aws:` tags).";
    replica_regions: String = "replica-regions", SECRET_STATE, "leave unchanged", "Regions to replicate the secret to, separated by commas or white space: `region` or `region=KMS-KEY`; `none` with `replica-policy: replace`. The run waits until the replicas are in sync.";
    replica_policy: String = "replica-policy", SECRET_STATE, "`merge`", "`merge` adds replicas; `replace` also removes replicas that are not listed, and recreates those with another KMS key.";
    resource_policy: String = "resource-policy", SECRET_STATE, "leave unchanged", "Resource policy: JSON, or `file:PATH`. AWS validates it first; a policy that is public, or that locks the caller out, is rejected.";
    allow_public_policy: String = "allow-public-policy", SECRET_STATE, "`false`", "`true`: attach `resource-policy` even if it grants public access.";
    if_exists: String = "if-exists", SECRET_STATE, "`update`", "`skip`: if the secret has a current value, change nothing, neither the value nor its metadata.";
    compare: String = "compare", SECRET_STATE, "`auto`", "`auto`: read the current value and write only if it differs; write without comparing if reading is denied. `always`: fail if reading is denied. `never`: write without comparing; GetSecretValue is not called.";
    version_stages: String = "version-stages", SECRET_STATE, "`AWSCURRENT`", "Staging labels for the version, separated by commas. Without AWSCURRENT, the version is stored beside the current one, for `promote`.";
    expected_version_id: String = "expected-version-id", SINGLE_SECRET, "", "Write, promote or roll back only if this version is current; otherwise the run ends with a conflict (exit 5), unless the value is already stored.";
    stage: String = "stage", PROMOTION, "`candidate`", "For `promote`: staging label of the version to make current.";
    version_id: String = "version-id", LABEL_MOVE, "", "For `promote`: ID of the version to make current, instead of `stage`.";
    #[serde(skip)] version_id_key: Arc<SecretBytes> = "version-id-key", VALUE_WRITE, "", "Another CI secret, at least 16 bytes. Version IDs are derived from it and the value, so that an unchanged value keeps its version even with `compare: never`.";
    on_scheduled_deletion: String = "on-scheduled-deletion", SECRET_STATE, "`fail`", "`restore`: restore a secret that is scheduled for deletion, and continue.";
    on_rotation: String = "on-rotation", WRITE_OF_VERSION, "`fail`", "`allow`: write even if rotation is enabled (the next rotation replaces the value).";
    on_value_in_metadata: String = "on-value-in-metadata", SECRET_STATE, "`fail`", "`allow`: accept a name, description, tag or staging label that contains the value, or a part of it, by coincidence.";
    manifest: String = "manifest", MANIFEST_RUN, "", "YAML file with the desired state of many secrets and the sources of their values (see `docs/manifest.md`), instead of `name`, `value` and the other inputs for one secret.";
    release: String = "release", UNDO, "", "For `rollback`: the `results` of the run to undo, or `file:PATH` of its report. Versions that the run made current are replaced by the versions before them; later writes stay.";
    report_file: String = "report-file", MANY_WRITES, "on GitHub a file in `$RUNNER_TEMP`; on GitLab `upsert-secret-report.json`", "With `manifest` or `release`: file for the report of the run, as JSON, for later jobs.";
    only: String = "only", MANY_SECRETS, "all", "With `manifest`, `release` or `import`: process only secrets whose names match, such as `prod/*`; separate several patterns by commas. `*` matches any text, `?` any character, `[a-m]` any of these characters.";
    rate: String = "rate", MANY_SECRETS, "`50`, then `40`", "With `manifest`, `release` or `import`: maximum calls per second for each group of operations that share an AWS quota (50 per second for most writes). By default, the first 100 calls use the whole quota, and later calls leave a fifth of it to others. The rate drops automatically when AWS throttles.";
    fail_fast: String = "fail-fast", MANY_WRITES, "`false`", "With `manifest` or `release`, `true`: start no further secret after the first failure.";
    fail_on_change: String = "fail-on-change", WRITE, "`false`", "With the command `plan`, `true`: exit with code 9 if the run would change something, for a scheduled job that reports drift. Commands that write reject it.";
    all_or_nothing: String = "all-or-nothing", MANY_WRITES, "`false`", "With `manifest` or `release`, `true`: make either every new version current or none. After a conflict with another writer the run starts over; the next run rolls back one that was killed.";
    include_resource_policies: String = "include-resource-policies", IMPORT, "`false`", "With the command `import`, `true`: also print resource policies, as far as they can be read.";
    aws_region: String = "aws-region", EVERY_RUN, "`AWS_REGION`, `AWS_DEFAULT_REGION`, profile", "Region of the secret.";
    role_to_assume: String = "role-to-assume", EVERY_RUN, "", "ARN of a role to assume: on GitHub with the job's OIDC token (which needs `permissions: id-token: write`); elsewhere with the token in `web-identity-token-env`, or with the existing credentials, which `role-chaining: true` selects on GitHub too. The role's credentials stay in this process.";
    role_session_name: String = "role-session-name", EVERY_RUN, "`upsert-secret-OWNER-REPOSITORY-RUN`", "Session name of the role, as it appears in CloudTrail.";
    role_duration_seconds: String = "role-duration-seconds", EVERY_RUN, "`900`", "Lifetime of the role's credentials, 900 to 43200 seconds.";
    role_external_id: String = "role-external-id", EVERY_RUN, "", "External ID that the role's trust policy requires; works with credentials, not with an OIDC token.";
    role_chaining: String = "role-chaining", EVERY_RUN, "`false`", "`true`: on GitHub, assume the role with the existing credentials instead of OIDC.";
    audience: String = "audience", EVERY_RUN, "`sts.amazonaws.com`", "Audience of GitHub's OIDC token.";
    web_identity_token_env: String = "web-identity-token-env", EVERY_RUN, "", "Name of the variable that holds an OIDC token (GitLab `id_tokens`, CircleCI, Bitbucket).";
    allowed_account_ids: String = "allowed-account-ids", EVERY_RUN, "any", "AWS account IDs, separated by commas; credentials of any other account are rejected before the secret is read.";
    output_file: String = "output-file", WRITE, "outputs of the CI system, else standard output", "File to append the outputs to instead, as `key=value` lines.";
    timeout: String = "timeout", EVERY_RUN, "`2m`; with `manifest` or `release` `60m`", "Time limit for the run: `90s`, `2m`, `1h`.";
}

impl RawInputs {
    /// The inputs that are given.
    pub(crate) fn given(&self) -> Vec<&'static Input> {
        let inputs = INPUTS.iter().zip(self.presence());
        inputs
            .filter_map(|(input, is_given)| is_given.then_some(input))
            .collect()
    }

    /// The inputs with these names and texts; the last text of a name takes effect. Excludes secret inputs.
    pub(crate) fn from_texts(texts: Vec<(&'static str, String)>) -> Self {
        let texts = texts.into_iter();
        let fields: BTreeMap<_, _> = texts
            .map(|(name, text)| (name.replace('-', "_"), text))
            .collect();
        // All fields are optional text, so envy has nothing to reject.
        envy::from_iter(fields).unwrap_or_default()
    }
}

/// The items of a list input, separated by commas or white space.
pub(crate) fn items(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c == ',' || c.is_whitespace())
        .filter(|item| !item.is_empty())
}

/// The number in a text, or the default.
///
/// # Errors
/// It is not a number, or out of range, as text that follows the name of the input.
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

/// All inputs of this version, in the order of the documentation.
pub fn all() -> &'static [Input] {
    INPUTS
}
