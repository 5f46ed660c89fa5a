//! Positions of problems that later checks find. An entry knows only its index in the file: where an input is set, in
//! the entry or in `defaults`, is looked up if it has a problem.

use super::problem::{InputProblem, NodePath, Problem, Problems, printable_name};
use super::tree::{Node, find_value};
use super::{syntax, tree};

/// Adds positions to problems with inputs. An input that many entries inherit from `defaults` is reported once, there.
/// `bytes` are the manifest; in any other text nothing is found, and the problems have no positions.
pub fn locate_problems(bytes: &[u8], problems: Vec<InputProblem>) -> Vec<Problem> {
    let text = syntax::decode(bytes).unwrap_or_default();
    let tree = tree::parse(text).unwrap_or(Node::Null);
    let mut located = Problems::default();
    for problem in problems {
        add_problem(&tree, problem, &mut located);
    }
    located.into_located(|steps| tree::locate(text, steps))
}

fn add_problem(tree: &Node<'_>, problem: InputProblem, located: &mut Problems) {
    let InputProblem {
        entry_index,
        input,
        member,
        text,
    } = problem;
    let file = NodePath::ROOT;
    let entry = find_value(tree, "secrets").and_then(|(index, secrets)| match secrets {
        Node::Mapping(pairs) => match pairs.get(entry_index)? {
            (Node::Text(name), entry) => Some((index, printable_name(name), entry)),
            _ => None,
        },
        _ => None,
    });
    let Some((secrets_index, name, entry)) = entry else {
        return located.add(&file, text);
    };
    let secrets_path = file.value(secrets_index, "secrets");
    let entry_path = secrets_path.value(entry_index, name);
    if let Some((index, node)) = find_value(entry, input) {
        let input_path = entry_path.value(index, input);
        return match (member, node) {
            (Some(member), Node::Mapping(members)) if member < members.len() => {
                located.add(&input_path.value(member, "*"), text);
            }
            _ => located.add(&input_path, text),
        };
    }
    if let Some((defaults_index, defaults)) = find_value(tree, "defaults")
        && let Some((index, _)) = find_value(defaults, input)
    {
        let defaults_path = file.value(defaults_index, "defaults");
        return located.add(&defaults_path.value(index, input), text);
    }
    // The position of the entry, and the name of the input although it is not in the file.
    let label = match input {
        "name" => name.to_owned(),
        _ => format!("{name}.{input}"),
    };
    located.add(&secrets_path.key(entry_index, &label), text);
}
