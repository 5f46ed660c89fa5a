//! Shortens the strings of a JSON document as it is received, so that an error with megabytes of text needs no more memory than
//! an AWS error. The document stays valid, so its error code is found. Other documents stay unchanged.

use hyper::body::Bytes;

/// The maximum number of bytes kept of a string; messages are shortened further later.
const MAX_STRING: usize = 8 * 1024;

/// The state of a partially received document.
#[derive(Default)]
pub(super) struct Shortener {
    /// Whether it starts as an object; `None` before its first byte.
    is_object: Option<bool>,
    in_string: bool,
    /// The remaining bytes of an escape; before its letter, the bytes of the longest escape.
    escape: u8,
    /// The bytes of the string that were kept.
    kept: usize,
    /// Whether to omit the rest of the string.
    omits: bool,
}

impl Shortener {
    /// The kept part of the bytes that follow those of the last call.
    pub(super) fn shorten(&mut self, received: &[u8]) -> Bytes {
        if self.is_object.is_none() {
            let first = received.iter().find(|byte| !byte.is_ascii_whitespace());
            self.is_object = first.map(|&byte| byte == b'{');
        }
        if self.is_object != Some(true) {
            return Bytes::copy_from_slice(received);
        }
        let kept = received.iter().copied().filter(|&byte| self.keeps(byte));
        kept.collect()
    }

    fn keeps(&mut self, byte: u8) -> bool {
        if !self.in_string {
            (self.in_string, self.kept, self.omits) = (byte == b'"', 0, false);
            return true;
        }
        self.escape = match (self.escape, byte) {
            (0, b'"') => {
                self.in_string = false;
                return true;
            }
            (0, b'\\') => 5,
            (0, _) => {
                // Only at a letter: the cut must not split a character or a pair of escapes.
                self.omits |= self.kept >= MAX_STRING && byte.is_ascii();
                0
            }
            (5, b'u') => 4,
            (5, _) => 0,
            (digits, _) => digits - 1,
        };
        self.kept += 1;
        !self.omits
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// The kept part of a document that arrives in parts of `size` bytes.
    fn shortened(document: &str, size: usize) -> Vec<u8> {
        let mut shortener = Shortener::default();
        let parts = document.as_bytes().chunks(size);
        parts.flat_map(|part| shortener.shorten(part)).collect()
    }

    #[test]
    fn long_strings_are_cut_and_document_stays_valid() {
        for unit in ["a", "é", "\u{1f511} ", "\\", "\"}", "\n", "\u{1}x"] {
            let message = unit.repeat(100_000);
            let error = json!({"__type": "MadeUpException", "message": message, "after": [unit]});
            // Also with every other character escaped, as some servers write them.
            let escaped = error
                .to_string()
                .replace('é', "\\u00e9")
                .replace('\u{1f511}', "\\ud83d\\udd11");
            for (document, size) in [
                (error.to_string(), 1),
                (error.to_string(), 1_000),
                (escaped, 7),
            ] {
                let kept = shortened(&document, size);
                let parsed: Value = serde_json::from_slice(&kept).unwrap();
                assert_eq!(parsed["__type"], "MadeUpException");
                assert_eq!(parsed["after"], json!([unit]));
                let text = parsed["message"].as_str().unwrap();
                assert!(message.starts_with(text), "{unit:?}");
                // A text without letters cannot be cut; the size limit of the document applies.
                if document.contains(&"a".repeat(9)) || unit.ends_with([' ', 'x']) || unit == "\"}"
                {
                    assert!(text.len() <= MAX_STRING + 16, "{unit:?}: {}", text.len());
                }
            }
        }
    }

    #[test]
    fn short_and_foreign_documents_are_kept() {
        let page = format!("<html>\"{}", "a".repeat(MAX_STRING * 2));
        let fits = json!({"message": "a".repeat(MAX_STRING)}).to_string();
        for document in [&page, &fits, " {\"a\": \"\\\\\", \"b\": \"\"}", "", "\"a"] {
            assert_eq!(shortened(document, 3), document.as_bytes());
        }
    }
}
