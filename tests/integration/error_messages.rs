//! The exact text of error messages: headline, cause, next step and exit code.

mod situations;

use std::collections::BTreeMap;

use insta::assert_snapshot;
use sandbox::{Key, Policy, Sandbox};

use crate::common::{Cli, NAME, call_count, current_value, missing_path, normalized_stderr};

#[test]
fn empty_value_on_github_is_explained() {
    let sandbox = Sandbox::start();
    let outcome = Cli::new(&sandbox, "").github().run();
    outcome.expect(2, "");
    assert!(sandbox.log().is_empty());
    assert_snapshot!(normalized_stderr(&outcome), @r#"
    ::error title=upsert-secret failed::there is no value: UPSERT_SECRET_VALUE is empty
      why:  a CI secret that is not defined arrives as an empty string
      next: is the secret defined for this repository, and for this job's `environment:`? Is its name spelled as in `secrets.NAME`?
            Secrets are not passed to workflows that a fork or Dependabot triggers
      exit: 2 (bad input)
    "#);
    assert_snapshot!(outcome.summary, @r#"
    ### upsert-secret failed: bad input (exit 2)

    **there is no value: UPSERT\_SECRET\_VALUE is empty**

    - **Why:** a CI secret that is not defined arrives as an empty string
    - **Next:**
      - is the secret defined for this repository, and for this job's `environment:`? Is its name spelled as in `secrets.NAME`?
      - Secrets are not passed to workflows that a fork or Dependabot triggers
    "#);
}

/// Any file that cannot be read or written is reported with the reason in words.
#[cfg(unix)]
#[test]
fn file_errors_have_no_system_numbers() {
    let sandbox = Sandbox::start();
    let base = || Cli::new(&sandbox, "made-up");
    let from_file = |path: &str| {
        base()
            .unset("UPSERT_SECRET_VALUE")
            .input("value-file", path)
    };
    let folder = base();
    let link = folder.path("loop");
    std::os::unix::fs::symlink(&link, &link).unwrap();
    let (link, folder_path) = (
        link.display().to_string(),
        folder.path("").display().to_string(),
    );
    let below_file = format!("{}/x", std::env::current_exe().unwrap().display());
    let long = format!("/{}", "x".repeat(300));
    let missing = missing_path(&folder.path(""));
    for path in [&link, &folder_path, &below_file, &long, &missing] {
        let no_manifest = || {
            base()
                .unset("UPSERT_SECRET_VALUE")
                .unset("UPSERT_SECRET_NAME")
                .input("manifest", path)
        };
        let cases = [
            ("output-file", base().input("output-file", path)),
            ("value-file", from_file(path)),
            ("manifest", no_manifest()),
            (
                "policy",
                base().input("resource-policy", &format!("file:{path}")),
            ),
            ("bundle", base().env("AWS_CA_BUNDLE", path)),
            ("summary", base().github().env("GITHUB_STEP_SUMMARY", path)),
            (
                "report",
                manifest_run(&sandbox).github().env("RUNNER_TEMP", path),
            ),
        ];
        for (what, cli) in cases {
            let outcome = cli.run();
            let text = outcome.all_output();
            assert!(!text.contains("os error"), "{what} {path}: {text}");
            assert!(!text.contains("uncategorized"), "{what} {path}: {text}");
            let is_said = outcome.stderr.contains("cannot") || outcome.stderr.contains("no ");
            assert!(is_said || path == &folder_path, "{what} {path}: {text}");
        }
    }
}

fn manifest_run(sandbox: &Sandbox) -> Cli {
    let cli = Cli::new(sandbox, "")
        .unset("UPSERT_SECRET_VALUE")
        .unset("UPSERT_SECRET_NAME")
        .env("V", "made-up");
    let path = cli.path("secrets.yaml");
    std::fs::write(&path, "secrets:\n  a: { value: { env: V } }\n").unwrap();
    cli.input("manifest", &path.display().to_string())
}

#[test]
fn start_as_image_shell_is_explained() {
    // CI systems do this in an image whose entrypoint is upsert-secret.
    let sandbox = Sandbox::start();
    let outcome = Cli::new(&sandbox, "made-up")
        .args(&["sh", "-c", "echo made-up"])
        .run();
    outcome.expect(2, "");
    assert!(sandbox.log().is_empty());
    assert_eq!(outcome.stdout, "");
    assert_snapshot!(normalized_stderr(&outcome), @r#"
    error: upsert-secret was started as if it were a shell, and the script was not run
      why:  this looks like a CI system that starts a shell in an image whose entrypoint is upsert-secret
      next: remove the entrypoint (GitLab: `image: {name: …, entrypoint: [""]}`) or use the published image, which has none;
            then call `upsert-secret` in the job's script
      exit: 2 (bad input)
    "#);
}

#[test]
fn denied_write_names_action_and_resource() {
    let sandbox = Sandbox::start();
    let key = sandbox.default_key_id();
    sandbox.set_policy(&key, Policy::deny(&["secretsmanager:PutSecretValue"]));
    sandbox.with(|world| world.create(NAME, "old"));
    let outcome = Cli::new(&sandbox, "made-up").run();
    outcome.expect(4, "");
    assert_snapshot!(normalized_stderr(&outcome), @r"
      secret   arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/model/api-key-[six]
    error: an explicit deny forbids PutSecretValue on prod/model/api-key
      why:  AWS answered: User: arn:aws:iam::111122223333:user/sandbox is not authorized to perform: secretsmanager:PutSecretValue on resource: arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/model/api-key-[six] with an explicit deny in an identity-based policy
      next: exempt the caller from that deny, and allow this in its policy:
              action    secretsmanager:PutSecretValue
              resource  arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/model/api-key-[six]
      aws:  PutSecretValue, AccessDeniedException, request id [id]
      exit: 4 (not allowed)
    ");

    sandbox.set_policy(&key, Policy::deny(&["secretsmanager:CreateSecret"]));
    let outcome = Cli::new(&sandbox, "made-up").input("name", "new").run();
    outcome.expect(4, "");
    assert_snapshot!(normalized_stderr(&outcome), @r"
    error: an explicit deny forbids CreateSecret on new
      why:  AWS answered: User: arn:aws:iam::111122223333:user/sandbox is not authorized to perform: secretsmanager:CreateSecret on resource: new with an explicit deny in an identity-based policy
      next: if the deny requires tags or a KMS key on new secrets, as service control policies do, set UPSERT_SECRET_TAGS or UPSERT_SECRET_KMS_KEY_ID;
            otherwise change the deny:
              action    secretsmanager:CreateSecret
              resource  arn:aws:secretsmanager:eu-west-1:111122223333:secret:new-??????
      aws:  CreateSecret, AccessDeniedException, request id [id]
      exit: 4 (not allowed)
    ");
}

#[test]
fn missing_action_is_the_one_aws_names() {
    let sandbox = Sandbox::start();
    let key = sandbox.default_key_id();
    sandbox.set_policy(&key, Policy::deny(&["secretsmanager:TagResource"]));
    let cli = || Cli::new(&sandbox, "made-up").input("name", "prod/kms/key");
    // Creating a secret with tags needs both permissions.
    let outcome = cli().input("tags", "k=v").run();
    outcome.expect(4, "");
    assert!(
        outcome
            .stderr
            .contains("action    secretsmanager:TagResource"),
        "{}",
        outcome.stderr
    );
    // Known IDs are output although the run fails.
    let first = cli().run();
    first.expect(0, "created");
    let outcome = cli().input("tags", "k=v").run();
    assert_eq!(outcome.code, Some(4), "{}", outcome.stderr);
    assert_eq!(
        outcome.output("secret_version_id"),
        first.output("secret_version_id")
    );
}

#[test]
fn malformed_profile_key_is_no_internal_error() {
    let sandbox = Sandbox::start();
    let cli = Cli::new(&sandbox, "made-up")
        .unset("AWS_ACCESS_KEY_ID")
        .unset("AWS_SECRET_ACCESS_KEY");
    std::fs::create_dir(cli.path(".aws")).unwrap();
    std::fs::write(
        cli.path(".aws/credentials"),
        "[default]\naws_access_key_id = AKIAMADE\u{7f}UP\naws_secret_access_key = made-\u{fc}p\n",
    )
    .unwrap();
    cli.run().expect(3, "");
}

#[test]
fn unusable_kms_key_is_explained() {
    let sandbox = Sandbox::start();
    let outcome = Cli::new(&sandbox, "made-up")
        .input("kms-key-id", "alias/nowhere")
        .run();
    outcome.expect(2, "");
    assert_snapshot!(normalized_stderr(&outcome), @r#"
    error: the KMS key alias/nowhere does not exist in account 111122223333, region eu-west-1
      why:  AWS answered: The operation failed because of an invalid KMS key: Alias arn:aws:kms:eu-west-1:111122223333:alias/nowhere is not found.
      next: set UPSERT_SECRET_KMS_KEY_ID to a key of that account and region: its ARN, its ID, or `alias/` and the name of an alias; a key of another account needs its full ARN
      aws:  CreateSecret, InvalidParameterException, request id [id]
      exit: 2 (bad input)
    "#);
}

#[test]
fn protected_states_are_refused() {
    let sandbox = Sandbox::start();
    sandbox.with(|world| {
        for name in ["rotating", "managed", "replicated", "deleted"] {
            world.create(name, "old");
        }
        world.set_rotation("rotating", true);
        world.set_owning_service("managed", "rds");
        world.replicate("replicated", "us-east-1");
        world.schedule_deletion("deleted");
    });
    let mut all = String::new();
    for (name, region) in [
        ("rotating", "eu-west-1"),
        ("managed", "eu-west-1"),
        ("replicated", "us-east-1"),
        ("deleted", "eu-west-1"),
    ] {
        let outcome = Cli::new(&sandbox, "made-up")
            .input("name", name)
            .input("aws-region", region)
            .run();
        outcome.expect(6, "");
        all.push_str(&normalized_stderr(&outcome));
        all.push('\n');
    }
    assert_snapshot!(all, @r#"
      secret   arn:aws:secretsmanager:eu-west-1:111122223333:secret:rotating-[six]
    error: rotating has rotation enabled: the next rotation would replace the value
      next: set UPSERT_SECRET_ON_ROTATION=allow to write it anyway, or turn off rotation
      exit: 6 (refused by state)
      secret   arn:aws:secretsmanager:eu-west-1:111122223333:secret:managed-[six]
    error: managed is managed by the AWS service rds
      next: change the value there, or use a secret with another name
      exit: 6 (refused by state)
      secret   arn:aws:secretsmanager:us-east-1:111122223333:secret:replicated-[six]
    error: replicated in us-east-1 is a replica; it can only be written in eu-west-1
      next: set UPSERT_SECRET_AWS_REGION to eu-west-1: AWS updates the replica from there
      exit: 6 (refused by state)
      secret   arn:aws:secretsmanager:eu-west-1:111122223333:secret:deleted-[six]
    error: deleted is scheduled for deletion
      next: set UPSERT_SECRET_ON_SCHEDULED_DELETION=restore to restore and write it, or choose another name
      exit: 6 (refused by state)
    "#);
    assert_eq!(call_count(&sandbox, "PutSecretValue"), 0);

    Cli::new(&sandbox, "made-up")
        .input("name", "rotating")
        .input("on-rotation", "allow")
        .run()
        .expect(0, "updated");
    Cli::new(&sandbox, "made-up")
        .input("name", "replicated")
        .run()
        .expect(0, "updated");
}

#[test]
fn invalid_credentials_are_distinguished() {
    let sandbox = Sandbox::start();
    let expired = Key {
        id: "ASIAMADEUPEXPIRED000".to_owned(),
        secret: "made-up-secret-key-of-an-expired-session".to_owned(),
        session_token: Some("made-up-session-token".to_owned()),
        account: sandbox.account().to_owned(),
        user_arn: "arn:aws:sts::111122223333:assumed-role/ci/made-up".to_owned(),
        policy: Policy::allow_all(),
        expires: Some(std::time::SystemTime::UNIX_EPOCH),
    };
    let (id, secret) = (expired.id.clone(), expired.secret.clone());
    sandbox.add_key(expired);
    let cli = || Cli::new(&sandbox, "made-up");
    let cases = [
        cli()
            .unset("AWS_ACCESS_KEY_ID")
            .unset("AWS_SECRET_ACCESS_KEY"),
        cli().env("AWS_ACCESS_KEY_ID", "AKIAMADEUPUNKNOWN000"),
        cli().env("AWS_SECRET_ACCESS_KEY", "made-up-wrong-secret-key"),
        cli()
            .env("AWS_ACCESS_KEY_ID", &id)
            .env("AWS_SECRET_ACCESS_KEY", &secret)
            .env("AWS_SESSION_TOKEN", "made-up-session-token"),
        cli().env("AWS_ACCESS_KEY_ID", "AKIAMADEUP\n"),
        cli()
            .env("AWS_SESSION_TOKEN", "")
            .env("AWS_ACCESS_KEY_ID", ""),
    ];
    let mut all = String::new();
    for case in cases {
        let outcome = case.run();
        assert_eq!(outcome.code, Some(3), "{}", outcome.stderr);
        let first = normalized_stderr(&outcome);
        all.push_str(first.lines().next().unwrap_or_default());
        all.push('\n');
    }
    assert_snapshot!(all, @r"
    error: no AWS credentials were found
    error: AWS does not recognize these credentials
    error: AWS rejected the signature
    error: the AWS credentials have expired
    error: AWS_ACCESS_KEY_ID contains white space, a line break or another character that keys cannot have
    error: AWS_SECRET_ACCESS_KEY is set, but AWS_ACCESS_KEY_ID is not
    ");
    assert_eq!(call_count(&sandbox, "CreateSecret"), 0);
}

#[test]
fn invalid_input_is_rejected_offline() {
    let sandbox = Sandbox::start();
    let cli = || Cli::new(&sandbox, "made-up");
    let unwritable = missing_path(std::path::Path::new("/"));
    let cases: BTreeMap<&str, Cli> = BTreeMap::from([
        ("typo", cli().input("descripton", "x")),
        ("manifest and name", cli().input("manifest", "x")),
        ("unknown command", cli().input("command", "made-up")),
        ("own region", cli().input("replica-regions", "eu-west-1")),
        ("policy", cli().input("resource-policy", "{made-up")),
        (
            "long policy",
            cli().input("resource-policy", &format!("{{{}}}", " ".repeat(20_480))),
        ),
        ("no policy", cli().input("allow-public-policy", "true")),
        (
            "policy file",
            cli().input("resource-policy", "file:/dev/zero"),
        ),
        ("command line", cli().args(&["--value", "made-up"])),
        ("no name", cli().input("name", "")),
        ("output file", cli().input("output-file", &unwritable)),
        ("two sources", cli().input("value-file", "-")),
        (
            "no such file",
            cli().input("value", "").input("value-file", &unwritable),
        ),
        (
            "endpoint",
            cli().env("AWS_ENDPOINT_URL_SECRETS_MANAGER", "localhost:4566"),
        ),
        ("bodies", cli().env("LOG_SIGNABLE_BODY", "true")),
        ("no region", cli().unset("AWS_REGION")),
    ]);
    let mut all = String::new();
    for (context, case) in cases {
        let outcome = case.run();
        assert_eq!(outcome.code, Some(2), "{context}: {}", outcome.stderr);
        let last = outcome.stderr.lines().last();
        assert_eq!(last, Some("  exit: 2 (bad input)"), "{context}");
        all.push_str(&format!(
            "{context}: {}\n",
            outcome.stderr.lines().next().unwrap_or_default()
        ));
    }
    assert_snapshot!(all, @r#"
    bodies: error: LOG_SIGNABLE_BODY is set: it makes the AWS SDK log request bodies, the value included; unset it
    command line: error: unknown option on the command line
    endpoint: error: AWS_ENDPOINT_URL_SECRETS_MANAGER must be a URL such as `https://host:port`
    long policy: error: UPSERT_SECRET_RESOURCE_POLICY is longer than 20480 characters
    manifest and name: error: UPSERT_SECRET_NAME applies to one secret; the manifest names its secrets and the sources of their values
    no name: error: UPSERT_SECRET_NAME is not set: it is the name or the ARN of the secret
    no policy: error: UPSERT_SECRET_ALLOW_PUBLIC_POLICY is set, but UPSERT_SECRET_RESOURCE_POLICY is not
    no region: error: no AWS region is configured
    no such file: error: UPSERT_SECRET_VALUE_FILE cannot be read
    output file: error: outputs cannot be written
    own region: error: UPSERT_SECRET_REPLICA_REGIONS names eu-west-1, the region of the secret itself
    policy: error: UPSERT_SECRET_RESOURCE_POLICY is not JSON: line 1, column 2
    policy file: error: UPSERT_SECRET_RESOURCE_POLICY names something that is not a regular file
    two sources: error: UPSERT_SECRET_VALUE and UPSERT_SECRET_VALUE_FILE are both given
    typo: error: UPSERT_SECRET_DESCRIPTON is not an input; did you mean UPSERT_SECRET_DESCRIPTION?
    unknown command: error: unknown command
    "#);
    assert!(sandbox.log().is_empty());
    assert_eq!(current_value(&sandbox), None);
}
