//! `import`: the manifest of existing secrets. It reads no value, writes nothing, and reports what it leaves out.

use insta::assert_snapshot;
use sandbox::client::Client;
use sandbox::{Fault, Policy, Sandbox, When, World};
use serde_json::{Value, json};

use crate::common::{
    Cli, Outcome, WAIT_LIMIT, call_count, normalized_stderr, operations, send_signal,
};

mod round_trip;

const POLICY: &str = r###"{"Version":"2012-10-17","Statement":{"Sid":"##[error]x","Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"secretsmanager:GetSecretValue","Resource":"*"}}"###;

/// `import` with the sandbox's credentials and no input.
fn import_cli(sandbox: &Sandbox, patterns: &[&str]) -> Cli {
    let cli = Cli::new(sandbox, "")
        .unset("UPSERT_SECRET_NAME")
        .unset("UPSERT_SECRET_VALUE");
    cli.args(&["import"]).extra_args(patterns)
}

/// Creates a secret with these additional request fields.
fn create(sandbox: &Sandbox, name: &str, mut input: Value) {
    input["Name"] = json!(name);
    input["SecretString"] = json!("made-up-value");
    let token = sandbox.log().len();
    input["ClientRequestToken"] = json!(format!("{token:032}"));
    let created = Client::new(&sandbox.url())
        .call("CreateSecret", &input)
        .unwrap();
    assert_eq!(created.status, 200, "{:?}", created.body);
}

fn example() -> Sandbox {
    let sandbox = Sandbox::start();
    sandbox.with(|world| world.add_kms_key("alias/models"));
    create(
        &sandbox,
        "prod/model/api-key",
        json!({
            "Description": "API key for AI model deployment workflow",
            "KmsKeyId": "alias/models",
            "Tags": [{"Key": "team", "Value": "ml"}, {"Key": "Cost center", "Value": ""}],
        }),
    );
    create(
        &sandbox,
        "prod/2",
        json!({"Description": "two\nlines: ${NAME} ::error::\u{1b}[31m"}),
    );
    create(&sandbox, "prod/blank", json!({"Description": " "}));
    sandbox.with(|world| {
        for name in [
            "prod/shared",
            "prod/rotates",
            "prod/deleted",
            "prod/failed",
            "dev/key",
        ] {
            world.create(name, "made-up-value");
        }
        world.replicate("prod/shared", "eu-west-2");
        world.replicate("prod/shared", "us-east-1");
        world.put_resource_policy("prod/shared", POLICY);
        world.disable_region("ap-east-1");
        world.replicate("prod/failed", "ap-east-1");
        world.set_rotation("prod/rotates", true);
        world.schedule_deletion("prod/deleted");
        world.create("rds!cluster-1", "made-up-value");
        world.set_owning_service("rds!cluster-1", "rds");
    });
    sandbox.clear_log();
    sandbox
}

#[track_caller]
fn manifest(cli: &Cli) -> String {
    let outcome = cli.run();
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    outcome.stdout
}

/// The lines of a manifest below its heading.
fn body(manifest: &str) -> &str {
    manifest.split_once("secrets:\n").unwrap().1
}

#[test]
fn manifest_matches_snapshot() {
    let sandbox = example();
    let cli = import_cli(&sandbox, &[]).input("include-resource-policies", "true");
    let outcome = cli.run();
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert_snapshot!(outcome.stdout, @r##"
    # yaml-language-server: $schema=https://github.com/upsert-secret/upsert-secret/raw/v0.1.0/manifest.schema.json
    # Secrets in eu-west-1. No value was read: put each one into the variable that its entry names, or change `value`.
    # An entry whose secret is binary (SecretBinary) also needs `store-as: binary`.
    secrets:
      dev/key:
        value: { env: DEV_KEY }
      prod/2:
        description: "two\nlines: $${NAME} ::error::\u001b[31m"
        value: { env: PROD_2 }
      prod/blank:
        # description is omitted: it begins or ends with white space, which a manifest does not keep
        value: { env: PROD_BLANK }
      prod/failed:
        # replica-regions lacks ap-east-1, where replication has failed
        value: { env: PROD_FAILED }
      prod/model/api-key:
        description: API key for AI model deployment workflow
        kms-key-id: alias/models
        tags:
          Cost center: ""
          team: ml
        value: { env: PROD_MODEL_API_KEY }
      prod/shared:
        replica-regions:
          - eu-west-2
          - us-east-1
        resource-policy: |
          {
            "Version": "2012-10-17",
            "Statement": {
              "Sid": "#\u0023[error]x",
              "Effect": "Allow",
              "Principal": {
                "AWS": "111122223333"
              },
              "Action": "secretsmanager:GetSecretValue",
              "Resource": "*"
            }
          }
        value: { env: PROD_SHARED }
    # Omitted:
    # prod/deleted is scheduled for deletion
    # prod/rotates has rotation enabled: the next rotation would replace a value from a manifest
    # rds!cluster-1 is managed by another AWS service, and only that service can write it
    "##);
    assert_snapshot!(normalized_stderr(&outcome), @"
    notice: 6 secrets in the manifest, and 3 omitted: comments at its end give the reasons
    warning: 2 secrets incomplete: comments list what is missing, and why
    ");
    let called = operations(&sandbox);
    assert!(
        !called.iter().any(|operation| operation.contains("Value")),
        "{called:?}"
    );
}

#[test]
fn patterns_select_names() {
    let sandbox = example();
    for cli in [
        import_cli(&sandbox, &["prod/model/*", "dev/ke?"]),
        import_cli(&sandbox, &["prod/model/*,dev/key"]),
        import_cli(&sandbox, &[]).input("only", "dev/key prod/model/*"),
        import_cli(&sandbox, &["dev/key", "prod/model/*"]).input("only", "prod/2"),
        import_cli(&sandbox, &["[dp]*/[km]*"]),
    ] {
        let manifest = manifest(&cli);
        let names = body(&manifest)
            .lines()
            .filter(|line| !line.starts_with("   "));
        assert_eq!(
            names.collect::<Vec<_>>(),
            ["  dev/key:", "  prod/model/api-key:"]
        );
    }
}

#[test]
fn many_secrets_come_in_pages() {
    let sandbox = Sandbox::start();
    sandbox.with(|world| {
        for number in 0..250 {
            world.create(&format!("many/{number:03}"), "made-up-value");
            world.create(&format!("other/{number:03}"), "made-up-value");
        }
    });
    let filtered = manifest(&import_cli(&sandbox, &["many/*"]));
    assert_eq!(filtered.matches("value: { env: MANY_").count(), 250);
    assert_eq!(operations(&sandbox), ["ListSecrets"; 3]);
    sandbox.clear_log();
    // A pattern without a literal prefix does not filter.
    assert_eq!(manifest(&import_cli(&sandbox, &["*any/*"])), filtered);
    assert_eq!(operations(&sandbox), ["ListSecrets"; 5]);
}

#[test]
fn denied_list_is_explained() {
    let sandbox = example();
    sandbox.set_policy(
        &sandbox.default_key_id(),
        Policy::deny(&["secretsmanager:ListSecrets"]),
    );
    let outcome = import_cli(&sandbox, &[]).run();
    assert_eq!((outcome.code, &*outcome.stdout), (Some(4), ""));
    assert_snapshot!(normalized_stderr(&outcome), @"
    error: an explicit deny forbids ListSecrets on the secrets of the account
      why:  AWS answered: User: arn:aws:iam::111122223333:user/sandbox is not authorized to perform: secretsmanager:ListSecrets on resource: * with an explicit deny in an identity-based policy
      next: exempt the caller from that deny, and allow this in its policy:
              action    secretsmanager:ListSecrets
              resource  *
      aws:  ListSecrets, AccessDeniedException, request id [id]
      exit: 4 (not allowed)
    ");
}

#[test]
fn denied_metadata_is_a_comment() {
    let sandbox = example();
    let denied = [
        "secretsmanager:DescribeSecret",
        "secretsmanager:GetResourcePolicy",
    ];
    sandbox.set_policy(&sandbox.default_key_id(), Policy::deny(&denied));
    let cli = import_cli(&sandbox, &["prod/shared"]).input("include-resource-policies", "true");
    let outcome = cli.run();
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert_snapshot!(body(&outcome.stdout), @"
    prod/shared:
      # replica-regions is omitted: DescribeSecret is denied
      # resource-policy is omitted: GetResourcePolicy is denied
      value: { env: PROD_SHARED }
    ");
    assert!(
        outcome
            .stderr
            .contains("; DescribeSecret is denied; GetResourcePolicy is denied"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn throttled_calls_are_repeated() {
    let sandbox = example();
    let whole = manifest(&import_cli(&sandbox, &[]));
    for operation in ["ListSecrets", "DescribeSecret"] {
        sandbox.fault(operation, 1, Fault::Throttle);
        assert_eq!(manifest(&import_cli(&sandbox, &[])), whole);
    }
}

/// Nothing is printed if any request got no response: a manifest that lacks secrets would look complete.
#[test]
fn unanswered_calls_print_nothing() {
    for (operation, fault, why) in [
        ("ListSecrets", Fault::EmptyObject, "could not be read"),
        ("ListSecrets", Fault::MalformedBody, "could not be read"),
        ("DescribeSecret", Fault::MalformedBody, "could not be read"),
        (
            "ListSecrets",
            Fault::Never,
            "it was waiting for the list of secrets",
        ),
        (
            "DescribeSecret",
            Fault::Never,
            "it was waiting for metadata of secrets",
        ),
    ] {
        let sandbox = example();
        for attempt in 1..=20 {
            sandbox.fault(operation, attempt, fault.clone());
        }
        let outcome = import_cli(&sandbox, &[]).input("timeout", "2s").run();
        assert_eq!(
            (outcome.code, &*outcome.stdout),
            (Some(7), ""),
            "{}",
            outcome.stderr
        );
        assert!(
            outcome.stderr.contains(why),
            "{operation} {fault:?}: {}",
            outcome.stderr
        );
    }
}

#[cfg(unix)]
#[test]
fn cancelled_import_prints_nothing() {
    let sandbox = example();
    let held = sandbox.hold("ListSecrets", 1, When::BeforeApply);
    let cli = import_cli(&sandbox, &[]);
    let child = cli.spawn();
    assert!(held.wait_reached(WAIT_LIMIT));
    send_signal(&child, "TERM");
    // The run waits for the response to a request that was sent.
    held.release();
    let outcome = cli.finish(child);
    assert_eq!(
        (outcome.code, &*outcome.stdout),
        (Some(143), ""),
        "{}",
        outcome.stderr
    );
    assert!(!outcome.stderr.contains("write"), "{}", outcome.stderr);
}

#[test]
fn nothing_to_import_fails() {
    let sandbox = example();
    let stderr = |patterns: &[&str]| {
        let outcome = import_cli(&sandbox, patterns).run();
        assert_eq!((outcome.code, &*outcome.stdout), (Some(6), ""));
        normalized_stderr(&outcome)
    };
    assert_snapshot!(stderr(&["staging/*"]), @"
    error: found no secret in eu-west-1
      next: check UPSERT_SECRET_ONLY, UPSERT_SECRET_AWS_REGION and the account; ListSecrets can show a new secret minutes late
      exit: 6 (refused by state)
    ");
    assert_snapshot!(stderr(&["prod/rotates", "prod/deleted"]), @"
    error: of 2 secrets that match, none can be in a manifest
      why:  prod/deleted is scheduled for deletion
            prod/rotates has rotation enabled: the next rotation would replace a value from a manifest
      next: select other secrets with UPSERT_SECRET_ONLY, or another region with UPSERT_SECRET_AWS_REGION
      exit: 6 (refused by state)
    ");
}

#[test]
fn replica_is_left_out_in_its_region() {
    let sandbox = example();
    sandbox.with(|world| world.replicate("dev/key", "eu-west-2"));
    let outcome = import_cli(&sandbox, &["dev/key"])
        .input("aws-region", "eu-west-2")
        .run();
    assert_eq!(outcome.code, Some(6));
    assert!(
        outcome
            .stderr
            .contains("dev/key is a replica; its primary is in eu-west-1"),
        "{}",
        outcome.stderr
    );
}

/// On GitHub and with `output-file`, the error only appears at the end, because outputs go elsewhere.
#[test]
#[cfg(target_os = "linux")]
fn full_device_has_one_suitable_error() {
    use std::fs::File;

    let sandbox = example();
    let shown = |cli: &Cli| {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let child = cli.command().stdout(full).spawn().unwrap();
        let outcome = cli.finish(child);
        assert!(
            !outcome.stderr.contains("output-file"),
            "{}",
            outcome.stderr
        );
        normalized_stderr(&outcome)
    };
    let early = shown(&import_cli(&sandbox, &[]));
    assert_snapshot!(early, @"
    error: outputs cannot be written
      why:  cannot write to standard output: there is no space left
      next: free some space, or redirect standard output to another place
      exit: 2 (bad input)
    ");
    assert_eq!(shown(&import_cli(&sandbox, &["--format", "json"])), early);
    assert!(sandbox.log().is_empty());
    assert_snapshot!(shown(&import_cli(&sandbox, &["dev/*"]).github()), @"
    ::notice title=upsert-secret::1 secret in the manifest
    ::error title=upsert-secret failed::outputs could not be written
      why:  cannot write to standard output: there is no space left
      next: is the disk full? Run again when it has space: nothing is written to AWS twice
      exit: 7 (unavailable)
    ");
}

#[test]
fn secret_of_the_environment_is_not_printed() {
    let sandbox = example();
    let secret = "made-up-password-of-41-bytes-made-up-pass";
    create(
        &sandbox,
        "prod/leak",
        json!({"Description": format!("the key is {secret}")}),
    );
    // The value of another step, and a credential.
    for cli in [
        import_cli(&sandbox, &[]).input("value", secret),
        import_cli(&sandbox, &[])
            .input("value-env", "KEY")
            .env("KEY", secret),
        import_cli(&sandbox, &[]).input("version-id-key", secret),
    ] {
        let outcome = cli.run();
        assert_eq!(
            (outcome.code, &*outcome.stdout),
            (Some(6), ""),
            "{}",
            outcome.stderr
        );
        assert!(
            outcome
                .stderr
                .contains("the entry of prod/leak would reveal a secret"),
            "{}",
            outcome.stderr
        );
        assert!(!outcome.all_output().contains(secret));
    }
    assert!(manifest(&import_cli(&sandbox, &[])).contains(secret));
}

#[test]
fn runner_obeys_nothing_in_a_manifest() {
    let sandbox = example();
    for text in [
        "::error::x",
        " ::set-output name=a::b",
        "##[error]x",
        "##vso[task.complete]",
        "a\n::error::x",
        "\u{1b}[0m",
    ] {
        create(
            &sandbox,
            "prod/hostile",
            json!({"Description": format!("{text}.")}),
        );
        let cli = import_cli(&sandbox, &["prod/hostile"]).github();
        let outcome = cli.run();
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        for line in outcome.stdout.lines() {
            assert!(
                !line.trim_start().starts_with("::") && !line.contains("##"),
                "{line}"
            );
            assert!(!line.contains(char::is_control), "{line:?}");
        }
        assert_eq!((&*outcome.summary, outcome.outputs.len()), ("", 0));
        sandbox.with(|world: &mut World| world.force_delete("prod/hostile"));
        sandbox.advance_clock(std::time::Duration::from_secs(10));
    }
}

#[test]
fn unsuitable_inputs_are_rejected_or_ignored() {
    let sandbox = example();
    let rejected: &[(Cli, &str)] = &[
        (import_cli(&sandbox, &["[a"]), "must be names, in which"),
        (
            import_cli(&sandbox, &[]).input("rate", "0"),
            "must be a number",
        ),
        (
            import_cli(&sandbox, &[]).input("include-resource-policies", "yes"),
            "must be `false` or `true`",
        ),
        (
            import_cli(&sandbox, &[])
                .input("command", "import")
                .args(&["plan"]),
            "writes nothing",
        ),
        (
            Cli::new(&sandbox, "made-up").input("include-resource-policies", "true"),
            "is for the command `import`",
        ),
    ];
    for (cli, why) in rejected {
        let outcome = cli.run();
        assert_eq!(
            (outcome.code, &*outcome.stdout),
            (Some(2), ""),
            "{}",
            outcome.stderr
        );
        assert!(outcome.stderr.contains(why), "{}", outcome.stderr);
    }
    let outcome = import_cli(&sandbox, &["--format", "json"]).run();
    assert_eq!(outcome.code, Some(2));
    assert!(
        outcome.stderr.contains("which JSON does not have"),
        "{}",
        outcome.stderr
    );
    assert_eq!(call_count(&sandbox, "ListSecrets"), 0);
    let outcome: Outcome = import_cli(&sandbox, &[])
        .input("name", "prod/key")
        .input("manifest", "no-such-file.yaml")
        .run();
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    for input in ["NAME", "MANIFEST"] {
        let warning = format!("UPSERT_SECRET_{input} has no effect on `import`");
        assert!(outcome.stderr.contains(&warning), "{}", outcome.stderr);
    }
}
