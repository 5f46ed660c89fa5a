//! Validation of manifests: all problems are reported at once with line and column, before any
//! request.

use std::fs;

use insta::assert_snapshot;
use sandbox::Sandbox;

use super::{manifest_cli, offline_cli, secret};
use crate::common::{Outcome, operations};

const ARN: &str = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/a-AbCdEf";

/// The reported problems, without the directory of the manifest.
fn problems(outcome: &Outcome) -> String {
    assert_eq!(outcome.code, Some(2), "{}", outcome.stderr);
    let lines = outcome
        .stderr
        .lines()
        .filter(|line| line.contains("secrets.yaml:"));
    let cut = |line: &str| line[line.find("secrets.yaml:").unwrap()..].to_owned();
    lines.map(cut).collect::<Vec<_>>().join("\n")
}

#[test]
fn all_problems_are_reported_together() {
    let manifest = format!(
        "\
defaults:
  description: ${{NOWHERE}}
  kms-key-id: my key
secrets:
  bad name:
    value: {{ env: V }}
  prod/a:
    value: {{ env: UNSET }}
    tags: {{ 'aws:x': y }}
  {ARN}:
    value: {{ file: /no/such/file }}
  prod/b:
    value: {{ env: V }}
    if-exists: maybe
    replica-regions: eu-west-1
  prod/c:
    json: {{ a: {{ env: V, json-value-as: json }} }}
  prod/d:
    value: {{ env: MASK }}
    version-stages: AWSPENDING
"
    );
    let sandbox = Sandbox::start();
    let cli = manifest_cli(&sandbox, &manifest)
        .env("V", "made-up")
        .env("MASK", "***");
    assert_snapshot!(problems(&cli.run()), @r"
    secrets.yaml:2:16: defaults.description: has `${NOWHERE}`, but the variable NOWHERE is empty or not set
    secrets.yaml:3:15: defaults.kms-key-id: must be a key ID, a key ARN, an alias (`alias/…`) or an alias ARN
    secrets.yaml:5:3: secrets.*: must have 1 to 512 characters, only letters, digits and `/_+=.@-`
    secrets.yaml:8:12: secrets.prod/a.value: comes from the variable UNSET, which is not set: define it for this job
    secrets.yaml:9:11: secrets.prod/a.tags: has a key that begins with `aws:`, which is reserved for AWS
    secrets.yaml:11:12: secrets.arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/a-AbCdEf.value: comes from a file that cannot be read: there is no such file
    secrets.yaml:14:16: secrets.prod/b.if-exists: must be `update` or `skip`
    secrets.yaml:15:22: secrets.prod/b.replica-regions: names eu-west-1, the region of the secret itself
    secrets.yaml:17:11: secrets.prod/c.json: has a key a whose value is not JSON, which `json-value-as: json` requires; it is not shown here
    secrets.yaml:19:12: secrets.prod/d.value: is a mask (`***` or `[MASKED]`), not a secret; pass the secret itself, not text from a log or a masked output
    secrets.yaml:20:21: secrets.prod/d.version-stages: must not include AWSPENDING: it belongs to rotation
    ");
    assert_eq!(operations(&sandbox), [""; 0]);
}

#[test]
fn duplicate_secret_is_rejected() {
    let manifest = format!(
        "secrets:\n  prod/a: {{ value: {{ env: V }} }}\n  {ARN}: {{ value: {{ env: V }} }}\n"
    );
    let outcome = offline_cli(&manifest)
        .env("V", "made-up")
        .env("AWS_REGION", "eu-west-1")
        .run();
    assert!(
        problems(&outcome).contains("is the same secret as prod/a"),
        "{}",
        outcome.stderr
    );
    let outcome = offline_cli(&manifest)
        .env("V", "made-up")
        .env("AWS_REGION", "eu-west-2")
        .run();
    assert!(
        problems(&outcome).contains("is an ARN of eu-west-1, but this run is for eu-west-2"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn variables_expand_only_in_public_text() {
    let sandbox = Sandbox::start();
    let manifest = "
secrets:
  '${STAGE}/a':
    description: for ${STAGE}
    tags: { '${STAGE}': '${STAGE}' }
    value: { env: V }
";
    let cli = manifest_cli(&sandbox, manifest)
        .env("STAGE", "prod")
        .env("V", "${STAGE} made-up");
    cli.run().expect(0, "created");
    let secret = secret(&sandbox, "prod/a");
    assert_eq!(secret.description.as_deref(), Some("for prod"));
    assert_eq!(secret.tags["prod"], "prod");
    assert_eq!(
        secret.current().unwrap().string.as_deref(),
        Some("${STAGE} made-up")
    );

    let manifest = "secrets:\n  a:\n    description: key ${V}\n    value: { env: V }\n";
    let outcome = offline_cli(manifest)
        .env("V", "made-up-1")
        .env("AWS_REGION", "eu-west-1")
        .run();
    assert!(
        outcome
            .stderr
            .contains("the variable V is the value of a secret, and `${V}` would expose it"),
        "{}",
        outcome.stderr
    );
    let manifest = "secrets:\n  a:\n    description: the made-up-key-of-the-model\n    json: { k: { env: V } }\n";
    let outcome = offline_cli(manifest)
        .env("V", "made-up-key-of-the-model")
        .env("AWS_REGION", "eu-west-1")
        .run();
    assert!(
        problems(&outcome).contains("secrets.a.description: contains the value"),
        "{}",
        outcome.stderr
    );
    assert!(!outcome.all_output().contains("made-up-key-of-the-model"));
}

#[test]
fn file_variable_suggests_file_source() {
    let manifest = "secrets: { a: { value: { env: CERTIFICATE } } }";
    let cli = offline_cli(manifest)
        .gitlab()
        .env("AWS_REGION", "eu-west-1");
    let path = format!(
        "{}.tmp/CERTIFICATE",
        cli.path("").display().to_string().trim_end_matches('/')
    );
    let outcome = cli.env("CERTIFICATE", &path).run();
    assert!(
        problems(&outcome).contains(
            "a variable of type file, which holds a path: write `{ file: \"${CERTIFICATE}\" }`"
        ),
        "{}",
        outcome.stderr
    );
}

#[test]
fn oversized_manifest_is_rejected() {
    let cli = offline_cli("").env("AWS_REGION", "eu-west-1");
    fs::write(cli.path("secrets.yaml"), " ".repeat(16 * 1024 * 1024 + 1)).unwrap();
    let outcome = cli.run();
    assert!(
        problems(&outcome).contains("the file has more than 16777216 bytes"),
        "{}",
        outcome.stderr
    );
}

/// A secret is recognized in public text under another variable's name, in entries that `only`
/// excludes, and when it belongs to the run itself.
#[test]
fn secret_in_public_text_is_rejected() {
    let manifest = |shown: &str| {
        format!(
            "
secrets:
  prod/a: {{ value: {{ env: A }} }}
  prod/b: {{ value: {{ env: B }}, description: 'x ${{{shown}}} y' }}
"
        )
    };
    for (shown, says) in [
        ("A", "the variable A is the value of a secret"),
        ("COPY", "the variable COPY holds a secret"),
        (
            "AWS_SECRET_ACCESS_KEY",
            "the variable AWS_SECRET_ACCESS_KEY holds a secret",
        ),
        ("KEY_COPY", "the variable KEY_COPY holds a secret"),
        (
            "UPSERT_SECRET_VERSION_ID_KEY",
            "the variable UPSERT_SECRET_VERSION_ID_KEY holds a secret",
        ),
    ] {
        for only in ["", "prod/b"] {
            let sandbox = Sandbox::start();
            let cli = manifest_cli(&sandbox, &manifest(shown));
            let key = sandbox
                .env()
                .into_iter()
                .find(|(name, _)| *name == "AWS_SECRET_ACCESS_KEY");
            let outcome = cli
                .env("A", "made-up-value-of-a")
                .env("B", "made-up-value-of-b")
                .env("COPY", "made-up-value-of-a")
                .env("KEY_COPY", &key.unwrap().1)
                .input("version-id-key", "made-up-key-of-32-bytes-or-more!")
                .input("only", only)
                .run();
            assert_eq!(outcome.code, Some(2), "{shown} {only}: {}", outcome.stderr);
            assert!(outcome.stderr.contains(says), "{shown}: {}", outcome.stderr);
            assert_eq!(operations(&sandbox), [""; 0]);
        }
    }
    // Short values may be equal by chance.
    let sandbox = Sandbox::start();
    manifest_cli(&sandbox, &manifest("TEAM"))
        .env("A", "models")
        .env("B", "made-up-value-of-b")
        .env("TEAM", "models")
        .run()
        .expect(0, "created");
}

/// Such a source would be read before it is written, or would change on every run.
#[test]
fn source_written_by_same_run_is_rejected() {
    for (a, b) in [
        ("env: V", "secret: { id: prod/a }"),
        ("env: V", "secret: { id: prod/a, region: eu-west-1 }"),
        ("secret: { id: prod/b }", "secret: { id: prod/a }"),
        ("secret: { id: prod/a, stage: AWSPREVIOUS }", "env: V"),
    ] {
        let sandbox = Sandbox::start();
        let manifest = format!(
            "secrets:\n  prod/a: {{ value: {{ {a} }} }}\n  prod/b: {{ value: {{ {b} }} }}\n"
        );
        let outcome = manifest_cli(&sandbox, &manifest).env("V", "made-up").run();
        let reported = problems(&outcome);
        assert!(
            reported.contains("which this manifest writes"),
            "{a} {b}: {reported}"
        );
        assert_eq!(operations(&sandbox), [""; 0]);
    }
    // The same name in another account is another secret.
    let sandbox = Sandbox::start();
    let manifest = "secrets:\n  prod/a: { value: { secret: { id: 'arn:aws:secretsmanager:eu-west-1:999988887777:secret:prod/a-AbCdEf' } } }\n";
    let outcome = manifest_cli(&sandbox, manifest).run();
    assert!(
        !outcome.stderr.contains("which this manifest writes"),
        "{}",
        outcome.stderr
    );
    // The same name in another region is another secret.
    let sandbox = Sandbox::start();
    let manifest = "secrets:\n  prod/a: { value: { secret: { id: prod/a, region: eu-west-2 } } }\n";
    let outcome = manifest_cli(&sandbox, manifest).run();
    assert_eq!(outcome.code, Some(6), "{}", outcome.stderr);
}

/// Every reference is validated, not only the first for a region and role.
#[test]
fn sources_are_validated_offline() {
    let sandbox = Sandbox::start();
    let manifest = "
secrets:
  w/1: { value: { secret: { id: good } } }
  w/2: { value: { secret: { id: 'bad name!' } } }
  w/3: { value: { secret: { id: 'arn:aws:secretsmanager:us-west-2:111122223333:secret:other-AbCdEf' } } }
  w/4: { value: { file: . } }
";
    let reported = problems(&manifest_cli(&sandbox, manifest).run());
    assert_snapshot!(reported, @r"
    secrets.yaml:4:17: secrets.w/2.value: names a secret whose name must have 1 to 512 characters, only letters, digits and `/_+=.@-`
    secrets.yaml:5:17: secrets.w/3.value: names an ARN in us-west-2, but is read in eu-west-1: set `region`
    secrets.yaml:6:17: secrets.w/4.value: comes from something that is not a regular file
    ");
    assert_eq!(operations(&sandbox), [""; 0]);
}
