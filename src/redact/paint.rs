//! Escape sequences of our own, put around text that is clean already. They are the only ones that
//! leave: what came with a message was escaped before. Knows colors and GitLab's log sections, not
//! what a message means.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use upsert_secret_core::notice::Level;

const RESET: &str = "\u{1b}[0m";
/// Bold green, as GitLab's runner says that a job succeeded.
const GOOD: &str = "\u{1b}[32;1m";

/// A message in the color of its level, as GitLab's runner paints its own (gitlab-runner, ansi_colors.go).
pub(super) fn message(level: Level, text: &str) -> String {
    match level {
        Level::Error => paint("\u{1b}[31;1m", text),
        Level::Warning => paint("\u{1b}[0;33m", text),
        Level::Notice => text.to_owned(),
    }
}

/// The line that says that all went well.
pub(super) fn good(line: &str) -> String {
    paint(GOOD, line)
}

/// Each line by itself, because a log viewer may show one without the one before. Indented lines are
/// explanations, which are read rather than found: they stay as they are.
fn paint(color: &str, text: &str) -> String {
    let lines: Vec<_> = text
        .split('\n')
        .map(|line| {
            if line.is_empty() || line.starts_with(' ') {
                line.to_owned()
            } else {
                format!("{color}{line}{RESET}")
            }
        })
        .collect();
    lines.join("\n")
}

/// A section of GitLab's log that is closed until somebody opens it: `head` is seen, `details` are a
/// click away. `took` is shown beside it.
pub(super) fn section(head: &str, details: &str, took: Duration) -> String {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let started = now.saturating_sub(took).as_secs();
    let ended = now.as_secs();
    // A name opens and closes one section: two calls in a job must not share one.
    let name = format!("upsert_secret_{}", now.as_micros());
    format!(
        "\u{1b}[0Ksection_start:{started}:{name}[collapsed=true]\r\u{1b}[0K{head}\n{details}\n\u{1b}[0Ksection_end:{ended}:{name}\r\u{1b}[0K"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_has_the_marks_that_gitlab_looks_for() {
        let text = section("head", "one\ntwo", Duration::from_secs(3));
        let lines: Vec<_> = text.split('\n').collect();
        let [start, one, two, end] = lines[..] else {
            panic!("four lines: {text:?}");
        };
        let mark = |line: &str, word: &str| {
            let rest = line.strip_prefix("\u{1b}[0Ksection_")?;
            let (seconds, name) = rest.strip_prefix(word)?.split_once(':')?;
            Some((seconds.parse::<u64>().ok()?, name.to_owned()))
        };
        let Some((started, start)) = mark(start, "start:") else {
            panic!("{start:?}");
        };
        let Some((ended, end)) = mark(end, "end:") else {
            panic!("{end:?}");
        };
        assert_eq!(ended - started, 3);
        let Some(name) = end.strip_suffix("\r\u{1b}[0K") else {
            panic!("{end:?}");
        };
        assert!(name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'));
        assert_eq!(start, format!("{name}[collapsed=true]\r\u{1b}[0Khead"));
        assert_eq!((one, two), ("one", "two"));
    }

    #[test]
    fn every_line_is_painted_by_itself_but_for_explanations() {
        assert_eq!(
            message(Level::Error, "a\nb\n  why:  c"),
            "\u{1b}[31;1ma\u{1b}[0m\n\u{1b}[31;1mb\u{1b}[0m\n  why:  c"
        );
        assert_eq!(message(Level::Warning, "a"), "\u{1b}[0;33ma\u{1b}[0m");
        assert_eq!(message(Level::Notice, "a"), "a");
    }
}
