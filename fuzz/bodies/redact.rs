//! Properties of `Redactor::clean` for any secrets and any text. The check is independent of the implementation: it decodes the output
//! where possible, and does not use the lists of the code under test. libFuzzer runs this body, and a regular test runs it on
//! `corpus/redact`.
//!
//! An input is `secret FF other-secret FF text`, or `secret FF text`. Bytes that never occur in UTF-8 stand for encodings of the secrets
//! in the text:
//!
//! | byte | stands for | byte | stands for |
//! |------|------------|------|------------|
//! | `F5` | the secret itself | `FB` | inside a JSON string |
//! | `F6` | base64 | `C0` | base64 with surrounding bytes |
//! | `F7` | base64url | `C1` | base64 with surrounding bytes, in another alignment |
//! | `F8` | hex | `FC` | the next encoding without its first half |
//! | `F9` | upper-case hex | `FD` | the next encoding without its second half |
//! | `FA` | percent-encoding | `FE` | the next encoding, of the other secret |

use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use upsert_secret::redact::{MIN_BYTES, Redactor};

/// This many consecutive bytes of a value must never be visible, at any position (SECURITY.md).
const PIECE: usize = 12;

/// Shorter strings in a JSON document are treated as ordinary words.
const MIN_JSON_LEAF: usize = 8;

/// Cleans a text that contains encodings of secrets. Panics if part of a secret is left.
pub(crate) fn redact(data: &[u8]) {
    let mut parts = data.splitn(3, |&byte| byte == 0xff);
    let secret = parts.next().unwrap_or_default();
    let (other, text) = match (parts.next(), parts.next()) {
        (Some(other), Some(text)) => (other, text),
        (Some(text), None) => (&[][..], text),
        _ => (&[][..], secret),
    };
    let text = write(text, secret, other);

    let redactor = Redactor::default();
    redactor.hide(secret);
    redactor.hide_unmasked(other);
    let cleaned = redactor.clean(&text);
    let line = redactor.clean_line(&text);
    assert!(!line.contains('\n'), "two lines: {line:?}");
    for cleaned in [cleaned, line] {
        is_harmless(&cleaned);
        for secret in [secret, other] {
            is_hidden(secret, &cleaned);
        }
    }
}

/// The text, with each marker replaced by an encoding of a secret.
pub(crate) fn write(text: &[u8], secret: &[u8], other: &[u8]) -> String {
    let mut written = Vec::new();
    let (mut of, mut skip, mut take) = (secret, false, false);
    for &byte in text {
        match byte {
            0xfc => skip = true,
            0xfd => take = true,
            0xfe => of = other,
            byte => {
                let Some(form) = form(byte, of) else {
                    written.push(byte);
                    continue;
                };
                let half = form.len() / 2;
                let start = if skip { half } else { 0 };
                let end = if take { half.max(start) } else { form.len() };
                written.extend_from_slice(&form[start..end]);
                (of, skip, take) = (secret, false, false);
            }
        }
    }
    String::from_utf8_lossy(&written).into_owned()
}

fn form(mark: u8, secret: &[u8]) -> Option<Vec<u8>> {
    Some(match mark {
        0xf5 => secret.to_vec(),
        0xf6 => STANDARD.encode(secret).into_bytes(),
        0xf7 => URL_SAFE_NO_PAD.encode(secret).into_bytes(),
        0xf8 => hex(secret).into_bytes(),
        0xf9 => hex(secret).to_ascii_uppercase().into_bytes(),
        0xfa => percent(secret, true).into_bytes(),
        0xfb => json(&String::from_utf8_lossy(secret)).into_bytes(),
        0xc0 => STANDARD.encode([b"x", secret, b"yz"].concat()).into_bytes(),
        0xc1 => STANDARD.encode([b"xy", secret, b"z"].concat()).into_bytes(),
        _ => return None,
    })
}

/// The text contains nothing that a terminal or a CI system interprets as a command.
pub(crate) fn is_harmless(cleaned: &str) {
    for line in cleaned.split('\n') {
        let lower = line.trim_start().to_ascii_lowercase();
        let command = lower.starts_with("::") || lower.contains("##[") || lower.contains("##vso[");
        assert!(!command, "a command: {line:?}");
    }
    let steers = |c: char| match c {
        '\n' | '\t' => false,
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        c => c.is_control(),
    };
    assert!(
        !cleaned.contains(steers),
        "a control character: {cleaned:?}"
    );
}

/// The text contains no part of the secret, of its lines, or of its strings if it is JSON.
pub(crate) fn is_hidden(secret: &[u8], cleaned: &str) {
    let mut pieces = vec![secret];
    for line in secret.split(|byte| matches!(byte, b'\n' | b'\r')) {
        pieces.push(line);
        // People copy lines and CI systems mask them without surrounding whitespace.
        pieces.extend(str::from_utf8(line).map(|line| line.trim().as_bytes()));
    }
    let document = serde_json::from_slice(secret).unwrap_or_default();
    strings(&document, &mut pieces);
    // A run of whitespace counts once, because layout changes it.
    pieces.retain(|piece| spaced(piece.trim_ascii()).len() >= MIN_BYTES);

    let decoded = decoded(cleaned);
    for piece in pieces {
        let mut forms = vec![
            hex(piece),
            hex(piece).to_ascii_uppercase(),
            percent(piece, true),
            percent(piece, false),
        ];
        let text = String::from_utf8_lossy(piece);
        let readable = text.chars().filter(|&c| c != '\u{fffd}').count();
        // A mostly binary piece has no textual encoding.
        if readable >= MIN_BYTES || str::from_utf8(piece).is_ok() {
            forms.push(json(&text));
            forms.push(text.into_owned());
        }
        for form in forms {
            assert!(!cleaned.contains(&form), "{form:?} is left: {cleaned:?}");
        }
        let seen = decoded.iter().any(|bytes| contains(bytes, piece));
        assert!(!seen, "base64 of {piece:?} is left: {cleaned:?}");
    }
    let secret = spaced(secret.trim_ascii());
    let pieces: HashSet<_> = secret.windows(PIECE).collect();
    if !pieces.is_empty() {
        for seen in spaced(cleaned.as_bytes()).windows(PIECE) {
            assert!(!pieces.contains(seen), "{seen:?} is left: {cleaned:?}");
        }
    }
}

/// The text with each run of whitespace replaced by one space.
fn spaced(bytes: &[u8]) -> Vec<u8> {
    let runs = bytes.chunk_by(|a, b| a.is_ascii_whitespace() == b.is_ascii_whitespace());
    let spaced = runs.map(|run| {
        if run[0].is_ascii_whitespace() {
            b" "
        } else {
            run
        }
    });
    spaced.collect::<Vec<_>>().concat()
}

fn strings<'a>(document: &'a serde_json::Value, pieces: &mut Vec<&'a [u8]>) {
    match document {
        serde_json::Value::String(text) if text.len() >= MIN_JSON_LEAF => {
            pieces.push(text.as_bytes());
        }
        serde_json::Value::Array(items) => items.iter().for_each(|item| strings(item, pieces)),
        serde_json::Value::Object(map) => map.values().for_each(|item| strings(item, pieces)),
        _ => {}
    }
}

/// All decodings of the base64 runs in the text, from any starting position.
fn decoded(text: &str) -> Vec<Vec<u8>> {
    let digits = |high: [u8; 2]| {
        move |byte: u8| match byte {
            b'A'..=b'Z' => Some(byte - b'A'),
            b'a'..=b'z' => Some(byte - b'a' + 26),
            b'0'..=b'9' => Some(byte - b'0' + 52),
            byte if byte == high[0] => Some(62),
            byte if byte == high[1] => Some(63),
            _ => None,
        }
    };
    let mut all = Vec::new();
    for digit in [digits(*b"+/"), digits(*b"-_")] {
        let runs = text.as_bytes().split(|&byte| digit(byte).is_none());
        for run in runs.filter(|run| run.len() * 6 / 8 >= MIN_BYTES) {
            for skip in 0..run.len().min(4) {
                let (mut bits, mut held, mut bytes) = (0_u32, 0, Vec::new());
                for value in run[skip..].iter().copied().filter_map(digit) {
                    bits = (bits << 6 | u32::from(value)) & 0xfff;
                    held += 6;
                    if held >= 8 {
                        held -= 8;
                        bytes.push((bits >> held & 0xff) as u8);
                    }
                }
                all.push(bytes);
            }
        }
    }
    all
}

fn contains(bytes: &[u8], piece: &[u8]) -> bool {
    bytes.windows(piece.len()).any(|window| window == piece)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Percent-encoding by RFC 3986, section 2.3, with upper-case or lower-case digits.
fn percent(bytes: &[u8], capitals: bool) -> String {
    let encode = |byte| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        byte if capitals => format!("%{byte:02X}"),
        byte => format!("%{byte:02x}"),
    };
    bytes.iter().copied().map(encode).collect()
}

/// The text without the surrounding quotes.
fn json(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}
