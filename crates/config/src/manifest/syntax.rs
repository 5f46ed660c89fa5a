//! From bytes to text that a parser may see, and from its errors to words of our own. The parser's text
//! is looked at to tell one error from another, and never shown: it quotes the file.

use super::problem::{Position, Problem};

/// The longest manifest, in bytes: thousands of secrets.
pub const MAX_BYTES: usize = 1024 * 1024;

pub(super) const ALIASES: &str =
    "the file repeats too much by aliases (`*name`); `defaults` holds what all secrets share";
const DEPTH: &str = "is nested too deeply";
const TABS: &str = "has a tab for indentation, which YAML does not allow; use spaces";

/// More brackets than this are never open at once in a file that makes sense, and libyaml's time grows
/// with their square.
const MAX_OPEN: usize = 1_000;

/// The bytes of a file as text, without a byte order mark.
pub(super) fn decode(bytes: &[u8]) -> Result<&str, Problem> {
    if bytes.len() > MAX_BYTES {
        return Err(Problem::of_file(
            None,
            format!("the file has more than {MAX_BYTES} bytes"),
        ));
    }
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err(Problem::of_file(
            None,
            "the file is UTF-16; save it as UTF-8",
        ));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = str::from_utf8(bytes).map_err(|error| {
        let before = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
        Problem::of_file(
            Some(end_of(&before)),
            "is not valid UTF-8; save the file as UTF-8",
        )
    })?;
    let mut open = 0_usize;
    for (at, char) in text.char_indices() {
        match char {
            '[' | '{' => open += 1,
            ']' | '}' => open = open.saturating_sub(1),
            _ => {}
        }
        let why = if !may_stand_in_yaml(char) {
            "is a character that YAML does not allow; in quotes it can be written `\\xNN`"
        } else if open > MAX_OPEN {
            DEPTH
        } else {
            continue;
        };
        return Err(Problem::of_file(Some(end_of(&text[..at])), why));
    }
    Ok(text)
}

/// YAML 1.2, production 1, without what needs more than one look: surrogates are not in UTF-8.
fn may_stand_in_yaml(char: char) -> bool {
    matches!(char, '\t' | '\n' | '\r' | '\u{85}')
        || !char.is_control() && !matches!(char, '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// The place behind a text.
fn end_of(text: &str) -> Position {
    let (line, last) = text.split('\n').enumerate().last().unwrap_or_default();
    Position {
        line: line + 1,
        column: last.chars().count() + 1,
    }
}

/// What ends a line (YAML 1.1, which libyaml reads).
const BREAKS: [char; 5] = ['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'];

/// libyaml may find something missing on a line behind the last.
fn end_of_file(text: &str) -> Position {
    let text = text.replace("\r\n", "\n");
    let lines = text.split(BREAKS).count();
    let last = text.rsplit(BREAKS).next().unwrap_or_default();
    Position {
        line: lines,
        column: last.chars().count() + 1,
    }
}

/// The place of an error.
pub(super) fn place(error: &serde_yaml::Error) -> Option<Position> {
    let at = error.location()?;
    Some(Position {
        line: at.line(),
        column: at.column(),
    })
}

/// What libyaml calls the common mistakes, and what we do.
const MISTAKES: &[(&str, &str)] = &[
    (
        "mapping values are not allowed",
        "has a `:` where none can be: a line above it may be indented wrongly, and text with `: ` in it needs quotes",
    ),
    (
        "did not find expected key",
        "does not fit what is above it: the indentation differs, or a text in quotes goes on behind them",
    ),
    (
        "did not find expected '-'",
        "does not fit the list above it: an item begins with `- `, and the indentation must be the same",
    ),
    (
        "did not find expected ','",
        "does not fit here: a list in `[]` or a mapping in `{}` lacks a comma or its end",
    ),
    (
        "did not find expected node content",
        "has nothing where something must be: a `]` or `}` is missing or too many, or text such as `-` needs quotes",
    ),
    (
        "block sequence entries are not allowed",
        "has a list where none can be; it begins on a line of its own, or is written `[a, b]`",
    ),
    (
        "found character that cannot start any token",
        "begins with a character that text can only have in quotes",
    ),
    (
        "found unknown escape character",
        "has an escape (`\\`) that YAML does not know; in single quotes `\\` is itself",
    ),
    (
        "did not find expected hexadecimal number",
        "has an escape (`\\x`, `\\u`) without its digits; in single quotes `\\` is itself",
    ),
    (
        "found invalid Unicode",
        "has an escape (`\\u`) of half a character; write the character itself",
    ),
    (
        "unknown anchor",
        "is an alias (`*`) of something that is not there; text that begins with `*` needs quotes",
    ),
    (
        "found undefined tag handle",
        "has a YAML tag (`!…`), which a manifest does not use; text that begins with `!` needs quotes",
    ),
    ("recursion limit exceeded", DEPTH),
    ("repetition limit exceeded", ALIASES),
];

/// The place of an error that reading `text` ended with, and our words for it.
pub(super) fn explain(text: &str, error: &serde_yaml::Error) -> (Option<Position>, &'static str) {
    let told = error.to_string();
    let at = place(error).map(|at| at.min(end_of_file(text)));
    if told.contains("more than one document") {
        return (
            second_document(text),
            "begins a second document; a manifest is one",
        );
    }
    if told.starts_with("found unexpected end of stream") {
        // Where it begins says more than where the file ends.
        return (start(&told).or(at), "begins a quote that is not closed");
    }
    let tab = told.starts_with("found a tab character")
        || told.starts_with("found character") && at.is_some_and(|at| char_at(text, at) == '\t');
    if tab {
        return (at, TABS);
    }
    let words = MISTAKES
        .iter()
        .find(|(theirs, _)| told.starts_with(theirs))
        .map_or("is not valid YAML", |(_, ours)| ours);
    (at, words)
}

fn char_at(text: &str, at: Position) -> char {
    let line = text.split('\n').nth(at.line - 1).unwrap_or_default();
    line.chars().nth(at.column - 1).unwrap_or_default()
}

/// `…, while scanning a quoted scalar at line 3 column 9`: only the two numbers are taken.
fn start(told: &str) -> Option<Position> {
    let (_, place) = told.rsplit_once(" at line ")?;
    let (line, column) = place.split_once(" column ")?;
    Some(Position {
        line: line.parse().ok()?,
        column: column.parse().ok()?,
    })
}

/// The line that ends the first document; serde_yaml does not say.
fn second_document(text: &str) -> Option<Position> {
    let mut started = false;
    for (number, line) in text.lines().enumerate() {
        if line.starts_with("---") {
            if started {
                return Some(Position {
                    line: number + 1,
                    column: 1,
                });
            }
            started = true;
        }
        started |= !line.trim().is_empty() && !line.starts_with(['#', '%']);
    }
    None
}
