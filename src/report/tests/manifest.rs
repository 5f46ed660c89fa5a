//! The report of a manifest run: names, results, and messages after the time limit.

use serde_json::Value;
use upsert_secret_aws::PendingCall;
use upsert_secret_core::attempt::Wait;
use upsert_secret_core::outcome::PlannedStep;

use super::*;

const NAMES: [&str; 2] = ["db/alice-user", "db/bobby-user"];

fn run_of(names: &[&str], plan_only: bool) -> RunReport {
    let kind = RunKind {
        plan_only,
        ..RunKind::default()
    };
    let names = names.iter().map(|name| (*name).to_owned());
    RunReport::new(names, kind, Progress::silent())
}

/// The outcome of a secret with this name.
fn outcome(name: &str) -> Outcome {
    Outcome {
        arn: Some(format!(
            "arn:aws:secretsmanager:eu-west-1:111122223333:secret:{name}-AbCdEf"
        )),
        version: Some(VersionRef {
            id: format!("{}-made-up", name.len()),
            stages: Vec::new(),
        }),
        changes: vec![Change::Description],
        ..Outcome::default()
    }
}

fn end(run: &RunReport, index: usize, outcome: Outcome, ended: Result<(), Failure>) {
    let mut guard = ReportGuard::new(index, run);
    guard.attempt.outcome = outcome;
    guard.end(ended);
}

fn denied() -> Failure {
    Failure::new(Class::Denied, "AWS does not allow it", "allow it")
}

#[test]
fn names_that_contain_values_stay_separate() {
    let run = run_of(&NAMES, false);
    let redactor = Redactor::default();
    for (index, name) in NAMES.into_iter().enumerate() {
        redactor.hide(&name.as_bytes()[3..8]);
        end(&run, index, outcome(name), Ok(()));
    }
    let report = report(&run, None);
    let json: Value = serde_json::from_str(&report.json(&redactor)).unwrap();
    let results: Value = serde_json::from_str(&report.results().unwrap()).unwrap();
    for name in NAMES {
        let arn = outcome(name).arn.unwrap();
        assert_eq!(json["secrets"][name]["secret_id"], arn);
        assert_eq!(results[name]["secret_id"], arn);
    }
    assert_snapshot!(redactor.clean(&report.text(&redactor)), @r#"
    2 secrets: 2 updated (412 ms)
      updated  db/***-user (no. 1)  version 13-made-up
        wrote the description
      updated  db/***-user (no. 2)  version 13-made-up
        wrote the description
    "#);
    assert_snapshot!(report.markdown(&redactor, 10_000), @r#"
    ### 2 secrets: 2 updated

    | Secret | Result | Version | Details |
    |---|---|---|---|
    | `db/***-user` (no. 1) | updated | `13-made-up` | wrote the description |
    | `db/***-user` (no. 2) | updated | `13-made-up` | wrote the description |


    Duration: 412 ms
    "#);
}

#[test]
fn complete_failure_has_no_result_in_any_format() {
    let run = run_of(&NAMES, false);
    for index in 0..2 {
        end(&run, index, Outcome::default(), Err(denied()));
    }
    let failure = failure(&run).unwrap();
    let report = report(&run, Some(&failure));
    let outputs = report.outputs();
    let json: Value = serde_json::from_str(&report.json(&Redactor::default())).unwrap();
    for name in ["result", "changed"] {
        assert!(outputs.contains(&(name, String::new())), "{name}");
        assert_eq!(json[name], Value::Null, "{name}");
    }
    assert_eq!(json["failed"], 2);
    assert_snapshot!(report.markdown(&Redactor::default(), 10_000), @r#"
    ### upsert-secret failed: not allowed (exit 4)

    2 secrets: 2 failed

    **2 of 2 secrets failed**

    - **Why:**
      - db/alice-user: AWS does not allow it (not allowed)
        - next: allow it
      - db/bobby-user: AWS does not allow it (not allowed)
        - next: allow it
    - **Next:** fix the cause and run again

    | Secret | Result | Version | Details |
    |---|---|---|---|
    | `db/alice-user` | failed |  | AWS does not allow it |
    | `db/bobby-user` | failed |  | AWS does not allow it |


    Duration: 412 ms
    "#);
}

#[test]
fn rows_of_a_plan_say_what_is_to_be_done() {
    let run = run_of(&["a", "b"], true);
    let step = PlannedStep {
        what: "write the description".to_owned(),
        why: "it differs".to_owned(),
    };
    for (index, kind) in [ChangeKind::Created, ChangeKind::Updated]
        .into_iter()
        .enumerate()
    {
        let preview = Preview {
            kind,
            steps: vec![step.clone()],
        };
        let planned = Outcome {
            preview: Some(preview),
            ..Outcome::default()
        };
        end(&run, index, planned, Ok(()));
    }
    assert_snapshot!(report(&run, None).text(&Redactor::default()), @r#"
    2 secrets: 1 to be created, 1 to be updated (412 ms)
      to be created  a
        would write the description (because: it differs)
      to be updated  b
        would write the description (because: it differs)
    "#);
}

fn pending(operation: &'static str, attempts: u32, last: Option<&str>) -> PendingCall {
    PendingCall {
        operation,
        attempts,
        last: last.map(str::to_owned),
    }
}

#[test]
fn time_out_says_what_many_secrets_waited_for() {
    let run = run_of(&["a", "b", "c", "d", "e", "f"], false);
    end(&run, 0, outcome("a"), Ok(()));
    end(&run, 1, Outcome::default(), Err(denied()));
    let mut cut: Vec<_> = (2..5).map(|index| ReportGuard::new(index, &run)).collect();
    cut[0].attempt.waiting = Some(Wait::new("the replicas in eu-central-1"));
    cut[1].attempt.contended = true;
    run.set_pending(vec![
        pending("CreateSecret", 1, None),
        pending("CreateSecret", 3, Some("throttled")),
        pending("TagResource", 0, None),
        pending("PutSecretValue", 1, None),
    ]);
    drop(cut);
    let failure = timed_out(&run, Duration::from_secs(2));
    assert_eq!(failure.class, Class::Denied);
    assert_snapshot!(failure.to_string(), @r#"
    the run did not end within `timeout`, which is 2 s: 3 secrets in progress, 1 secret not tried
    b: AWS does not allow it
      why:  it was waiting for answers to 2 calls of CreateSecret (3 attempts; the last: throttled)
            it was waiting for an answer to PutSecretValue
            it was waiting for its turn to send TagResource, within the limit that `rate` sets
            c: it was waiting for the replicas in eu-central-1
            d: others kept writing to it
      next: allow it
            run again: completed changes are found and kept; a longer `timeout` helps, and `only` to spread the secrets over several jobs
    "#);
}

#[test]
fn time_out_before_any_secret_names_the_phase() {
    let run = run_of(&["a", "b"], false);
    run.set_waiting(Some("AWS credentials"));
    let failure = timed_out(&run, Duration::from_secs(2));
    assert_snapshot!(failure.to_string(), @r#"
    the run did not end within `timeout`, which is 2 s: 2 secrets not tried
      why:  it was waiting for AWS credentials
      next: run again; a longer `timeout` helps, and `only` to spread the secrets over several jobs
    "#);
}

#[test]
fn only_runs_that_wrote_promise_to_keep_changes() {
    let advice = |write: fn(&mut ReportGuard<'_>)| {
        let run = run_of(&["a", "b"], false);
        write(&mut ReportGuard::new(0, &run));
        cancelled(&run, Class::Interrupted).next
    };
    assert_eq!(advice(|_| {}), "run again");
    assert_eq!(
        advice(|guard| guard.attempt.wrote_unnamed = true),
        "run again: completed changes are found and kept"
    );
}

#[test]
fn time_out_keeps_what_aws_said() {
    let run = RunReport::new(
        ["a".to_owned()],
        RunKind {
            single: true,
            ..RunKind::default()
        },
        Progress::silent(),
    );
    let mut guard = ReportGuard::new(0, &run);
    let rejected = denied().because("AWS answered: made-up reason");
    guard.attempt.waiting = Some(Wait::to_repeat("PutResourcePolicy", rejected));
    drop(guard);
    assert_snapshot!(timed_out(&run, Duration::from_secs(2)).to_string(), @r#"
    the run did not end within `timeout`, which is 2 s
      why:  it was waiting for the next try of PutResourcePolicy
            AWS does not allow it
            AWS answered: made-up reason
      next: allow it
    "#);
}
