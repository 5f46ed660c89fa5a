//! Signs that a value is not the intended secret: masks, unresolved variable references, invisible characters, a different
//! encoding. Read-only: must not change or show any byte.

/// Names of variables that CI systems expand. Only these make `$NAME` and `%NAME%` a reference, because other words may be
/// passwords.
fn is_upper_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase() || c == '_')
        && name
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
}

/// The content of braces or parentheses: a name in any case, dots, and after a `:` or `-` a default or a scope
/// (`NAME:-default`, `env:NAME`).
fn is_braced_name(inner: &str) -> bool {
    let is_name_byte = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    let rest = inner.trim_start_matches(is_name_byte);
    inner.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && (rest.is_empty() || rest.starts_with([':', '-']))
        && !rest.contains(['{', '}', '(', ')'])
}

/// The name in PowerShell's `$env:NAME`.
fn powershell_name(text: &str) -> Option<&str> {
    let (scope, name) = text.strip_prefix('$')?.split_once(':')?;
    scope.eq_ignore_ascii_case("env").then_some(name)
}

/// Whether the whole text is a reference to a variable that a shell or a CI system should have expanded: `$NAME`, `${NAME}`,
/// `$(NAME)` in Azure Pipelines, `${{ … }}` on GitHub, `$[[ … ]]` on GitLab, `%NAME%` and `$env:NAME` on Windows.
pub(super) fn is_reference(text: &str) -> bool {
    let text = trim_invisible(text);
    let between = |start: &str, end: &str| text.strip_prefix(start)?.strip_suffix(end);
    text.strip_prefix('$').is_some_and(is_upper_name)
        || between("%", "%").is_some_and(is_upper_name)
        || between("${", "}").is_some_and(is_braced_name)
        || between("$(", ")").is_some_and(is_braced_name)
        || between("${{", "}}").is_some_and(|inner| !inner.contains('}'))
        || between("$[[", "]]").is_some_and(|inner| !inner.contains(']'))
        || powershell_name(text).is_some_and(is_word)
}

/// Whether the whole text is `$word`, which may be either a reference or a password.
fn may_be_reference(text: &str) -> bool {
    trim_invisible(text).strip_prefix('$').is_some_and(is_word)
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Whether the text is a mask that a CI system prints in place of a secret.
pub(super) fn is_mask(text: &str) -> bool {
    matches!(trim_invisible(text), "***" | "[MASKED]")
}

/// Whether the text has no visible content.
pub(super) fn is_blank(text: &str) -> bool {
    text.chars().all(is_invisible)
}

/// Whether bytes that are not UTF-8 start with the UTF-16 byte order mark.
pub(super) fn has_utf16_mark(bytes: &[u8]) -> bool {
    matches!(bytes, [0xff, 0xfe, ..] | [0xfe, 0xff, ..])
}

fn trim_invisible(text: &str) -> &str {
    text.trim_matches(is_invisible)
}

/// White space, control characters, and zero-width characters that text editors do not show.
pub fn is_invisible(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(
            c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
                | '\u{2800}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}'
        )
}

/// The name of an invisible character, for messages.
fn describe(c: char) -> String {
    let name = match c {
        _ if c.is_ascii_whitespace() => return "white space".to_owned(),
        '\u{feff}' => "a byte order mark",
        '\u{a0}' | '\u{2007}' | '\u{202f}' => "a no-break space",
        '\u{3000}' => "an ideographic space",
        '\u{200b}' => "a zero-width space",
        _ if c.is_whitespace() => "a space",
        _ if c.is_control() => "a control character",
        _ => "an invisible character",
    };
    format!("{name} (U+{:04X})", u32::from(c))
}

/// Whether all characters are separated by NUL, as in UTF-16 of either byte order.
fn looks_like_utf16(text: &str) -> bool {
    let has_nul = |parity| {
        let mut bytes = text.bytes().enumerate();
        bytes.all(|(index, byte)| (byte == 0) == (index % 2 == parity))
    };
    text.len() >= 3 && (has_nul(0) || has_nul(1))
}

/// The maximum number of different characters listed by name.
const MAX_NAMED: usize = 3;

/// Suspicious properties of a text value, as predicates.
pub(super) fn suspicions(text: &str) -> Vec<String> {
    if looks_like_utf16(text) {
        return vec!["has a NUL character between all others, as UTF-16 has".to_owned()];
    }
    let mut found = edges(text);
    if text.contains('\0') {
        found.push("contains a NUL character, at which many programs stop reading".to_owned());
    }
    if text.contains('\r') {
        found.push("contains a carriage return (Windows line endings?)".to_owned());
    }
    if is_reference(text) || may_be_reference(text) {
        found.push("has the form of a reference to a variable".to_owned());
    }
    found
}

/// The different invisible characters at both ends of the text.
fn edges(text: &str) -> Vec<String> {
    let leading = &text[..text.len() - text.trim_start_matches(is_invisible).len()];
    let trailing = &text[text.trim_end_matches(is_invisible).len()..];
    let mut kinds: Vec<(String, bool, bool)> = Vec::new();
    let ends = [(leading, true), (trailing, false)];
    for (c, begins) in ends
        .iter()
        .flat_map(|(run, begins)| run.chars().map(move |c| (c, *begins)))
        // Reported at any position.
        .filter(|(c, _)| *c != '\0')
    {
        let what = describe(c);
        match kinds.iter().position(|(known, ..)| *known == what) {
            Some(at) => {
                kinds[at].1 |= begins;
                kinds[at].2 |= !begins;
            }
            None if kinds.len() < MAX_NAMED => kinds.push((what, begins, !begins)),
            None => {}
        }
    }
    kinds
        .into_iter()
        .map(|(what, leads, trails)| match (leads, trails) {
            (true, true) => format!("begins and ends with {what}"),
            (true, false) => format!("begins with {what}"),
            _ => format!("ends with {what}"),
        })
        .collect()
}
