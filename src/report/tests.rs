//! Snapshots of every format.

use insta::assert_snapshot;
use upsert_secret_core::failure::Class;
use upsert_secret_core::notice::Level;
use upsert_secret_core::outcome::{Change, ChangeKind, Preview, VersionRef};

use super::*;
use crate::progress::Progress;
use crate::run_report::{ReportGuard, RunKind};

mod manifest;

fn updated() -> Outcome {
    Outcome {
        arn: Some(
            "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/key-AbCdEf".to_owned(),
        ),
        name: Some("prod/key".to_owned()),
        region: Some("eu-west-1".to_owned()),
        version: Some(VersionRef {
            id: "22222222-2222-8222-8222-222222222222".to_owned(),
            stages: vec!["AWSCURRENT".to_owned()],
        }),
        changes: vec![
            Change::Description,
            Change::Version {
                id: "22222222-2222-8222-8222-222222222222".to_owned(),
                label: "AWSCURRENT".to_owned(),
                keys: Vec::new(),
            },
            Change::Tagged(vec!["stage".to_owned(), "team".to_owned()]),
        ],
        notices: vec![(Level::Warning, "a <b>doubt</b> | [x](y)".to_owned())],
        moved_from: Some("11111111-1111-8111-8111-111111111111".to_owned()),
        ..Outcome::default()
    }
}

fn run_report(outcome: Outcome) -> RunReport {
    let kind = RunKind {
        single: true,
        ..RunKind::default()
    };
    let run = RunReport::new(["prod/key".to_owned()], kind, Progress::silent());
    let mut guard = ReportGuard::new(0, &run);
    guard.attempt.outcome = outcome;
    guard.end(Ok(()));
    run
}

fn report<'a>(run: &'a RunReport, failure: Option<&'a Failure>) -> Report<'a> {
    Report::new(run, failure, Duration::from_millis(412))
}

fn lines(outputs: &Outputs) -> String {
    let lines: Vec<_> = outputs
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    lines.join("\n")
}

#[test]
fn update_in_all_formats() {
    let run = run_report(updated());
    let report = report(&run, None);
    assert_snapshot!(report.text(&Redactor::default()), @r#"
    updated prod/key in eu-west-1 (412 ms)
      wrote the description
      wrote the value as version 22222222-2222-8222-8222-222222222222, now AWSCURRENT
      wrote tags: stage, team
      secret   arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/key-AbCdEf
      version  22222222-2222-8222-8222-222222222222 (AWSCURRENT)
    "#);
    assert_snapshot!(lines(&report.outputs()), @r#"
    secret_id=arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/key-AbCdEf
    secret_name=prod/key
    secret_version_id=22222222-2222-8222-8222-222222222222
    previous_version_id=11111111-1111-8111-8111-111111111111
    version_stages=AWSCURRENT
    result=updated
    changed=true
    restored=false
    region=eu-west-1
    "#);
    assert_snapshot!(report.markdown(&Redactor::default(), 0), @r#"
    ### Secret updated: `prod/key`

    | | |
    |---|---|
    | Secret | `arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/key-AbCdEf` |
    | Version | `22222222-2222-8222-8222-222222222222` |
    | Staging labels | `AWSCURRENT` |
    | Previous version | `11111111-1111-8111-8111-111111111111` |
    | Region | `eu-west-1` |
    | AWS console | [open the secret](https://eu-west-1.console.aws.amazon.com/secretsmanager/secret?name=prod%2Fkey&region=eu-west-1) |
    | Duration | 412 ms |

    - wrote the description
    - wrote the value as version 22222222-2222-8222-8222-222222222222, now AWSCURRENT
    - wrote tags: stage, team
    - warning: a \<b\>doubt\</b\> \| \[x\](y)
    "#);
    assert_snapshot!(report.json(&Redactor::default()), @r#"{"changed":true,"changes":["wrote the description","wrote the value as version 22222222-2222-8222-8222-222222222222, now AWSCURRENT","wrote tags: stage, team"],"milliseconds":412,"notices":["a <b>doubt</b> | [x](y)"],"previous_version_id":"11111111-1111-8111-8111-111111111111","region":"eu-west-1","restored":false,"result":"updated","secret_id":"arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/key-AbCdEf","secret_name":"prod/key","secret_version_id":"22222222-2222-8222-8222-222222222222","version_stages":["AWSCURRENT"]}"#);
}

#[test]
fn failure_halfway_reports_what_is_known() {
    let run = run_report(Outcome {
        notices: Vec::new(),
        ..updated()
    });
    let failure = Failure::new(
        Class::Denied,
        "AWS does not allow TagResource on prod/key",
        "allow it",
    )
    .because("AWS answered: made-up-key is ```no\nbody```");
    let redactor = Redactor::default();
    redactor.hide(b"made-up-key");
    let report = report(&run, Some(&failure));
    assert_snapshot!(report.text(&Redactor::default()), @r#"
    before it failed, this run
      wrote the description
      wrote the value as version 22222222-2222-8222-8222-222222222222, now AWSCURRENT
      wrote tags: stage, team
      secret   arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/key-AbCdEf
      version  22222222-2222-8222-8222-222222222222 (AWSCURRENT)
    "#);
    assert_snapshot!(report.markdown(&redactor, 0), @r#"
    ### upsert-secret failed: not allowed (exit 4)

    **AWS does not allow TagResource on prod/key**

    - **Why:**
      - AWS answered: \*\*\* is \`\`\`no
      - body\`\`\`
    - **Next:** allow it

    | | |
    |---|---|
    | Secret | `arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/key-AbCdEf` |
    | Version | `22222222-2222-8222-8222-222222222222` |
    | Staging labels | `AWSCURRENT` |
    | Previous version | `11111111-1111-8111-8111-111111111111` |
    | Region | `eu-west-1` |
    | AWS console | [open the secret](https://eu-west-1.console.aws.amazon.com/secretsmanager/secret?name=prod%2Fkey&region=eu-west-1) |

    - wrote the description
    - wrote the value as version 22222222-2222-8222-8222-222222222222, now AWSCURRENT
    - wrote tags: stage, team
    "#);
    assert_snapshot!(report.json(&redactor), @r#"{"changed":true,"changes":["wrote the description","wrote the value as version 22222222-2222-8222-8222-222222222222, now AWSCURRENT","wrote tags: stage, team"],"error":{"aws":null,"class":"not allowed","exit_code":4,"next":"allow it","what":"AWS does not allow TagResource on prod/key","why":"AWS answered: *** is ```no\nbody```"},"milliseconds":412,"notices":[],"previous_version_id":"11111111-1111-8111-8111-111111111111","region":"eu-west-1","restored":false,"result":"updated","secret_id":"arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/key-AbCdEf","secret_name":"prod/key","secret_version_id":"22222222-2222-8222-8222-222222222222","version_stages":["AWSCURRENT"]}"#);
}

#[test]
fn early_failure_has_neither_outputs_nor_table() {
    let run = run_report(Outcome::default());
    let failure = Failure::new(Class::Input, "no name\nno value", "give one")
        .because("<b>no</b> `name`, see https://made-up.example");
    let report = report(&run, Some(&failure));
    assert_eq!(report.outputs(), Outputs::new());
    assert_snapshot!(report.markdown(&Redactor::default(), 0), @r#"
    ### upsert-secret failed: bad input (exit 2)

    **no name**

    **no value**

    - **Why:** \<b\>no\</b\> `name`, see `https://made-up.example`
    - **Next:** give one
    "#);
}

#[test]
fn next_step_keeps_its_structure_in_summary() {
    let run = run_report(Outcome::default());
    let failure = Failure {
        aws: Some("PutSecretValue, AccessDeniedException".to_owned()),
        ..Failure::new(
            Class::Denied,
            "AWS does not allow PutSecretValue on a",
            "allow this in the role's policy:\n  action    secretsmanager:PutSecretValue\n  resource  arn:aws:secretsmanager:eu-west-1:111122223333:secret:a-??????",
        )
    };
    let report = report(&run, Some(&failure));
    assert_snapshot!(report.markdown(&Redactor::default(), 0), @r#"
    ### upsert-secret failed: not allowed (exit 4)

    **AWS does not allow PutSecretValue on a**

    - **Next:** allow this in the role's policy:
      - action    secretsmanager:PutSecretValue
      - resource  `arn:aws:secretsmanager:eu-west-1:111122223333:secret:a-`??????
    - **AWS:** PutSecretValue, AccessDeniedException
    "#);
}

#[test]
fn heading_says_what_the_run_did() {
    let id = || "22222222-2222-8222-8222-222222222222".to_owned();
    let preview = |kind| {
        Some(Preview {
            kind,
            steps: Vec::new(),
        })
    };
    let headings = [
        (vec![Change::Description], None),
        (vec![Change::Promoted(id())], None),
        (vec![Change::RolledBack(id())], None),
        (Vec::new(), preview(ChangeKind::Created)),
        (Vec::new(), preview(ChangeKind::Updated)),
        (Vec::new(), preview(ChangeKind::Unchanged)),
    ]
    .map(|(changes, preview)| {
        let run = run_report(Outcome {
            name: Some("a".to_owned()),
            region: Some("eu-west-1".to_owned()),
            changes,
            preview,
            ..Outcome::default()
        });
        let report = report(&run, None);
        let first = |text: String| text.lines().next().unwrap_or_default().to_owned();
        let markdown = report.markdown(&Redactor::default(), 0);
        format!(
            "{}\n{}",
            first(markdown),
            first(report.text(&Redactor::default()))
        )
    });
    assert_snapshot!(headings.join("\n"), @r#"
    ### Secret updated: `a`
    updated a in eu-west-1 (412 ms)
    ### Promoted: `a`
    promoted a in eu-west-1 (412 ms)
    ### Rolled back: `a`
    rolled back a in eu-west-1 (412 ms)
    ### Secret would be created: `a`
    would be created: a in eu-west-1 (412 ms)
    ### Secret would be updated: `a`
    would be updated: a in eu-west-1 (412 ms)
    ### Secret would be unchanged: `a`
    would be unchanged: a in eu-west-1 (412 ms)
    "#);
}

#[test]
fn policy_summary_is_a_closed_block() {
    let page = policy_markdown(
        "{\"a\": \"```\"}",
        &["a *note*".to_owned()],
        &Redactor::default(),
    );
    assert_snapshot!(page, @r#"
    ### IAM policy of this run

    ````json
    {"a": "```"}
    ````

    - notice: a \*note\*
    "#);
}

#[test]
fn console_link_shows_no_secret() {
    let run = run_report(updated());
    let redactor = Redactor::default();
    redactor.hide(b"prod/key");
    let page = report(&run, None).markdown(&redactor, 0);
    assert!(!page.contains("console.aws"), "{page}");
}
