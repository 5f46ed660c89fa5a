//! Replaces every form of every secret of a run in text, and makes the text safe to print. It prints nothing.
//!
//! The order is: redact, escape, redact again, check. If the check finds a form or a piece of a secret, the whole message
//! becomes `***`, which is too short to contain one.

use std::collections::BTreeSet;

use aws_lc_rs::digest;

use super::search::Search;
use super::{escape, forms};

/// The replacement for a form of a secret; shorter than the shortest form, so it cannot be one itself.
pub(super) const HIDDEN: &str = "***";

/// The maximum length of a printed line, in characters. Only messages from AWS can be long.
const MAX_LINE: usize = 2_000;

/// The maximum length of a printed text, in bytes.
const MAX_TEXT: usize = 64 * 1024;

/// Every form of every secret of a run.
#[derive(Default)]
pub struct Redactor {
    search: Search,
    /// Lines of any length, as a CI system masks them, to predict which outputs it drops.
    masked: Vec<zeroize::Zeroizing<String>>,
    /// Digests of the secrets that were added: thousands of entries may name the same file.
    known: BTreeSet<Vec<u8>>,
}

impl Redactor {
    /// Adds a secret, whose forms are redacted from now on.
    pub fn hide(&mut self, secret: &[u8]) {
        if self.add(secret, b"masked") {
            self.masked.extend(forms::masked_lines(secret));
        }
    }

    /// Adds a secret that the CI system does not mask, so it drops no outputs that contain it.
    pub fn hide_unmasked(&mut self, secret: &[u8]) {
        self.add(secret, b"other");
    }

    /// Adds a secret of a kind; returns whether it was new.
    fn add(&mut self, secret: &[u8], kind: &[u8]) -> bool {
        let mut both = digest::Context::new(&digest::SHA256);
        both.update(kind);
        both.update(secret);
        let new = self.known.insert(both.finish().as_ref().to_vec());
        if new {
            self.search.add(forms::forms_of(secret));
            self.search.add_pieces(secret);
        }
        new
    }

    /// Makes any text safe to print: without forms of secrets, without control and bidirectional characters except line feed
    /// and tab, and without lines that a CI system interprets as a command.
    pub fn clean(&self, text: &str) -> String {
        let mut hidden = self.replace(text);
        // Not earlier: a cut inside a form would leave a piece that is no longer recognized.
        hidden.truncate(hidden.floor_char_boundary(MAX_TEXT));
        let escaped = escape::lines(&hidden, MAX_LINE);
        let cleaned = self.replace(&escaped);
        // Also pieces: a replacement next to other text can complete a form or a piece.
        if !self.search.find_all(&cleaned).is_empty() || escape::is_command(&cleaned) {
            return HIDDEN.to_owned();
        }
        cleaned
    }

    /// [`Self::clean`] for text that must stay on one line, such as a table cell.
    pub fn clean_line(&self, text: &str) -> String {
        self.clean(&text.replace(['\n', '\t'], " "))
    }

    /// Whether the text contains a form of a secret.
    pub fn finds(&self, text: &str) -> bool {
        self.search.finds(text)
    }

    /// Whether a CI system that masks the secrets would find one in this output. The GitHub runner masks lines of any length,
    /// and drops a job output that contains one.
    pub fn is_masked(&self, output: &str) -> bool {
        let mut masked = self.masked.iter();
        self.finds(output) || masked.any(|line| output.contains(line.as_str()))
    }

    fn replace(&self, text: &str) -> String {
        let mut result = String::with_capacity(text.len());
        let mut end = 0;
        for (start, stop) in self.search.find_all(text) {
            if start >= end {
                result.push_str(&text[end..start]);
                result.push_str(HIDDEN);
            }
            end = end.max(stop);
        }
        result.push_str(&text[end..]);
        result
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hiding(secret: &str) -> Redactor {
        let mut redactor = Redactor::default();
        redactor.hide(secret.as_bytes());
        redactor
    }

    #[test]
    fn every_form_is_replaced() {
        let cases = [
            ("made-up-key", "key=made-up-key.", "key=***."),
            ("made-up-key", "bWFkZS11cC1rZXk=", "***="),
            ("a\"b\nc d", r#"{"k":"a\"b\nc d"}"#, r#"{"k":"***"}"#),
            ("line-one\nline-two", "line-two then", "*** then"),
            ("a b/c&d", "a%20b%2Fc%26d", "***"),
            // JavaScript's, and a path's.
            ("it's (a) b", "it's%20(a)%20b", "***"),
            ("a b/c&d", "a%20b/c%26d", "***"),
            ("a b/c&d", "a%20b/c&d", "***"),
            ("a b/c&d", "a+b%2fc%26d", "***"),
            ("<pass>&", "&lt;pass&gt;&amp;", "***"),
            ("aaaa", "aaaaaa!", "***!"),
            ("p\"\u{df}w", "p\\\"\u{df}w", "***"),
            ("p\"\u{df}w", "p\\\"\\u00dfw", "***"),
            ("a/b\nc", "a\\/b\\nc", "***"),
            ("a'b'c", "a''b''c", "***"),
            ("a'b'c", "a'\\''b'\\''c", "***"),
            ("k\u{1b}[0m", "k\\u{1b}[0m", "***"),
            ("made-up", "6d6164652d7570", "***"),
            ("made-up", "6D6164652D7570", "***"),
            ("\u{fb}\u{ff}\u{fe}!", "w7vDv8O-IQ", "***"),
            (
                r#"{"key":"made-up-leaf"}"#,
                "it is made-up-leaf",
                "it is ***",
            ),
            ("abc", "abc is too short", "abc is too short"),
            ("secret", "a\u{202e}b", "a\\u{202e}b"),
            ("\u{a0}made-up\u{3000}\nb", "made-up", "***"),
            ("\u{fffd}\u{fffd}", "a\u{fffd}\u{fffd}", "a***"),
        ];
        for (secret, text, wanted) in cases {
            assert_eq!(hiding(secret).clean(text), wanted, "{text}");
        }
    }

    #[test]
    fn truncated_value_is_redacted() {
        let redactor = hiding("sk-made-up-0123456789abcdef-gh");
        assert_eq!(
            redactor.clean("Value 'sk-made-up-0123456...' is wrong"),
            "Value '***...' is wrong"
        );
        assert_eq!(redactor.clean("0123456789abcdef-gh"), "***");
        assert_eq!(redactor.clean("made-up-0123 made-up-01"), "*** made-up-01");
    }

    #[test]
    fn truncated_text_leaves_no_piece_of_a_form() {
        let redactor = hiding("made-up-key-0123");
        let encoded = "bWFkZS11cC1rZXktMDEyMw";
        let text = format!("{}{encoded}", "line\n".repeat(MAX_TEXT / 5 - 1));
        assert!(!redactor.clean(&text).contains(&encoded[..4]));
    }

    #[test]
    fn base64_is_redacted_in_any_alignment() {
        use base64::Engine as _;
        let redactor = hiding("made-up-key-0123");
        for prefix in ["", "x", "xy", "xyz"] {
            let packed = base64::engine::general_purpose::STANDARD
                .encode(format!("{prefix}made-up-key-0123 tail"));
            let cleaned = redactor.clean(&packed);
            assert!(cleaned.contains("***"), "{cleaned}");
        }
    }

    #[test]
    fn workflow_commands_are_defused() {
        let redactor = Redactor::default();
        let cases = [
            ("::set-output name=a::b", ": :set-output name=a::b"),
            ("  ::error::x", "  : :error::x"),
            ("a\r::error::x", "a\\r::error::x"),
            ("text ##[error]x", "text # #[error]x"),
            ("##vso[task.setvariable]x", "# #vso[task.setvariable]x"),
            ("\u{1b}[0Ksection_start", "\\u{1b}[0Ksection_start"),
        ];
        for (text, wanted) in cases {
            assert_eq!(redactor.clean(text), wanted);
        }
    }

    #[test]
    fn mask_that_completes_value_hides_message() {
        assert_eq!(hiding("b***").clean("b*** b*** a"), "*** *** a");
        let mut both = hiding("made-up");
        both.hide(b"x***");
        assert_eq!(both.clean("xmade-up"), "***");
        both.hide(b"y***");
        assert_eq!(both.clean("yxmade-up, and more"), "***");
        // The mark of the second pass, between texts that stood apart until then.
        let mut piece = hiding("aaaa***bbbbb-cccc***dddddd");
        piece.hide(b"made-up");
        assert_eq!(piece.clean("ccccaaaamade-upbbbbbdddddd"), "***");
    }

    #[test]
    fn short_lines_are_masked_but_not_redacted() {
        let redactor = hiding("{\n  \"k\": \"made-up-key\"\n}");
        assert!(redactor.is_masked("a{b"));
        assert_eq!(redactor.clean("a{b"), "a{b");
    }

    proptest! {
        /// Whatever the value, whatever the text around any of its forms: nothing of it leaves, and
        /// no line is a command.
        #[test]
        fn cleaned_text_contains_no_form(
            secret in prop_oneof![
                "\\PC{4,40}",
                "[ -~\\n\\r\"'&<>%+/]{4,60}",
                "[*\\\\u{}:#\\[]{4,8}",
            ],
            before in "(\\PC|[\\n\\r:#*]){0,30}",
            after in "(\\PC|[\\n\\r:#*]){0,30}",
            pick in any::<prop::sample::Index>(),
            glue in any::<bool>(),
        ) {
            let redactor = hiding(&secret);
            let all = forms::forms_of(secret.as_bytes());
            let form = if all.is_empty() { String::new() } else { pick.get(&all).to_string() };
            let text = if glue { format!("{before}{form}{after}") } else { format!("{before}\n{form}\n{after}{form}") };
            let cleaned = redactor.clean(&text);
            for form in &all {
                prop_assert!(!cleaned.contains(form.as_str()));
            }
            // Stated here by the runner's rules rather than by our own function.
            for line in cleaned.split(['\n', '\r']) {
                prop_assert!(!line.trim_start().starts_with("::"));
                prop_assert!(!line.contains("##["));
                prop_assert!(!line.to_ascii_lowercase().contains("##vso["));
            }
            prop_assert!(!cleaned.chars().any(|c| c.is_control() && c != '\n' && c != '\t'));
        }
    }
}
