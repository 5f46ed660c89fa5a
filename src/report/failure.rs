//! The failure of a run, from those of its secrets.

use std::time::Duration;

use upsert_secret_core::failure::{Class, Failure};

use crate::run_report::RunReport;

/// Failures that are reported in full.
const MAX_FAILURES: usize = 10;

/// The failure of a run in which some secrets failed.
pub(crate) fn failure(report: &RunReport) -> Option<Failure> {
    if let Some(failure) = report.run_failure() {
        return Some(failure);
    }
    if report.kind.single {
        return report.read(|targets| targets[0].details.as_ref()?.failure.clone());
    }
    let class = report.gravest_class()?;
    let counts = report.counts();
    // Unless AWS's words say so themselves, nobody would think of it.
    let none = if report.kind.all_or_nothing && counts.created + counts.updated == 0 {
        ", so none was made current"
    } else {
        ""
    };
    Some(report.read(|targets| {
        let failed: Vec<(&str, &Failure)> = targets
            .iter()
            .filter_map(|target| {
                Some((
                    target.name.as_str(),
                    target.details.as_ref()?.failure.as_ref()?,
                ))
            })
            .collect();
        if let [(name, only)] = failed[..] {
            return Failure {
                what: format!("{}{none}", with_name(name, &only.what)),
                ..only.clone()
            };
        }
        let mut why: Vec<String> = failed
            .iter()
            .take(MAX_FAILURES)
            .map(|(name, failure)| failure_lines(name, failure))
            .collect();
        if failed.len() > MAX_FAILURES {
            why.push(format!(
                "and {} more, which the report names",
                failed.len() - MAX_FAILURES
            ));
        }
        Failure::new(
            class,
            format!("{} of {} secrets failed{none}", counts.failed, counts.all),
            "mend that, and run again: what has been done is found and left alone",
        )
        .because(why.join("\n"))
    }))
}

/// What happened, and to which secret, where the words do not say so themselves.
fn with_name(name: &str, what: &str) -> String {
    let says = what
        .split(|c: char| c.is_whitespace() || c == ',' || c == ':')
        .any(|word| word == name);
    if says {
        what.to_owned()
    } else {
        format!("{name}: {what}")
    }
}

fn failure_lines(name: &str, failure: &Failure) -> String {
    let what = with_name(name, &failure.what);
    let mut text = format!("{what} ({})", failure.class.name());
    for line in failure.why.iter().flat_map(|why| why.lines()) {
        text.push_str(&format!("\n  {line}"));
    }
    for line in failure.next.lines() {
        text.push_str(&format!("\n  next: {line}"));
    }
    text
}

/// The failure of a run that did not end in time.
pub(crate) fn timed_out(report: &RunReport, timeout: Duration) -> Failure {
    let limit = timeout.as_secs();
    if !report.kind.single {
        return Failure::new(
            Class::Unavailable,
            format!(
                "the run did not end within `timeout`, which is {limit} s: {} secrets were not tried",
                report.counts().not_tried
            ),
            "run again: what has been done is found and left alone; a longer `timeout` helps, and `only` to spread the \
             secrets over several jobs",
        );
    }
    report.read(|targets| {
        let target = &targets[0];
        let details = target.details.as_ref();
        let waiting = details.and_then(|details| details.waiting.as_ref());
        if let (None, Some(holder)) = (waiting, details.and_then(|it| it.contended.as_ref())) {
            return Failure::new(
                Class::Conflict,
                format!(
                    "others kept writing to {} for the {limit} s of `timeout`",
                    target.name
                ),
                "run again; fewer jobs at once or a longer `timeout` help",
            )
            .because(format!(
                "AWSCURRENT was on version {} when it was last looked at",
                holder.as_deref().unwrap_or("none")
            ));
        }
        let failure = Failure::new(
            Class::Unavailable,
            format!("the run did not end within `timeout`, which is {limit} s"),
            "run again: a write that arrived is found and kept; a longer `timeout` helps where AWS is slow",
        );
        match waiting {
            Some(what) => failure.because(format!("it was waiting for {what}")),
            None => failure,
        }
    })
}
