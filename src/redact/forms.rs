//! Every shape in which a secret may turn up in text that we, AWS or a proxy wrote. Only makes the
//! list; searching and replacing are `redact`'s.

use std::borrow::Cow;
use std::fmt::Write as _;

use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use super::escape;
use super::search::MIN_BYTES;

type Form = Zeroizing<String>;

/// A string inside a JSON value is a secret of its own, unless it is as short as ordinary words are.
const MIN_JSON_LEAF: usize = 8;

/// Every form of at least [`MIN_BYTES`] bytes of a secret, its lines and, where it is a JSON
/// document, its strings.
pub(super) fn forms_of(secret: &[u8]) -> Vec<Form> {
    let mut all = Vec::new();
    let mut add = |piece: &[u8]| {
        if piece.len() >= MIN_BYTES {
            encodings(piece, &mut all);
        }
    };
    add(secret);
    for line in secret.split(|byte| matches!(byte, b'\n' | b'\r')) {
        add(line);
        let trimmed = line.trim_ascii();
        add(trimmed);
        // As CI systems mask it: they take more for white space than ASCII has.
        if let Ok(text) = str::from_utf8(trimmed)
            && text.trim() != text
        {
            add(text.trim().as_bytes());
        }
    }
    if let Ok(document) = serde_json::from_slice(secret) {
        json_leaves(&document, &mut |leaf| add(leaf.as_bytes()));
    }
    all.retain(|form| form.len() >= MIN_BYTES);
    // Of most secrets most forms are the same.
    all.sort_unstable_by(|a, b| a.as_str().cmp(b.as_str()));
    all.dedup_by(|a, b| a.as_str() == b.as_str());
    all
}

/// The lines of a secret as a CI system masks them: trimmed, of any length.
pub(super) fn masked_lines(secret: &[u8]) -> Vec<Form> {
    String::from_utf8_lossy(secret)
        .split(['\n', '\r'])
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(|line| Zeroizing::new(line.to_owned()))
        .collect()
}

fn json_leaves(document: &serde_json::Value, add: &mut impl FnMut(&str)) {
    match document {
        serde_json::Value::String(text) if text.len() >= MIN_JSON_LEAF => add(text),
        serde_json::Value::Array(items) => items.iter().for_each(|item| json_leaves(item, add)),
        serde_json::Value::Object(map) => map.values().for_each(|item| json_leaves(item, add)),
        _ => {}
    }
}

fn encodings(piece: &[u8], all: &mut Vec<Form>) {
    let mut add = |form: String| all.push(Zeroizing::new(form));
    for alignment in 0..3 {
        for ends in [false, true] {
            add(base64_core(&STANDARD_NO_PAD, piece, alignment, ends));
            add(base64_core(&URL_SAFE_NO_PAD, piece, alignment, ends));
        }
    }
    add(hex(piece, false));
    add(hex(piece, true));
    for upper in [true, false] {
        // RFC 3986; encodeURIComponent; a path; encodeURI; a form.
        for kept in ["", "!*'()", "/", "!*'();/?:@&=+$,#"] {
            add(percent(piece, kept, upper));
        }
        add(percent(piece, " ", upper).replace(' ', "+"));
    }

    let text = String::from_utf8_lossy(piece);
    // Where most of it was replaced by U+FFFD the text says nothing about the bytes, and matches too much.
    if matches!(text, Cow::Owned(_))
        && text.chars().filter(|c| *c != '\u{fffd}').count() < MIN_BYTES.min(text.chars().count())
    {
        return;
    }
    let quoted = serde_json::to_string(&text).unwrap_or_default();
    let json = quoted
        .get(1..quoted.len().saturating_sub(1))
        .unwrap_or_default()
        .to_owned();
    add(ascii_json(&json));
    add(json.replace('/', "\\/"));
    add(json);
    let markup = text
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    add(markup.replace('"', "&quot;").replace('\'', "&apos;"));
    add(markup.replace('"', "&quot;").replace('\'', "&#39;"));
    add(markup.replace('"', "&#34;").replace('\'', "&#39;"));
    add(markup);
    add(text.replace('\'', "''"));
    add(text.replace('\'', "'\\''"));
    add(text.escape_debug().to_string());
    add(text.escape_default().to_string());
    add(escape::visible(&text));
    add(text.into_owned());
}

/// The base64 characters that depend on `piece` alone when `alignment` bytes precede it in its
/// group of three; what it shares with its neighbours is left out, but for the last character where
/// nothing follows (`ends`).
fn base64_core(engine: &impl base64::Engine, piece: &[u8], alignment: usize, ends: bool) -> String {
    let mut shifted = Zeroizing::new(vec![0; alignment]);
    shifted.extend_from_slice(piece);
    let mut encoded = engine.encode(shifted.as_slice());
    if !ends {
        encoded.truncate(shifted.len() * 8 / 6);
    }
    encoded.split_off((alignment * 8).div_ceil(6).min(encoded.len()))
}

fn hex(piece: &[u8], upper: bool) -> String {
    piece.iter().fold(String::new(), |mut out, byte| {
        // Writing to a String cannot fail.
        let _ = if upper {
            write!(out, "{byte:02X}")
        } else {
            write!(out, "{byte:02x}")
        };
        out
    })
}

/// Percent-encoding as RFC 3986 has it, with more characters `kept` where a caller wants it.
fn percent(piece: &[u8], kept: &str, upper: bool) -> String {
    piece.iter().fold(String::new(), |mut out, &byte| {
        let c = char::from(byte);
        if c.is_ascii_alphanumeric() || "-._~".contains(c) || kept.contains(c) && c.is_ascii() {
            out.push(c);
        } else {
            out.push('%');
            out.push_str(&hex(&[byte], upper));
        }
        out
    })
}

/// JSON as serializers write it that escape everything beyond ASCII.
fn ascii_json(json: &str) -> String {
    json.chars().fold(String::new(), |mut out, c| {
        if c.is_ascii() {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
        out
    })
}
