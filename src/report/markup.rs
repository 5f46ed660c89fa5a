//! User text as Markdown that cannot be read as markup.

/// Text as a code span in a table cell.
pub(super) fn code(text: &str) -> String {
    format!("`{}`", text.replace('`', "'").replace('|', "\\|"))
}

/// Text as a fenced block that it cannot end.
pub(super) fn block(text: &str) -> String {
    format!("```text\n{}\n```\n\n", text.replace("```", "'''"))
}

/// Text without markup, but for code spans of our own.
pub(super) fn prose(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace(['<', '>'], " ")
        .replace('|', "\\|")
        .replace('[', "\\[")
        .replace('!', "\\!")
}
