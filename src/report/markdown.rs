//! Markdown shared by both presentations. Escapes all text from users, AWS and proxies, so that none of it becomes HTML, a
//! link, an image, a table, a mention or an emoji. Code spans are the only markup around such text.

use upsert_secret_core::failure::Failure;
use upsert_secret_core::notice::Level;

use crate::redact::Redactor;

/// The heading of the summary of a failed run.
pub(super) fn failed_heading(failure: &Failure) -> String {
    format!(
        "### upsert-secret failed: {} (exit {})\n\n",
        failure.class.name(),
        failure.class.exit_code()
    )
}

/// A failure: a headline for each problem, and a list of causes and next steps.
pub(super) fn failure(failure: &Failure, redactor: &Redactor) -> String {
    let mut page = String::new();
    // Cleaned as a whole: a form of a secret may have several lines.
    let problems = redactor.clean(&failure.what);
    for problem in problems.lines().filter(|line| !line.trim().is_empty()) {
        page.push_str(&format!("**{}**\n\n", prose(problem, redactor)));
    }
    let parts = [
        ("Why", failure.why.as_deref()),
        ("Next", Some(failure.next.as_str())),
        ("AWS", failure.aws.as_deref()),
    ];
    for (label, text) in parts {
        if let Some(text) = text.filter(|text| !text.trim().is_empty()) {
            page.push_str(&labeled_item(label, text, redactor));
        }
    }
    page + "\n"
}

/// A list item with a label. Further lines become nested items, according to their indentation.
fn labeled_item(label: &str, text: &str, redactor: &Redactor) -> String {
    let text = redactor.clean(text);
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    let indent = |line: &str| line.len() - line.trim_start().len();
    let is_one = lines.iter().filter(|line| indent(line) == 0).count() <= 1;
    let mut lines = lines.into_iter();
    let mut page = format!("- **{label}:**");
    if is_one && let Some(first) = lines.next() {
        page.push_str(&format!(" {}", prose(first, redactor)));
    }
    page.push('\n');
    // The indentation of the enclosing items.
    let mut outer: Vec<usize> = Vec::new();
    for line in lines {
        let indent = indent(line);
        outer.retain(|before| *before < indent);
        outer.push(indent);
        let depth = "  ".repeat(outer.len());
        page.push_str(&format!("{depth}- {}\n", prose(line, redactor)));
    }
    page
}

/// Notices as list items.
pub(super) fn notice_items(notices: &[(Level, String)], redactor: &Redactor) -> String {
    let item = |(level, text): &(Level, String)| {
        let text = prose(text, redactor);
        format!("- {}: {text}\n", level.word())
    };
    notices.iter().map(item).collect()
}

/// A fenced block that its text cannot close.
pub(super) fn block(language: &str, text: &str) -> String {
    let mut fence = "```".to_owned();
    while text.contains(&fence) {
        fence.push('`');
    }
    format!("{fence}{language}\n{text}\n{fence}\n\n")
}

/// Text as a code span; empty for empty text.
pub(super) fn code(text: &str, redactor: &Redactor) -> String {
    checked(code_span(&redactor.clean_line(text)), redactor)
}

/// [`code`] in a cell of a table, where a bar ends the cell, also inside a code span.
pub(super) fn code_cell(text: &str, redactor: &Redactor) -> String {
    checked(span(&redactor.clean_line(text), "\\|"), redactor)
}

/// Text without markup, except for code spans.
pub(super) fn prose(text: &str, redactor: &Redactor) -> String {
    checked(pieces(&redactor.clean_line(text), "|"), redactor)
}

/// [`prose`] in a cell of a table.
pub(super) fn prose_cell(text: &str, redactor: &Redactor) -> String {
    checked(pieces(&redactor.clean_line(text), "\\|"), redactor)
}

/// Returns an empty text if escaping completes a form of a secret.
fn checked(escaped: String, redactor: &Redactor) -> String {
    if redactor.finds(&escaped) {
        return "\\*\\*\\*".to_owned();
    }
    escaped
}

/// Escapes text around code spans. `bar` replaces `|` inside a code span.
fn pieces(text: &str, bar: &str) -> String {
    let mut page = String::new();
    let mut rest = text.trim();
    while let Some((before, span, after)) = next_code_span(rest) {
        page.push_str(&words(before, bar));
        page.push_str(&self::span(span, bar));
        rest = after;
    }
    page.push_str(&words(rest, bar));
    match page.chars().next() {
        // At its start, a line could begin a list, a heading or a rule.
        Some('-' | '+' | '=') => page.insert(0, '\\'),
        Some(first) if first.is_ascii_digit() => escape_ordinal(&mut page),
        _ => {}
    }
    page
}

/// The text before a code span, its content, and the text after it. Only single backticks delimit one.
fn next_code_span(text: &str) -> Option<(&str, &str, &str)> {
    let bytes = text.as_bytes();
    let mut single = (0..bytes.len()).filter(|at| {
        let is_tick = |at: usize| bytes.get(at) == Some(&b'`');
        is_tick(*at) && !is_tick(at + 1) && !at.checked_sub(1).is_some_and(is_tick)
    });
    let start = single.next()?;
    let end = single.find(|end| !text[start + 1..*end].contains('`'))?;
    Some((&text[..start], &text[start + 1..end], &text[end + 1..]))
}

/// Escapes all markup in words. A word that GitHub would turn into a link, a mention or an emoji becomes a code span.
fn words(text: &str, bar: &str) -> String {
    let words = text.split(' ').map(|word| {
        let bare = word.trim_end_matches(['.', ',', ';', ')', '?', ':']);
        if is_active(bare) {
            return span(bare, bar) + &escape(&word[bare.len()..]);
        }
        escape(word)
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Whether GitHub gives a word a special meaning: a URL, a mention, an email address, a reference to an issue, or an emoji, as
/// in every ARN (`:secret:`).
fn is_active(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    lower.contains("://")
        || lower.contains("www.")
        || word.contains('@')
        || word.matches(':').count() > 1
        || word.split('#').skip(1).any(starts_with_digit)
        || lower.split("gh-").skip(1).any(starts_with_digit)
}

fn starts_with_digit(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            // A backslash would not stop GitHub from rendering math.
            '$' => escaped.push_str("&#36;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '~' | '&' | '#' => {
                escaped.extend(['\\', c]);
            }
            c => escaped.push(c),
        }
    }
    escaped
}

/// Escapes a number at the start that would begin a list: `1.`, `1)`.
fn escape_ordinal(page: &mut String) {
    let digits = page.bytes().take_while(u8::is_ascii_digit).count();
    if page[digits..].starts_with(['.', ')']) {
        page.insert(digits, '\\');
    }
}

/// A code span in which `bar` replaces `|`.
fn span(text: &str, bar: &str) -> String {
    let span = code_span(text);
    if bar == "|" {
        return span;
    }
    // In a cell, a backslash in the text would escape the one before the bar.
    span.replace("\\|", "\\\u{a6}").replace('|', bar)
}

fn code_span(text: &str) -> String {
    if text.trim().is_empty() {
        return String::new();
    }
    format!("`{}`", text.replace('`', "'"))
}

#[cfg(test)]
mod tests {
    use upsert_secret_core::failure::Class;

    use super::*;

    #[test]
    fn text_cannot_become_markup() {
        let cases = [
            ("plain eu-west-1 text", "plain eu-west-1 text"),
            ("`timeout` is 2 s", "`timeout` is 2 s"),
            ("<img src=x onerror=y>", "\\<img src=x onerror=y\\>"),
            ("a <!-- b", "a \\<!-- b"),
            ("[x](y) ![z](w)", "\\[x\\](y) !\\[z\\](w)"),
            ("**bold** _it_ ~no~", "\\*\\*bold\\*\\* \\_it\\_ \\~no\\~"),
            ("a | b", "a \\| b"),
            ("&lt;b&gt;", "\\&lt;b\\&gt;"),
            ("$x$ math", "&#36;x&#36; math"),
            ("# heading", "\\# heading"),
            ("- item", "\\- item"),
            ("+ item", "\\+ item"),
            ("=== rule", "\\=== rule"),
            ("12. item", "12\\. item"),
            ("12 items", "12 items"),
            ("> quote", "\\> quote"),
            (
                "see https://made-up.example/x.",
                "see `https://made-up.example/x`.",
            ),
            ("see WWW.made-up.example", "see `WWW.made-up.example`"),
            (
                "ask @octocat or a@b.example,",
                "ask `@octocat` or `a@b.example`,",
            ),
            (
                "is arn:aws:secretsmanager:eu-west-1:1:secret:a",
                "is `arn:aws:secretsmanager:eu-west-1:1:secret:a`",
            ),
            ("why: it is", "why: it is"),
            // Backticks: a code span, an unpaired backtick, and several.
            ("a ` <b>", "a \\` \\<b\\>"),
            ("``<b>`", "\\`\\`\\<b\\>\\`"),
            ("```<b>```", "\\`\\`\\`\\<b\\>\\`\\`\\`"),
            ("a\\`<b>`", "a\\\\`<b>`"),
            ("`a|b`", "`a|b`"),
            (
                "see #12, GH-12 and a/b#12",
                "see `#12`, `GH-12` and `a/b#12`",
            ),
            ("one\ntwo", "one two"),
        ];
        let redactor = Redactor::default();
        for (text, wanted) in cases {
            assert_eq!(prose(text, &redactor), wanted, "{text}");
        }
        assert_eq!(prose_cell("`a|b` | c", &redactor), "`a\\|b` \\| c");
        assert_eq!(code_cell("a`|b", &redactor), "`a'\\|b`");
        assert_eq!(code_cell("a\\|b", &redactor), "`a\\\u{a6}b`");
        assert_eq!(code("", &redactor), "");
        assert_eq!(block("json", "a```b"), "````json\na```b\n````\n\n");
    }

    /// The text outside of code spans, with each escaped character replaced, and whether a bar ends the cell. Independent
    /// implementation of the rules of GitHub Flavored Markdown, for a line with only single backticks.
    fn read(line: &str) -> (String, bool) {
        let (mut outside, mut is_code, mut ends_cell) = (String::new(), false, false);
        let mut rest = line.chars().peekable();
        while let Some(c) = rest.next() {
            match c {
                '`' => {
                    is_code = !is_code;
                    outside.push('\u{2423}');
                }
                // In a cell, GitHub processes this before code spans.
                '\\' if rest.peek() == Some(&'|') || !is_code => {
                    rest.next();
                }
                '\\' if rest.peek() == Some(&'\\') => {
                    rest.next();
                }
                '|' => ends_cell = true,
                c if !is_code => outside.push(c),
                _ => {}
            }
        }
        assert!(!is_code, "a span has no end: {line}");
        (outside, ends_cell)
    }

    proptest::proptest! {
        #[test]
        fn text_stays_in_its_span_and_cell(text in "([`|\\\\@#*_<>\\[\\](){}!&$~:/. \\t\\n-]|[a-c1]|www\\.|https://){0,24}") {
            let redactor = Redactor::default();
            for (line, is_cell) in [
                (code(&text, &redactor), false),
                (code_cell(&text, &redactor), true),
                (prose(&text, &redactor), false),
                (prose_cell(&text, &redactor), true),
            ] {
                proptest::prop_assert!(!line.contains(['\n', '\t']));
                let (outside, ends_cell) = read(&line);
                proptest::prop_assert!(!(is_cell && ends_cell), "{:?}: {line}", text);
                let markup = ['*', '_', '[', ']', '<', '>', '~', '@', '$'];
                proptest::prop_assert!(!outside.contains(markup), "{:?}: {line}", text);
                for mark in ["://", "www."] {
                    let mut hosts = outside.split(mark).skip(1);
                    let is_link = hosts.any(|host| host.starts_with(|c: char| c.is_alphanumeric()));
                    proptest::prop_assert!(!is_link, "{:?}: {line}", text);
                }
            }
        }
    }

    #[test]
    fn text_is_redacted_before_it_is_escaped() {
        let redactor = Redactor::default();
        redactor.hide(b"made_up*key");
        assert_eq!(prose("it is made_up*key!", &redactor), "it is \\*\\*\\*!");
        redactor.hide(b"x1\ny2");
        let two_lines = Failure::new(Class::Input, "is x1\ny2", "not x1\ny2");
        let page = failure(&two_lines, &redactor);
        assert_eq!(page, "**is \\*\\*\\***\n\n- **Next:** not \\*\\*\\*\n\n");
        redactor.hide(b"a\\_b'c");
        assert_eq!(prose("it is a_b'c", &redactor), "\\*\\*\\*");
        redactor.hide(b"d'ef");
        assert_eq!(code("d`ef", &redactor), "\\*\\*\\*");
    }
}
