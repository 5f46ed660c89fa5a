//! The manifest: many secrets in one YAML file (JSON is YAML). This room turns its text into inputs as
//! text, one set for each secret, and into where values come from; everything that is wrong with it is
//! told at once, with line, column and key. It must not read the file, the environment, values or
//! anything else, and no message shows what stands in the file but names of secrets and of variables.
//! Whether an input makes sense is for `request`, as with inputs from the environment; [`locate_problems`] tells
//! where in the file it came from.

mod entry;
mod expand;
mod given;
mod input;
mod keys;
mod locate;
mod problem;
mod reader;
mod reference;
mod schema;
mod syntax;
mod tree;

pub use given::{
    CharacterClass, Entry, GenerateSpec, Manifest, Member, Reference, SecretRef, ValueSpec,
};
pub use locate::locate_problems;
pub use problem::{InputProblem, Position, Problem};
pub use schema::schema;
pub use syntax::MAX_BYTES;

/// Reads a manifest. `lookup` gives the text of a variable for `${NAME}`.
///
/// # Errors
/// Everything that is wrong with it, in the file's order; where that is more than a person reads, the
/// last one says how many are left.
pub fn parse(
    bytes: &[u8],
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<Manifest, Vec<Problem>> {
    match read(bytes, lookup) {
        (Some(manifest), problems) if problems.is_empty() => Ok(manifest),
        (_, problems) => Err(problems),
    }
}

/// Reads what can be read of a manifest, and tells what is wrong with the rest: so that what only later
/// checks find can be told together with it.
#[must_use]
pub fn read(
    bytes: &[u8],
    lookup: &dyn Fn(&str) -> Option<String>,
) -> (Option<Manifest>, Vec<Problem>) {
    let text = match syntax::decode(bytes) {
        Ok(text) => text,
        Err(problem) => return (None, vec![problem]),
    };
    let tree = match tree::read(text) {
        Ok(tree) => tree,
        Err(problem) => return (None, vec![problem]),
    };
    let mut reader = reader::Reader::new(lookup);
    let manifest = reader.manifest(&tree);
    let problems = reader.problems.placed(|way| tree::locate(text, way));
    (Some(manifest), problems)
}

#[cfg(test)]
mod tests;
