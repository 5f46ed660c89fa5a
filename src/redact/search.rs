//! Finds forms of secrets in text, in time that depends on the text and not on the number of forms: a value of thousands of
//! lines has a hundred thousand, and so do thousands of values, which may share a prefix. Replaces nothing.

use std::borrow::Borrow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{Hash, Hasher};

use zeroize::Zeroizing;

/// The minimum length of a form in bytes: shorter ones would redact too much of ordinary text.
pub const MIN_BYTES: usize = 4;

/// The length in bytes of pieces of a value that are redacted, because a message may quote a truncated value.
const PIECE: usize = 12;

type Prefix = [u8; MIN_BYTES];

/// Forms by their first bytes and their length, and pieces of values.
#[derive(Default)]
pub(super) struct Search {
    forms: HashMap<Prefix, BTreeMap<usize, HashSet<Form>>>,
    pieces: HashSet<[u8; PIECE]>,
}

/// A form that can be looked up by its bytes.
#[derive(PartialEq, Eq)]
struct Form(Zeroizing<String>);

impl Hash for Form {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.as_bytes().hash(state);
    }
}

impl Borrow<[u8]> for Form {
    fn borrow(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl Search {
    pub(super) fn add(&mut self, forms: impl IntoIterator<Item = Zeroizing<String>>) {
        for form in forms {
            let Some(prefix) = form.as_bytes().first_chunk::<MIN_BYTES>() else {
                continue;
            };
            self.forms
                .entry(*prefix)
                .or_default()
                .entry(form.len())
                .or_default()
                .insert(Form(form));
        }
    }

    pub(super) fn add_pieces(&mut self, secret: &[u8]) {
        self.pieces.extend(secret.array_windows::<PIECE>());
    }

    /// Whether the text contains a form.
    pub(super) fn finds(&self, text: &str) -> bool {
        (0..text.len()).any(|at| self.longest_form(text, at).is_some())
    }

    /// The ranges of forms and pieces on character boundaries, in order of their start. They may overlap.
    pub(super) fn find_all(&self, text: &str) -> Vec<(usize, usize)> {
        (0..text.len())
            .filter_map(|at| {
                let form = self.longest_form(text, at).map(|length| at + length);
                let piece = text.as_bytes()[at..]
                    .first_chunk::<PIECE>()
                    .filter(|window| self.pieces.contains(*window))
                    .map(|_| text.ceil_char_boundary(at + PIECE));
                form.max(piece)
                    .map(|stop| (text.floor_char_boundary(at), stop))
            })
            .collect()
    }

    fn longest_form(&self, text: &str, at: usize) -> Option<usize> {
        let rest = &text.as_bytes()[at..];
        self.forms
            .get(rest.first_chunk::<MIN_BYTES>()?)?
            .range(..=rest.len())
            .rev()
            .find(|(length, forms)| forms.contains(&rest[..**length]))
            .map(|(length, _)| *length)
    }
}
