//! Label moves, response by response: what is sent next, and the final result of a move.

use crate::failure::{Class, Failure};
use crate::labels::{CURRENT, PREVIOUS};
use crate::transaction::messages::{Answer, Command, Event, Labels};
use crate::transaction::swap::{Swap, Swapped, Swaps};

use super::drive::{Versions, labels, no_answer};
use super::world::failure;

/// The response from AWS to the next command.
enum Reply {
    To(Answer),
    Labels(Result<Labels, Failure>),
}

use Reply::To;

const LOST: fn(bool) -> Reply = |retried| {
    To(Answer::Lost {
        retried,
        failure: failure(Class::Unavailable, "lost"),
    })
};

fn seen(versions: Versions<'_>) -> Reply {
    Reply::Labels(Ok(labels(versions)))
}

fn unseen() -> Reply {
    Reply::Labels(Err(failure(Class::Denied, "unseen")))
}

fn silence() -> Reply {
    To(no_answer())
}

fn denied() -> Reply {
    To(Answer::Rejected(failure(Class::Denied, "denied")))
}

/// The result of a move that gets exactly these responses, in one word.
fn end(swap: Swap, replies: Vec<Reply>) -> &'static str {
    let mut swaps = Swaps::new(vec![(0, swap)], "moved", false);
    for reply in replies {
        assert!(!swaps.is_done(), "a reply is left");
        swaps.handle(match (&swaps.round().commands[..], reply) {
            ([Command::Label { .. }], To(answer)) => Event::Label(0, answer),
            ([Command::Describe(_)], Reply::Labels(labels)) => Event::Described(0, labels),
            (commands, _) => panic!("no reply to {commands:?}"),
        });
    }
    let ended = swaps.take_ended().pop();
    match ended.expect("replies are missing").1 {
        Swapped::Applied => "applied",
        Swapped::Conflict {
            maybe_applied: true,
            ..
        } => "conflict, maybe applied",
        Swapped::Conflict { .. } => "conflict",
        Swapped::Replaced => "replaced",
        Swapped::Rejected(_) => "rejected",
        Swapped::Unknown(_) => "unknown",
        Swapped::Skipped => "skipped",
    }
}

const BEFORE: Versions<'_> = &[("old", &[CURRENT])];
const AFTER: Versions<'_> = &[("new", &[CURRENT]), ("old", &[PREVIOUS])];
const REPLACED: Versions<'_> = &[("rival", &[CURRENT]), ("new", &[PREVIOUS])];
const RIVAL: Versions<'_> = &[("rival", &[CURRENT]), ("old", &[PREVIOUS])];

#[test]
fn move_of_current_is_judged_by_what_is_seen() {
    let forward = || Swap::new(CURRENT, Some("old"), Some("new"));
    for (replies, wanted) in [
        (vec![To(Answer::Applied)], "applied"),
        (vec![denied()], "rejected"),
        (vec![LOST(false), seen(RIVAL)], "conflict"),
        (vec![LOST(false), seen(REPLACED)], "conflict"),
        (vec![LOST(true), seen(REPLACED)], "replaced"),
        (vec![LOST(true), seen(RIVAL)], "conflict, maybe applied"),
        (vec![LOST(false), seen(AFTER)], "applied"),
        (vec![LOST(false), unseen()], "rejected"),
        (vec![LOST(true), unseen()], "unknown"),
        (vec![silence(), unseen()], "unknown"),
        (vec![silence(), seen(AFTER)], "applied"),
        // Resent until it arrives, at most twice.
        (
            vec![silence(), seen(BEFORE), To(Answer::Applied)],
            "applied",
        ),
        (
            vec![
                silence(),
                seen(BEFORE),
                silence(),
                seen(BEFORE),
                silence(),
                seen(BEFORE),
            ],
            "rejected",
        ),
        // The first call may still have been applied.
        (
            vec![silence(), seen(BEFORE), LOST(false), seen(REPLACED)],
            "replaced",
        ),
        (
            vec![silence(), seen(BEFORE), denied(), seen(BEFORE)],
            "rejected",
        ),
        (
            vec![silence(), seen(BEFORE), denied(), seen(AFTER)],
            "applied",
        ),
    ] {
        assert_eq!(end(forward(), replies), wanted);
    }
}

#[test]
fn shared_version_is_current_by_own_call_only() {
    let shared = || Swap::new(CURRENT, Some("old"), Some("new")).shared();
    for (replies, wanted) in [
        (vec![LOST(false), seen(AFTER)], "conflict"),
        (vec![LOST(true), seen(AFTER)], "applied"),
        (vec![silence(), seen(AFTER)], "applied"),
    ] {
        assert_eq!(end(shared(), replies), wanted);
    }
}

#[test]
fn move_after_a_read_is_sent_if_needed() {
    let back = || Swap::new(CURRENT, Some("new"), Some("old")).after_read();
    assert_eq!(end(back(), vec![seen(BEFORE)]), "applied");
    assert_eq!(
        end(back(), vec![seen(AFTER), To(Answer::Applied)]),
        "applied"
    );
    assert_eq!(end(back(), vec![seen(RIVAL)]), "conflict");
}

#[test]
fn removal_that_decides_is_no_cleanup() {
    const WITH: Versions<'_> = &[("new", &["record"])];
    let record = || Swap::new("record", Some("new"), None);
    for (replies, wanted) in [
        (vec![LOST(false), seen(AFTER)], "conflict"),
        (vec![LOST(true), seen(AFTER)], "conflict, maybe applied"),
        (vec![silence(), seen(WITH), To(Answer::Applied)], "applied"),
    ] {
        assert_eq!(end(record(), replies), wanted);
    }
    let cleanup = || Swap::removal("label", "new");
    assert_eq!(end(cleanup(), vec![LOST(false)]), "applied");
    assert_eq!(
        end(cleanup(), vec![silence(), silence(), silence()]),
        "unknown"
    );
    assert_eq!(
        end(cleanup(), vec![silence(), silence(), To(Answer::Applied)]),
        "applied"
    );
    assert_eq!(end(cleanup(), vec![denied()]), "rejected");
}

#[test]
fn nothing_is_sent_while_a_move_is_read_back() {
    for stops in [true, false] {
        let moves = [0, 1].map(|member| (member, Swap::new(CURRENT, Some("old"), Some("new"))));
        let mut swaps = Swaps::new(moves.to_vec(), "moved", stops);
        swaps.handle(Event::Label(0, no_answer()));
        let round = swaps.round();
        assert_eq!(round.commands.len(), if stops { 1 } else { 2 });
        assert_eq!(round.commands[0], Command::Describe(0));
        assert!(!round.is_retry, "a first read waits for nothing");
        swaps.handle(Event::Described(0, Ok(labels(BEFORE))));
        assert!(swaps.round().is_retry, "a call is sent again");
        swaps.handle(Event::Label(0, no_answer()));
        assert!(!swaps.round().is_retry, "a second read waits for nothing");
    }
}

/// After a failed move, unsent moves are no longer sent, and those without a response are still read back.
#[test]
fn failed_move_ends_those_that_were_not_sent() {
    let rejected = || Answer::Rejected(failure(Class::Denied, "denied"));
    for (stops, first, second, left, ended) in [
        (true, rejected(), None, 0, vec![0, 1]),
        (true, rejected(), Some(no_answer()), 1, vec![0]),
        (true, Answer::Applied, None, 1, vec![0]),
        (false, rejected(), None, 1, vec![0]),
    ] {
        let moves = [0, 1].map(|member| (member, Swap::new(CURRENT, Some("old"), Some("new"))));
        let mut swaps = Swaps::new(moves.to_vec(), "moved", stops);
        swaps.handle(Event::Label(0, first));
        swaps.handle(second.map_or(Event::Skipped(1), |answer| Event::Label(1, answer)));
        swaps.settle();
        assert_eq!(swaps.is_done(), left == 0);
        let all = swaps.take_ended();
        let members: Vec<usize> = all.iter().map(|(member, _)| *member).collect();
        assert_eq!(members, ended);
        let is_skipped = |(_, ended): &(usize, Swapped)| *ended == Swapped::Skipped;
        assert_eq!(all.iter().any(is_skipped), ended.len() == 2);
    }
}
