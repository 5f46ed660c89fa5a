//! Places for problems that later checks find. A target keeps only which entry it is; where an input of
//! it stands, in the entry or in `defaults`, is looked up when it turns out to be wrong.

use super::problem::{At, InputProblem, Problem, Problems, shown};
use super::tree::{Node, find};
use super::{syntax, tree};

/// Looks up where in the file these problems are: in the entry, or in `defaults` where the entry has the
/// input from there, which many entries may have, so that it is told once. `bytes` are those that were
/// parsed; in others nothing is found, and the problems have no places.
#[must_use]
pub fn locate_problems(bytes: &[u8], problems: Vec<InputProblem>) -> Vec<Problem> {
    let text = syntax::decode(bytes).unwrap_or_default();
    let tree = tree::read(text).unwrap_or(Node::Null);
    let mut found = Problems::default();
    for problem in problems {
        told(&tree, problem, &mut found);
    }
    found.placed(|way| tree::locate(text, way))
}

fn told(tree: &Node<'_>, problem: InputProblem, found: &mut Problems) {
    let InputProblem {
        nth,
        input,
        member,
        text,
    } = problem;
    let file = At::ROOT;
    let entry = find(tree, "secrets").and_then(|(at, secrets)| match secrets {
        Node::Mapping(pairs) => match pairs.get(nth)? {
            (Node::Text(name), entry) => Some((at, shown(name), entry)),
            _ => None,
        },
        _ => None,
    });
    let Some((at, name, entry)) = entry else {
        return found.add(&file, text);
    };
    let secrets = file.value(at, "secrets");
    let here = secrets.value(nth, name);
    if let Some((nth, node)) = find(entry, input) {
        let here = here.value(nth, input);
        return match (member, node) {
            (Some(member), Node::Mapping(members)) if member < members.len() => {
                found.add(&here.value(member, "*"), text);
            }
            _ => found.add(&here, text),
        };
    }
    let inherited = find(tree, "defaults")
        .and_then(|(at, defaults)| find(defaults, input).map(|(nth, _)| (at, nth)));
    if let Some((at, nth)) = inherited {
        return found.add(&file.value(at, "defaults").value(nth, input), text);
    }
    // The secret as a whole; and what is not in the file is named all the same.
    let named = match input {
        "name" => name.to_owned(),
        _ => format!("{name}.{input}"),
    };
    found.add(&secrets.key(nth, &named), text);
}
