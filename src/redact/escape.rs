//! Escapes text so that it cannot control a terminal, a log viewer or a CI runner. Must not handle secrets.

/// Escapes control, bidirectional and invisible characters, defuses workflow commands, and truncates lines to `max`
/// characters.
pub(super) fn lines(text: &str, max: usize) -> String {
    let lines = text.split('\n').map(|line| {
        let mut defused = defuse(&visible(line));
        if let Some((cut, _)) = defused.char_indices().nth(max) {
            defused.truncate(cut);
            defused.push_str(" […]");
        }
        defused
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Whether a runner would interpret a line as a workflow command.
pub(super) fn is_command(text: &str) -> bool {
    text.split('\n')
        .any(|line| line.trim_start().starts_with("::") || hash_command(line).is_some())
}

/// Escapes characters that are invisible, or that reorder, hide or split visible text.
pub(super) fn visible(line: &str) -> String {
    let mut visible = String::with_capacity(line.len());
    for c in line.chars() {
        match c {
            '\t' => visible.push(c),
            '\r' => visible.push_str("\\r"),
            '\n' => visible.push_str("\\n"),
            c if c.is_control() || is_invisible(c) => visible.extend(c.escape_unicode()),
            c => visible.push(c),
        }
    }
    visible
}

fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Inserts a space into workflow commands. The GitHub runner interprets `::name::` at the start of a line, even after white
/// space, and `##[name]` anywhere in it; Azure's agent interprets `##vso[`, and TeamCity `##teamcity[`.
fn defuse(line: &str) -> String {
    let mut result = line.to_owned();
    let indent = result.len() - result.trim_start().len();
    if result[indent..].starts_with("::") {
        result.insert(indent + 1, ' ');
    }
    while let Some(at) = hash_command(&result) {
        result.insert(at + 1, ' ');
    }
    result
}

/// The position of a command such as `##name[`.
fn hash_command(line: &str) -> Option<usize> {
    line.match_indices("##").map(|(at, _)| at).find(|&at| {
        line[at..]
            .trim_start_matches('#')
            .trim_start_matches(|c: char| c.is_ascii_alphanumeric())
            .starts_with('[')
    })
}
