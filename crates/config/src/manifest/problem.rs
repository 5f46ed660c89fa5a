//! What is wrong with a file: where, in which key, in words. A problem names secrets and the keys that
//! a manifest has; it must never show anything else that stands in the file.

use std::fmt;

/// The most problems that are told; a file with more has one mistake that was made often.
pub(super) const MOST: usize = 50;

/// A place in the file, counted from 1; a column is a character.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The character of the line.
    pub column: usize,
}

/// One thing that is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where; not known for what concerns the whole file.
    pub position: Option<Position>,
    /// The key, for people: `secrets.prod/model/api-key.tags`; empty for the whole file.
    pub path: String,
    /// What is wrong, without a full stop.
    pub text: String,
}

impl Problem {
    /// The whole file has it.
    pub(super) fn of_file(position: Option<Position>, text: impl Into<String>) -> Self {
        Self {
            position,
            path: String::new(),
            text: text.into(),
        }
    }

    /// The last of a list that would be too long.
    pub(super) fn more(count: usize) -> Self {
        Self::of_file(None, format!("and {count} more"))
    }
}

/// `12:5: secrets.prod/model/api-key.tags: must be …`
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(Position { line, column }) = self.position {
            write!(f, "{line}:{column}: ")?;
        }
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.text)
    }
}

/// A problem with an input of a secret, as [`super::Entry::problem`] makes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputProblem {
    pub(super) nth: usize,
    pub(super) input: &'static str,
    pub(super) member: Option<usize>,
    pub(super) text: String,
}

/// Names are public and shown as they are written. What cannot be one is not: somebody may have mixed it
/// up with the value.
pub(super) fn shown(name: &str) -> &str {
    let fits = !name.is_empty()
        && name.len() <= 1_024
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"/_+=.@-!:${}".contains(&b));
    if fits { name } else { "*" }
}

/// One step from a part of the file to a part of that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Step {
    /// Which pair or item, from 0.
    pub(super) nth: usize,
    /// The value of the pair, or the item; otherwise the key of the pair.
    pub(super) value: bool,
}

/// The way to a part of the file, for the machine and for people. It is made while the tree is walked
/// and costs nothing until something is wrong.
#[derive(Clone, Copy)]
pub(super) struct At<'a> {
    above: Option<&'a Self>,
    step: Step,
    word: &'a str,
}

impl<'a> At<'a> {
    /// The whole file.
    pub(super) const ROOT: At<'static> = At {
        above: None,
        step: Step {
            nth: 0,
            value: true,
        },
        word: "",
    };

    /// The nth value, under this word; "" where the key must not be shown.
    pub(super) fn value(&'a self, nth: usize, word: &'a str) -> Self {
        self.to(nth, true, word)
    }

    /// The nth key.
    pub(super) fn key(&'a self, nth: usize, word: &'a str) -> Self {
        self.to(nth, false, word)
    }

    fn to(&'a self, nth: usize, value: bool, word: &'a str) -> Self {
        Self {
            above: Some(self),
            step: Step { nth, value },
            word,
        }
    }

    fn parts(&self) -> (Vec<Step>, Vec<&'a str>) {
        let Some(above) = self.above else {
            return (Vec::new(), Vec::new());
        };
        let (mut steps, mut words) = above.parts();
        steps.push(self.step);
        if !self.word.is_empty() {
            words.push(self.word);
        }
        (steps, words)
    }
}

/// A problem whose place has not been looked up.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Found {
    way: Vec<Step>,
    path: String,
    text: String,
}

/// Collects everything that is wrong, so that one run tells all of it.
#[derive(Default)]
pub(super) struct Problems {
    found: Vec<Found>,
    more: usize,
}

impl Problems {
    /// The same problem at the same place is told once: an alias or `defaults` may lead there often.
    pub(super) fn add(&mut self, at: &At<'_>, text: impl Into<String>) {
        let (way, words) = at.parts();
        let found = Found {
            way,
            path: words.join("."),
            text: text.into(),
        };
        if self.found.contains(&found) {
            return;
        }
        if self.found.len() == MOST {
            self.more += 1;
            return;
        }
        self.found.push(found);
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.found.len() + self.more
    }

    /// Looks the places up, in the file's order.
    pub(super) fn placed(mut self, locate: impl Fn(&[Step]) -> Option<Position>) -> Vec<Problem> {
        self.found.sort();
        let mut problems: Vec<_> = self
            .found
            .into_iter()
            .map(|found| Problem {
                position: locate(&found.way),
                path: found.path,
                text: found.text,
            })
            .collect();
        if self.more > 0 {
            problems.push(Problem::more(self.more));
        }
        problems
    }
}
