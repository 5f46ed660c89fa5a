//! The `upsert` command: creates, updates, adopts, restores or leaves a secret unchanged, with outputs and request counts.

use std::time::Duration;

use sandbox::{Policy, Sandbox};

use crate::common::{Cli, NAME, call_count, current_value, operations, version_count};

#[test]
fn create_then_unchanged_then_update() {
    let sandbox = Sandbox::start();
    let first = Cli::new(&sandbox, "made-up-1")
        .input("description", "API key for AI model deployment workflow")
        .input("tags", "team=ml\nstage=prod")
        .run();
    first.expect(0, "created");
    let secret = sandbox.with(|world| world.secret(NAME)).unwrap();
    assert_eq!(first.output("secret_id"), secret.arn);
    assert_eq!(first.output("secret_name"), NAME);
    assert_eq!(
        first.output("secret_version_id"),
        secret.current().unwrap().id
    );
    assert_eq!(first.output("previous_version_id"), "");
    assert_eq!(first.output("version_stages"), "AWSCURRENT");
    assert_eq!(first.output("changed"), "true");
    assert_eq!(first.output("region"), "eu-west-1");
    assert_eq!(
        secret.description.as_deref(),
        Some("API key for AI model deployment workflow")
    );
    assert_eq!(secret.tags["stage"], "prod");

    let second = Cli::new(&sandbox, "made-up-1").run();
    second.expect(0, "unchanged");
    assert_eq!(second.output("changed"), "false");
    assert_eq!(
        second.output("secret_version_id"),
        first.output("secret_version_id")
    );

    let third = Cli::new(&sandbox, "made-up-2").run();
    third.expect(0, "updated");
    assert_eq!(
        third.output("previous_version_id"),
        first.output("secret_version_id")
    );
    assert_eq!(current_value(&sandbox).as_deref(), Some("made-up-2"));
    let kept = sandbox.with(|world| world.secret(NAME)).unwrap();
    assert_eq!(
        kept.description, secret.description,
        "omitted inputs change nothing"
    );
    assert_eq!(kept.tags, secret.tags);
}

#[test]
fn request_count_stays_within_budget() {
    // (current value, inputs, requests, round trips)
    type Case<'a> = (
        Option<&'a str>,
        &'a [(&'a str, &'a str)],
        &'a [&'a str],
        usize,
    );
    let cases: &[Case<'_>] = &[
        (
            None,
            &[("description", "d"), ("tags", "k=v")],
            &["DescribeSecret", "GetSecretValue", "CreateSecret"],
            2,
        ),
        (
            Some("wanted"),
            &[],
            &["DescribeSecret", "GetSecretValue"],
            1,
        ),
        (
            Some("other"),
            &[],
            &["DescribeSecret", "GetSecretValue", "PutSecretValue"],
            2,
        ),
        (
            Some("other"),
            &[("compare", "never")],
            &["DescribeSecret", "PutSecretValue"],
            2,
        ),
        (
            Some("other"),
            &[("if-exists", "skip")],
            &["DescribeSecret"],
            1,
        ),
        (
            Some("wanted"),
            &[("description", "d")],
            &["DescribeSecret", "GetSecretValue", "UpdateSecret"],
            2,
        ),
        (
            Some("other"),
            &[
                ("description", "d"),
                ("kms-key-id", "alias/models"),
                ("tags", "k=v"),
            ],
            &[
                "DescribeSecret",
                "GetSecretValue",
                "UpdateSecret",
                "PutSecretValue",
                "TagResource",
            ],
            4,
        ),
    ];
    for (existing, inputs, requests, round_trips) in cases {
        let sandbox = Sandbox::start();
        sandbox.with(|world| world.add_kms_key("alias/models"));
        if let Some(value) = existing {
            sandbox.with(|world| world.create(NAME, value));
        }
        // Much longer than the delay between concurrent calls, so that these overlap in the log.
        sandbox.set_latency(Duration::from_millis(150));
        let mut cli = Cli::new(&sandbox, "wanted");
        for (name, value) in *inputs {
            cli = cli.input(name, value);
        }
        assert_eq!(cli.run().code, Some(0));
        let mut sent = operations(&sandbox);
        sent.sort();
        let mut expected: Vec<_> = requests.iter().map(|name| (*name).to_owned()).collect();
        expected.sort();
        assert_eq!(sent, expected, "{inputs:?}");

        let mut log = sandbox.log();
        log.sort_by_key(|entry| entry.started);
        let mut rounds = 0;
        let mut end = None;
        for entry in log {
            if end.is_none_or(|end| entry.started >= end) {
                rounds += 1;
                end = entry.ended;
            }
        }
        assert_eq!(rounds, *round_trips, "{inputs:?}");
    }
}

#[test]
fn value_sources_store_exact_bytes() {
    let text = "line one\r\n\u{fc}mlaut \"quoted\" $HOME `x` \\n\n";
    let encoded = "bGluZSBvbmUNCsO8bWxhdXQgInF1b3RlZCIgJEhPTUUgYHhgIFxuCg==";
    let sandbox = Sandbox::start();
    let from_file = Cli::new(&sandbox, "").input("name", "file");
    std::fs::write(from_file.path("value"), text).unwrap();
    let path = from_file.path("value").display().to_string();
    let jobs = [
        Cli::new(&sandbox, text).input("name", "env"),
        Cli::new(&sandbox, "")
            .input("name", "named")
            .input("value-env", "MY_KEY")
            .env("MY_KEY", text),
        from_file.input("value-file", &path),
        Cli::new(&sandbox, "")
            .input("name", "stdin")
            .input("value-file", "-")
            .stdin(text.as_bytes()),
        Cli::new(&sandbox, encoded)
            .input("name", "base64")
            .input("value-encoding", "base64"),
    ];
    for cli in &jobs {
        cli.run().expect(0, "created");
    }
    for name in ["env", "named", "file", "stdin", "base64"] {
        let stored = sandbox.with(|world| world.secret(name)).unwrap();
        assert_eq!(
            stored.current().unwrap().string.as_deref(),
            Some(text),
            "{name}"
        );
    }
}

#[test]
fn binary_and_string_values_differ() {
    let sandbox = Sandbox::start();
    let binary = || Cli::new(&sandbox, "//4AAQ==").input("value-encoding", "base64");
    let as_string = binary().run();
    as_string.expect(2, "");
    assert!(
        as_string.stderr.contains("UPSERT_SECRET_STORE_AS=binary"),
        "{}",
        as_string.stderr
    );
    binary()
        .input("store-as", "binary")
        .run()
        .expect(0, "created");
    binary()
        .input("store-as", "binary")
        .run()
        .expect(0, "unchanged");
    let stored = sandbox.with(|world| world.secret(NAME)).unwrap();
    assert_eq!(
        stored.current().unwrap().binary.as_deref(),
        Some(&b"\xff\xfe\x00\x01"[..])
    );

    Cli::new(&sandbox, "same").run().expect(0, "updated");
    Cli::new(&sandbox, "same")
        .input("store-as", "binary")
        .run()
        .expect(0, "updated");
}

#[test]
fn secret_without_version_is_adopted() {
    let sandbox = Sandbox::start();
    sandbox.with(|world| world.create_empty(NAME));
    let outcome = Cli::new(&sandbox, "made-up")
        .input("if-exists", "skip")
        .run();
    outcome.expect(0, "updated");
    assert_eq!(outcome.output("previous_version_id"), "");
    assert_eq!(current_value(&sandbox).as_deref(), Some("made-up"));
}

#[test]
fn skip_changes_nothing() {
    let sandbox = Sandbox::start();
    let version = sandbox.with(|world| world.create(NAME, "foreign"));
    let outcome = Cli::new(&sandbox, "ours")
        .input("if-exists", "skip")
        .input("description", "d")
        .input("tags", "k=v")
        .run();
    outcome.expect(0, "unchanged");
    assert_eq!(outcome.output("secret_version_id"), version);
    let secret = sandbox.with(|world| world.secret(NAME)).unwrap();
    assert_eq!(secret.current().unwrap().string.as_deref(), Some("foreign"));
    assert!(secret.description.is_none() && secret.tags.is_empty());
}

#[test]
fn scheduled_deletion_restored_only_on_request() {
    let sandbox = Sandbox::start();
    sandbox.with(|world| {
        world.create(NAME, "made-up");
        world.schedule_deletion(NAME);
    });
    let refused = Cli::new(&sandbox, "made-up").run();
    refused.expect(6, "");
    assert!(
        refused
            .stderr
            .contains("UPSERT_SECRET_ON_SCHEDULED_DELETION=restore")
    );
    assert!(sandbox.with(|world| world.secret(NAME)).unwrap().deleted);

    let restored = Cli::new(&sandbox, "made-up")
        .input("on-scheduled-deletion", "restore")
        .run();
    restored.expect(0, "updated");
    assert_eq!(restored.output("restored"), "true");
    assert_eq!(version_count(&sandbox), 1, "the value is already stored");
}

#[test]
fn tags_merge_or_replace() {
    let sandbox = Sandbox::start();
    Cli::new(&sandbox, "v")
        .input("tags", "a=1\nb=2")
        .run()
        .expect(0, "created");
    Cli::new(&sandbox, "v")
        .input("tags", "{\"b\": \"3\", \"c\": \"4\"}")
        .run()
        .expect(0, "updated");
    let tags = || {
        let secret = sandbox.with(|world| world.secret(NAME)).unwrap();
        let pairs: Vec<_> = secret
            .tags
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        pairs.join(" ")
    };
    assert_eq!(tags(), "a=1 b=3 c=4");
    Cli::new(&sandbox, "v")
        .input("tags", "c: '4'")
        .input("tag-policy", "replace")
        .run()
        .expect(0, "updated");
    assert_eq!(tags(), "c=4");
    assert_eq!(version_count(&sandbox), 1, "tags add no version");
}

#[test]
fn version_id_key_skips_unchanged_writes() {
    let sandbox = Sandbox::start();
    let put = |value: &str| {
        Cli::new(&sandbox, value)
            .input("compare", "never")
            .input("version-id-key", "made-up-key-of-16-bytes")
            .run()
    };
    let a = put("made-up-a");
    a.expect(0, "created");
    put("made-up-a").expect(0, "unchanged");
    let b = put("made-up-b");
    b.expect(0, "updated");
    // Version A exists but is not current, so the label has to move.
    let again = put("made-up-a");
    again.expect(0, "updated");
    assert_eq!(
        again.output("secret_version_id"),
        a.output("secret_version_id")
    );
    assert_eq!(
        again.output("previous_version_id"),
        b.output("secret_version_id")
    );
    assert!(again.output("version_stages").contains("AWSCURRENT"));
    assert_eq!(current_value(&sandbox).as_deref(), Some("made-up-a"));
    assert_eq!(version_count(&sandbox), 2);
    assert_eq!(call_count(&sandbox, "GetSecretValue"), 0);

    // The same applies to a version that has lost its last label.
    put("made-up-c").expect(0, "updated");
    put("made-up-d").expect(0, "updated");
    put("made-up-b").expect(0, "updated");
    assert_eq!(current_value(&sandbox).as_deref(), Some("made-up-b"));
}

#[test]
fn rerun_with_denied_get_keeps_version() {
    let sandbox = Sandbox::start();
    let key = sandbox.default_key_id();
    sandbox.set_policy(&key, Policy::deny(&["secretsmanager:GetSecretValue"]));
    sandbox.with(|world| world.create(NAME, "old"));
    let first = Cli::new(&sandbox, "made-up").github().run();
    first.expect(0, "updated");
    let again = Cli::new(&sandbox, "made-up").github().run();
    again.expect(0, "unchanged");
    assert_eq!(
        again.output("secret_version_id"),
        first.output("secret_version_id")
    );
    assert_eq!(version_count(&sandbox), 2);

    // The CI secret changed between two attempts: the token is already used, but the new value is stored.
    let changed = Cli::new(&sandbox, "made-up-2").github().run();
    changed.expect(0, "updated");
    assert_eq!(current_value(&sandbox).as_deref(), Some("made-up-2"));
    // And back: the version of the first token becomes current again.
    let back = Cli::new(&sandbox, "made-up").github().run();
    back.expect(0, "updated");
    assert_eq!(
        back.output("secret_version_id"),
        first.output("secret_version_id")
    );
    assert_eq!(current_value(&sandbox).as_deref(), Some("made-up"));
}

#[test]
fn arn_updates_but_cannot_create() {
    let sandbox = Sandbox::start();
    sandbox.with(|world| world.create(NAME, "old"));
    let arn = sandbox.with(|world| world.secret(NAME)).unwrap().arn;
    let outcome = Cli::new(&sandbox, "new").input("name", &arn).run();
    outcome.expect(0, "updated");
    assert_eq!(outcome.output("secret_name"), NAME);

    let other = arn.replace("api-key", "api-kez");
    let absent = Cli::new(&sandbox, "new").input("name", &other).run();
    absent.expect(6, "");
    assert_eq!(absent.output("secret_id"), "");
}
