//! Transactions that another CI run takes over: the run that was presumed dead detects it, the changes of a killed run are
//! rolled back, and labels of other transactions are not mistaken for a takeover.

use std::thread;

use sandbox::{Fault, Sandbox, When, World};
use sandbox_model::Caller;
use serde_json::json;

use super::{
    NAMES, assert_all_new, assert_no_gaps, existing, kill_at, new_value, old_value, release,
    remaining_labels, values,
};
use crate::common::{allow_all_except, call_count};

const MOVE: &str = "UpdateSecretVersionStage";
/// The calls that move a label before the commit of an undisturbed run.
const MOVES: usize = NAMES.len();

const MEMBER: &str = "upsert-secret-all-";
const RECORD: &str = "upsert-secret-commit-";

/// The version of a secret with a label with this prefix, and the label.
fn labeled(world: &World, name: &str, prefix: &str) -> Option<(String, String)> {
    let versions = world.secret(name)?.versions.into_iter();
    let mut labels = versions.flat_map(|version| {
        let labels = version.stages.into_iter();
        labels.map(move |label| (version.id.clone(), label))
    });
    labels.find(|(_, label)| label.starts_with(prefix))
}

fn remove(world: &mut World, name: &str, prefix: &str) {
    let (version, label) = labeled(world, name, prefix).unwrap();
    let removal = json!({"SecretId": name, "VersionStage": label, "RemoveFromVersionId": version});
    let caller = Caller::default();
    world.call(&caller, "eu-west-1", MOVE, removal).unwrap();
}

fn previous_version(world: &World, name: &str) -> String {
    let secret = world.secret(name).unwrap();
    secret.labeled("AWSPREVIOUS").unwrap().id.clone()
}

/// Moves the commit record, like a run that presumes this one dead.
fn abort(world: &mut World) {
    let (staged, record) = labeled(world, "prod/a", RECORD).unwrap();
    let previous = previous_version(world, "prod/a");
    world.move_stage("prod/a", &record, &previous, Some(&staged));
}

/// Moves every version back.
fn roll_back(world: &mut World) {
    for name in NAMES {
        let (staged, _) = labeled(world, name, MEMBER).unwrap();
        let previous = previous_version(world, name);
        world.move_stage(name, "AWSCURRENT", &previous, Some(&staged));
    }
}

/// Removes the member labels.
fn remove_labels(world: &mut World) {
    for name in NAMES {
        remove(world, name, MEMBER);
    }
}

fn abort_and_roll_back(world: &mut World) {
    abort(world);
    roll_back(world);
}

fn abort_roll_back_and_remove_labels(world: &mut World) {
    abort_and_roll_back(world);
    remove_labels(world);
}

fn recover_completely(world: &mut World) {
    abort_roll_back_and_remove_labels(world);
    remove(world, "prod/a", RECORD);
}

/// The progress of the other run when this run tries to commit.
const TAKEOVERS: [fn(&mut World); 4] = [
    abort,
    abort_and_roll_back,
    abort_roll_back_and_remove_labels,
    recover_completely,
];

/// Three secrets; another run takes the transaction over just before the commit.
fn taken_over(takeover: fn(&mut World)) -> Sandbox {
    let sandbox = existing();
    sandbox.before(MOVE, MOVES + 1, takeover);
    sandbox
}

/// Another run presumed this one dead. This run detects that when it commits, rolls back what is left, and starts over.
#[test]
fn run_presumed_dead_rolls_back_its_moves() {
    for (stage, takeover) in TAKEOVERS.into_iter().enumerate() {
        for is_lost in [false, true] {
            let sandbox = existing();
            if is_lost {
                // The first commit call gets no response, and the takeover precedes the second.
                sandbox.fault(MOVE, MOVES + 1, Fault::ResetBefore);
                sandbox.before(MOVE, MOVES + 2, takeover);
            } else {
                sandbox.before(MOVE, MOVES + 1, takeover);
            }
            let outcome = release(&sandbox, "1").run();
            let context = format!("{stage} {is_lost}: {}", outcome.stderr);
            assert_eq!(outcome.code, Some(0), "{context}");
            assert_eq!(outcome.counts(), ["0", "3", "0", "0", "0"], "{context}");
            assert_all_new(&sandbox, "1");
            // It has staged its versions twice.
            assert_eq!(call_count(&sandbox, "PutSecretValue"), 6, "{context}");
            assert_no_gaps(&outcome);
        }
    }
}

#[test]
fn run_presumed_dead_then_killed_stays_atomic() {
    for (stage, takeover) in [abort, recover_completely].into_iter().enumerate() {
        let sandbox = taken_over(takeover);
        release(&sandbox, "1").run().expect(0, "updated");
        let all = call_count(&sandbox, MOVE);
        for nth in MOVES + 1..=all {
            let sandbox = taken_over(takeover);
            let cli = release(&sandbox, "1");
            kill_at(&sandbox, &cli, &[(MOVE, nth, When::AfterApply)]);
            // The next run may write all secrets except the last.
            let policy = allow_all_except(&[("PutSecretValue", "prod/c")]);
            sandbox.set_policy(&sandbox.default_key_id(), policy);
            let outcome = release(&sandbox, "2").run();
            let context = format!("{stage} {nth}: {}", outcome.stderr);
            assert_eq!(outcome.code, Some(4), "{context}");
            let has_committed = nth >= all - 3;
            let there = |name: &str| {
                if has_committed {
                    new_value(name, "1")
                } else {
                    old_value(name)
                }
            };
            assert_eq!(values(&sandbox), NAMES.map(there), "{context}");
        }
    }
}

#[test]
fn killed_run_of_another_job_is_recovered() {
    let sandbox = existing();
    // Two secrets have moved, one has not.
    let calls = [
        (MOVE, 1, When::BeforeApply),
        (MOVE, 2, When::AfterApply),
        (MOVE, 3, When::AfterApply),
    ];
    kill_at(&sandbox, &release(&sandbox, "1"), &calls);
    let outcome = release(&sandbox, "1").env("GITHUB_RUN_ID", "4712").run();
    outcome.expect(0, "updated");
    assert!(
        outcome.stderr.contains("had not ended"),
        "{}",
        outcome.stderr
    );
    assert!(
        outcome.stderr.contains("waiting for another run"),
        "{}",
        outcome.stderr
    );
    assert_all_new(&sandbox, "1");
}

/// A place to kill a run: all of these calls are held.
type Kill = Vec<(&'static str, usize, When)>;

/// The first attempt of CI run 1 is killed before its moves, with this many versions staged.
fn first_kills() -> Vec<(usize, Kill)> {
    use When::{AfterApply, BeforeApply};
    let put = |nth, when| ("PutSecretValue", nth, when);
    vec![
        (1, vec![put(1, AfterApply)]),
        (2, vec![put(2, AfterApply), put(3, BeforeApply)]),
        (3, vec![put(2, AfterApply), put(3, AfterApply)]),
        (3, (1..=3).map(|nth| (MOVE, nth, BeforeApply)).collect()),
    ]
}

/// CI run 2 is killed while it recovers the versions that run 1 has staged, or at its own moves, when one or two have moved.
fn second_kills(staged: usize) -> Vec<Kill> {
    // The abort, the labels, and the record.
    let recovery = staged + 2;
    let single = (1..=recovery).map(|nth| vec![(MOVE, nth, When::AfterApply)]);
    let moves = [1, 2].map(|moved| {
        let calls = (1..=MOVES).map(|nth| {
            let when = if nth <= moved {
                When::AfterApply
            } else {
                When::BeforeApply
            };
            (MOVE, recovery + nth, when)
        });
        calls.collect()
    });
    single.chain(moves).collect()
}

/// The last attempt finds versions with its own tokens that were staged and rolled back before.
#[test]
fn second_attempt_commits_after_killed_takeover() {
    thread::scope(|scope| {
        for (staged, first) in first_kills() {
            for second in second_kills(staged) {
                let first = first.clone();
                // The runs spend most of their time waiting for each other.
                scope.spawn(move || {
                    let sandbox = existing();
                    let run = |id| release(&sandbox, id).env("GITHUB_RUN_ID", id);
                    kill_at(&sandbox, &run("1"), &first);
                    assert_eq!(values(&sandbox), NAMES.map(old_value));
                    kill_at(&sandbox, &run("2"), &second);
                    let outcome = run("1").run();
                    let context = format!("{first:?} {second:?}: {}", outcome.stderr);
                    assert_eq!(outcome.code, Some(0), "{context}");
                    assert_all_new(&sandbox, "1");
                });
            }
        }
    });
}

/// The member label of another transaction, whose coordinator is unknown to this run.
fn foreign_label(expiry: u64) -> String {
    format!(
        "{MEMBER}{expiry}-0123456789abcdef-0123456789abcdef-00000000-0000-4000-8000-000000000000"
    )
}

const STALE_VERSION: &str = "11111111-1111-4111-8111-111111111111";

/// Three secrets, and the coordinator has a label of another transaction on a version that is staged or current.
fn with_foreign_label(expiry: u64, is_current: bool) -> Sandbox {
    let sandbox = existing();
    sandbox.with(|world| {
        let label = foreign_label(expiry);
        let mut labels = vec![label.as_str()];
        labels.extend(is_current.then_some("AWSCURRENT"));
        world.put_staged("prod/a", "made-up-other", STALE_VERSION, &labels);
    });
    sandbox
}

/// Three secrets with member labels of a transaction that has committed.
fn with_ended_transaction() -> Sandbox {
    let sandbox = existing();
    let removals: Kill = (MOVES + 2..=2 * MOVES + 1)
        .map(|nth| (MOVE, nth, When::BeforeApply))
        .collect();
    kill_at(&sandbox, &release(&sandbox, "0"), &removals);
    assert_eq!(remaining_labels(&sandbox).len(), MOVES);
    sandbox
}

#[test]
fn stale_label_and_lost_commit_is_no_takeover() {
    const EXPIRED: u64 = 1;
    const LIVING: u64 = 4_000_000_000;
    // Each with the number of labels that the run removes before it begins.
    let worlds: [(fn() -> Sandbox, usize); 5] = [
        (|| with_foreign_label(EXPIRED, false), 0),
        (|| with_foreign_label(EXPIRED, true), 0),
        (|| with_foreign_label(LIVING, false), 0),
        // The run waits for this transaction, then gives up.
        (|| with_foreign_label(LIVING, true), 0),
        (with_ended_transaction, MOVES),
    ];
    let check = |world: usize, fault: &Fault| {
        let (make, removals) = worlds[world];
        let sandbox = make();
        sandbox.clear_log();
        let commit = removals + MOVES + 1;
        sandbox.fault(MOVE, commit, fault.clone());
        let outcome = release(&sandbox, "1").run();
        let context = format!("{world} {fault:?}: {}", outcome.stderr);
        assert_eq!(outcome.code, Some(0), "{context}");
        assert_eq!(outcome.counts(), ["0", "3", "0", "0", "0"], "{context}");
        let new = NAMES.map(|name| new_value(name, "1"));
        assert_eq!(values(&sandbox), new, "{context}");
        // The commit is sent twice, and there is no second attempt.
        let calls = call_count(&sandbox, MOVE);
        assert_eq!(calls, commit + 1 + MOVES, "{context}");
        let puts = call_count(&sandbox, "PutSecretValue");
        assert_eq!(puts, MOVES, "{context}");
        let foreign = [EXPIRED, LIVING].map(foreign_label);
        let mut own = remaining_labels(&sandbox).into_iter();
        let own = own.find(|label| !foreign.contains(label));
        assert_eq!(own, None, "{context}");
        assert_no_gaps(&outcome);
    };
    let check = &check;
    thread::scope(|scope| {
        for world in 0..worlds.len() {
            for fault in [Fault::LostAfter, Fault::CutBody] {
                scope.spawn(move || check(world, &fault));
            }
        }
    });
}
