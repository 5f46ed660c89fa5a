//! Tests that every form of a secret is replaced, and that no text that a CI system would interpret remains.

use proptest::prelude::*;

use super::index::MIN_BYTES;
use super::redactor::{HIDDEN, MAX_TEXT, Redactor};
use upsert_secret_core::views::for_each_view;

fn hiding(secret: &str) -> Redactor {
    let redactor = Redactor::default();
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
        // JavaScript's encoding, and a path's.
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

/// Replacements before the cut shift the text after it, including a part of a secret that the cut splits.
#[test]
fn cut_shows_no_part_of_secret_behind_it() {
    let redactor = hiding("made-up");
    let secrets = "made-up\n".repeat(4_000);
    for padding in 0..8 {
        let text = secrets.clone() + &"x".repeat(padding) + &secrets.repeat(4);
        let cleaned = redactor.clean(&text);
        assert!(
            !cleaned.contains("ma") && !cleaned.contains("up"),
            "{padding}"
        );
        assert!(cleaned.len() < MAX_TEXT, "{padding}");
    }
}

#[test]
fn views_exist_one_after_the_other() {
    // One notation per decoder, so that each has something to decode.
    let text = "\\n&amp;%41+''616263646566 ";
    let mut sizes = Vec::new();
    for_each_view(text, &mut |view| sizes.push(view.folded().0.len()));
    assert!(sizes.len() > 50, "{sizes:?}");
    assert!(sizes.iter().all(|&size| size <= text.len()), "{sizes:?}");
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
    let both = hiding("made-up");
    both.hide(b"x***");
    assert_eq!(both.clean("xmade-up"), "***");
    both.hide(b"y***");
    assert_eq!(both.clean("yxmade-up, and more"), "***");
    // The mark of the second pass joins texts that were separate until then.
    let piece = hiding("aaaa***bbbbb-cccc***dddddd");
    piece.hide(b"made-up");
    assert_eq!(piece.clean("ccccaaaamade-upbbbbbdddddd"), "***");
}

#[test]
fn short_lines_are_masked_but_not_redacted() {
    let redactor = hiding("{\n  \"k\": \"made-up-key\"\n}");
    assert!(redactor.is_masked("a{b"));
    assert_eq!(redactor.clean("a{b"), "a{b");
}

/// The usual encodings of a text, implemented independently of the code under test.
fn encodings(secret: &str) -> Vec<String> {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    let bytes = secret.as_bytes();
    let each =
        |format: &dyn Fn(u8) -> String| bytes.iter().copied().map(format).collect::<String>();
    let quoted = serde_json::to_string(secret).unwrap();
    vec![
        secret.to_owned(),
        STANDARD.encode(bytes),
        URL_SAFE_NO_PAD.encode(format!("x{secret}yz")),
        STANDARD.encode(STANDARD.encode(bytes)),
        each(&|byte| format!("{byte:02x}")),
        each(&|byte| format!("{byte:02X}:")),
        each(&|byte| format!("%{byte:02x}")),
        each(&|byte| format!("\\x{byte:02x}")),
        secret
            .chars()
            .map(|c| format!("&#{};", u32::from(c)))
            .collect(),
        secret
            .chars()
            .map(|c| format!("&#x{:X};", u32::from(c)))
            .collect(),
        secret.escape_unicode().to_string(),
        quoted[1..quoted.len() - 1].to_owned(),
        secret.replace('\'', "'\\''"),
    ]
}

#[test]
fn backslash_before_escapes_hides_nothing() {
    for (secret, form) in [
        ("[\\}{", r"\x5b\x5c\x7d\x7b"),
        ("made-up-0123", r"\u006d\u0061de-up-0123"),
        ("\n\u{7f}made", r"\n\u{7f}made"),
    ] {
        for before in [r"\", r"\\", r"\\\", r"x\"] {
            let cleaned = hiding(secret).clean(&format!("{before}{form}"));
            assert!(!cleaned.contains(form), "{secret:?}: {cleaned}");
        }
    }
}

proptest! {
    /// For any value, and any text around any of its forms: nothing of the value remains, and no line is a command.
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
        let secret = secret.trim();
        let redactor = hiding(secret);
        let form = pick.get(&encodings(secret)).clone();
        let text = if glue { format!("{before}{form}{after}") } else { format!("{before}\n{form}\n{after} {form}") };
        let cleaned = redactor.clean(&text);
        // White space counts once, because layout changes it.
        if secret.split_whitespace().collect::<Vec<_>>().join(" ").len() >= MIN_BYTES {
            for form in encodings(secret) {
                prop_assert!(!cleaned.contains(form.as_str()), "{form:?} in {cleaned:?}");
            }
        }
        // Checked by the runner's rules, independently of the code under test.
        for line in cleaned.split(['\n', '\r']) {
            prop_assert!(!line.trim_start().starts_with("::"));
            prop_assert!(!line.contains("##["));
            prop_assert!(!line.to_ascii_lowercase().contains("##vso["));
        }
        prop_assert!(!cleaned.chars().any(|c| c.is_control() && c != '\n' && c != '\t'));
    }
}

#[test]
fn forms_that_no_list_has_are_found() {
    let secret = "sk-Made/Up+0123456789 & <more>";
    let redactor = hiding(secret);
    let base64 = "c2stTWFkZS9VcCswMTIzNDU2Nzg5ICYgPG1vcmU+";
    let hex = "736b2d4d6164652f55702b30313233343536373839202620";
    for text in [
        // Truncated, wrapped, indented.
        base64[..30].to_owned(),
        base64[5..].to_owned(),
        format!("{}\n  {}", &base64[..14], &base64[14..]),
        format!("{}\r\n{}", &base64[..9], &base64[9..]),
        hex[..34].to_owned(),
        hex[7..].to_owned(),
        "73 6b 2d 4d 61 64 65 2f 55 70 2b 30 31 32".to_owned(),
        "73:6B:2D:4D:61:64:65:2F:55:70:2B:30:31:32".to_owned(),
        "sk-Made%2FUp%2b0123456789".to_owned(),
        "sk-Made%252FUp%252b0123456789".to_owned(),
        "0123456789 &amp; &lt;more&gt;".to_owned(),
        "0123456789 &#38; &#x3C;more&#62;".to_owned(),
        "0123456789 \\u0026 \\u003Cmore\\u003e".to_owned(),
        "0123456789 \\\\u0026 \\\\u003cmore".to_owned(),
        "SK-MADE/UP+0123456789".to_owned(),
        "Up+0123456789\n      &\n      <more>".to_owned(),
    ] {
        let cleaned = redactor.clean(&text);
        assert!(
            cleaned.len() <= 12 && cleaned.contains(HIDDEN),
            "{text}: {cleaned}"
        );
    }
}

#[test]
fn layout_joins_and_splits_nothing() {
    let short_lines = hiding("ab\ncd\nef\ngh\nij\nkl");
    for text in [
        "ab\ncd\nef\ngh\nij\nkl",
        "x: ab cd ef gh ij kl",
        "ab\n    cd\n    ef\n    gh\n    ij\n    kl",
    ] {
        assert!(short_lines.clean(text).ends_with(HIDDEN), "{text}");
    }
    let tabbed = hiding("abcde-9\tfghij-8");
    assert_eq!(tabbed.clean_line("abcde-9\tfghij-8"), HIDDEN);
    assert_eq!(tabbed.clean_line("abcde-9\nfghij-8"), HIDDEN);
}

#[test]
fn ordinary_text_stays() {
    let redactor = hiding("sk-made-up-0123456789");
    let text = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/model/api-key-AbCdEf is unchanged\n  why: AWS answered: \
        Value at 'secretString' failed to satisfy constraint: Member must have length less than or equal to 65536";
    assert_eq!(redactor.clean(text), text);
}
