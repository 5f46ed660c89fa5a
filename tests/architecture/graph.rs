//! Imports between the files of one crate, and their cycles. Must not read files.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::tree::SourceTree;

/// The names that one file imports from another, by the other file.
type Imports = BTreeMap<usize, BTreeSet<String>>;

/// The imports of each file; files are indices into `SourceTree::files`.
pub(crate) struct ImportGraph(Vec<Imports>);

/// One shortest import cycle among files that all reach each other.
pub(crate) struct Circle {
    /// Each file, the next one, and the names that it imports from there.
    pub(crate) edges: Vec<(usize, usize, Vec<String>)>,
    /// The number of files that reach each other.
    pub(crate) entangled: usize,
}

impl ImportGraph {
    pub(crate) fn of(tree: &SourceTree) -> Self {
        let imports = (0..).zip(&tree.files).map(|(file, source)| {
            let mut imports = Imports::new();
            for (other, name) in source.mentions.iter().filter_map(|it| tree.destination(it)) {
                if other != file {
                    imports.entry(other).or_default().insert(name);
                }
            }
            imports
        });
        Self(imports.collect())
    }

    /// One cycle per strongly connected component.
    pub(crate) fn circles(&self) -> Vec<Circle> {
        let reached: Vec<_> = (0..self.0.len()).map(|file| self.reached(file)).collect();
        let mut rest: BTreeSet<usize> = (0..self.0.len()).collect();
        let mut circles = Vec::new();
        while let Some(file) = rest.pop_first() {
            let component: Vec<usize> = reached[file]
                .keys()
                .copied()
                .filter(|other| reached[*other].contains_key(&file))
                .collect();
            rest.retain(|other| !component.contains(other));
            let paths = component.iter().map(|start| {
                let mut path = vec![*start];
                while path.len() == 1 || path.last() != Some(start) {
                    path.push(reached[*start][path.last().unwrap()]);
                }
                path.reverse();
                path
            });
            if let Some(shortest) = paths.min_by_key(Vec::len) {
                let edges = shortest.windows(2).map(|pair| {
                    let names = self.0[pair[0]][&pair[1]].iter().cloned();
                    (pair[0], pair[1], names.collect())
                });
                circles.push(Circle {
                    edges: edges.collect(),
                    entangled: component.len(),
                });
            }
        }
        circles
    }

    /// The files reachable through imports, each with the preceding file on a shortest path. Contains `start` only if a path
    /// leads back to it.
    fn reached(&self, start: usize) -> BTreeMap<usize, usize> {
        let mut previous = BTreeMap::new();
        let mut queue = VecDeque::from([start]);
        while let Some(file) = queue.pop_front() {
            for other in self.0[file].keys() {
                previous.entry(*other).or_insert_with(|| {
                    queue.push_back(*other);
                    file
                });
            }
        }
        previous
    }
}
