//! The pages of `--help` and `--help-all`, which are the reference of the command-line interface.

use insta::assert_snapshot;

use crate::common::Cli;

fn page(option: &str) -> String {
    let outcome = Cli::with_empty_env().args(&[option]).run();
    assert_eq!(outcome.code, Some(0));
    outcome.stdout
}

#[test]
fn help_matches_snapshot() {
    assert_snapshot!(page("--help"), @"
    Stores a CI secret in AWS Secrets Manager and outputs its ARN and version ID.

    Inputs are environment variables. Values are never printed. Secrets are never
    deleted or rotated.

    Usage: upsert-secret [COMMAND] [--manifest FILE] [--format text|json]
           upsert-secret import [PATTERN]...

    Options:
          --manifest FILE     manifest of many secrets (UPSERT_SECRET_MANIFEST)
          --format text|json  json: print the result as JSON on standard output
      -h, --help              print the commands and the common inputs
          --help-all          print all inputs, outputs and exit codes
      -V, --version           print the version

    Patterns for import are names of secrets, with * ? [a-m] as wildcards
    (UPSERT_SECRET_ONLY).

    Commands:
      upsert      create or update the secret, or leave it if it already matches
                  (default)
      plan        show what upsert would change, and why, without writing
      promote     make the version with a staging label (candidate) or an ID
                  current; with a manifest, for every secret
      rollback    make the previous version current again; with release, for every
                  secret that a run changed
      import      print a manifest of existing secrets; reads no values
      iam-policy  print the least-privilege IAM policy for these inputs; sends no
                  requests and needs no value

    Examples:
      UPSERT_SECRET_NAME=prod/key UPSERT_SECRET_VALUE_ENV=API_KEY upsert-secret
      UPSERT_SECRET_NAME=prod/key UPSERT_SECRET_VALUE_ENV=API_KEY upsert-secret plan
      UPSERT_SECRET_NAME=prod/key upsert-secret promote
      UPSERT_SECRET_NAME=prod/key upsert-secret rollback
      upsert-secret import 'prod/*' > secrets.yaml
      UPSERT_SECRET_NAME=prod/key upsert-secret iam-policy

    Common inputs (all of them: upsert-secret --help-all):
      UPSERT_SECRET_NAME              name or ARN of the secret
      UPSERT_SECRET_VALUE             value to store
      UPSERT_SECRET_VALUE_ENV         name of the variable that holds the value
      UPSERT_SECRET_VALUE_FILE        file that holds the value; - is standard input
      UPSERT_SECRET_JSON_KEY          key to set in a secret that holds JSON
      UPSERT_SECRET_DESCRIPTION       description of the secret
      UPSERT_SECRET_TAGS              key=value lines
      UPSERT_SECRET_KMS_KEY_ID        KMS key: ID, ARN or alias
      UPSERT_SECRET_VERSION_STAGES    candidate: stage the value for promote
      UPSERT_SECRET_AWS_REGION        region; default: AWS_REGION, profile
      UPSERT_SECRET_ROLE_TO_ASSUME    ARN of the role to assume
      UPSERT_SECRET_MANIFEST          YAML file with many secrets
      UPSERT_SECRET_TIMEOUT           limit for the run: 90s, 2m, 1h

    Documentation: https://github.com/upsert-secret/upsert-secret
    ");
}

#[test]
fn complete_help_matches_snapshot() {
    assert_snapshot!(page("--help-all"), @"
    Stores a CI secret in AWS Secrets Manager and outputs its ARN and version ID.

    Inputs are environment variables. Values are never printed. Secrets are never
    deleted or rotated.

    Usage: upsert-secret [COMMAND] [--manifest FILE] [--format text|json]
           upsert-secret import [PATTERN]...

    Options:
          --manifest FILE     manifest of many secrets (UPSERT_SECRET_MANIFEST)
          --format text|json  json: print the result as JSON on standard output
      -h, --help              print the commands and the common inputs
          --help-all          print all inputs, outputs and exit codes
      -V, --version           print the version

    Patterns for import are names of secrets, with * ? [a-m] as wildcards
    (UPSERT_SECRET_ONLY).

    Commands:
      upsert      create or update the secret, or leave it if it already matches
                  (default)
      plan        show what upsert would change, and why, without writing
      promote     make the version with a staging label (candidate) or an ID
                  current; with a manifest, for every secret
      rollback    make the previous version current again; with release, for every
                  secret that a run changed
      import      print a manifest of existing secrets; reads no values
      iam-policy  print the least-privilege IAM policy for these inputs; sends no
                  requests and needs no value

    Examples:
      UPSERT_SECRET_NAME=prod/key UPSERT_SECRET_VALUE_ENV=API_KEY upsert-secret
      UPSERT_SECRET_NAME=prod/key UPSERT_SECRET_VALUE_ENV=API_KEY upsert-secret plan
      UPSERT_SECRET_NAME=prod/key upsert-secret promote
      UPSERT_SECRET_NAME=prod/key upsert-secret rollback
      upsert-secret import 'prod/*' > secrets.yaml
      UPSERT_SECRET_NAME=prod/key upsert-secret iam-policy

    Inputs (environment variables; an empty one counts as not set):

      UPSERT_SECRET_COMMAND
          upsert: create or update the secret. plan: show what upsert would change,
          and why, without writing. promote: make the version with the staging label
          stage or the ID version-id current; with manifest, for every secret.
          rollback: make the previous version current again; with release, for every
          secret that the run changed. import: print a manifest of existing secrets,
          without their values. iam-policy: print the least-privilege IAM policy for
          these inputs. Default: upsert.

      UPSERT_SECRET_NAME
          Name or full ARN of the secret. Required without manifest. The region of
          an ARN must equal aws-region, if set, and overrides AWS_REGION. A secret
          cannot be created by ARN.

      UPSERT_SECRET_VALUE
          The value to store, byte for byte; usually ${{ secrets.NAME }}.

      UPSERT_SECRET_VALUE_ENV
          Name of the variable that holds the value, where the CI system cannot pass
          it under another name (GitLab).

      UPSERT_SECRET_VALUE_FILE
          File that holds the value, stored byte for byte; - is standard input.

      UPSERT_SECRET_VALUE_ENCODING
          base64: decode the value before storing it. dotenv: parse the value as a
          .env file and store its pairs as a JSON object. Default: text.

      UPSERT_SECRET_STORE_AS
          string or binary (SecretString or SecretBinary). Default: string.

      UPSERT_SECRET_JSON_KEY
          Key to set in a secret that holds a JSON object; other keys stay
          unchanged. A JSON pointer (/database/password) sets a nested key.

      UPSERT_SECRET_JSON_VALUE_AS
          json: the value of json-key is JSON, not a string. Default: string.

      UPSERT_SECRET_DESCRIPTION
          Description of the secret, at most 2,048 characters. Default: leave
          unchanged.

      UPSERT_SECRET_KMS_KEY_ID
          KMS key that encrypts the secret: ID, ARN or alias.
          alias/aws/secretsmanager is the AWS managed key. Default: leave unchanged.

      UPSERT_SECRET_TAGS
          Tags: key=value lines, or a YAML or JSON mapping. Default: leave
          unchanged.

      UPSERT_SECRET_TAG_POLICY
          merge adds and changes tags; replace also removes tags that are not listed
          (never aws: tags). Default: merge.

      UPSERT_SECRET_REPLICA_REGIONS
          Regions to replicate the secret to, separated by commas or white space:
          region or region=KMS-KEY; none with replica-policy: replace. The run waits
          until the replicas are in sync. Default: leave unchanged.

      UPSERT_SECRET_REPLICA_POLICY
          merge adds replicas; replace also removes replicas that are not listed,
          and recreates those with another KMS key. Default: merge.

      UPSERT_SECRET_RESOURCE_POLICY
          Resource policy: JSON, or file:PATH. AWS validates it first; a policy that
          is public, or that locks the caller out, is rejected. Default: leave
          unchanged.

      UPSERT_SECRET_ALLOW_PUBLIC_POLICY
          true: attach resource-policy even if it grants public access. Default:
          false.

      UPSERT_SECRET_IF_EXISTS
          skip: if the secret has a current value, change nothing, neither the value
          nor its metadata. Default: update.

      UPSERT_SECRET_COMPARE
          auto: read the current value and write only if it differs; write without
          comparing if reading is denied. always: fail if reading is denied. never:
          write without comparing; GetSecretValue is not called. Default: auto.

      UPSERT_SECRET_VERSION_STAGES
          Staging labels for the version, separated by commas. Without AWSCURRENT,
          the version is stored beside the current one, for promote. Default:
          AWSCURRENT.

      UPSERT_SECRET_EXPECTED_VERSION_ID
          Write, promote or roll back only if this version is current; otherwise the
          run ends with a conflict (exit 5), unless the value is already stored.

      UPSERT_SECRET_STAGE
          For promote: staging label of the version to make current. Default:
          candidate.

      UPSERT_SECRET_VERSION_ID
          For promote: ID of the version to make current, instead of stage.

      UPSERT_SECRET_VERSION_ID_KEY
          Another CI secret, at least 16 bytes. Version IDs are derived from it and
          the value, so that an unchanged value keeps its version even with compare:
          never.

      UPSERT_SECRET_ON_SCHEDULED_DELETION
          restore: restore a secret that is scheduled for deletion, and continue.
          Default: fail.

      UPSERT_SECRET_ON_ROTATION
          allow: write even if rotation is enabled (the next rotation replaces the
          value). Default: fail.

      UPSERT_SECRET_ON_VALUE_IN_METADATA
          allow: accept a name, description, tag or staging label that contains the
          value, or a part of it, by coincidence. Default: fail.

      UPSERT_SECRET_MANIFEST
          YAML file with the desired state of many secrets and the sources of their
          values (see docs/manifest.md), instead of name, value and the other inputs
          for one secret.

      UPSERT_SECRET_RELEASE
          For rollback: the results of the run to undo, or file:PATH of its report.
          Versions that the run made current are replaced by the versions before
          them; later writes stay.

      UPSERT_SECRET_REPORT_FILE
          With manifest or release: file for the report of the run, as JSON, for
          later jobs. Default: on GitHub a file in $RUNNER_TEMP; on GitLab
          upsert-secret-report.json.

      UPSERT_SECRET_ONLY
          With manifest, release or import: process only secrets whose names match,
          such as prod/*; separate several patterns by commas. * matches any text, ?
          any character, [a-m] any of these characters. Default: all.

      UPSERT_SECRET_RATE
          With manifest, release or import: maximum calls per second for each group
          of operations that share an AWS quota (50 per second for most writes). By
          default, the first 100 calls use the whole quota, and later calls leave a
          fifth of it to others. The rate drops automatically when AWS throttles.
          Default: 50, then 40.

      UPSERT_SECRET_FAIL_FAST
          With manifest or release, true: start no further secret after the first
          failure. Default: false.

      UPSERT_SECRET_FAIL_ON_CHANGE
          With the command plan, true: exit with code 9 if the run would change
          something, for a scheduled job that reports drift. Commands that write
          reject it. Default: false.

      UPSERT_SECRET_ALL_OR_NOTHING
          With manifest or release, true: make either every new version current or
          none. After a conflict with another writer the run starts over; the next
          run rolls back one that was killed. Default: false.

      UPSERT_SECRET_INCLUDE_RESOURCE_POLICIES
          With the command import, true: also print resource policies, as far as
          they can be read. Default: false.

      UPSERT_SECRET_AWS_REGION
          Region of the secret. Default: AWS_REGION, AWS_DEFAULT_REGION, profile.

      UPSERT_SECRET_ROLE_TO_ASSUME
          ARN of a role to assume: on GitHub with the job's OIDC token (which needs
          permissions: id-token: write); elsewhere with the token in
          web-identity-token-env, or with the existing credentials, which
          role-chaining: true selects on GitHub too. The role's credentials stay in
          this process.

      UPSERT_SECRET_ROLE_SESSION_NAME
          Session name of the role, as it appears in CloudTrail. Default:
          upsert-secret-OWNER-REPOSITORY-RUN.

      UPSERT_SECRET_ROLE_DURATION_SECONDS
          Lifetime of the role's credentials, 900 to 43200 seconds. Default: 900.

      UPSERT_SECRET_ROLE_EXTERNAL_ID
          External ID that the role's trust policy requires; works with credentials,
          not with an OIDC token.

      UPSERT_SECRET_ROLE_CHAINING
          true: on GitHub, assume the role with the existing credentials instead of
          OIDC. Default: false.

      UPSERT_SECRET_AUDIENCE
          Audience of GitHub's OIDC token. Default: sts.amazonaws.com.

      UPSERT_SECRET_WEB_IDENTITY_TOKEN_ENV
          Name of the variable that holds an OIDC token (GitLab id_tokens, CircleCI,
          Bitbucket).

      UPSERT_SECRET_ALLOWED_ACCOUNT_IDS
          AWS account IDs, separated by commas; credentials of any other account are
          rejected before the secret is read. Default: any.

      UPSERT_SECRET_OUTPUT_FILE
          File to append the outputs to instead, as key=value lines. Default:
          outputs of the CI system, else standard output.

      UPSERT_SECRET_TIMEOUT
          Time limit for the run: 90s, 2m, 1h. Default: 2m; with manifest or release
          60m.

    Outputs (of the CI system, else key=value lines on standard output):

      secret_id
          The ARN of the secret.

      secret_name
          The name of the secret.

      secret_version_id
          The ID of the version that holds the value.

      previous_version_id
          The ID of the version that was current before, if this run moved
          AWSCURRENT.

      version_stages
          The staging labels of the version, separated by commas.

      result
          created, updated (a version or metadata was written) or unchanged; with
          plan, the expected result. With manifest, result and changed are empty if
          nothing was written and something failed.

      changed
          false if the result is unchanged, otherwise true.

      restored
          true if the secret was scheduled for deletion and was restored.

      region
          The region of the secret.

      created
          With manifest: number of secrets created; with plan, number to create.

      updated
          With manifest: number of secrets updated.

      unchanged
          With manifest: number of secrets that needed no change.

      failed
          With manifest: number of secrets that failed.

      not_tried
          With manifest: number of secrets not tried because the run ended first.

      results
          With manifest or release, on GitHub: results and IDs by name, as one line
          of JSON; omitted above 448 KiB.

      report_path
          With manifest or release: path of the report, a JSON file with all
          results: on GitHub for later steps of the job; on GitLab, and with
          report-file, also for later jobs. Empty if there is no report.

    Exit codes:

      0    done
      1    internal error: please report it
      2    bad input: no value, an invalid name, an unknown variable, an output file
           that cannot be written
      3    no usable credentials: none found, expired, an unknown access key, a
           wrong signature, no OIDC token, a role that cannot be assumed, an account
           that is not allowed
      4    not allowed: AccessDenied, a KMS key that the caller is not allowed to
           use
      5    conflict: another writer wrote after this run; expected-version-id is not
           current; other writers kept writing until timeout
      6    refused by state: scheduled for deletion, a replica, managed by another
           service, rotation enabled; a resource policy that is public or locks the
           caller out; a replication that failed; an input that AWS rejected after
           something was written; no version to promote or to roll back to; json-key
           on a value that is not a JSON object
      7    unavailable: throttling, server errors, timeouts, TLS and DNS errors,
           after retries; outputs that could not be written at the end
      8    limit: an AWS quota of secrets, versions, staging labels or tags
      9    changes pending: plan with fail-on-change found something to do
      130  cancelled: SIGINT
      143  cancelled: SIGTERM
    ");
}
