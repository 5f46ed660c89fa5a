//! Documents composed from `.env` files, and values extracted from documents.

use std::fs;

use insta::assert_snapshot;
use sandbox::Sandbox;

use super::{manifest_cli, secret, value};
use crate::common::{Cli, NAME, call_count, current_value, normalized_stderr};

const FILE: &str = "\
# made up
export DATABASE_URL='postgres://made-up-user:made-up-password@db/app?a=#1'
TLS_KEY=\"-----BEGIN MADE UP-----
bWFkZSB1cCBrZXkgbWF0ZXJpYWw
-----END MADE UP-----\"
DEBUG=true
";
const DOCUMENT: &str = r#"{"DATABASE_URL":"postgres://made-up-user:made-up-password@db/app?a=#1","TLS_KEY":"-----BEGIN MADE UP-----\nbWFkZSB1cCBrZXkgbWF0ZXJpYWw\n-----END MADE UP-----","DEBUG":"true"}"#;

/// The program with a manifest, in which `${ENV_FILE}` is the path of a file with this content.
fn cli(sandbox: &Sandbox, manifest: &str, file: &str) -> Cli {
    let cli = manifest_cli(sandbox, manifest);
    let path = cli.path("made-up.env");
    fs::write(&path, file).unwrap();
    let path = path.display().to_string();
    cli.env("ENV_FILE", &path)
}

#[test]
fn dotenv_file_converges_to_a_document() {
    let sandbox = Sandbox::start();
    let manifest = "secrets: { app/env: { value: { dotenv: '${ENV_FILE}' } } }";
    let run = |file: &str| cli(&sandbox, manifest, file).run();
    run(FILE).expect(0, "created");
    assert_eq!(value(&sandbox, "app/env"), DOCUMENT);
    run(FILE).expect(0, "unchanged");
    // The same document in a different order and notation.
    let (first, rest) = FILE.split_once("TLS_KEY").unwrap();
    let reordered = format!("TLS_KEY{rest}\n{}", first.replace("export ", ""));
    run(&reordered).expect(0, "unchanged");
    assert_eq!(call_count(&sandbox, "PutSecretValue"), 0);
    run(&FILE.replace("DEBUG=true", "PORT=5432")).expect(0, "updated");
    assert!(value(&sandbox, "app/env").ends_with(r#","PORT":"5432"}"#));
    assert_eq!(secret(&sandbox, "app/env").versions.len(), 2);
}

#[test]
fn merged_dotenv_file_keeps_other_keys() {
    let sandbox = Sandbox::start();
    let manifest = "secrets: { app/env: { value: { dotenv: '${ENV_FILE}' }, merge: true } }";
    sandbox.with(|world| world.create("app/env", r#"{ "OTHER": 1, "DEBUG": "false" }"#));
    let cli = cli(&sandbox, manifest, "A='made up'\nDEBUG=true\n");
    let outcome = cli.run();
    outcome.expect(0, "updated");
    assert_eq!(
        value(&sandbox, "app/env"),
        r#"{ "OTHER": 1, "DEBUG": "true", "A": "made up" }"#
    );
    sandbox.clear_log();
    cli.run().expect(0, "unchanged");
    assert_eq!(call_count(&sandbox, "PutSecretValue"), 0);
    let policy = cli
        .args(&["iam-policy"])
        .env("ENV_FILE", "/no/such/file")
        .run();
    assert_eq!(policy.code, Some(0), "{}", policy.stderr);
    let needed = "secretsmanager:UpdateSecretVersionStage";
    assert!(policy.stdout.contains(needed), "{}", policy.stdout);
}

#[test]
fn element_of_each_source_is_stored() {
    let sandbox = Sandbox::start();
    let manifest = "
secrets:
  a: { value: { env: DOCUMENT, pointer: /user/name } }
  b: { value: { file: '${ENV_FILE}', pointer: /ports }, json-value-as: json }
  c: { value: { secret: { id: shared }, pointer: /user/password } }
  d:
    json:
      password: { secret: { id: shared }, pointer: /user/password }
      /db/port: { file: '${ENV_FILE}', pointer: /ports/0, json-value-as: json }
    merge: true
";
    sandbox.with(|world| {
        world.create("shared", r#"{"user":{"password":"made-up-p\u0061ssword"}}"#);
        world.create("d", r#"{"db":{"host":"made-up"}}"#);
    });
    let document = r#"{"user":{"name":"made-up-name"}}"#;
    let cli = cli(&sandbox, manifest, r#"{"ports":[5432, 5433]}"#).env("DOCUMENT", document);
    let outcome = cli.run();
    assert_eq!(outcome.counts(), ["3", "1", "0", "0", "0"]);
    let values = ["a", "b", "c", "d"].map(|name| value(&sandbox, name));
    assert_eq!(
        values,
        [
            "made-up-name",
            "[5432, 5433]",
            "made-up-password",
            r#"{"db":{"host":"made-up","port":5432},"password":"made-up-password"}"#,
        ]
    );
    cli.run().expect(0, "unchanged");
}

/// Invalid files and documents, each with the text `hidden` in place of a value or a pasted value.
#[test]
fn invalid_documents_leak_nothing() {
    let sandbox = Sandbox::start();
    let hidden = "hidden-made-up-value";
    sandbox.with(|world| world.create("shared", &format!(r#"{{"a":["{hidden}"]}}"#)));
    let dotenv = "value: { dotenv: '${ENV_FILE}' }";
    let pointer = "value: { file: '${ENV_FILE}', pointer: /a/b }";
    let shared = "value: { secret: { id: shared }, pointer: /a/b }";
    for (entry, file) in [
        (dotenv, hidden.to_owned()),
        (dotenv, format!("A=1\n{hidden}==\n")),
        (dotenv, format!("{hidden}=")),
        (dotenv, format!("{hidden}=x\n{hidden}=y")),
        (dotenv, format!("A='{hidden}")),
        (dotenv, format!("A='x' {hidden}")),
        (dotenv, format!("A=\"{hidden}\\t\"")),
        (dotenv, format!("A={hidden} # x")),
        (dotenv, format!("A=\r{hidden}")),
        (dotenv, format!("export {hidden}")),
        (dotenv, format!("A={hidden}{}", "x".repeat(70_000))),
        (pointer, hidden.to_owned()),
        (pointer, format!("\"{hidden}\"")),
        (pointer, format!(r#"{{"a":"{hidden}"}}"#)),
        (pointer, format!(r#"{{"a":{{"b":["{hidden}"]}}}}"#)),
        (
            pointer,
            format!(r#"{{"a":{{"b":"{hidden}","b":"{hidden}"}}}}"#),
        ),
        (shared, String::new()),
    ] {
        let manifest = format!("secrets: {{ app: {{ {entry} }} }}");
        for command in [&[][..], &["plan"]] {
            let cli = cli(&sandbox, &manifest, &file).github();
            let outcome = cli.env("RUNNER_DEBUG", "1").args(command).run();
            assert_eq!(outcome.code, Some(2), "{file}: {}", outcome.stderr);
            let seen = outcome.all_output();
            assert!(!seen.contains("hidden"), "{file}: {seen}");
        }
    }
    assert!(sandbox.with(|world| world.secret("app")).is_none());
}

#[test]
fn plan_names_keys_of_manifest_and_file() {
    let sandbox = Sandbox::start();
    let stored = r#"{"DEBUG":"false","TLS_KEY":"-----BEGIN MADE UP-----\nbWFkZSB1cCBrZXkgbWF0ZXJpYWw\n-----END MADE UP-----","hidden_key":1,"hidden":2}"#;
    sandbox.with(|world| {
        world.create("app/env", stored);
        world.create(
            "app/merged",
            r#"{"user":"made-up-name","port":1,"hidden":1}"#,
        );
        world.create("app/text", "made-up-text-of-a-secret");
    });
    let manifest = "
secrets:
  app/env: { value: { dotenv: '${ENV_FILE}' } }
  app/merged: { json: { user: { env: NAME }, port: { env: PORT }, host: { env: NAME } }, merge: true }
  app/text: { json: { user: { env: NAME } } }
  app/new: { json: { user: { env: NAME } } }
";
    let outcome = cli(&sandbox, manifest, FILE)
        .env("NAME", "made-up-name")
        .env("PORT", "made-up-port")
        .args(&["plan"])
        .run();
    outcome.expect(0, "updated");
    let text = normalized_stderr(&outcome);
    let lines = text.lines().filter(|line| line.contains("would "));
    assert_snapshot!(lines.collect::<Vec<_>>().join("\n"), @"
    would write the document as a new version, AWSCURRENT: add the key DATABASE_URL; change the key DEBUG; remove 2 other keys (because: version [id], AWSCURRENT, holds another document)
    would write the document as a new version, AWSCURRENT: add the key host; change the key port (because: version [id] lacks some of them, or has other values for them)
    would write the value as a new version, AWSCURRENT (because: version [id], AWSCURRENT, holds another value (24 bytes there, 23 bytes here))
    would create the secret with the key user (because: it does not exist)
    ");
    let seen = outcome.all_output();
    for secret in [
        "hidden",
        "made-up-password",
        "made-up-name",
        "bWFkZSB1cCBrZXkgbWF0ZXJpYWw",
    ] {
        assert!(!seen.contains(secret), "{secret}: {seen}");
    }
}

#[test]
fn single_dotenv_file_is_a_document() {
    let sandbox = Sandbox::start();
    let cli = Cli::new(&sandbox, "").input("value-encoding", "dotenv");
    let path = cli.path("made-up.env");
    fs::write(&path, FILE).unwrap();
    let cli = cli.input("value-file", &path.display().to_string());
    cli.run().expect(0, "created");
    assert_eq!(current_value(&sandbox).as_deref(), Some(DOCUMENT));
    cli.run().expect(0, "unchanged");
    let file = "DATABASE_URL=made-up-url\nNEW=''\n";
    let wanted = "would write the document as a new version, AWSCURRENT: add the key NEW; change the key DATABASE_URL; remove 2 other keys";
    for cli in [
        cli.input("value-file", "-").stdin(file.as_bytes()),
        Cli::new(&sandbox, file).input("value-encoding", "dotenv"),
        Cli::new(&sandbox, "")
            .input("value-encoding", "dotenv")
            .input("value-env", "ENV_FILE")
            .env("ENV_FILE", file),
    ] {
        let outcome = cli.args(&["plan"]).run();
        outcome.expect(0, "updated");
        assert!(outcome.stderr.contains(wanted), "{}", outcome.stderr);
        let seen = outcome.all_output();
        assert!(!seen.contains("made-up-url"), "{seen}");
    }
    let invalid = Cli::new(&sandbox, "")
        .input("value-encoding", "dotenv")
        .input("value-file", "-")
        .stdin(b"A=made-up-value # comment")
        .run();
    assert_eq!(invalid.code, Some(2));
    assert_snapshot!(normalized_stderr(&invalid), @"
    error: UPSERT_SECRET_VALUE_FILE names a file that is not a `.env` file, but UPSERT_SECRET_VALUE_ENCODING is `dotenv`
      why:  line 1 has `#`, a backslash or a quote in a value without quotes, and parsers differ on what it means; put the value in single quotes, and a comment on a line of its own
      next: correct the file (the rules are in docs/manifest.md), or omit UPSERT_SECRET_VALUE_ENCODING to store it unchanged
      exit: 2 (bad input)
    ");
    assert!(sandbox.with(|world| world.secret(NAME)).is_some());
}

/// The runner knows neither the values of a file nor the parts of a document.
#[test]
fn parts_are_masked_on_github() {
    let sandbox = Sandbox::start();
    let manifest = "
secrets:
  a: { value: { dotenv: '${ENV_FILE}' } }
  b: { value: { env: DOCUMENT, pointer: /a } }
";
    let outcome = cli(&sandbox, manifest, FILE)
        .github()
        .env("UPSERT_SECRET_ACTION", "true")
        .env("DOCUMENT", r#"{"a":"made-up-part"}"#)
        .run();
    outcome.expect(0, "created");
    let masks: Vec<_> = outcome.stdout.lines().collect();
    assert_eq!(
        masks,
        [
            "::add-mask::postgres://made-up-user:made-up-password@db/app?a=#1",
            "::add-mask::-----BEGIN MADE UP-----",
            "::add-mask::bWFkZSB1cCBrZXkgbWF0ZXJpYWw",
            "::add-mask::-----END MADE UP-----",
            "::add-mask::made-up-part",
        ]
    );
    assert!(
        !outcome.stderr.contains("which the runner masks"),
        "{}",
        outcome.stderr
    );
}
