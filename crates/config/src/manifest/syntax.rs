//! Converts bytes to text that is safe to parse, and parser errors to explanations. The parser's own text is used to
//! distinguish errors. Must not show it, because it quotes the file.

use super::extent::{Extent, LINE_ENDINGS};
use super::problem::{Position, Problem};

/// The maximum size of a manifest, in bytes; enough for ten thousand secrets with metadata.
pub(crate) const MAX_BYTES: usize = 16 * 1024 * 1024;
/// The maximum number of keys and items in a manifest, as counted by [`Extent`]: a hundred for each of ten thousand secrets.
/// Each takes a few hundred bytes of memory, and a text of the maximum size can have millions.
pub(super) const MAX_PARTS: usize = 1_000_000;

pub(super) const ALIASES: &str =
    "the file repeats too much by aliases (`*name`); `defaults` holds what all secrets share";
const DEPTH: &str = "is nested too deeply";
const PARTS: &str = "is more than a manifest may hold: a million keys and items; spread the secrets over several files";
const TABS: &str = "has a tab for indentation, which YAML does not allow; use spaces";

/// The maximum number of open brackets: twice what serde_yaml accepts. libyaml's time grows with their number.
const MAX_OPEN_BRACKETS: usize = 256;

/// Whether a text has more open brackets than the parser can read in reasonable time.
pub(crate) fn nests_too_deep(text: &str) -> bool {
    let mut extent = Extent::new();
    text.chars().any(|char| {
        extent.push(char);
        extent.depth() > MAX_OPEN_BRACKETS
    })
}

/// Whether a text exceeds the maximum number of keys and items.
pub(crate) fn has_too_many_parts(text: &str) -> bool {
    let mut extent = Extent::new();
    text.chars().for_each(|char| extent.push(char));
    extent.parts > MAX_PARTS
}

/// Decodes a file to text that the parser accepts, without a byte order mark.
pub(super) fn decode(bytes: &[u8]) -> Result<&str, Problem> {
    if bytes.len() > MAX_BYTES {
        return Err(Problem::whole_file(
            None,
            format!("the file has more than {MAX_BYTES} bytes"),
        ));
    }
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err(Problem::whole_file(
            None,
            "the file is UTF-16; save it as UTF-8",
        ));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = str::from_utf8(bytes).map_err(|error| {
        let before = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
        Problem::whole_file(
            Some(end_position(&before)),
            "is not valid UTF-8; save the file as UTF-8",
        )
    })?;
    let mut extent = Extent::new();
    for (at, char) in text.char_indices() {
        extent.push(char);
        let why = if !is_allowed_in_yaml(char) {
            "is a character that YAML does not allow; in quotes it can be written `\\xNN`"
        } else if extent.depth() > MAX_OPEN_BRACKETS {
            DEPTH
        } else if extent.parts > MAX_PARTS {
            PARTS
        } else {
            continue;
        };
        return Err(Problem::whole_file(Some(end_position(&text[..at])), why));
    }
    Ok(text)
}

/// Whether a character is printable by YAML 1.2, production 1. UTF-8 has no surrogates, so they need no check.
fn is_allowed_in_yaml(char: char) -> bool {
    matches!(char, '\t' | '\n' | '\r' | '\u{85}')
        || !char.is_control() && !matches!(char, '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// The position after a text. libyaml may report an error on a line after the end of the file.
fn end_position(text: &str) -> Position {
    let text = text.replace("\r\n", "\n");
    let (index, last) = text
        .split(LINE_ENDINGS)
        .enumerate()
        .last()
        .unwrap_or_default();
    Position::new(index + 1, last.chars().count() + 1)
}

pub(super) fn error_position(error: &serde_yaml::Error) -> Option<Position> {
    let location = error.location()?;
    Some(Position::new(location.line(), location.column()))
}

/// The starts of libyaml's errors for common mistakes, and their explanations.
const EXPLANATIONS: &[(&str, &str)] = &[
    (
        "mapping values are not allowed",
        "has a `:` where none can be: a line above it may be indented wrongly, and text with `: ` in it needs quotes",
    ),
    (
        "did not find expected key",
        "does not fit what is above it: the indentation differs, or a quoted text continues after its quotes",
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
    ("found a tab character", TABS),
    ("recursion limit exceeded", DEPTH),
    ("repetition limit exceeded", ALIASES),
];

/// The position and explanation of an error from parsing `text`.
pub(super) fn explain(text: &str, error: &serde_yaml::Error) -> (Option<Position>, &'static str) {
    let message = error.to_string();
    let position = error_position(error).map(|position| position.min(end_position(text)));
    if message.contains("more than one document") {
        return (
            second_document(text),
            "begins a second document; a manifest is one",
        );
    }
    if message.starts_with("found unexpected end of stream") {
        // The start of the quote, not the end of the file.
        return (
            quote_start(&message).or(position),
            "begins a quote that is not closed",
        );
    }
    if position.is_some_and(|position| follows_dollar(text, position)) {
        return (
            position,
            "has `${…}` without quotes inside `{}` or `[]`; write `\"${NAME}\"`, and after `env:` the name alone, without `$` and braces",
        );
    }
    if message.starts_with("found character")
        && position.is_some_and(|position| char_at(text, position) == '\t')
    {
        return (position, TABS);
    }
    let explanation = EXPLANATIONS
        .iter()
        .find(|(parser_text, _)| message.starts_with(parser_text))
        .map_or("is not valid YAML", |(_, explanation)| explanation);
    (position, explanation)
}

fn char_at(text: &str, position: Position) -> char {
    let line = text.split('\n').nth(position.line - 1).unwrap_or_default();
    line.chars().nth(position.column - 1).unwrap_or_default()
}

/// Whether a brace belongs to a `${`, which must be quoted inside a mapping or list in braces.
fn follows_dollar(text: &str, position: Position) -> bool {
    let before = position.column.checked_sub(1).filter(|column| *column > 0);
    char_at(text, position) == '{'
        && before.is_some_and(|column| char_at(text, Position { column, ..position }) == '$')
}

/// The position in `…, while scanning a quoted scalar at line 3 column 9`.
fn quote_start(message: &str) -> Option<Position> {
    let (_, position) = message.rsplit_once(" at line ")?;
    let (line, column) = position.split_once(" column ")?;
    Some(Position::new(line.parse().ok()?, column.parse().ok()?))
}

/// The start of a second document, which is missing from serde_yaml's error.
fn second_document(text: &str) -> Option<Position> {
    let is_outside = |line: &str| line.trim().is_empty() || line.starts_with(['#', '%']);
    let (index, _) = text
        .lines()
        .enumerate()
        .skip_while(|(_, line)| is_outside(line))
        .skip(1)
        .find(|(_, line)| line.starts_with("---"))?;
    Some(Position::new(index + 1, 1))
}
