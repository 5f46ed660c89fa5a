//! Upper bounds for the cost of parsing a YAML text, computed from its characters alone. libyaml's time grows with the number
//! of tokens times the number of open brackets, and serde_yaml reads the whole text before it returns the first node. Must not
//! parse: if only a parser could tell what a character means, the larger bound is used.

/// Line endings of YAML 1.1, which libyaml implements.
pub(super) const LINE_ENDINGS: [char; 5] = ['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'];

/// Counts along a text, character by character.
pub(super) struct Extent {
    /// The maximum number of keys, items and anchors so far; each node needs one of their indicators.
    pub(super) parts: usize,
    /// The maximum number of open brackets, if the character is neither quoted nor in a comment.
    plain: usize,
    /// The same if it is quoted, for each kind of quote; `None` if it cannot be. Quoted brackets do not count.
    single: Option<usize>,
    double: Option<usize>,
    /// The same in a comment, which also hides quotes.
    comment: Option<usize>,
    /// Whether the previous character is an escaping backslash in double quotes.
    escaped: bool,
    previous: [char; 2],
}

impl Extent {
    pub(super) const fn new() -> Self {
        Self {
            parts: 0,
            plain: 0,
            single: None,
            double: None,
            comment: None,
            escaped: false,
            previous: ['\n'; 2],
        }
    }

    /// The maximum number of brackets that can be open.
    pub(super) fn depth(&self) -> usize {
        let hidden = self.single.max(self.double).max(self.comment);
        self.plain.max(hidden.unwrap_or_default())
    }

    pub(super) fn push(&mut self, char: char) {
        let [before, previous] = self.previous;
        self.previous = [previous, char];
        self.parts += usize::from(match previous {
            ',' | '[' | '{' | '?' | '&' | '*' | '!' => true,
            '-' => is_space(char),
            // Text such as an ARN has it between letters.
            ':' => !(is_letter(before) && is_letter(char)),
            _ => false,
        });
        // A quote in any other position is part of plain text.
        let may_open = is_space(previous) || "[{,:?".contains(previous);
        let was_escaped = std::mem::replace(&mut self.escaped, false);
        match char {
            '[' | '{' => self.plain += 1,
            ']' | '}' => self.plain = self.plain.saturating_sub(1),
            '\\' => self.escaped = !was_escaped,
            '"' if !was_escaped || self.double.is_none() => {
                let opened = may_open.then_some(self.plain);
                let closed = std::mem::replace(&mut self.double, opened);
                self.plain = self.plain.max(closed.unwrap_or_default());
            }
            '\'' => {
                // Two in a row represent one: the first closes, the second opens again.
                let opened = (may_open || previous == '\'').then_some(self.plain);
                let closed = std::mem::replace(&mut self.single, opened);
                self.plain = self.plain.max(closed.unwrap_or_default());
            }
            '#' if may_open || "]}\"'".contains(previous) => {
                self.comment = self.comment.max(Some(self.plain));
            }
            _ if LINE_ENDINGS.contains(&char) => {
                self.plain = self.plain.max(self.comment.take().unwrap_or_default());
            }
            _ => {}
        }
    }
}

fn is_space(char: char) -> bool {
    matches!(char, ' ' | '\t') || LINE_ENDINGS.contains(&char)
}

fn is_letter(char: char) -> bool {
    char.is_alphanumeric() || !char.is_ascii() && !is_space(char)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extent(text: &str) -> Extent {
        let mut extent = Extent::new();
        text.chars().for_each(|char| extent.push(char));
        extent
    }

    #[test]
    fn brackets_cannot_be_closed_by_text() {
        for level in [
            "{a: ",
            "[",
            "{\"}\": ",
            "{'}': ",
            "[\"]\",",
            "['it''s ]',",
            "[\"\\\" ]\",",
            "[\"\\\\\",[\"]\",",
            "[ # ]\n",
            "[#]\n",
            "[\"\n]\n\",",
            "# it's\n[\"]\",",
            "x\" [\"]\",",
            "# don't \"say\n[']',",
        ] {
            assert!(extent(&level.repeat(50)).depth() >= 50, "{level}");
        }
    }

    #[test]
    fn balanced_text_is_flat() {
        for entry in [
            "{\"a/${X}\": {\"tags\": {\"a\": \"x\"}}, \"s2\": {}}",
            "  a: { value: { env: A }, tags: { b: 'it''s' } } # it's [all]\n",
            "  description: a \"quoted\" word, don't [mind]\n",
            "  resource-policy: '{\"Statement\": [{\"Effect\": \"Deny\"}]}'\n",
            "  resource-policy: \"{\\\"Statement\\\": [{\\\"Effect\\\": \\\"Deny\\\"}]}\"\n",
        ] {
            let depth = extent(&entry.repeat(50)).depth();
            assert!(depth <= 3, "{depth} {entry}");
        }
    }

    #[test]
    fn nodes_have_parts() {
        for (text, nodes) in [
            ("{a,b,c}", 4),
            ("[:,:,:]", 6),
            ("[&a:b,*a,!t c]", 5),
            ("- - - a\n- b\n", 4),
            ("? a\n? b\n", 2),
            ("{\"a\":1,'b':2}", 4),
            ("a:\nb:\n", 2),
        ] {
            let parts = extent(text).parts;
            assert!(parts >= nodes / 2 && parts <= 2 * nodes, "{parts} {text}");
        }
        let arn = extent("arn:aws:iam::111122223333:role/some-role-of-many").parts;
        assert_eq!(arn, 2);
    }
}
