//! Properties of external text that is quoted by `ForeignText::quote` and then cleaned by `Redactor::clean`, for any secret and any
//! text. The check is independent of the implementation: it uses the word lists as data, and decodes the output.
//!
//! - Each quoted word consists of listed words and of numbers of at most five digits, or has the form of an ID, a time or an ARN.
//!   Therefore only single, ordinary words of a secret can be visible, except in the names of ARNs and in IDs.
//! - In no encoding that `redact` decodes are twelve bytes of the secret visible anywhere, or all of a shorter secret.
//!
//! An input is `secret FF text`. The markers of `redact` stand for encodings of the secret. libFuzzer runs this body, and a regular
//! test runs it on `corpus/quote`.

use std::collections::HashSet;
use std::sync::OnceLock;

use upsert_secret::redact::Redactor;
use upsert_secret_core::quote::ForeignText;

use super::redact;

const WORDS: &str = include_str!("../../crates/core/src/quote/words.txt");
const NAMES: &str = include_str!("../../crates/core/src/quote/names.txt");
const SERVICES: [&str; 6] = [
    "iam",
    "kms",
    "lambda",
    "organizations",
    "secretsmanager",
    "sts",
];

/// Quotes and cleans a text that contains encodings of a secret. Panics if part of the secret is left.
pub(crate) fn quote(data: &[u8]) {
    let mut parts = data.splitn(2, |&byte| byte == 0xff);
    let secret = parts.next().unwrap_or_default();
    let text = redact::write(parts.next().unwrap_or_default(), secret, &[]);
    let quoted = ForeignText::new(&text).quote(&[]);
    for word in quoted.split_whitespace() {
        let core = word.trim_matches(|c| ".,;:!?()[]'\"".contains(c));
        let allowed = core.is_empty() || core == "…" || is_ordinary(core) || has_shape(core);
        assert!(allowed, "{word:?} of {text:?} is shown");
    }
    let redactor = Redactor::default();
    redactor.hide(secret);
    let cleaned = redactor.clean(&quoted);
    redact::is_harmless(&cleaned);
    redact::is_hidden(secret, &cleaned);
}

/// Whether a word consists of listed words.
fn is_ordinary(word: &str) -> bool {
    if ["-", "+", "=", "&"].contains(&word) {
        return true;
    }
    word.split(['-', '/', ':', '_'])
        .all(|part| is_listed(part) || camel_case(part) || is_number(part))
}

fn is_number(word: &str) -> bool {
    (1..=6).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_listed(word: &str) -> bool {
    static LISTED: OnceLock<HashSet<&str>> = OnceLock::new();
    let listed =
        LISTED.get_or_init(|| WORDS.lines().chain(NAMES.lines()).chain(SERVICES).collect());
    let mut lower = word.to_owned();
    if let Some(first) = lower.get_mut(..1) {
        first.make_ascii_lowercase();
    }
    listed.contains(word) || listed.contains(lower.as_str())
}

/// Whether a word consists of capitalized listed words.
fn camel_case(word: &str) -> bool {
    let starts: Vec<usize> = word
        .char_indices()
        .filter(|(_, c)| c.is_ascii_uppercase())
        .map(|(at, _)| at)
        .collect();
    let ends = starts.iter().skip(1).copied().chain([word.len()]);
    starts.first() == Some(&0)
        && starts
            .iter()
            .zip(ends)
            .all(|(&start, end)| is_listed(&word[start..end]))
}

/// A UUID, a signature's timestamp, or an ARN.
fn has_shape(word: &str) -> bool {
    let shape: String = word
        .chars()
        .map(|c| match c {
            '0'..='9' => '9',
            'a'..='f' => 'a',
            other => other,
        })
        .collect();
    let is_uuid = shape.replace('a', "9") == "99999999-9999-9999-9999-999999999999";
    let is_arn = word.starts_with("arn:aws") && word.split(':').count() >= 6;
    is_uuid || shape == "99999999T999999Z" || is_arn && has_shape_of_arn(word)
}

/// Parts of an ARN do not mix digits with letters of both cases, as encodings do, except IDs, the suffix of a secret's ARN and
/// listed names such as `UpdateSecret`.
fn has_shape_of_arn(arn: &str) -> bool {
    arn.split([':', '/']).all(|part| {
        let words = part.split(['-', '_', '.', '@', '+', '=', ',']);
        let is_word = |word: &str| {
            let has = |is: fn(&u8) -> bool| word.as_bytes().iter().any(is);
            let digits = has(u8::is_ascii_digit);
            let upper = word.bytes().skip(1).any(|byte| byte.is_ascii_uppercase());
            let lower = has(u8::is_ascii_lowercase);
            let is_mixed = digits && (upper || lower) || upper && lower;
            word == "…" || is_ordinary(word) || word.len() <= 12 && !is_mixed
        };
        has_shape(part) || words.into_iter().all(is_word)
    })
}
