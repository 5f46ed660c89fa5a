//! What must hold of `manifest` for any bytes: no panic, no endless list of problems, and nothing of the file in the
//! words of one. A file that holds the marker shows where it would get out. libFuzzer runs it, and so does an ordinary
//! test over `corpus/manifest`.

use upsert_secret_config::manifest::{Problem, locate_problems, parse};

/// Can be no name of a variable, which messages do show.
const MARKER: &str = "hunter-2!";
/// Problems that are told, and the one that counts the rest.
const MOST: usize = 51;

/// Reads a manifest, and panics where something is wrong with how.
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
