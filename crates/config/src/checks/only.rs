//! `only`: secret names and name patterns. Independent of manifests and secrets.

use std::collections::BTreeSet;

use glob::Pattern;

use crate::inputs::items;

/// The maximum number of patterns.
const MAX_PATTERNS: usize = 1_000;
/// The maximum number of values in a ListSecrets filter (API model).
const MAX_PREFIXES: usize = 10;
/// The maximum length of such a filter value, in characters.
const MAX_PREFIX: usize = 512;
/// The characters with a meaning in a pattern.
const WILDCARDS: [char; 3] = ['*', '?', '['];

/// The names and patterns of `only`.
pub(crate) struct Only {
    names: BTreeSet<String>,
    patterns: Vec<Pattern>,
}

impl Only {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (patterns, names): (Vec<_>, Vec<_>) =
            items(text).partition(|item| item.contains(WILDCARDS));
        // Each pattern is compared with each of thousands of names.
        if patterns.len() > MAX_PATTERNS {
            return Err(format!(
                "has more than {MAX_PATTERNS} patterns; names without `*`, `?` and `[` do not count"
            ));
        }
        let patterns = patterns.into_iter().map(Pattern::new);
        let patterns = patterns.collect::<Result<_, _>>().map_err(|_| {
            "must be names, in which `*` matches any text, `?` any character and `[a-m]` one of these \
             characters"
        })?;
        Ok(Self {
            names: names.into_iter().map(str::to_owned).collect(),
            patterns,
        })
    }

    pub(crate) fn matches(&self, name: &str) -> bool {
        let mut patterns = self.patterns.iter();
        self.names.contains(name) || patterns.any(|pattern| pattern.matches(name))
    }

    /// The names, and then the patterns.
    fn items(&self) -> impl Iterator<Item = &str> {
        let patterns = self.patterns.iter().map(Pattern::as_str);
        self.names.iter().map(String::as_str).chain(patterns)
    }

    /// Prefixes that cover every matching name, for a ListSecrets filter; empty if a filter cannot express them.
    pub(crate) fn prefixes(&self) -> Vec<String> {
        let literals = self.items().map(|item| item.split(WILDCARDS).next());
        let mut prefixes: Vec<&str> = literals.map(Option::unwrap_or_default).collect();
        prefixes.sort_unstable();
        // In sorted order, a prefix is followed by the ones that start with it.
        prefixes.dedup_by(|next, prefix| next.starts_with(*prefix));
        // A `!` would negate the filter.
        let is_valid = |prefix: &&str| {
            (1..=MAX_PREFIX).contains(&prefix.len())
                && prefix.chars().all(|c| is_of_name(c) && c != '!')
        };
        if prefixes.len() > MAX_PREFIXES || !prefixes.iter().all(is_valid) {
            return Vec::new();
        }
        prefixes.into_iter().map(str::to_owned).collect()
    }

    /// IAM patterns that match every matching name: IAM does not support `[…]`.
    pub(crate) fn iam_patterns(&self) -> Vec<String> {
        self.items().map(iam_pattern).collect()
    }
}

/// Whether a secret name may contain the character.
fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || "/_+=.@-!".contains(c)
}

fn iam_pattern(item: &str) -> String {
    let mut pattern = String::new();
    let mut rest = item.chars();
    while let Some(c) = rest.next() {
        if c == '[' {
            // A `]` at the start of a class is one of its characters.
            let mut start = 0;
            for (at, c) in rest.by_ref().enumerate() {
                match c {
                    '!' if at == 0 => start = 1,
                    ']' if at > start => break,
                    _ => {}
                }
            }
        }
        pattern.push(if c == '*' || is_of_name(c) { c } else { '?' });
    }
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Only {
        Only::parse(text).unwrap()
    }

    #[test]
    fn prefixes_cover_every_matching_name() {
        let cases: &[(&str, &[&str])] = &[
            ("prod/*", &["prod/"]),
            ("prod/key", &["prod/key"]),
            ("prod/*,prod/a/*,prod/b?,dev[a-m]", &["dev", "prod/"]),
            ("a-b,a/b,a,ab*", &["a"]),
            ("*/key", &[]),
            ("prod/*,*", &[]),
            ("!a", &[]),
            ("rds!*", &[]),
            ("a${b}", &[]),
            (
                "a b c d e f g h i j",
                &["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"],
            ),
            ("a b c d e f g h i j k", &[]),
        ];
        for (text, wanted) in cases {
            assert_eq!(parse(text).prefixes(), *wanted, "{text}");
        }
    }

    #[test]
    fn iam_pattern_matches_at_least_as_much() {
        let cases = [
            ("prod/*", "prod/*"),
            ("k?y", "k?y"),
            ("a[a-m]b[!x]c", "a?b?c"),
            ("a[]]b[!]]c[!!]d", "a?b?c?d"),
            ("a${*}", "a??*?"),
        ];
        for (item, wanted) in cases {
            assert_eq!(parse(item).iam_patterns(), [wanted], "{item}");
        }
    }
}
