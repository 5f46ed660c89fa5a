//! Ensures that exit code 2, bad input, means that the run wrote nothing to AWS: an input that AWS rejects after a write of the
//! run is reported as refused, together with what was written. Must not print or handle secrets.

use upsert_secret_core::failure::{Class, Failure};

/// The maximum number of changes listed.
const MAX_CHANGES: usize = 10;

/// The failure of a run, or of one secret, after a write to AWS. `changes` describes what was written; it is empty if no change
/// remains, or if the changes are uncertain.
pub(crate) fn after_writes(failure: Failure, changes: &[String]) -> Failure {
    if failure.class != Class::Input {
        return failure;
    }
    let mut why: Vec<String> = failure.why.into_iter().collect();
    if changes.is_empty() {
        why.push(
            "before that, this run wrote versions or labels that are not current, or sent a write that was not answered"
                .to_owned(),
        );
    } else {
        let shown = changes.iter().take(MAX_CHANGES).cloned();
        why.push("before that, this run wrote to AWS:".to_owned());
        why.extend(shown.map(|change| format!("  {change}")));
    }
    if changes.len() > MAX_CHANGES {
        why.push(format!("  and {} more", changes.len() - MAX_CHANGES));
    }
    Failure {
        class: Class::Refused,
        why: Some(why.join("\n")),
        next: format!(
            "{}\nthe next run finds what was written and leaves it alone",
            failure.next
        ),
        ..failure
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_bad_input_is_reclassified() {
        for class in Class::ALL {
            let failure = Failure::new(class, "made up", "made up").because("made up");
            let after = after_writes(failure.clone(), &["wrote tags: team".to_owned()]);
            if class == Class::Input {
                assert_eq!(after.class, Class::Refused);
                let why = after.why.unwrap();
                assert!(
                    why.starts_with("made up\n") && why.ends_with("\n  wrote tags: team"),
                    "{why}"
                );
            } else {
                assert_eq!(after, failure);
            }
        }
    }

    #[test]
    fn long_list_of_changes_is_cut() {
        let changes: Vec<String> = (0..12)
            .map(|number| format!("a: change {number}"))
            .collect();
        let failure = Failure::new(Class::Input, "made up", "made up");
        let why = after_writes(failure, &changes).why.unwrap();
        assert!(why.ends_with("  a: change 9\n  and 2 more"), "{why}");
    }
}
