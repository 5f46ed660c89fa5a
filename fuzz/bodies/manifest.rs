//! Properties of `manifest` for arbitrary bytes: it does not panic, the list of problems is bounded, and no problem quotes the file,
//! which a marker in the file detects. libFuzzer runs this body, and a regular test runs it on `corpus/manifest`.

use upsert_secret_config::manifest::{Problem, locate_problems, parse};

/// Not a valid variable name, because messages show variable names.
const MARKER: &str = "hunter-2!";
/// The reported problems, plus one that counts the rest.
const MOST: usize = 51;

/// Parses a manifest. Panics if a property does not hold.
pub(crate) fn manifest(data: &[u8]) {
    let lookup = |name: &str| name.starts_with('A').then(|| "made-up".to_owned());
    let entries = match parse(data, &lookup) {
        Ok(manifest) => manifest.entries,
        Err(problems) => {
            assert!(!problems.is_empty());
            return check(&problems);
        }
    };
    assert!(!entries.is_empty());
    let mut unplaced = Vec::new();
    for entry in entries.iter().take(60) {
        let inputs = entry.inputs();
        assert_eq!(inputs.name.as_deref(), Some(entry.name.as_str()));
        for input in [
            "name",
            "tags",
            "description",
            "value",
            "json",
            "no-such-input",
        ] {
            unplaced.push(entry.problem(input, "is made up"));
        }
        unplaced.push(entry.member_problem(3, "is made up"));
    }
    check(&locate_problems(data, unplaced));
}

fn check(problems: &[Problem]) {
    assert!(problems.len() <= MOST);
    for problem in problems {
        assert!(!problem.text.contains(MARKER), "{problem}");
        let told = problem.to_string();
        assert!(!told.contains(['\n', '\r', '\u{1b}']), "{told:?}");
    }
}
