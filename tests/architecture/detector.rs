//! Tests the detectors themselves, on small crates in a temporary directory.

use std::fs;

use tempfile::TempDir;

use crate::graph::ImportGraph;
use crate::tree::SourceTree;

fn tree(files: &[(&str, &str)]) -> SourceTree {
    let root = TempDir::new().unwrap();
    for (path, text) in files {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    SourceTree::read(&root.path().join("lib.rs"))
}

/// The edges of each import cycle, as `file -> file: names`.
fn circles(files: &[(&str, &str)]) -> Vec<Vec<String>> {
    let tree = tree(files);
    let stem = |file: usize| {
        tree.files[file]
            .path
            .file_stem()
            .unwrap()
            .display()
            .to_string()
    };
    let circles = ImportGraph::of(&tree).circles().into_iter();
    circles
        .map(|circle| {
            let edges = circle.edges.into_iter();
            edges
                .map(|(from, to, names)| {
                    format!("{} -> {}: {}", stem(from), stem(to), names.join(" "))
                })
                .collect()
        })
        .collect()
}

#[test]
fn circle_of_two_is_found() {
    let found = circles(&[
        ("lib.rs", "mod a; mod b;"),
        ("a.rs", "use crate::b::{B, more}; pub struct A(B);"),
        ("b.rs", "pub struct B; fn of(_: super::a::A) {}"),
    ]);
    assert_eq!(found, [["a -> b: B more", "b -> a: A"]]);
}

#[test]
fn circle_is_found_through_modules_and_macros() {
    let found = circles(&[
        ("lib.rs", "mod a; mod b; mod c;"),
        ("a.rs", "use crate::b as other; fn a() { other::b() }"),
        ("b.rs", "pub fn b() { println!(\"{}\", crate::c::TEXT) }"),
        ("c.rs", "pub const TEXT: &str = \"\"; pub use super::a::*;"),
    ]);
    assert_eq!(found, [["a -> b: b", "b -> c: TEXT", "c -> a: *"]]);
}

#[test]
fn each_component_has_one_shortest_circle() {
    let found = circles(&[
        ("lib.rs", "mod a; mod b; mod c; mod d; mod e;"),
        ("a.rs", "use crate::b::B;"),
        ("b.rs", "use crate::c::C;"),
        ("c.rs", "use crate::{a::A, b::B, d::D};"),
        ("d.rs", "use crate::e::E;"),
        ("e.rs", "use crate::d::D;"),
    ]);
    assert_eq!(
        found,
        [["b -> c: C", "c -> b: B"], ["d -> e: E", "e -> d: D"]]
    );
}

#[test]
fn imports_in_one_direction_are_no_circle() {
    let found = circles(&[
        (
            "lib.rs",
            "mod a; mod b; mod same { pub mod inner { pub use super::super::Top; } }",
        ),
        (
            "a.rs",
            "use crate::b::B; #[derive(Debug)] pub(super) struct A(B);",
        ),
        (
            "b.rs",
            "pub(in super) struct B; fn lib(lib: u8) -> u8 { lib }
             #[cfg(test)] mod tests { use crate::a::A; }
             impl B { #[cfg(test)] fn a() -> crate::a::A { todo!() } }",
        ),
    ]);
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn parent_and_child_import_in_one_direction_only() {
    let child = ("a/child.rs", "use super::Shared; pub struct X;");
    let declares = ("a.rs", "mod child; struct Shared;");
    assert!(circles(&[("lib.rs", "mod a;"), declares, child]).is_empty());

    let uses = ("a.rs", "mod child; struct Shared; pub use child::X;");
    let found = circles(&[("lib.rs", "mod a;"), uses, child]);
    assert_eq!(found, [["a -> child: X", "child -> a: Shared"]]);
}

#[test]
fn re_export_is_import_from_exporting_file() {
    let found = circles(&[
        ("lib.rs", "mod a; mod b;"),
        ("a.rs", "pub mod child; pub use child::X;"),
        ("a/child.rs", "pub struct X; use crate::b::B;"),
        ("b.rs", "pub struct B; use crate::a::X;"),
    ]);
    assert_eq!(found, [["a -> child: X", "child -> b: B", "b -> a: X"]]);
}

#[test]
fn lengths_leave_tests_out() {
    let text =
        "//! Header.\n\nfn f() {\n    one();\n    two();\n}\n\n#[cfg(test)]\nmod tests {\n}\n";
    let file = &tree(&[("lib.rs", text)]).files[0];
    assert_eq!((file.lines, file.code_lines), (7, 4));
    assert_eq!(file.functions[0].length, 2);
}

#[test]
fn mentions_hold_paths_of_code_and_macros() {
    let text = "use std::{env, time::SystemTime}; fn f() { SystemTime::now(); x!(a, ::std::fs::read(b)); }";
    let tree = tree(&[("lib.rs", text)]);
    for path in ["std::env", "SystemTime::now", "std::fs"] {
        let found = tree.files[0].mentions.iter().any(|it| it.contains(path));
        assert!(found, "{path}");
    }
    assert!(
        !tree.files[0]
            .mentions
            .iter()
            .any(|it| it.contains("std::net"))
    );
}
