//! The strings and numbers of a JSON document. Decodes strings into memory that is zeroized. Must not interpret them.

use zeroize::Zeroizing;

use super::syntax::{self, code_units};

/// Visits each unescaped string and each number as written, but no names. Includes what a parser into a map or into floating
/// point would lose: values of duplicate names, large numbers, and strings with unpaired surrogates, which become U+FFFD. Text
/// that is not JSON, or that is nested too deep, has no leaves.
pub fn for_each_leaf(document: &str, visit: &mut dyn FnMut(&str)) {
    if let Ok(json) = syntax::parse(document) {
        visit_leaves(json, visit);
    }
}

fn visit_leaves(json: &str, visit: &mut dyn FnMut(&str)) {
    match json.as_bytes().first() {
        Some(b'{') => {
            for member in syntax::members(json).unwrap_or_default() {
                visit_leaves(member.value, visit);
            }
        }
        Some(b'[') => {
            for element in syntax::elements(json).unwrap_or_default() {
                visit_leaves(element, visit);
            }
        }
        Some(b'"') => {
            // No escape is shorter than its character: a buffer that grew would leave a copy behind.
            let mut text = Zeroizing::new(String::with_capacity(json.len()));
            let chars = char::decode_utf16(code_units(json));
            text.extend(chars.map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)));
            visit(&text);
        }
        Some(b'-' | b'0'..=b'9') => visit(json),
        _ => {}
    }
}
