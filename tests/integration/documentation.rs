//! Checks of the documentation: links, manifests, quoted messages and the tests it cites.

use std::fs;
use std::path::{Path, PathBuf};

use crate::common::Cli;

pub(crate) fn repository_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// All documentation pages.
fn pages() -> Vec<PathBuf> {
    let mut pages: Vec<PathBuf> = ["README.md", "CONTRIBUTING.md", "SECURITY.md"]
        .map(|name| repository_root().join(name))
        .to_vec();
    pages.extend(files_below("docs", "md"));
    pages
}

/// All files below a directory with this extension.
fn files_below(folder: &str, extension: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![repository_root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == extension) {
                files.push(path);
            }
        }
    }
    files
}

/// The text of all Rust files below a directory.
fn source_of(folder: &str) -> String {
    let files = files_below(folder, "rs").into_iter();
    files
        .map(|path| fs::read_to_string(path).unwrap())
        .collect()
}

/// The first column of the troubleshooting tables quotes messages. Each part between ellipses must
/// occur in the source.
#[test]
fn quoted_messages_exist_in_source() {
    // Long messages span several lines of source.
    let source = source_of("src") + &source_of("crates");
    let source = source.replace("\\\n", "");
    let source = source.split_whitespace().collect::<Vec<_>>().join(" ");
    let page = fs::read_to_string(repository_root().join("docs/troubleshooting.md")).unwrap();
    let (mut quoted, mut unknown) = (0, Vec::new());
    for table in page.split("| Message | ").skip(1) {
        for row in table
            .lines()
            .skip(2)
            .take_while(|line| line.starts_with('|'))
        {
            let says = row.split(" | ").next().unwrap();
            let says = says.trim_start_matches("| ");
            for part in says.split('…').map(str::trim) {
                quoted += 1;
                if !source.contains(part) {
                    unknown.push(part);
                }
            }
        }
    }
    assert!(unknown.is_empty(), "not in the source: {unknown:#?}");
    assert!(quoted > 30, "{quoted}");
}

/// Claims in the documentation cite the tests that prove them.
#[test]
fn referenced_tests_exist() {
    let mut named = 0;
    for page in ["docs/comparison.md", "docs/security.md"] {
        let text = fs::read_to_string(repository_root().join(page)).unwrap();
        for name in text.split('`').skip(1).step_by(2) {
            let Some((file, test)) = name.split_once(": ") else {
                assert!(
                    !name.starts_with(".ci/")
                        || repository_root()
                            .join(name.split(' ').next().unwrap())
                            .exists(),
                    "{name}"
                );
                continue;
            };
            let folder = match file {
                _ if file.starts_with("src/") || file.starts_with("crates/") => "",
                _ if file.ends_with(".py") => "tests/platforms",
                _ if file.ends_with(".rs") => "tests/integration",
                _ => continue,
            };
            let path = repository_root().join(folder).join(file);
            let code = fs::read_to_string(&path).unwrap_or_default();
            let there =
                code.contains(&format!("fn {test}(")) || code.contains(&format!("def {test}("));
            assert!(there, "{page}: {name} does not exist");
            named += 1;
        }
    }
    assert!(named > 30, "{named}");
}

/// `iam-policy` accepts each documented manifest, which needs neither values nor a network.
#[test]
fn documented_manifests_are_valid() {
    let mut shown = 0;
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for part in text.split("<!-- example: ").skip(1) {
            let (name, rest) = part.split_once(" -->").unwrap();
            if !name.ends_with(".yaml") {
                continue;
            }
            let (_, block) = rest.split_once("```yaml\n").unwrap();
            let cli = Cli::with_empty_env()
                .env("AWS_REGION", "us-east-1")
                .args(&["iam-policy"]);
            let path = cli.path(name);
            fs::write(&path, block.split("```").next().unwrap()).unwrap();
            let outcome = cli.input("manifest", &path.display().to_string()).run();
            assert_eq!(
                outcome.code,
                Some(0),
                "{}: {name}: {}",
                page.display(),
                outcome.stderr
            );
            shown += 1;
        }
    }
    assert!(shown >= 2, "{shown}");
}

#[test]
fn links_resolve() {
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        let after = |start: &'static str, end: char| {
            let parts = text.split(start).skip(1);
            parts.filter_map(move |rest| rest.split(end).next())
        };
        for link in after("](", ')').chain(after("src=\"", '"')) {
            if link.contains("://") {
                continue;
            }
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() {
                page.clone()
            } else {
                page.parent().unwrap().join(file)
            };
            assert!(target.exists(), "{}: {link}", page.display());
            let there = heading.is_empty()
                || fs::read_to_string(&target)
                    .unwrap()
                    .lines()
                    .any(|line| line.starts_with('#') && anchor(line) == heading);
            assert!(there, "{}: {link}", page.display());
        }
    }
}

/// The anchor that GitHub gives a heading: in lower case, without punctuation, with hyphens for spaces.
fn anchor(heading: &str) -> String {
    let heading = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = heading
        .chars()
        .filter(|&c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}
