//! Every form in which a secret may appear in text from this program, AWS or a proxy: its lines, JSON strings and encodings.
//! Only lists them, and neither searches nor replaces.

use std::borrow::Cow;
use std::fmt::Write as _;

use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use super::escape;
use super::search::MIN_BYTES;

type Form = Zeroizing<String>;

/// The minimum length of a string in a JSON document that is a secret of its own; ordinary words are shorter.
const MIN_JSON_LEAF: usize = 8;

/// Every form of at least [`MIN_BYTES`] bytes of a secret, of its lines and, if it is a JSON document, of its strings.
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
        // CI systems also trim Unicode white space before they mask a line.
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
    // For most secrets, most forms are equal.
    all.sort_unstable_by(|a, b| a.as_str().cmp(b.as_str()));
    all.dedup_by(|a, b| a.as_str() == b.as_str());
    all
}

/// The lines of a secret as a CI system masks them: trimmed, and of any length.
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
    // Text that is mostly U+FFFD does not represent the bytes, and would match too much.
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

/// The base64 characters that depend only on `piece`, if `alignment` bytes precede it in its group of three. Characters shared
/// with neighboring bytes are left out, except for the last one if nothing follows (`ends`).
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

/// Percent-encoding by RFC 3986, which also leaves the characters in `kept` unencoded.
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

/// JSON with every non-ASCII character escaped, as some serializers write it.
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
