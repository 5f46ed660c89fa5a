//! Promotions and undos that are killed, or meet another writer, at every label move.

use sandbox::{Sandbox, When};

use super::{MOVE, private_labels, promote, results, staged, undo, values};
use crate::common::{Cli, WAIT_LIMIT, call_count, send_signal};
use crate::transaction::kill_at;

/// The number of label moves in an undisturbed run.
fn moves_of(run: &dyn Fn(&Sandbox) -> Cli) -> usize {
    let sandbox = staged();
    let cli = run(&sandbox);
    sandbox.clear_log();
    assert_eq!(cli.run().code, Some(0));
    call_count(&sandbox, MOVE)
}

fn undo_after_promotion(sandbox: &Sandbox, all_or_nothing: bool) -> Cli {
    let release = results(&promote(sandbox, false).run()).to_string();
    undo(sandbox, &release, all_or_nothing)
}

type Scenario<'a> = (&'a dyn Fn(&Sandbox) -> Cli, [&'a str; 4], usize);

fn scenarios() -> [Scenario<'static>; 4] {
    [
        (&|sandbox| promote(sandbox, false), ["new"; 4], 2),
        (&|sandbox| promote(sandbox, true), ["new"; 4], 8),
        (
            &|sandbox| undo_after_promotion(sandbox, false),
            ["old", "old", "new", "new"],
            2,
        ),
        (
            &|sandbox| undo_after_promotion(sandbox, true),
            ["old", "old", "new", "new"],
            8,
        ),
    ]
}

#[test]
fn kill_at_any_move_then_rerun_converges() {
    for (run, wanted, moves) in scenarios() {
        assert_eq!(moves_of(run), moves);
        for nth in 1..=moves {
            for when in [When::BeforeApply, When::AfterApply] {
                let sandbox = staged();
                let cli = run(&sandbox);
                sandbox.clear_log();
                kill_at(&sandbox, &cli, &[(MOVE, nth, when)]);
                let outcome = cli.run();
                assert_eq!(outcome.code, Some(0), "{nth} {when:?}: {}", outcome.stderr);
                assert_eq!(values(&sandbox), wanted, "{nth} {when:?}");
                assert_eq!(private_labels(&sandbox), [""; 0], "{nth} {when:?}");
            }
        }
    }
}

#[test]
fn rival_at_any_move_is_kept() {
    for (run, _, moves) in scenarios() {
        for nth in 1..=moves {
            let sandbox = staged();
            let cli = run(&sandbox);
            sandbox.clear_log();
            sandbox.before(MOVE, nth, |world| {
                world.put("prod/b", "made-up-rival");
            });
            let outcome = cli.run();
            let secret = sandbox.with(|world| world.secret("prod/b")).unwrap();
            let holds = |label: &str| {
                secret.labeled(label).unwrap().string.as_deref() == Some("made-up-rival")
            };
            // After another observation, a promotion replaces the current version: the other writer's version becomes the
            // previous one.
            assert!(
                holds("AWSCURRENT") || holds("AWSPREVIOUS"),
                "{nth}: {}",
                outcome.stderr
            );
            assert!([Some(0), Some(5)].contains(&outcome.code), "{nth}");
            assert_eq!(private_labels(&sandbox), [""; 0], "{nth}");
        }
    }
}

/// A move in progress when the run was cut short is in its report, and can be undone.
#[test]
fn undo_covers_moves_of_a_run_that_was_cut_short() {
    for all_or_nothing in [false, true] {
        for when in [When::BeforeApply, When::AfterApply] {
            let sandbox = staged();
            let nth = if all_or_nothing { 4 } else { 1 };
            let held = sandbox.hold(MOVE, nth, when);
            let cli = promote(&sandbox, all_or_nothing);
            let report = cli.path("report.json").display().to_string();
            let cli = cli.input("report-file", &report);
            let child = cli.spawn();
            assert!(held.wait_reached(WAIT_LIMIT));
            send_signal(&child, "TERM");
            // The second signal ends the wait for a response.
            send_signal(&child, "INT");
            let outcome = cli.finish(child);
            assert!(
                [Some(130), Some(143)].contains(&outcome.code),
                "{}",
                outcome.stderr
            );
            held.discard();
            let release = format!("file:{report}");
            let planned = undo(&sandbox, &release, all_or_nothing)
                .args(&["plan"])
                .input("command", "rollback")
                .run();
            assert_eq!(planned.code, Some(0), "{when:?}: {}", planned.stderr);
            let undone = undo(&sandbox, &release, all_or_nothing).run();
            assert_eq!(undone.code, Some(0), "{when:?}: {}", undone.stderr);
            assert_eq!(
                values(&sandbox),
                ["old", "old", "new", "new"],
                "{}",
                undone.stderr
            );
            assert_eq!(private_labels(&sandbox), [""; 0]);
        }
    }
}
