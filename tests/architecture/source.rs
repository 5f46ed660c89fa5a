//! The production code of one file: the modules it declares, the paths it mentions, and the length of its functions. Excludes
//! items under `#[cfg(test)]`. Must not find other files or apply rules.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, Block, Ident, Meta, UseTree, Visibility};

/// The names from the crate root, which is the empty path, to a module.
pub(crate) type ModulePath = Vec<String>;

/// A path in the code, such as `crate::request::Request`.
pub(crate) struct Mention {
    /// The module in which it is written.
    pub(crate) module: ModulePath,
    pub(crate) path: Vec<String>,
    pub(crate) line: usize,
    /// The name that a `use` declaration binds.
    pub(crate) binds: Option<String>,
}

impl Mention {
    /// Whether `path` is part of this path, by whole names.
    pub(crate) fn contains(&self, path: &str) -> bool {
        let names: Vec<&str> = path.split("::").collect();
        self.path.windows(names.len()).any(|part| part == names)
    }
}

pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) line: usize,
    /// Lines between the braces.
    pub(crate) length: usize,
}

#[derive(Default)]
pub(crate) struct SourceFile {
    pub(crate) path: PathBuf,
    pub(crate) lines: usize,
    /// Lines that are neither blank nor a comment.
    pub(crate) code_lines: usize,
    pub(crate) functions: Vec<Function>,
    pub(crate) mentions: Vec<Mention>,
    /// The file's own module and its inline modules.
    pub(crate) modules: Vec<ModulePath>,
    /// Modules in separate files.
    pub(crate) children: Vec<ModulePath>,
}

impl SourceFile {
    pub(crate) fn parse(path: &Path, module: ModulePath, text: &str) -> Self {
        let parsed =
            syn::parse_file(text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut reader = Reader {
            file: Self {
                path: path.to_owned(),
                modules: vec![module.clone()],
                ..Self::default()
            },
            module,
            test_lines: Vec::new(),
        };
        reader.visit_file(&parsed);
        let Reader {
            mut file,
            test_lines,
            ..
        } = reader;
        for (line, text) in (1..).zip(text.lines().map(str::trim_start)) {
            if !test_lines.iter().any(|range| range.contains(&line)) {
                file.lines += 1;
                file.code_lines += usize::from(!text.is_empty() && !text.starts_with("//"));
            }
        }
        file
    }
}

struct Reader {
    file: SourceFile,
    module: ModulePath,
    test_lines: Vec<RangeInclusive<usize>>,
}

impl Reader {
    fn add_mention(&mut self, path: Vec<String>, line: usize, binds: Option<String>) {
        self.file.mentions.push(Mention {
            module: self.module.clone(),
            path,
            line,
            binds,
        });
    }

    fn add_imports(&mut self, tree: &UseTree, prefix: &[String]) {
        let line = tree.span().start().line;
        let extended = |name: &Ident| match name.to_string() {
            name if name == "self" && !prefix.is_empty() => prefix.to_vec(),
            name => [prefix, &[name]].concat(),
        };
        match tree {
            UseTree::Path(path) => self.add_imports(&path.tree, &extended(&path.ident)),
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.add_imports(tree, prefix);
                }
            }
            UseTree::Glob(_) => self.add_mention([prefix, &["*".to_owned()]].concat(), line, None),
            UseTree::Name(name) => {
                let path = extended(&name.ident);
                let binds = path.last().cloned();
                self.add_mention(path, line, binds);
            }
            UseTree::Rename(rename) => {
                let binds = Some(rename.rename.to_string());
                self.add_mention(extended(&rename.ident), line, binds);
            }
        }
    }

    /// Adds the paths among the arguments of a macro, which have no syntax tree.
    fn scan_tokens(&mut self, tokens: TokenStream) {
        let (mut path, mut line, mut colons) = (Vec::new(), 0, 0);
        for token in tokens {
            match token {
                TokenTree::Punct(mark) if mark.as_char() == ':' => {
                    colons += 1;
                    continue;
                }
                TokenTree::Ident(name) if colons == 2 => path.push(name.to_string()),
                other => {
                    self.add_mention(std::mem::take(&mut path), line, None);
                    line = other.span().start().line;
                    match other {
                        TokenTree::Ident(name) => path.push(name.to_string()),
                        TokenTree::Group(group) => self.scan_tokens(group.stream()),
                        _ => {}
                    }
                }
            }
            colons = 0;
        }
        self.add_mention(path, line, None);
    }

    fn add_function(&mut self, name: &Ident, body: &Block) {
        let span = body.span();
        self.file.functions.push(Function {
            name: name.to_string(),
            line: name.span().start().line,
            length: (span.end().line - span.start().line).saturating_sub(1),
        });
    }

    /// Whether an item is compiled for tests only; its lines are then left out of the count.
    fn skips(&mut self, attributes: &[Attribute], item: &impl Spanned) -> bool {
        let skips = attributes.iter().any(|attribute| match &attribute.meta {
            Meta::List(list) => list.path.is_ident("cfg") && list.tokens.to_string() == "test",
            _ => false,
        });
        if skips {
            let span = item.span();
            self.test_lines.push(span.start().line..=span.end().line);
        }
        skips
    }
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if self.skips(&item.attrs, item) {
            return;
        }
        self.module.push(item.ident.to_string());
        if item.content.is_some() {
            self.file.modules.push(self.module.clone());
            visit::visit_item_mod(self, item);
        } else {
            self.file.children.push(self.module.clone());
        }
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if !self.skips(&item.attrs, item) {
            self.add_imports(&item.tree, &[]);
        }
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        if !self.skips(&item.attrs, item) {
            visit::visit_item_impl(self, item);
        }
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if !self.skips(&item.attrs, item) {
            self.add_function(&item.sig.ident, &item.block);
            visit::visit_item_fn(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if !self.skips(&item.attrs, item) {
            self.add_function(&item.sig.ident, &item.block);
            visit::visit_impl_item_fn(self, item);
        }
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(body) = &item.default {
            self.add_function(&item.sig.ident, body);
        }
        visit::visit_trait_item_fn(self, item);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names = path.segments.iter().map(|part| part.ident.to_string());
        self.add_mention(names.collect(), path.span().start().line, None);
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.visit_path(&call.path);
        self.scan_tokens(call.tokens.clone());
    }

    // Their paths import nothing: `pub(in super::super)`, `#[derive(…)]`.
    fn visit_visibility(&mut self, _: &'ast Visibility) {}
    fn visit_attribute(&mut self, _: &'ast Attribute) {}
}
