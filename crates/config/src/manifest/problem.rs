//! Problems of a manifest: position, key and text. A problem names secrets and known keys. Must not show any other text of the
//! file.

use std::fmt;

use crate::environment::is_conventional_name;

/// The maximum number of reported problems; a file with more repeats one mistake.
const MAX_REPORTED: usize = 50;

/// A position in the file. Lines and columns are counted from 1; columns count characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The character of the line.
    pub column: usize,
}

impl Position {
    pub(super) fn new(line: usize, column: usize) -> Self {
        Self { line, column }
    }
}

/// A problem of a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The position; `None` for a problem of the whole file.
    pub position: Option<Position>,
    /// The readable key path: `secrets.prod/model/api-key.tags`; empty for the whole file.
    pub path: String,
    /// The problem, without a period at the end.
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

/// A problem whose position has not been looked up.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnlocatedProblem {
    /// The node's number in the tree.
    pub(super) node: usize,
    pub(super) path: String,
    pub(super) text: String,
}

/// A name as shown in messages. Names are public. Text that cannot be a name, or that refers to a variable with an unusual
/// name, is not shown: it may be the value, given by mistake.
pub(super) fn printable_name(name: &str) -> &str {
    let is_name = !name.is_empty()
        && name.len() <= 1_024
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"/_+=.@-!:${}".contains(&b));
    let mut variables = name
        .split("${")
        .skip(1)
        .filter_map(|rest| rest.split_once('}'));
    if is_name && variables.all(|(variable, _)| is_conventional_name(variable)) {
        name
    } else {
        "*"
    }
}

/// The problems of a manifest, collected so that one run reports all of them.
#[derive(Default)]
pub(super) struct Problems {
    unlocated: Vec<UnlocatedProblem>,
    unreported: usize,
}

impl Problems {
    /// Adds a problem, unless already added: aliases and `defaults` lead to the same node many times.
    pub(super) fn add(&mut self, problem: UnlocatedProblem) {
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

    /// Looks up the positions and sorts the problems in file order.
    pub(super) fn into_located(
        mut self,
        mut locate: impl FnMut(usize) -> Option<Position>,
    ) -> Vec<Problem> {
        self.unlocated.sort();
        let mut problems: Vec<_> = self
            .unlocated
            .into_iter()
            .map(|problem| Problem {
                position: locate(problem.node),
                path: problem.path,
                text: problem.text,
            })
            .collect();
        if self.unreported > 0 {
            let more = format!("and {} more", self.unreported);
            problems.push(Problem::whole_file(None, more));
        }
        problems
    }
}
