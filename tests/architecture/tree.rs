//! The files of one crate, found through its `mod` declarations as the compiler finds them, and the file that each path refers
//! to. Reads files. Must not apply rules.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::source::{Mention, ModulePath, SourceFile};

#[derive(Default)]
pub(crate) struct SourceTree {
    pub(crate) files: Vec<SourceFile>,
    /// The file that holds each module, as an index into `files`.
    modules: BTreeMap<ModulePath, usize>,
    /// Modules that a `use` declaration brings into scope, by the importing module and the name.
    imported: BTreeMap<(ModulePath, String), ModulePath>,
}

impl SourceTree {
    pub(crate) fn read(root: &Path) -> Self {
        let mut tree = Self::default();
        tree.read_module(root, Vec::new(), root.parent().unwrap());
        let mentions = tree.files.iter().flat_map(|file| &file.mentions);
        let imported = mentions.filter_map(|mention| {
            let name = mention.binds.clone()?;
            let (module, rest) = tree.resolve(mention)?;
            let importer = mention.module.clone();
            rest.is_empty().then_some(((importer, name), module))
        });
        tree.imported = imported.collect();
        tree
    }

    /// Reads a module and its children, which are in `directory`.
    fn read_module(&mut self, path: &Path, module: ModulePath, directory: &Path) {
        let depth = module.len();
        let file = SourceFile::parse(path, module, &fs::read_to_string(path).unwrap());
        let modules = file.modules.iter().cloned();
        self.modules
            .extend(modules.map(|module| (module, self.files.len())));
        let children = file.children.clone();
        self.files.push(file);
        for child in children {
            let inner = directory.join(child[depth..].join("/"));
            let beside = inner.with_extension("rs");
            let path = if beside.exists() {
                beside
            } else {
                inner.join("mod.rs")
            };
            self.read_module(&path, child, &inner);
        }
    }

    /// The file that a mention refers to, and the first name in it; `None` if the path leaves the crate.
    pub(crate) fn destination(&self, mention: &Mention) -> Option<(usize, String)> {
        let (module, rest) = self.resolve(mention)?;
        let name = rest.first().or(module.last());
        Some((
            self.modules[&module],
            name.map_or("crate", String::as_str).to_owned(),
        ))
    }

    /// The deepest module along a path, and the rest of the path.
    fn resolve<'a>(&self, mention: &'a Mention) -> Option<(ModulePath, &'a [String])> {
        let mut module = mention.module.clone();
        let mut rest = mention.path.as_slice();
        match rest.first()?.as_str() {
            "crate" => module.clear(),
            "self" => {}
            "super" => {
                while rest[1..].first().is_some_and(|next| next == "super") {
                    module.pop()?;
                    rest = &rest[1..];
                }
                module.pop()?;
            }
            // A lone name is a variable or an item of this file.
            _ if rest.len() == 1 => return None,
            first => {
                let imported = || self.imported.get(&(module.clone(), first.to_owned()));
                module = self.child(&module, first).or_else(|| imported().cloned())?;
            }
        }
        rest = &rest[1..];
        while let Some(child) = rest.first().and_then(|name| self.child(&module, name)) {
            module = child;
            rest = &rest[1..];
        }
        Some((module, rest))
    }

    fn child(&self, module: &[String], name: &str) -> Option<ModulePath> {
        let child = [module, &[name.to_owned()]].concat();
        self.modules.contains_key(&child).then_some(child)
    }
}
