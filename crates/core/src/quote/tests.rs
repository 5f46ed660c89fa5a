use proptest::prelude::*;

use super::*;

const PUBLIC: &[&str] = &[
    "prod/model/api-key",
    "eu-west-1",
    "candidate",
    "alias/made-up",
];

fn quote(text: &str) -> String {
    ForeignText::new(text).quote(PUBLIC)
}

#[test]
fn lists_are_sorted() {
    for list in [WORDS, NAMES] {
        let words: Vec<_> = list.lines().collect();
        assert!(words.is_sorted());
    }
}

#[test]
fn messages_of_aws_stay_readable() {
    for text in [
        "Secrets Manager can't find the specified secret.",
        "You can't create this secret because a secret with this name is already scheduled for deletion.",
        "The operation failed because the secret prod/model/api-key already exists.",
        "You can't use ClientRequestToken 11111111-2222-4333-8444-555555555555 because that value is already in use for a version of secret arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/model/api-key.",
        "User: arn:aws:sts::111122223333:assumed-role/github-deploy/upsert-secret is not authorized to perform: secretsmanager:PutSecretValue on resource: arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/model/api-key because no identity-based policy allows the secretsmanager:PutSecretValue action",
        "User: arn:aws:iam::111122223333:user/ci is not authorized to perform: kms:Decrypt on resource: arn:aws:kms:eu-west-1:111122223333:key/11111111-2222-4333-8444-555555555555 with an explicit deny in a service control policy",
        "1 validation error detected: Value at 'secretString' failed to satisfy constraint: Member must have length less than or equal to 65536",
        "Operation not permitted on a replica secret. Call must be made in primary secret's region.",
        "The operation failed because of an invalid KMS key: alias/made-up",
        "Signature expired: 20231123T120000Z is now earlier than 20231123T125500Z (20231123T130000Z - 5 min.)",
        "The security token included in the request is invalid.",
        "Access to KMS is not allowed",
        "PublicAccess: The resource policy allows broad access to the secret.",
        "on resource: arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/model/api-key-AbCdEf because no identity-based policy allows it",
        "Not authorized to perform sts:AssumeRoleWithWebIdentity",
        "arn:aws:sts::111122223333:assumed-role/team-7/ci/deploy-2026-11-26",
    ] {
        assert_eq!(quote(text), text);
    }
}

#[test]
fn everything_else_is_omitted() {
    for (text, expected) in [
        (
            "the value sk-made-up-0123456789 is wrong",
            "the value … is wrong",
        ),
        (
            "Value 'bWFkZS11cA==' at 'secretString'",
            "Value … at 'secretString'",
        ),
        ("bytes 104, 117, 110, 116", "bytes …"),
        ("bytes 68 75 6e 74", "bytes …"),
        ("it is 68:75:6E:74:65:72", "it is …"),
        (
            "it is hunter2 &#x27;hunter2&#x27; \\u003chunter2\\u003e",
            "it is …",
        ),
        ("HUNTER hunter Hunter", "…"),
        ("SECRET sEcret ACcess HunterTwo", "…"),
        (
            "arn:aws:secretsmanager:eu-west-1:111122223333:secret:hunter2x-AbCdEf",
            "arn:aws:secretsmanager:eu-west-1:111122223333:secret:…",
        ),
        (
            "arn:aws:iam::111122223333:user/bWFkZS11cA",
            "arn:aws:iam::111122223333:user/…",
        ),
        (
            "arn:aws:iam::111122223333:user/h/u/n/t/e/r",
            "arn:aws:iam::111122223333:user/…/…/…/…/…/…",
        ),
        (
            "arn:aws:iam::111122223333:user/68-75-70/74-65-72",
            "arn:aws:iam::111122223333:user/…/…",
        ),
        (
            "arn:aws:iam::111122223333:user/104.117.110.116.101.114",
            "arn:aws:iam::111122223333:user/…",
        ),
        (
            "arn:aws:iam::111122223333:user/687574-657237",
            "arn:aws:iam::111122223333:user/…",
        ),
        (
            "arn:aws:iam::111122223333:role/hunTer2Z/AA+AA+A/Team",
            "arn:aws:iam::111122223333:role/…/…/…",
        ),
        (
            "arn:aws:iam::111122223333:role/bWFkZS11cA/AccessDenied/us-ci",
            "arn:aws:iam::111122223333:role/…/AccessDenied/…",
        ),
        ("arn:aws:iam::hunter2:user/ci", "…"),
        ("arn:hunter2:iam::111122223333:user/ci", "…"),
        ("arn:aws:s3:::hunter2", "…"),
        ("'''''''' (((( -- -", "… -"),
        ("<html><body>hunter2</body></html>", "…"),
        ("is\u{202e} n\u{fb}n", "…"),
        ("", ""),
    ] {
        assert_eq!(quote(text), expected, "{text}");
    }
}

#[test]
fn words_that_people_write_are_plain() {
    for text in [
        "The key of the model API (since 2026-11-26), for team-a.",
        "CN=Corp Root CA, O=Corp",
        "Schlüssel für die Datenbank",
        "eu-west-1 db01 v2 ci/models",
        "alias/aws/secretsmanager",
        "*.example.com",
        "arn:aws:kms:eu-west-1:111122223333:key/12345678-1234-1234-1234-123456789012",
        "12345678-1234-1234-1234-123456789012",
        "",
    ] {
        assert_eq!(plain_text(text), text);
    }
    let long = "word ".repeat(100);
    for (text, expected) in [
        ("key bWFkZS11cC12YWx1ZQ end", "key … end"),
        ("6d6164652d7570 68 75 6e 74", "… 68 … 74"),
        ("104, 117, 110, 116", "104, …"),
        ("104-117-110-116", "…"),
        ("sk_live_made_up_0123456789", "…"),
        ("hunter2X a1b2 %68%75 \\u0068 &#104;", "…"),
        ("abcde\tfghij\nk", "abcde fghij k"),
        ("\u{202e}ab ab\u{200b}cd `<b>`", "…"),
        (&long, &format!("{}…", "word ".repeat(51))),
    ] {
        assert_eq!(plain_text(text), expected, "{text}");
    }
}

#[test]
fn text_is_cut_on_arrival() {
    let text = ForeignText::new(&"é".repeat(10 * MAX_BYTES));
    assert_eq!(text.0.len(), MAX_BYTES);
    assert!(!text.is_empty() && !text.contains("a") && text.contains("éé"));
    assert_eq!(
        format!("{:?}", ForeignText::new("made up")),
        "ForeignText(7 bytes)"
    );
}

proptest! {
    /// Only allowed words are shown, whatever a server sends.
    #[test]
    fn quoted_text_is_stable(text in "(\\PC|[ a-zA-Z0-9'.:/=+-]){0,200}") {
        let quoted = quote(&text);
        prop_assert!(!quoted.contains(|c: char| c.is_control()));
        prop_assert_eq!(quote(&quoted), quoted);
    }

    /// A token with digits and letters of both cases, as in encodings, is never shown.
    #[test]
    fn encoded_value_is_omitted(value in proptest::collection::vec(any::<u8>(), 9..40), before in "[a-z ]{0,20}") {
        const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let encoded: String = value.chunks_exact(3).flat_map(|c| {
            let bits = u32::from(c[0]) << 16 | u32::from(c[1]) << 8 | u32::from(c[2]);
            [18, 12, 6, 0].map(|shift| char::from(DIGITS[(bits >> shift & 63) as usize]))
        }).collect();
        // Without such a pair, the generated text is indistinguishable from a name.
        let is_lower_then_upper = |pair: &[u8]| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase();
        prop_assume!(encoded.as_bytes().windows(2).any(is_lower_then_upper));
        let quoted = quote(&format!("{before} {encoded} arn:aws:iam::111122223333:role/{encoded}"));
        let plain = plain_text(&format!("{before} {encoded}"));
        for piece in encoded.as_bytes().windows(8) {
            let piece = str::from_utf8(piece).unwrap();
            prop_assert!(!quoted.contains(piece), "{quoted}");
            prop_assert!(!plain.contains(piece), "{plain}");
        }
    }
}
