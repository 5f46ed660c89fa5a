//! The complete `--help` text, which is the reference of the command-line interface.

use insta::assert_snapshot;

use crate::common::Cli;

#[test]
fn help_text_matches_snapshot() {
    let outcome = Cli::with_empty_env().args(&["--help"]).run();
    assert_eq!(outcome.code, Some(0));
    assert_snapshot!(outcome.stdout, @r#"
    Put a CI secret into AWS Secrets Manager and hand its ids to the next step.

    Reads everything from the environment. It never deletes a secret, never rotates one
    and never prints a value.

    Usage: upsert-secret [COMMAND] [--manifest FILE] [--format text|json]

    Arguments:
      [COMMAND]  one of the commands below; upsert where none is given

    Options:
          --format <text|json>  json: one object on standard output, text on standard error
          --manifest <FILE>     many secrets in one run, as this YAML file says (UPSERT_SECRET_MANIFEST)
      -h, --help                Print help
      -V, --version             Print version

    Commands:

      upsert      create the secret, or give it the value, or leave it alone; the default
          UPSERT_SECRET_NAME=prod/key UPSERT_SECRET_VALUE_ENV=API_KEY upsert-secret

      plan        say what a run would do, and why; writes nothing
          UPSERT_SECRET_NAME=prod/key UPSERT_SECRET_VALUE_ENV=API_KEY upsert-secret plan

      promote     make the version current that holds a label (candidate), or has an id
          UPSERT_SECRET_NAME=prod/key UPSERT_SECRET_STAGE=candidate upsert-secret promote

      rollback    make the version current again that was current before
          UPSERT_SECRET_NAME=prod/key upsert-secret rollback

      iam-policy  print the least IAM policy for these inputs; asks nobody, needs no value
          UPSERT_SECRET_NAME=prod/key upsert-secret iam-policy

    Inputs (environment variables; empty is "not given"):

      UPSERT_SECRET_COMMAND
          upsert: create the secret, give it the value, or leave it alone.
          promote: make the version current that holds stage or is version-id.
          rollback: make the version current that was current before. plan: say
          what upsert would do, and why, and write nothing. iam-policy: print the
          least IAM policy for these inputs. Default: upsert.

      UPSERT_SECRET_NAME
          Required without manifest. Name or full ARN of the secret. An ARN's
          region must equal aws-region if that is given, and wins over AWS_REGION.
          A full ARN that does not exist cannot be created.

      UPSERT_SECRET_VALUE
          The value to store, byte for byte; usually ${{ secrets.NAME }}.

      UPSERT_SECRET_VALUE_ENV
          The name of the variable that holds the value, where it cannot be passed
          on under another name (GitLab).

      UPSERT_SECRET_VALUE_FILE
          A file that holds the value, byte for byte; - is standard input.

      UPSERT_SECRET_VALUE_ENCODING
          base64: decode the value before storing it. Default: text.

      UPSERT_SECRET_STORE_AS
          string or binary (SecretString or SecretBinary). Default: string.

      UPSERT_SECRET_JSON_KEY
          Set this key of a secret that holds a JSON object, and leave the others
          as they are: a key, or a JSON pointer (/database/password) for a nested
          one.

      UPSERT_SECRET_JSON_VALUE_AS
          json: the value of json-key is JSON itself, not a string. Default:
          string.

      UPSERT_SECRET_DESCRIPTION
          Description of the secret, at most 2,048 characters. Default: leave as
          it is.

      UPSERT_SECRET_KMS_KEY_ID
          KMS key that encrypts the secret: id, ARN or alias.
          alias/aws/secretsmanager is AWS's own. Default: leave as it is.

      UPSERT_SECRET_TAGS
          Tags: key=value lines, or a YAML or JSON mapping. Default: leave as they
          are.

      UPSERT_SECRET_TAG_POLICY
          merge adds and changes tags; replace also removes the ones that are not
          listed (never aws: ones). Default: merge.

      UPSERT_SECRET_REPLICA_REGIONS
          Regions to replicate the secret to: region or region=KMS-KEY, with white
          space or commas between them; none with replica-policy: replace. Waits
          until they are in sync. Default: leave as they are.

      UPSERT_SECRET_REPLICA_POLICY
          merge adds replicas; replace also removes the ones that are not listed,
          and makes those anew that have another KMS key. Default: merge.

      UPSERT_SECRET_RESOURCE_POLICY
          Resource policy: JSON, or file:PATH. AWS validates it first; one that is
          public, or locks the caller out, is refused. Default: leave as it is.

      UPSERT_SECRET_ALLOW_PUBLIC_POLICY
          true: attach resource-policy although it lets in everybody. Default:
          false.

      UPSERT_SECRET_IF_EXISTS
          skip: where the secret has a current value nothing is touched, neither
          value nor anything else. Default: update.

      UPSERT_SECRET_COMPARE
          auto: read the current value and write only when it differs; write also
          when reading is denied. always: a denied read is a failure. never:
          GetSecretValue is not called. Default: auto.

      UPSERT_SECRET_VERSION_STAGES
          Staging labels for the version, with commas between them. Without
          AWSCURRENT the version is put beside the current one, for promote.
          Default: AWSCURRENT.

      UPSERT_SECRET_EXPECTED_VERSION_ID
          Write, promote or roll back only while this version is current; another
          one is a conflict (exit 5), unless the value is there already.

      UPSERT_SECRET_STAGE
          For promote: the staging label whose version becomes current. Default:
          candidate.

      UPSERT_SECRET_VERSION_ID
          For promote: the version that becomes current, instead of stage.

      UPSERT_SECRET_VERSION_ID_KEY
          Another CI secret, 16 bytes or more, that keys the version id to the
          value: an unchanged value keeps its version even with compare: never.

      UPSERT_SECRET_ON_SCHEDULED_DELETION
          restore: take a secret that is scheduled for deletion back and go on.
          Default: fail.

      UPSERT_SECRET_ON_ROTATION
          allow: write although rotation is enabled (the next rotation replaces
          the value). Default: fail.

      UPSERT_SECRET_MANIFEST
          A YAML file that says what many secrets shall be and where their values
          come from (see docs/manifest.md), instead of name, value and whatever
          else is about one secret.

      UPSERT_SECRET_ONLY
          With manifest: only secrets with a name like this, such as prod/*;
          several with commas between them. * is any text, ? any character, [a-m]
          one of these. Default: all.

      UPSERT_SECRET_RATE
          With manifest: calls a second, at most, of each family of operations
          that share a quota of AWS (50 a second for most that write); slower by
          itself where AWS throttles. Default: 40.

      UPSERT_SECRET_FAIL_FAST
          With manifest, true: after the first failure no further secret is begun.
          Default: false.

      UPSERT_SECRET_ALL_OR_NOTHING
          With manifest, true: either every new version becomes current or none
          does. A conflict with another writer starts over; a run that is killed
          is rolled back by the next one. Default: false.

      UPSERT_SECRET_AWS_REGION
          Region of the secret. Default: AWS_REGION, AWS_DEFAULT_REGION, profile.

      UPSERT_SECRET_ROLE_TO_ASSUME
          ARN of a role to assume: with GitHub's OIDC token (the job needs
          permissions: id-token: write), with the token that
          web-identity-token-env names, or elsewhere, and with role-chaining:
          true, with the credentials that are there. Its credentials stay in this
          process.

      UPSERT_SECRET_ROLE_SESSION_NAME
          How AWS's logs call the session. Default:
          upsert-secret-OWNER-REPOSITORY-RUN.

      UPSERT_SECRET_ROLE_DURATION_SECONDS
          How long the role's credentials are good for, 900 to 43200 seconds.
          Default: 900.

      UPSERT_SECRET_ROLE_EXTERNAL_ID
          External id that the role's trust policy asks for; goes with
          credentials, not with an OIDC token.

      UPSERT_SECRET_ROLE_CHAINING
          true: on GitHub, assume the role with the credentials that are there
          rather than by OIDC. Default: false.

      UPSERT_SECRET_AUDIENCE
          Audience of GitHub's OIDC token. Default: sts.amazonaws.com.

      UPSERT_SECRET_WEB_IDENTITY_TOKEN_ENV
          The name of the variable that holds an OIDC token (GitLab id_tokens,
          CircleCI, Bitbucket).

      UPSERT_SECRET_ALLOWED_ACCOUNT_IDS
          AWS account ids with commas between them; credentials of any other
          account are refused before the secret is looked at. Default: any.

      UPSERT_SECRET_OUTPUT_FILE
          A file that outputs are appended to instead, as key=value lines.
          Default: $GITHUB_OUTPUT; on GitLab upsert-secret.env; else standard
          output.

      UPSERT_SECRET_TIMEOUT
          Limit for the whole run: 90s, 2m, 1h. Default: 2m; with manifest 60m.

    Outputs (key=value lines in the step's outputs, in GitLab's dotenv report, or on standard output):

      secret_id
          The ARN of the secret.

      secret_name
          Its name.

      secret_version_id
          The version that holds the value.

      previous_version_id
          The version that was AWSCURRENT before, if this run moved the label.

      version_stages
          The staging labels of the version, with commas between them.

      result
          created, updated (a version or metadata was written) or unchanged; of a
          plan, what it would be. With manifest empty, as changed is, where
          nothing was written and something failed.

      changed
          false if the result is unchanged, else true.

      restored
          true if the secret was scheduled for deletion and was taken back.

      region
          Its region.

      created
          With manifest: how many secrets were created; in a plan, would be.

      updated
          With manifest: how many were updated.

      unchanged
          With manifest: how many were as they shall be.

      failed
          With manifest: how many failed.

      not_tried
          With manifest: how many were not looked at, because the run ended
          before.

      results
          With manifest, on GitHub: results and ids by name, as one line of JSON;
          left out above 256 KiB.

      report_path
          With manifest, on GitHub: the path of a JSON file with all of it, for
          later steps of the same job.

    Exit codes:

      0    done
      1    internal error: please report it
      2    bad input: no value, a bad name, an unknown variable, an output file
           that cannot be written
      3    no usable credentials: none found, expired, an unknown key, a wrong
           signature, OIDC or the role refused, an account that is not allowed
      4    not allowed: AccessDenied, a KMS key that may not be used
      5    conflict: somebody wrote after this run did; expected-version-id is not
           current; others kept writing until timeout
      6    refused by state: scheduled for deletion, a replica, managed by another
           service, rotation enabled; a resource policy that is public or locks the
           run out; a replica that failed; no version to promote or to go back to;
           json-key on what is no JSON object
      7    unavailable: throttled, server errors, time-outs, TLS, DNS, after
           retries
      8    limit: AWS's quotas of versions and labels
      130  cancelled: SIGINT
      143  cancelled: SIGTERM
    "#);
}
