//! Properties of the `.env` parser for arbitrary bytes: it does not panic, errors quote nothing from the file, names are unique and
//! never values, and pairs survive a round trip of writing and parsing. libFuzzer runs this body, and a regular test runs it on
//! `corpus/dotenv`.

use upsert_secret_config::dotenv::{Pair, parse};

/// A marker in a file, which must not appear in errors.
const MARKER: &str = "hunter-2!";

/// Parses a file. Panics if a property does not hold.
pub(crate) fn dotenv(data: &[u8]) {
    let pairs = match parse(data) {
        Ok(pairs) => pairs,
        Err(error) => {
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains(MARKER), "{shown}");
            assert!(!shown.contains(['\n', '\r', '\u{1b}']), "{shown:?}");
            return;
        }
    };
    assert!(!pairs.is_empty());
    let lines = data.iter().filter(|&&byte| byte == b'\n').count() + 1;
    let mut last = 0;
    let mut names = std::collections::BTreeSet::new();
    let mut file = String::new();
    for pair in &pairs {
        assert!(last < pair.line && pair.line <= lines);
        last = pair.line;
        let name = pair.name.to_string();
        assert!(!name.starts_with('/') && !name.contains(MARKER));
        file += &format!("{name}={}\n", quoted(pair));
        assert!(names.insert(name));
    }
    let read = parse(file.as_bytes()).unwrap_or_else(|why| panic!("{why}: {file:?}"));
    let content = |pairs: &[Pair]| -> Vec<_> {
        let content = pairs
            .iter()
            .map(|pair| (pair.name.to_string(), pair.value.expose().to_vec()));
        content.collect()
    };
    assert_eq!(content(&read), content(&pairs));
}

/// The value in quotes that can represent it. No quoting style yields a character that the others would have to escape.
fn quoted(pair: &Pair) -> String {
    let value = std::str::from_utf8(pair.value.expose()).unwrap_or_default();
    if value.contains(['\'', '\r']) {
        let escaped = value.replace('\n', "\\n").replace('\r', "\\r");
        format!("\"{escaped}\"")
    } else {
        format!("'{value}'")
    }
}
