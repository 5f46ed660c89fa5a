//! Lists in one input. Knows how items are separated, not what they are.

/// The items of a list with commas or white space between them.
pub(crate) fn items(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c == ',' || c.is_whitespace())
        .filter(|item| !item.is_empty())
}
