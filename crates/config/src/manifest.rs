//! The manifest: many secrets in one YAML file (JSON is YAML). Converts its text to the inputs of each secret, still as text,
//! and references to values. Reports all problems at once, with line, column and key. Must not read files, variables or values;
//! of the text, messages show only names of secrets and variables.
//!
//! The content of inputs is checked later, as for inputs from the environment; [`locate_problems`] finds the input's position.

mod entry;
mod expand;
mod extent;
mod keys;
mod model;
mod problem;
mod reader;
mod reference;
mod schema;
mod shape;
mod syntax;
mod tree;

pub(crate) use model::Qualified;
pub use model::{
    CharacterClass, Entry, GenerateSpec, Manifest, Member, Reference, SecretRef, ValueSpec,
};
use problem::Problems;
pub use problem::{Position, Problem, UnlocatedProblem};
pub use schema::schema;
pub(crate) use syntax::{MAX_BYTES, has_too_many_parts, nests_too_deep};

/// The maximum size parsed to look up positions: that of the first problem in the longest manifest, which takes seconds.
const MAX_LOCATED_BYTES: usize = MAX_BYTES;

/// Parses a manifest. `lookup` returns the text of a variable for `${NAME}`.
///
/// # Errors
/// All problems in file order. If there are too many to report, the last one is the number of remaining problems.
pub fn parse(
    bytes: &[u8],
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<Manifest, Vec<Problem>> {
    match parse_partially(bytes, lookup) {
        Ok((manifest, problems)) if problems.is_empty() => Ok(manifest),
        Ok((_, problems)) => Err(problems),
        Err(problem) => Err(vec![problem]),
    }
}

/// Parses the valid parts of a manifest and returns the problems of the rest, so that they can be reported together with those
/// of later checks.
///
/// # Errors
/// The file is not YAML, so no part of it is valid.
pub(crate) fn parse_partially(
    bytes: &[u8],
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<(Manifest, Vec<Problem>), Problem> {
    let text = syntax::decode(bytes)?;
    let tree = tree::parse(text)?;
    let mut reader = reader::Reader::new(lookup);
    let manifest = reader.read_manifest(&tree);
    // Each look-up parses the file again.
    drop(tree);
    Ok((manifest, locate(text, reader.problems)))
}

/// Adds positions to problems found by later checks. A problem with an input that many entries inherit from `defaults` is
/// reported once. `bytes` is the manifest.
pub fn locate_problems(bytes: &[u8], unlocated: Vec<UnlocatedProblem>) -> Vec<Problem> {
    let mut problems = Problems::default();
    for problem in unlocated {
        problems.add(problem);
    }
    locate(syntax::decode(bytes).unwrap_or_default(), problems)
}

/// Looks up positions. Each lookup takes as long as parsing the file, so for a large file only the first ones are located.
fn locate(text: &str, problems: Problems) -> Vec<Problem> {
    let mut left = MAX_LOCATED_BYTES;
    problems.into_located(|node| {
        left = left.checked_sub(text.len())?;
        tree::locate(text, node)
    })
}

#[cfg(test)]
mod tests;
