//! Replaces every secret of a run in text, in any form, and makes the text safe to print. Must not print.
//!
//! The order is: redact, escape, redact again, check. If the check finds a secret or a piece of one, the whole message becomes
//! `***`, which is too short to contain one.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use aws_lc_rs::digest;
use zeroize::Zeroizing;

use super::escape;
use super::index::Index;

/// The replacement for a form of a secret; shorter than the shortest form, so it cannot be one itself.
pub(super) const HIDDEN: &str = "***";

/// The maximum length of a printed line, in characters. Only messages from AWS can be long.
const MAX_LINE: usize = 2_000;

/// The maximum length of a printed text, in bytes.
pub(super) const MAX_TEXT: usize = 64 * 1024;

/// How far past the maximum length a text is searched. No notation spreads a piece of a secret further than this, so a piece
/// that is split by the cut is found.
const MARGIN: usize = 4 * 1024;

/// The maximum number of lines that a CI system is known to mask, and the maximum length of a masked line in bytes: outputs are
/// shorter.
const MAX_MASKED_LINES: usize = 10_000;
const MAX_MASKED_LINE: usize = 2_048;

/// Every secret of a run.
#[derive(Default)]
pub struct Redactor {
    secrets: Mutex<Secrets>,
}

#[derive(Default)]
struct Secrets {
    index: Index,
    /// Secrets not indexed yet. They are indexed when a text is printed, which happens after the first request.
    new: Vec<Zeroizing<Vec<u8>>>,
    /// Lines of any length, as a CI system masks them, to predict which outputs it drops.
    masked: Vec<Zeroizing<String>>,
    /// Digests of the secrets that were added: thousands of entries may name the same file.
    known: BTreeSet<Vec<u8>>,
}

impl Redactor {
    /// Adds a secret. It is redacted from now on.
    pub fn hide(&self, secret: &[u8]) {
        let mut secrets = self.secrets();
        if secrets.add(secret, b"masked") {
            let text = String::from_utf8_lossy(secret);
            let lines = text.split(['\n', '\r']).map(str::trim);
            let lines = lines.filter(|line| (1..=MAX_MASKED_LINE).contains(&line.len()));
            let room = MAX_MASKED_LINES.saturating_sub(secrets.masked.len());
            let lines = lines.take(room).map(|line| Zeroizing::new(line.to_owned()));
            secrets.masked.extend(lines);
        }
    }

    /// Adds a secret that the CI system does not mask. The CI system does not drop outputs that contain it.
    pub fn hide_unmasked(&self, secret: &[u8]) {
        self.secrets().add(secret, b"other");
    }

    fn secrets(&self) -> MutexGuard<'_, Secrets> {
        self.secrets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes any text safe to print: removes every form of a secret, control and bidirectional characters except line feed and
    /// tab, and lines that a CI system interprets as a command.
    pub fn clean(&self, text: &str) -> String {
        let hidden = self.replace(text);
        let escaped = escape::lines(&hidden, MAX_LINE);
        if hidden == text && escaped == text {
            // The common case: nothing to redact and nothing to escape.
            return escaped;
        }
        let cleaned = self.replace(&escaped);
        // A replacement next to other text can complete a secret or a piece of one.
        if self.finds(&cleaned) || escape::is_command(&cleaned) {
            return HIDDEN.to_owned();
        }
        cleaned
    }

    /// [`Self::clean`] for text that must stay on one line, such as a table cell.
    pub fn clean_line(&self, text: &str) -> String {
        self.clean(text).replace(['\n', '\t'], " ")
    }

    /// Whether the text contains a secret, or a piece of one.
    pub fn finds(&self, text: &str) -> bool {
        !self.find(text).is_empty()
    }

    /// Whether a CI system that masks the secrets would find one in this output. The GitHub runner masks lines of any length,
    /// and drops a job output that contains one.
    pub fn is_masked(&self, output: &str) -> bool {
        let secrets = self.secrets();
        let mut masked = secrets.masked.iter();
        masked.any(|line| output.contains(line.as_str()))
    }

    fn find(&self, text: &str) -> Vec<Range<usize>> {
        let mut secrets = self.secrets();
        for secret in std::mem::take(&mut secrets.new) {
            secrets.index.add(&secret);
        }
        secrets.index.find(text)
    }

    /// The start of a text, with secrets and pieces of them replaced.
    fn replace(&self, text: &str) -> String {
        let text = &text[..text.floor_char_boundary(MAX_TEXT + MARGIN)];
        let (shown, _) = text.split_at(text.floor_char_boundary(MAX_TEXT));
        let mut found = self.find(text);
        found.sort_unstable_by_key(|range| range.start);
        let mut result = String::with_capacity(shown.len());
        let mut end = 0;
        for range in found.iter().filter(|range| range.start < shown.len()) {
            if range.start >= end {
                result.push_str(&text[end..range.start]);
                result.push_str(HIDDEN);
            }
            end = end.max(range.end);
        }
        result.push_str(shown.get(end..).unwrap_or_default());
        result
    }
}

impl Secrets {
    /// Adds a secret of the given kind; returns whether it was new.
    fn add(&mut self, secret: &[u8], kind: &[u8]) -> bool {
        let mut both = digest::Context::new(&digest::SHA256);
        both.update(kind);
        both.update(secret);
        let new = self.known.insert(both.finish().as_ref().to_vec());
        if new {
            self.new.push(Zeroizing::new(secret.to_vec()));
        }
        new
    }
}
