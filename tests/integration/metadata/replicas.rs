//! `replica-regions`: replicas are added, awaited, and removed or recreated only on request.

use insta::assert_snapshot;
use sandbox::{Fault, Sandbox, When};

use super::existing;
use crate::common::{
    Cli, NAME, WAIT_LIMIT, call_count, current_value, normalized_stderr, operations, send_signal,
};

const LONDON: &str = "eu-west-2";

/// The region and status of each replica.
fn replicas(sandbox: &Sandbox) -> Vec<(String, &'static str)> {
    sandbox.with(|world| {
        let secret = world.secret(NAME).unwrap();
        let replicas = secret.replicas.into_iter();
        replicas
            .map(|replica| (replica.region, replica.status))
            .collect()
    })
}

#[test]
fn create_includes_replicas_and_waits() {
    let sandbox = Sandbox::start();
    sandbox.with(|world| {
        world.replicas_settle_after(3);
        world.add_kms_key_in("us-east-1", "alias/models");
    });
    let cli =
        Cli::new(&sandbox, "made-up").input("replica-regions", "eu-west-2\nus-east-1=alias/models");
    let outcome = cli.run();
    outcome.expect(0, "created");
    assert!(
        outcome
            .stderr
            .contains("waiting for replicas: eu-west-2, us-east-1"),
        "{}",
        outcome.stderr
    );
    assert_eq!(
        replicas(&sandbox),
        [
            ("eu-west-2".to_owned(), "InSync"),
            ("us-east-1".to_owned(), "InSync")
        ]
    );
    assert_eq!(call_count(&sandbox, "ReplicateSecretToRegions"), 0);
    sandbox.clear_log();
    cli.run().expect(0, "unchanged");
    let mut calls = operations(&sandbox);
    calls.sort();
    assert_eq!(calls, ["DescribeSecret", "GetSecretValue"]);
}

#[test]
fn replicas_are_removed_only_on_request() {
    let sandbox = existing();
    sandbox.with(|world| world.replicate(NAME, LONDON));
    let cli = Cli::new(&sandbox, "made-up").input("replica-regions", "us-east-1");
    cli.run().expect(0, "updated");
    assert_eq!(replicas(&sandbox).len(), 2);
    let replace = cli.input("replica-policy", "replace");
    let outcome = replace.run();
    outcome.expect(0, "updated");
    assert!(
        outcome.stderr.contains("removed the replicas in eu-west-2"),
        "{}",
        outcome.stderr
    );
    assert_eq!(replicas(&sandbox), [("us-east-1".to_owned(), "InSync")]);
    replace
        .input("replica-regions", "none")
        .run()
        .expect(0, "updated");
    assert_eq!(replicas(&sandbox), []);
}

#[test]
fn replica_key_changes_only_by_recreation() {
    let sandbox = existing();
    sandbox.with(|world| {
        world.replicate(NAME, LONDON);
        world.add_kms_key_in(LONDON, "1234abcd");
    });
    let cli = Cli::new(&sandbox, "new").input("replica-regions", "eu-west-2=1234abcd");
    let outcome = cli.run();
    assert_eq!(outcome.code, Some(6), "{}", outcome.stderr);
    assert_eq!(
        current_value(&sandbox).as_deref(),
        Some("made-up"),
        "nothing is written"
    );
    let cli = cli.input("replica-policy", "replace");
    cli.run().expect(0, "updated");
    let key = sandbox.with(|world| world.secret_in(LONDON, NAME).unwrap().kms_key_id);
    assert_eq!(key.as_deref(), Some("1234abcd"));
    cli.run().expect(0, "unchanged");
}

#[test]
fn failed_replica_is_reported_then_retried() {
    let sandbox = existing();
    let cli = Cli::new(&sandbox, "made-up").input("replica-regions", LONDON);
    sandbox.with(|world| world.replicate(NAME, LONDON));
    sandbox.with(|world| world.disable_region("us-east-1"));
    let failing = cli.input("replica-regions", "eu-west-2 us-east-1=alias/models");
    let outcome = failing.run();
    assert_eq!(outcome.code, Some(6));
    assert_eq!(outcome.output("changed"), "true");
    assert_snapshot!(normalized_stderr(&outcome), @r#"
    waiting for replicas: us-east-1 (0 s)
    before it failed, this run
      replicated the secret to us-east-1
      secret   arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/model/api-key-[six]
      version  [id] (AWSCURRENT)
    error: prod/model/api-key could not be replicated to us-east-1
      why:  AWS answered for us-east-1: The region is not enabled for this account
      next: fix the cause and run again: each run retries a failed replica once. An existing secret with this name
            is never overwritten; rename or delete it
      exit: 6 (refused by state)
    "#);
    // One call to plan, one that sees the replica in progress, and five that see it failed: the
    // first failures may be left over from an earlier attempt.
    assert_eq!(call_count(&sandbox, "DescribeSecret"), 7);
    let again = failing.run();
    assert_eq!(again.code, Some(6));
    assert_eq!(
        call_count(&sandbox, "ReplicateSecretToRegions"),
        2,
        "one attempt per run"
    );
}

#[test]
fn pending_replicas_are_named_on_timeout() {
    let sandbox = existing();
    sandbox.with(|world| world.replicas_settle_after(usize::MAX));
    let outcome = Cli::new(&sandbox, "new")
        .input("replica-regions", LONDON)
        .input("timeout", "1s")
        .run();
    assert_eq!(outcome.code, Some(7));
    assert_eq!(current_value(&sandbox).as_deref(), Some("new"));
    assert!(
        outcome
            .stderr
            .contains("it was waiting for the replicas in eu-west-2"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn lost_replicate_response_converges() {
    for fault in [Fault::LostAfter, Fault::InternalError, Fault::GarbledBody] {
        let sandbox = existing();
        sandbox.fault("ReplicateSecretToRegions", 1, fault.clone());
        let outcome = Cli::new(&sandbox, "made-up")
            .input("replica-regions", LONDON)
            .run();
        outcome.expect(0, "updated");
        assert_eq!(replicas(&sandbox), [(LONDON.to_owned(), "InSync")]);
    }
}

#[test]
fn replica_wait_can_be_cancelled() {
    let sandbox = existing();
    sandbox.with(|world| world.replicas_settle_after(usize::MAX));
    let cli = Cli::new(&sandbox, "made-up").input("replica-regions", LONDON);
    let held = sandbox.hold("DescribeSecret", 2, When::BeforeApply);
    let child = cli.spawn();
    assert!(held.wait_reached(WAIT_LIMIT));
    send_signal(&child, "TERM");
    held.release();
    let outcome = cli.finish(child);
    assert_eq!(outcome.code, Some(143), "{}", outcome.stderr);
    assert_eq!(outcome.output("changed"), "true");
}
