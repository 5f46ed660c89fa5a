//! The failure of a run, derived from the failures of its secrets. Looks at nothing but the report.

use std::time::Duration;

use upsert_secret_core::failure::{Class, Failure};

use crate::run_report::{RunReport, Status, TargetReport};

/// The number of failures reported in full.
const MAX_FAILURES: usize = 10;

/// Classes in order of severity: the first needs attention soonest.
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
    let targets = run.targets();
    let failed: Vec<(&str, &Failure)> = targets
        .iter()
        .filter_map(|target| Some((target.name.as_str(), target.failure()?)))
        .collect();
    if run.kind.single {
        return failed.first().map(|(_, failure)| (*failure).clone());
    }
    let class = gravest(failed.iter().map(|(_, failure)| failure.class))?;
    // The failure of one secret does not imply that the others were not made current.
    let may_have = |target: &TargetReport| target.has_changed() || target.may_have_changed();
    let none = if run.kind.all_or_nothing && !targets.iter().any(may_have) {
        ", so none was made current"
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
        why.push(format!("and {more} more, which the report names"));
    }
    let what = format!("{} of {} secrets failed{none}", failed.len(), targets.len());
    let next = "mend that, and run again: what has been done is found and left alone";
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

/// The failure of a run that exceeded its time limit, and in which secrets had failed.
fn both(cut: &Failure, failed: Failure) -> Failure {
    Failure {
        class: gravest([cut.class, failed.class]).unwrap_or(cut.class),
        what: format!("{}; {}", cut.what, failed.what),
        next: format!("{}\n{}", failed.next, cut.next),
        ..failed
    }
}

/// The failure of a run that exceeded its time limit.
pub(crate) fn timed_out(run: &RunReport, timeout: Duration) -> Failure {
    let limit = timeout.as_secs();
    let did_not_end = format!("the run did not end within `timeout`, which is {limit} s");
    if !run.kind.single {
        let cut = Failure::new(
            Class::Unavailable,
            format!(
                "{did_not_end}: {} secrets were not tried",
                run.count(Status::NotTried)
            ),
            "run again: what has been done is found and left alone; a longer `timeout` helps, and `only` to spread the \
             secrets over several jobs",
        );
        return match failure(run) {
            Some(failure) => both(&cut, failure),
            None => cut,
        };
    }
    let target = &run.targets()[0];
    let details = target.details.as_ref();
    let waiting = details.and_then(|details| details.waiting.as_ref());
    let contended = details.and_then(|details| details.contended.as_ref());
    if let (None, Some(holder)) = (waiting, contended) {
        let name = &target.name;
        let holder = holder.as_deref().unwrap_or("none");
        return Failure::new(
            Class::Conflict,
            format!("others kept writing to {name} for the {limit} s of `timeout`"),
            "run again; fewer jobs at once or a longer `timeout` help",
        )
        .because(format!(
            "AWSCURRENT was on version {holder} when it was last looked at"
        ));
    }
    let failure = Failure::new(
        Class::Unavailable,
        did_not_end,
        "run again: a write that arrived is found and kept; a longer `timeout` helps where AWS is slow",
    );
    match waiting {
        Some(what) => failure.because(format!("it was waiting for {what}")),
        None => failure,
    }
}
