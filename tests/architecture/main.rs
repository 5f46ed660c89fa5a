//! The rules of the source tree that the compiler does not enforce: which crate may depend on which, no import cycles, short
//! files and functions, a core without access to its environment. To change a rule, edit its table; the other files here
//! contain no rules.

// The configuration for tests reaches `#[test]` functions only, not their helpers.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use serde_json::Value;

mod detector;
mod graph;
mod source;
mod tree;

use graph::ImportGraph;
use tree::SourceTree;

const CORE: &str = "upsert-secret-core";
const CONFIG: &str = "upsert-secret-config";
const AWS: &str = "upsert-secret-aws";
const PROGRAM: &str = "upsert-secret";
const SANDBOX: &str = "sandbox";
const MODEL: &str = "sandbox-model";
const DEMO: &str = "demo";

/// A crate and the names in its rule. A name may end in `*`.
type Table = &'static [(&'static str, &'static [&'static str])];

/// The workspace crates that each workspace crate may depend on.
const MAY_DEPEND_ON: Table = &[
    (PROGRAM, &[CORE, CONFIG, AWS]),
    (CONFIG, &[CORE]),
    (AWS, &[CORE]),
    (CORE, &[]),
    (SANDBOX, &[MODEL]),
    (MODEL, &[]),
    (DEMO, &[]),
];

/// The additional workspace crates that tests may use.
const TESTS_MAY_DEPEND_ON: Table = &[(PROGRAM, &[SANDBOX, MODEL])];

/// External crates that no other crate of the product may depend on. The sandbox is free to use them.
const ONLY_IN: Table = &[(
    AWS,
    &[
        "aws-config",
        "aws-credential-types",
        "aws-runtime",
        "aws-sdk-*",
        "aws-smithy-*",
        "aws-types",
        "http-body-util",
        "hyper*",
        "rustls*",
        "tokio-rustls",
        "webpki*",
    ],
)];

/// External crates that a crate must not depend on.
const NEVER_IN: Table = &[
    (CORE, &["indicatif", "lexopt", "serde_yaml", "tokio*"]),
    (CONFIG, &["tokio*"]),
    (MODEL, &["axum*", "tokio*"]),
];

/// Ways in which the core could read a clock, randomness, the environment, files or the network.
const NOT_IN_CORE: &[&str] = &[
    "Instant::now",
    "SystemTime::now",
    "rand",
    "std::env",
    "std::fs",
    "TcpListener",
    "TcpStream",
    "ToSocketAddrs",
    "UdpSocket",
    "std::process",
];

const MAX_FILE_LINES: usize = 400;
const MAX_FUNCTION_LINES: usize = 100;

struct Package {
    name: String,
    dependencies: Vec<Dependency>,
    /// One for each library and program of the package.
    trees: Vec<SourceTree>,
}

struct Dependency {
    /// The package's name, and the name that the manifest gives it.
    names: Vec<String>,
    for_tests: bool,
}

static WORKSPACE: LazyLock<Vec<Package>> = LazyLock::new(|| {
    let output = Command::new(env!("CARGO"))
        .args("metadata --format-version 1 --no-deps --offline".split(' '))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "cargo metadata failed");
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    packages.iter().map(package).collect()
});

fn package(package: &Value) -> Package {
    let texts = |value: &Value, keys: &[&str]| -> Vec<String> {
        let values = keys.iter().filter_map(|key| value[*key].as_str());
        values.map(str::to_owned).collect()
    };
    let dependencies = package["dependencies"].as_array().unwrap().iter();
    let targets = package["targets"].as_array().unwrap().iter();
    let compiled =
        targets.filter(|target| target["kind"][0] == "lib" || target["kind"][0] == "bin");
    Package {
        name: texts(package, &["name"]).remove(0),
        dependencies: dependencies
            .map(|dependency| Dependency {
                names: texts(dependency, &["name", "rename"]),
                for_tests: dependency["kind"] == "dev",
            })
            .collect(),
        trees: compiled
            .map(|target| SourceTree::read(Path::new(target["src_path"].as_str().unwrap())))
            .collect(),
    }
}

fn is_member(name: &str) -> bool {
    WORKSPACE.iter().any(|package| package.name == name)
}

fn has_row(table: Table, name: &str) -> bool {
    table.iter().any(|(row, _)| *row == name)
}

/// Whether one of the names is in the row.
fn lists(table: Table, row: &str, names: &[String]) -> bool {
    let fits = |pattern: &str, name: &str| match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == pattern,
    };
    table
        .iter()
        .filter(|(name, _)| *name == row)
        .flat_map(|(_, patterns)| *patterns)
        .any(|pattern| names.iter().any(|name| fits(pattern, name)))
}

/// A path as a contributor would type it.
fn shown(path: &Path) -> String {
    let path = path
        .strip_prefix(env!("CARGO_MANIFEST_DIR"))
        .unwrap_or(path);
    path.display().to_string()
}

fn assert_none(violations: &[String], advice: &str) {
    assert!(
        violations.is_empty(),
        "\n\n{}\n\n{advice}\n",
        violations.join("\n")
    );
}

/// The reason a dependency is forbidden; `None` if it is allowed.
fn objection(package: &str, dependency: &Dependency) -> Option<String> {
    let Dependency { names, for_tests } = dependency;
    let name = &names[0];
    if is_member(name) {
        let allowed = lists(MAY_DEPEND_ON, package, names)
            || *for_tests && lists(TESTS_MAY_DEPEND_ON, package, names);
        return (!allowed).then(|| format!("`{package}` must not depend on `{name}`"));
    }
    if *for_tests {
        return None;
    }
    if lists(NEVER_IN, package, names) {
        return Some(format!("`{package}` must not depend on `{name}`"));
    }
    // A crate that does not exist owns nothing.
    let mut owners = ONLY_IN.iter().map(|(owner, _)| *owner);
    let owner = owners.find(|owner| is_member(owner) && lists(ONLY_IN, owner, names))?;
    (![owner, SANDBOX, MODEL].contains(&package))
        .then(|| format!("only `{owner}` may depend on `{name}`, and `{package}` does"))
}

#[test]
fn crates_depend_only_on_what_they_may() {
    let mut violations = Vec::new();
    for package in &*WORKSPACE {
        let dependencies = package.dependencies.iter();
        violations.extend(dependencies.filter_map(|it| objection(&package.name, it)));
    }
    let rows = [TESTS_MAY_DEPEND_ON, ONLY_IN, NEVER_IN].concat();
    let named = rows.iter().map(|(name, _)| *name);
    for name in named.chain(WORKSPACE.iter().map(|package| package.name.as_str())) {
        if !has_row(MAY_DEPEND_ON, name) {
            violations.push(format!("`{name}` has no row in MAY_DEPEND_ON"));
        }
    }
    let missing = MAY_DEPEND_ON.iter().filter(|(name, _)| !is_member(name));
    violations
        .extend(missing.map(|(name, _)| format!("MAY_DEPEND_ON: there is no crate `{name}`")));
    assert_none(
        &violations,
        "Move the code to a crate that may have this dependency. The tables are in tests/architecture/main.rs.",
    );
}

#[test]
fn imports_form_no_circle() {
    let mut violations = Vec::new();
    for tree in WORKSPACE.iter().flat_map(|package| &package.trees) {
        for circle in ImportGraph::of(tree).circles() {
            violations.push(format!(
                "a circle of imports ({} files reach each other):",
                circle.entangled
            ));
            for (from, to, names) in circle.edges {
                let [from, to] = [from, to].map(|file| shown(&tree.files[file].path));
                violations.push(format!("  {from} -> {to}: {}", names.join(", ")));
            }
        }
    }
    assert_none(
        &violations,
        "A module either declares what its children use or uses what its children declare, and siblings import each \
         other in one direction. Move the items that both files need to a file that imports neither.",
    );
}

#[test]
fn files_and_functions_are_short() {
    let trees = WORKSPACE.iter().flat_map(|package| &package.trees);
    let files = trees.flat_map(|tree| &tree.files);
    let mut violations = Vec::new();
    for file in files {
        let path = shown(&file.path);
        if file.lines > MAX_FILE_LINES {
            violations.push(format!("{path} has {} lines", file.lines));
        }
        for function in &file.functions {
            if function.length > MAX_FUNCTION_LINES {
                let (name, line) = (&function.name, function.line);
                violations.push(format!(
                    "{path}:{line}: `{name}` has {} lines",
                    function.length
                ));
            }
        }
    }
    assert_none(
        &violations,
        "A file has at most 400 lines without its tests, a function at most 100. Split by responsibility.",
    );
}

#[test]
fn core_reads_nothing_from_its_surroundings() {
    let core = WORKSPACE.iter().filter(|package| package.name == CORE);
    let files = core
        .flat_map(|package| &package.trees)
        .flat_map(|tree| &tree.files);
    let mut violations = Vec::new();
    for file in files {
        for mention in &file.mentions {
            if NOT_IN_CORE.iter().any(|path| mention.contains(path)) {
                let (path, line) = (shown(&file.path), mention.line);
                violations.push(format!("{path}:{line}: {}", mention.path.join("::")));
            }
        }
    }
    assert_none(
        &violations,
        "The core is a pure function of its arguments: let the caller pass in the time, the random bytes or the text.",
    );
}

/// Not a rule: `cargo test --test architecture count -- --nocapture` prints the lines of production code, without
/// blank lines, comments and tests.
#[test]
fn production_lines_are_counted() {
    let mut total = 0;
    for package in &*WORKSPACE {
        let files = package.trees.iter().flat_map(|tree| &tree.files);
        let lines: usize = files.map(|file| file.code_lines).sum();
        println!("{lines:7} {}", package.name);
        total += lines;
    }
    println!("{total:7} in all");
    assert!(total > 0);
}
