//! A minimal model of secrets for transactions: versions, values and labels, which move as in AWS.

use std::collections::BTreeMap;

use crate::failure::{Class, Failure};
use crate::labels::{CURRENT, PREVIOUS};
use crate::state::VersionLabels;

/// A version: its id, value and labels.
#[derive(Clone, Debug, Hash, PartialEq, Eq)]
pub(super) struct Version {
    pub(super) id: String,
    pub(super) value: &'static str,
    pub(super) labels: Vec<String>,
}

/// One secret. A secret that was never created does not exist and has no versions.
#[derive(Clone, Debug, Default, Hash, PartialEq, Eq)]
pub(super) struct Secret {
    pub(super) exists: bool,
    pub(super) versions: Vec<Version>,
}

impl Secret {
    /// A secret with these values, the last of which is current.
    pub(super) fn of(values: &[&'static str]) -> Self {
        let mut secret = Self {
            exists: true,
            versions: Vec::new(),
        };
        for (number, value) in values.iter().enumerate() {
            secret.put(&format!("before-{number}"), value, &[CURRENT.to_owned()]);
        }
        secret
    }

    pub(super) fn holder(&self, label: &str) -> Option<&Version> {
        let mut versions = self.versions.iter();
        versions.find(|version| version.labels.iter().any(|held| held == label))
    }

    pub(super) fn current(&self) -> Option<&'static str> {
        self.holder(CURRENT).map(|version| version.value)
    }

    /// Puts a version with labels, and returns the labels that it then has.
    pub(super) fn put(&mut self, id: &str, value: &'static str, labels: &[String]) -> Vec<String> {
        if let Some(known) = self.versions.iter().find(|version| version.id == id) {
            return known.labels.clone();
        }
        let is_first = self.versions.is_empty();
        self.exists = true;
        self.versions.push(Version {
            id: id.to_owned(),
            value,
            labels: Vec::new(),
        });
        let current = (is_first && !labels.iter().any(|it| it == CURRENT)).then_some(CURRENT);
        for label in labels.iter().map(String::as_str).chain(current) {
            self.attach(label, id);
        }
        self.versions.last().unwrap().labels.clone()
    }

    /// Moves or removes a label; `false` if `from` does not hold it.
    pub(super) fn move_label(&mut self, label: &str, from: Option<&str>, to: Option<&str>) -> bool {
        let holder = self.holder(label).map(|version| version.id.clone());
        let is_there = from.is_none() && holder.as_deref() == to;
        if holder.as_deref() != from && !is_there {
            return false;
        }
        match to {
            Some(to) => self.attach(label, to),
            None if holder.is_none() => return false,
            None => self.detach(label),
        }
        true
    }

    fn detach(&mut self, label: &str) {
        for version in &mut self.versions {
            version.labels.retain(|held| held != label);
        }
    }

    fn attach(&mut self, label: &str, to: &str) {
        let old = self.holder(label).map(|version| version.id.clone());
        if old.as_deref() == Some(to) {
            return;
        }
        self.detach(label);
        let mut versions = self.versions.iter_mut();
        let version = versions.find(|version| version.id == to).unwrap();
        version.labels.push(label.to_owned());
        version.labels.sort();
        if let (CURRENT, Some(old)) = (label, old) {
            self.attach(PREVIOUS, &old);
        }
    }

    pub(super) fn labels(&self) -> VersionLabels {
        let labeled = self.versions.iter().filter(|it| !it.labels.is_empty());
        let labels: BTreeMap<_, _> = labeled
            .map(|version| (version.id.clone(), version.labels.clone()))
            .collect();
        labels
    }
}

/// A failure that names a call.
pub(super) fn failure(class: Class, what: &str) -> Failure {
    Failure::new(class, what, "")
}
