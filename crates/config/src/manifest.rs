//! The manifest: many secrets in one YAML file (JSON is YAML). Turns its text into the inputs of each secret, still as
//! text, and references to values; reports every problem at once, with line, column and key. Reads no file, variable or
//! value, and no message shows more of the text than names of secrets and variables.
//!
//! What an input holds is checked later, as for inputs from the environment; [`locate_problems`] finds the input's
//! position.

mod entry;
mod expand;
mod keys;
mod model;
mod problem;
mod reader;
mod reference;
mod schema;
mod shape;
mod syntax;
mod tree;

pub use model::{
    CharacterClass, Entry, GenerateSpec, Manifest, Member, Reference, SecretRef, ValueSpec,
};
use problem::Problems;
pub use problem::{Position, Problem, UnlocatedProblem};
pub use schema::schema;
pub(crate) use syntax::MAX_BYTES;

/// Parses a manifest. `lookup` returns the text of a variable for `${NAME}`.
///
/// # Errors
/// Every problem in the file's order. If there are too many to report, the last one is the number of further ones.
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

/// Parses what is valid in a manifest and returns the problems of the rest, so that those of later checks can be
/// reported together with them.
///
/// # Errors
/// The file is no YAML, and so nothing in it is valid.
pub(crate) fn parse_partially(
    bytes: &[u8],
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<(Manifest, Vec<Problem>), Problem> {
    let text = syntax::decode(bytes)?;
    let tree = tree::parse(text)?;
    let mut reader = reader::Reader::new(lookup);
    let manifest = reader.read_manifest(&tree);
    Ok((manifest, locate(text, reader.problems)))
}

/// Adds positions to problems that later checks find. One with an input that many entries inherit from `defaults` is
/// reported once. `bytes` are the manifest.
pub fn locate_problems(bytes: &[u8], unlocated: Vec<UnlocatedProblem>) -> Vec<Problem> {
    let mut problems = Problems::default();
    for problem in unlocated {
        problems.add(problem);
    }
    locate(syntax::decode(bytes).unwrap_or_default(), problems)
}

fn locate(text: &str, problems: Problems) -> Vec<Problem> {
    problems.into_located(|node| tree::locate(text, node))
}

#[cfg(test)]
mod tests;
