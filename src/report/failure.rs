//! Derives the failure of a run from the failures of its secrets. Reads only the report.

use std::collections::BTreeMap;
use std::time::Duration;

use upsert_secret_aws::PendingCall;
use upsert_secret_core::attempt::Wait;
use upsert_secret_core::failure::{Class, Failure};
use upsert_secret_core::outcome::counted;

use crate::run_report::{Details, RunReport, Status, TargetReport};

/// The number of failures reported in full.
const MAX_FAILURES: usize = 10;

/// Classes in order of severity, most urgent first.
const GRAVEST_FIRST: [Class; 8] = [
    Class::Bug,
    Class::Credentials,
    Class::Denied,
    Class::Refused,
    Class::Conflict,
    Class::Limit,
    Class::Unavailable,
    Class::Input,
];

/// The failure of a run in which some secrets failed.
pub(crate) fn failure(run: &RunReport) -> Option<Failure> {
    if let Some(failure) = run.run_failure() {
        return Some(failure);
    }
    of_targets(run, |_| true)
}

/// The combined failure of the failed secrets selected by `counts`.
fn of_targets(run: &RunReport, counts: impl Fn(&Details) -> bool) -> Option<Failure> {
    let targets = run.targets();
    let failed: Vec<(&str, &Failure)> = targets
        .iter()
        .filter(|target| target.details.as_deref().is_some_and(&counts))
        .filter_map(|target| Some((target.name.as_str(), target.failure()?)))
        .collect();
    if run.kind.single {
        return failed.first().map(|(_, failure)| (*failure).clone());
    }
    let class = gravest(failed.iter().map(|(_, failure)| failure.class))?;
    // The failure of one secret does not imply that the others were not changed.
    let may_have = |target: &TargetReport| target.has_changed() || target.may_have_changed();
    let none = if run.kind.all_or_nothing && !targets.iter().any(may_have) {
        "; no secret was changed"
    } else {
        ""
    };
    if let [(name, only)] = failed[..] {
        return Some(Failure {
            what: format!("{}{none}", with_name(name, &only.what)),
            ..only.clone()
        });
    }
    let reported = failed.iter().take(MAX_FAILURES);
    let mut why: Vec<String> = reported
        .map(|(name, failure)| failure_lines(name, failure))
        .collect();
    if failed.len() > MAX_FAILURES {
        let more = failed.len() - MAX_FAILURES;
        why.push(format!("and {more} more, which are in the report"));
    }
    let what = format!("{} of {} secrets failed{none}", failed.len(), targets.len());
    let next = format!("fix the cause and {}", run_again(run));
    Some(Failure::new(class, what, next).because(why.join("\n")))
}

fn gravest(classes: impl IntoIterator<Item = Class>) -> Option<Class> {
    let position = |class: &Class| GRAVEST_FIRST.iter().position(|other| other == class);
    classes.into_iter().min_by_key(position)
}

/// The headline, with the name of the secret unless the headline contains it.
fn with_name(name: &str, what: &str) -> String {
    let mut words = what.split(|c: char| c.is_whitespace() || c == ',' || c == ':');
    if words.any(|word| word == name) {
        what.to_owned()
    } else {
        format!("{name}: {what}")
    }
}

fn failure_lines(name: &str, failure: &Failure) -> String {
    let what = with_name(name, &failure.what);
    let why = failure.why.iter().flat_map(|why| why.lines());
    let why: String = why.map(|line| format!("\n  {line}")).collect();
    let next = failure.next.replace('\n', "\n        ");
    format!("{what} ({}){why}\n  next: {next}", failure.class.name())
}

/// The advice to run again, with what happens to writes if there were any.
fn run_again(run: &RunReport) -> &'static str {
    if run.has_written() {
        "run again: completed changes are found and kept"
    } else {
        "run again"
    }
}

/// The failure of a run that a signal ended.
pub(crate) fn cancelled(run: &RunReport, class: Class) -> Failure {
    Failure::new(class, "the run was cancelled", run_again(run))
}

/// The failure of a run that exceeded its time limit.
pub(crate) fn timed_out(run: &RunReport, timeout: Duration) -> Failure {
    let limit = timeout.as_secs();
    let did_not_end = format!("the run did not end within `timeout`, which is {limit} s");
    if !run.kind.single {
        return many_timed_out(run, did_not_end);
    }
    let targets = run.targets();
    let Some(target) = targets.first() else {
        return listing_timed_out(run, did_not_end);
    };
    let details = target.details.as_deref();
    let wait = details.and_then(|details| details.waiting.as_ref());
    let contended = details.and_then(|details| details.contended.as_ref());
    if let (None, Some(holder)) = (wait, contended) {
        let name = &target.name;
        let holder = holder.as_deref().unwrap_or("none");
        return Failure::new(
            Class::Conflict,
            format!("others kept writing to {name} for the {limit} s of `timeout`"),
            "run again; fewer concurrent jobs or a longer `timeout` help",
        )
        .because(format!(
            "AWSCURRENT was on version {holder} when it was last observed"
        ));
    }
    let mut causes = waits_of_run(run);
    causes.extend(wait.iter().flat_map(|wait| wait_lines(wait)));
    let expected = wait.and_then(|wait| wait.failure.as_ref());
    let next = expected.map_or_else(
        || {
            format!(
                "{}; a longer `timeout` helps where AWS is slow",
                run_again(run)
            )
        },
        |failure| failure.next.to_string(),
    );
    Failure {
        why: (!causes.is_empty()).then(|| causes.join("\n")),
        aws: expected.and_then(|failure| failure.aws.clone()),
        ..Failure::new(Class::Unavailable, did_not_end, next)
    }
}

/// The failure of a run that only reads existing secrets.
fn listing_timed_out(run: &RunReport, did_not_end: String) -> Failure {
    Failure::new(
        Class::Unavailable,
        did_not_end,
        "run again with a longer `timeout`, or select fewer secrets with `only`",
    )
    .because(waits_of_run(run).join("\n"))
}

/// The failure of a manifest run that exceeded its time limit, including secrets that had failed before.
fn many_timed_out(run: &RunReport, did_not_end: String) -> Failure {
    let targets = run.targets();
    let is_cut = |target: &&TargetReport| target.details.as_deref().is_some_and(|it| it.is_cut);
    let cut: Vec<_> = targets.iter().filter(is_cut).collect();
    let counts = [
        (cut.len(), "in progress"),
        (run.count(Status::NotTried), "not tried"),
    ];
    let counts = counts.iter().filter(|(number, _)| *number > 0);
    let counts: Vec<_> = counts
        .map(|(number, what)| format!("{} {what}", counted(*number, "secret")))
        .collect();
    let what = match counts.is_empty() {
        true => did_not_end,
        false => format!("{did_not_end}: {}", counts.join(", ")),
    };
    let mut causes = waits_of_run(run);
    let waits = cut.iter().filter_map(|target| {
        let details = target.details.as_deref()?;
        let mut lines = match (&details.waiting, &details.contended) {
            (Some(wait), _) => wait_lines(wait),
            (None, Some(_)) => vec!["others kept writing to it".to_owned()],
            (None, None) => return None,
        };
        lines[0] = format!("{}: {}", target.name, lines[0]);
        Some(lines.join("\n"))
    });
    let waits: Vec<_> = waits.collect();
    causes.extend(waits.iter().take(MAX_FAILURES).cloned());
    if waits.len() > MAX_FAILURES {
        causes.push(format!("and {} more secrets", waits.len() - MAX_FAILURES));
    }
    let next = format!(
        "{}; a longer `timeout` helps, and `only` to spread the secrets over several jobs",
        run_again(run)
    );
    let cut = Failure {
        why: (!causes.is_empty()).then(|| causes.join("\n")),
        ..Failure::new(Class::Unavailable, what, next)
    };
    let failed = run.run_failure();
    match failed.or_else(|| of_targets(run, |details| !details.is_cut)) {
        Some(failed) => both(cut, failed),
        None => cut,
    }
}

/// Combines two failures into one with both problems, causes and next steps.
fn both(cut: Failure, failed: Failure) -> Failure {
    let causes: Vec<_> = cut.why.into_iter().chain(failed.why).collect();
    Failure {
        class: gravest([cut.class, failed.class]).unwrap_or(cut.class),
        what: format!("{}\n{}", cut.what, failed.what),
        why: (!causes.is_empty()).then(|| causes.join("\n")),
        next: format!("{}\n{}", failed.next, cut.next),
        aws: failed.aws,
    }
}

/// What the run as a whole was waiting for, one line each.
fn waits_of_run(run: &RunReport) -> Vec<String> {
    let phase = run.waiting().map(str::to_owned);
    let mut operations: BTreeMap<&str, Vec<PendingCall>> = BTreeMap::new();
    for call in run.pending() {
        operations.entry(call.operation).or_default().push(call);
    }
    let calls = operations.iter().map(|(operation, calls)| {
        let sent = calls.iter().filter(|call| call.attempts > 0);
        let Some(oldest) = sent.max_by_key(|call| call.attempts) else {
            return format!("its turn to send {operation}, within the limit that `rate` sets");
        };
        let answers = match calls.len() {
            1 => format!("an answer to {operation}"),
            many => format!("answers to {many} calls of {operation}"),
        };
        match &oldest.last {
            Some(last) => format!(
                "{answers} ({}; the last: {last})",
                counted(oldest.attempts as usize, "attempt")
            ),
            None => answers,
        }
    });
    let waits = phase.into_iter().chain(calls);
    waits
        .map(|what| format!("it was waiting for {what}"))
        .collect()
}

/// What a secret was waiting for, and the message from AWS.
fn wait_lines(wait: &Wait) -> Vec<String> {
    let mut lines = vec![format!("it was waiting for {}", wait.what)];
    if let Some(failure) = &wait.failure {
        lines.push(failure.what.clone());
        lines.extend(
            failure
                .why
                .iter()
                .flat_map(|why| why.lines().map(str::to_owned)),
        );
    }
    lines
}
