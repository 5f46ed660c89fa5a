//! Every fault of the network and the service on every write: the final state, the versions, the
//! exit code and the outputs.

use std::thread;
use std::time::Duration;

use sandbox::{Fault, Sandbox};

use crate::common::{Cli, NAME, Outcome, call_count, current_value};

/// Longer than the timeout of one attempt when `timeout` is [`TIMEOUT`].
const LONG_DELAY: Duration = Duration::from_secs(4);
const TIMEOUT: &str = "12s";

struct Case {
    fault: Fault,
    code: i32,
    /// How often the faulty operation is called; `None` if that depends on what is retried.
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
        survived(Fault::DelayBefore(LONG_DELAY)),
        survived(Fault::DelayAfter(LONG_DELAY)),
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
        // The run reads the state again; it explains the error, or the write is repeated.
        survived(error("InvalidRequestException")),
    ]
}

#[test]
fn write_faults_end_in_expected_state() {
    let runs: Vec<_> = ["CreateSecret", "PutSecretValue", "UpdateSecret"]
        .into_iter()
        .flat_map(|operation| cases().into_iter().map(move |case| (operation, case)))
        .collect();
    // Most of the time is spent waiting, so several threads run at once.
    let mut queues: Vec<Vec<_>> = (0..6).map(|_| Vec::new()).collect();
    for (number, run) in runs.into_iter().enumerate() {
        queues[number % 6].push(run);
    }
    thread::scope(|scope| {
        for queue in queues {
            scope.spawn(move || {
                for (operation, case) in queue {
                    check_fault(operation, &case);
                }
            });
        }
    });
}

fn check_fault(operation: &str, case: &Case) {
    let context = format!("{operation} {:?}", case.fault);
    let sandbox = Sandbox::start();
    let creates = operation == "CreateSecret";
    if !creates {
        sandbox.with(|world| world.create(NAME, "old"));
    }
    let before = sandbox.with(|world| world.secret(NAME));
    sandbox.fault(operation, 1, case.fault.clone());
    let outcome = Cli::new(&sandbox, "made-up-new")
        .input("description", "new")
        .input("timeout", TIMEOUT)
        .run();
    // The description was written before the value: the input is not just bad.
    let code = match (operation, case.code) {
        ("PutSecretValue", 2) => 6,
        (_, code) => code,
    };
    assert_eq!(outcome.code, Some(code), "{context}: {}", outcome.stderr);
    if let Some(expected) = case.calls {
        assert_eq!(call_count(&sandbox, operation), expected, "{context}");
    }
    let after = sandbox.with(|world| world.secret(NAME));
    if case.code == 0 {
        let after = after.unwrap();
        let version = after.current().unwrap();
        assert_eq!(version.string.as_deref(), Some("made-up-new"), "{context}");
        assert_eq!(after.description.as_deref(), Some("new"), "{context}");
        assert_eq!(
            after.versions.len(),
            if creates { 1 } else { 2 },
            "{context}: one new version"
        );
        assert_eq!(outcome.output("secret_id"), after.arn, "{context}");
        assert_eq!(outcome.output("secret_version_id"), version.id, "{context}");
        assert!(
            outcome.output("version_stages").contains("AWSCURRENT"),
            "{context}"
        );
        assert_eq!(
            outcome.output("result"),
            if creates { "created" } else { "updated" },
            "{context}: {}",
            outcome.stderr
        );
        let previous = before.map_or(String::new(), |secret| secret.current().unwrap().id.clone());
        assert_eq!(outcome.output("previous_version_id"), previous, "{context}");
    } else {
        check_failure(&outcome, &sandbox, operation, &context);
    }
}

fn check_failure(outcome: &Outcome, sandbox: &Sandbox, operation: &str, context: &str) {
    // The value is written last, so a fault in any of these calls leaves the old one.
    let written = (operation != "CreateSecret").then(|| "old".to_owned());
    assert_eq!(current_value(sandbox), written, "{context}");
    assert_eq!(
        outcome.output("secret_id").is_empty(),
        operation == "CreateSecret",
        "{context}: the ID is output once it is known"
    );
    assert_eq!(
        outcome.output("secret_version_id"),
        "",
        "{context}: no version holds the value"
    );
    assert!(
        outcome.stderr.contains("next: "),
        "{context}: {}",
        outcome.stderr
    );
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
            let outcome = Cli::new(&sandbox, "made-up").run();
            assert_eq!(
                (outcome.code, outcome.output("result")),
                (Some(0), "unchanged"),
                "{operation} {fault:?}: {}",
                outcome.stderr
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
    let outcome = Cli::new(&sandbox, "made-up").run();
    outcome.expect(8, "");
    assert_eq!(call_count(&sandbox, "PutSecretValue"), 1, "not retried");
    sandbox.advance_clock(Duration::from_secs(25 * 3600));
    Cli::new(&sandbox, "made-up").run().expect(0, "updated");
}

#[test]
fn run_ends_within_timeout() {
    let sandbox = Sandbox::start();
    let held = sandbox.hold("DescribeSecret", 1, sandbox::When::BeforeApply);
    let outcome = Cli::new(&sandbox, "made-up")
        .input("timeout", "1s")
        .env("AWS_MAX_ATTEMPTS", "1")
        .run();
    outcome.expect(7, "");
    held.discard();

    // A port on which nothing listens.
    let gone = {
        let closed = Sandbox::start();
        Cli::new(&closed, "made-up").env("AWS_MAX_ATTEMPTS", "1")
    };
    let outcome = gone.run();
    outcome.expect(7, "");
    assert!(
        outcome.stderr.contains("refused the connection"),
        "{}",
        outcome.stderr
    );
}
