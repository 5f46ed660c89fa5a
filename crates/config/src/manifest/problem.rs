//! Problems of a manifest: position, key and text. A problem names secrets and known keys. It never shows any other
//! text of the file.

use std::fmt;

/// The most problems that are reported; a file with more repeats one mistake.
const MAX_REPORTED: usize = 50;

/// A position in the file. Lines and columns are counted from 1; a column is a character.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The character of the line.
    pub column: usize,
}

/// A problem of a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The position; `None` for a problem of the whole file.
    pub position: Option<Position>,
    /// The key, for people: `secrets.prod/model/api-key.tags`; empty for the whole file.
    pub path: String,
    /// What is wrong, without a period at the end.
    pub text: String,
}

impl Problem {
    pub(super) fn whole_file(position: Option<Position>, text: impl Into<String>) -> Self {
        Self {
            position,
            path: String::new(),
            text: text.into(),
        }
    }

    /// Takes the place of the problems that are not reported.
    fn more(count: usize) -> Self {
        Self::whole_file(None, format!("and {count} more"))
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

/// A problem that a later check finds with an input of an entry, without its position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputProblem {
    pub(super) entry_index: usize,
    pub(super) input: &'static str,
    pub(super) member: Option<usize>,
    pub(super) text: String,
}

/// A name as messages show it. Names are public. Text that cannot be a name is not shown: it may be the value, given by
/// mistake.
pub(super) fn printable_name(name: &str) -> &str {
    let is_name = !name.is_empty()
        && name.len() <= 1_024
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"/_+=.@-!:${}".contains(&b));
    if is_name { name } else { "*" }
}

/// A step from a node of the tree to a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Step {
    /// The index of the pair or item.
    pub(super) index: usize,
    /// Whether the child is the item or the pair's value, rather than the pair's key.
    pub(super) is_value: bool,
}

/// The path to a node, as steps and as labels for people. Built while the tree is read, without an allocation until
/// there is a problem.
#[derive(Clone, Copy)]
pub(super) struct NodePath<'a> {
    parent: Option<&'a Self>,
    pub(super) step: Step,
    pub(super) label: &'a str,
}

impl<'a> NodePath<'a> {
    /// The whole file.
    pub(super) const ROOT: NodePath<'static> = NodePath {
        parent: None,
        step: Step {
            index: 0,
            is_value: true,
        },
        label: "",
    };

    /// The path to an item or a pair's value. The label is empty if the key must not be shown.
    pub(super) fn value(&'a self, index: usize, label: &'a str) -> Self {
        self.child(index, true, label)
    }

    /// The path to a pair's key.
    pub(super) fn key(&'a self, index: usize, label: &'a str) -> Self {
        self.child(index, false, label)
    }

    fn child(&'a self, index: usize, is_value: bool, label: &'a str) -> Self {
        Self {
            parent: Some(self),
            step: Step { index, is_value },
            label,
        }
    }

    fn parts(&self) -> (Vec<Step>, Vec<&'a str>) {
        let Some(parent) = self.parent else {
            return (Vec::new(), Vec::new());
        };
        let (mut steps, mut labels) = parent.parts();
        steps.push(self.step);
        if !self.label.is_empty() {
            labels.push(self.label);
        }
        (steps, labels)
    }
}

/// A problem whose position has not been looked up.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Unlocated {
    steps: Vec<Step>,
    path: String,
    text: String,
}

/// The problems of a manifest, collected so that one run reports all of them.
#[derive(Default)]
pub(super) struct Problems {
    unlocated: Vec<Unlocated>,
    unreported: usize,
}

impl Problems {
    /// Adds a problem, unless it is known: aliases and `defaults` lead to the same node many times.
    pub(super) fn add(&mut self, path: &NodePath<'_>, text: impl Into<String>) {
        let (steps, labels) = path.parts();
        let problem = Unlocated {
            steps,
            path: labels.join("."),
            text: text.into(),
        };
        if self.unlocated.contains(&problem) {
            return;
        }
        if self.unlocated.len() == MAX_REPORTED {
            self.unreported += 1;
            return;
        }
        self.unlocated.push(problem);
    }

    pub(super) fn count(&self) -> usize {
        self.unlocated.len() + self.unreported
    }

    /// Looks up the positions and sorts the problems in the file's order.
    pub(super) fn into_located(
        mut self,
        locate: impl Fn(&[Step]) -> Option<Position>,
    ) -> Vec<Problem> {
        self.unlocated.sort();
        let mut problems: Vec<_> = self
            .unlocated
            .into_iter()
            .map(|problem| Problem {
                position: locate(&problem.steps),
                path: problem.path,
                text: problem.text,
            })
            .collect();
        if self.unreported > 0 {
            problems.push(Problem::more(self.unreported));
        }
        problems
    }
}
