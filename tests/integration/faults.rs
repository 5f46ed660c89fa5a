//! Every fault of the network and the service, on every write: the final state, the versions, the
//! exit class and the outputs.

use std::thread;
use std::time::Duration;

use sandbox::{Fault, Sandbox};

use crate::common::{Done, NAME, Tool, calls, current};

/// Longer than an attempt may take when `timeout` is [`TIMEOUT`].
const LATE: Duration = Duration::from_secs(4);
const TIMEOUT: &str = "12s";

struct Case {
    fault: Fault,
    code: i32,
    /// How often the faulty operation is called; None where it depends on what is retried.
    calls: Option<usize>,
}

fn cases() -> Vec<Case> {
    let survived = |fault| Case {
        fault,
        code: 0,
        calls: Some(2),
    };
    let fatal = |fault, code| Case {
        fault,
        code,
        calls: Some(1),
    };
    let error = |code: &str| Fault::Error {
        status: 400,
        code: code.to_owned(),
        message: "made up".to_owned(),
    };
    vec![
        survived(Fault::Throttle),
        survived(Fault::InternalError),
        survived(Fault::BadGateway),
        survived(Fault::Unavailable),
        survived(Fault::ResetBefore),
        survived(Fault::LostAfter),
        survived(Fault::DelayBefore(LATE)),
        survived(Fault::DelayAfter(LATE)),
        Case {
            fault: Fault::CutBody,
            code: 0,
            calls: None,
        },
        Case {
            fault: Fault::MalformedBody,
            code: 0,
            calls: None,
        },
        Case {
            fault: Fault::EmptyObject,
            code: 0,
            calls: None,
        },
        fatal(Fault::ExpiredToken, 3),
        fatal(Fault::BadSignature, 3),
        fatal(Fault::AccessDenied, 4),
        fatal(error("ValidationException"), 2),
        fatal(error("LimitExceededException"), 8),
        fatal(error("DecryptionFailure"), 4),
        fatal(error("SomethingNewException"), 7),
        // Looked at again: the state explains it, or the write is tried once more.
        survived(error("InvalidRequestException")),
    ]
}

#[test]
fn write_faults_end_in_expected_state() {
    let runs: Vec<_> = ["CreateSecret", "PutSecretValue", "UpdateSecret"]
        .into_iter()
        .flat_map(|operation| cases().into_iter().map(move |case| (operation, case)))
        .collect();
    // Most of the time is waiting, so several run at once.
    let mut queues: Vec<Vec<_>> = (0..6).map(|_| Vec::new()).collect();
    for (number, run) in runs.into_iter().enumerate() {
        queues[number % 6].push(run);
    }
    thread::scope(|scope| {
        for queue in queues {
            scope.spawn(move || {
                for (operation, case) in queue {
                    check(operation, &case);
                }
            });
        }
    });
}

fn check(operation: &str, case: &Case) {
    let what = format!("{operation} {:?}", case.fault);
    let sandbox = Sandbox::start();
    let creates = operation == "CreateSecret";
    if !creates {
        sandbox.with(|world| world.create(NAME, "old"));
    }
    let before = sandbox.with(|world| world.secret(NAME));
    sandbox.fault(operation, 1, case.fault.clone());
    let done = Tool::new(&sandbox, "made-up-new")
        .input("description", "new")
        .input("timeout", TIMEOUT)
        .run();
    assert_eq!(done.code, Some(case.code), "{what}: {}", done.stderr);
    if let Some(wanted) = case.calls {
        assert_eq!(calls(&sandbox, operation), wanted, "{what}");
    }
    let after = sandbox.with(|world| world.secret(NAME));
    if case.code == 0 {
        let after = after.unwrap();
        let version = after.current().unwrap();
        assert_eq!(version.string.as_deref(), Some("made-up-new"), "{what}");
        assert_eq!(after.description.as_deref(), Some("new"), "{what}");
        assert_eq!(
            after.versions.len(),
            if creates { 1 } else { 2 },
            "{what}: one new version"
        );
        assert_eq!(done.output("secret_id"), after.arn, "{what}");
        assert_eq!(done.output("secret_version_id"), version.id, "{what}");
        assert!(
            done.output("version_stages").contains("AWSCURRENT"),
            "{what}"
        );
        assert_eq!(
            done.output("result"),
            if creates { "created" } else { "updated" },
            "{what}: {}",
            done.stderr
        );
        let previous = before.map_or(String::new(), |secret| secret.current().unwrap().id.clone());
        assert_eq!(done.output("previous_version_id"), previous, "{what}");
    } else {
        failed(&done, &sandbox, operation, &what);
    }
}

fn failed(done: &Done, sandbox: &Sandbox, operation: &str, what: &str) {
    // The value is written before nothing and after the description.
    let written = (operation != "CreateSecret").then(|| "old".to_owned());
    assert_eq!(current(sandbox), written, "{what}");
    assert_eq!(
        done.output("secret_id").is_empty(),
        operation == "CreateSecret",
        "{what}: the id is handed on where it is known"
    );
    assert_eq!(
        done.output("secret_version_id"),
        "",
        "{what}: no version holds the value"
    );
    assert!(done.stderr.contains("next: "), "{what}: {}", done.stderr);
}

#[test]
fn read_faults_are_retried() {
    let faults = [
        Fault::Throttle,
        Fault::InternalError,
        Fault::ResetBefore,
        Fault::CutBody,
        Fault::MalformedBody,
        Fault::EmptyObject,
        Fault::LostAfter,
    ];
    for operation in ["DescribeSecret", "GetSecretValue"] {
        for fault in &faults {
            let sandbox = Sandbox::start();
            sandbox.with(|world| world.create(NAME, "made-up"));
            sandbox.fault(operation, 1, fault.clone());
            let done = Tool::new(&sandbox, "made-up").run();
            assert_eq!(
                (done.code, done.output("result")),
                (Some(0), "unchanged"),
                "{operation} {fault:?}: {}",
                done.stderr
            );
        }
    }
}

#[test]
fn full_version_quota_is_not_retried() {
    let sandbox = Sandbox::start();
    sandbox.with(|world| {
        world.create(NAME, "0");
        for number in 1..100 {
            world.put(NAME, &number.to_string());
        }
    });
    let done = Tool::new(&sandbox, "made-up").run();
    done.expect(8, "");
    assert_eq!(calls(&sandbox, "PutSecretValue"), 1, "not retried");
    sandbox.advance_clock(Duration::from_secs(25 * 3600));
    Tool::new(&sandbox, "made-up").run().expect(0, "updated");
}

#[test]
fn run_ends_within_timeout() {
    let sandbox = Sandbox::start();
    let held = sandbox.hold("DescribeSecret", 1, sandbox::When::BeforeApply);
    let done = Tool::new(&sandbox, "made-up")
        .input("timeout", "1s")
        .env("AWS_MAX_ATTEMPTS", "1")
        .run();
    done.expect(7, "");
    held.discard();

    // Nobody listens: refused at once, and said so.
    let gone = {
        let closed = Sandbox::start();
        Tool::new(&closed, "made-up").env("AWS_MAX_ATTEMPTS", "1")
    };
    let done = gone.run();
    done.expect(7, "");
    assert!(
        done.stderr.contains("refused the connection"),
        "{}",
        done.stderr
    );
}
