//! Servers that quote the value: no part of it is printed, in whatever form they quote it.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use sandbox::{Fault, Sandbox};

use crate::common::{Cli, Outcome};

/// Made-up values: a key, words, words with few characters per line, digits.
const VALUES: [&str; 4] = [
    "sk-made-up-0123456789abcdef",
    "correct-horse-battery-staple",
    "ab\ncd\nef\ngh\nij\nkl\nmn",
    "8675309867530986753098",
];

fn each(value: &str, separator: &str, format: impl Fn(u8) -> String) -> String {
    value
        .bytes()
        .map(format)
        .collect::<Vec<_>>()
        .join(separator)
}

/// Ways in which a server, a gateway or a proxy can quote a value.
fn quotes(value: &str) -> Vec<String> {
    let base64 = STANDARD.encode(value);
    let hex = each(value, "", |byte| format!("{byte:02x}"));
    let utf16: Vec<u8> = value.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut all = vec![
        value.to_owned(),
        value.to_ascii_uppercase(),
        value.chars().rev().collect(),
        value.replace('\n', " "),
        value[..value.len() / 2].to_owned(),
        base64[..base64.len() - 5].to_owned(),
        base64[3..].to_owned(),
        STANDARD.encode(&base64),
        STANDARD.encode(&utf16),
        URL_SAFE_NO_PAD.encode(format!("x{value}")),
        base64
            .as_bytes()
            .chunks(8)
            .map(String::from_utf8_lossy)
            .collect::<Vec<_>>()
            .join("\r\n "),
        hex[..hex.len() - 3].to_owned(),
        each(value, ":", |byte| format!("{byte:02X}")),
        each(value, ", ", |byte| byte.to_string()),
        each(value, " ", |byte| format!("0x{byte:x}")),
        each(value, "", |byte| format!("&#x{byte:x};")),
        each(value, "", |byte| format!("\\u{byte:04X}")),
        each(value, "", |byte| format!("%25{byte:02x}")),
        each(value, "", |byte| format!("\\{byte:o}")),
        each(value, "", |byte| format!("{byte:08b}")),
        each(value, " ", |byte| char::from(byte).to_string()),
        each(value, "\u{200b}", |byte| char::from(byte).to_string()),
    ];
    let inside = all.iter().flat_map(|quote| {
        [
            format!("Value '{quote}' at 'secretString' is invalid"),
            format!("arn:aws:iam::111122223333:user/{quote}"),
            format!("User: arn:aws:sts::111122223333:assumed-role/ci/{quote} is not authorized to perform: secretsmanager:{quote}"),
            format!("<b>{quote}</b>"),
        ]
    });
    let inside: Vec<_> = inside.collect();
    all.extend(inside);
    all
}

/// Asserts that nothing decodable is shown: neither a quote nor eight consecutive bytes of one, apart from layout.
#[track_caller]
fn assert_hidden(outcome: &Outcome, value: &str, quote: &str) {
    let plain = |text: &str| {
        let kept = text.chars().filter(|c| c.is_ascii_alphanumeric());
        kept.collect::<String>().to_ascii_lowercase()
    };
    let seen = plain(&outcome.all_output());
    for piece in plain(value).as_bytes().windows(8) {
        let piece = str::from_utf8(piece).unwrap();
        assert!(
            !seen.contains(piece),
            "{piece} of {quote:?} in\n{}",
            outcome.all_output()
        );
    }
    let all = outcome.all_output();
    for word in quote.split_whitespace().filter(|word| word.len() >= 12) {
        let is_ordinary = word.starts_with("secretsmanager:")
            || word.starts_with("arn:")
            || word.contains("secretString");
        assert!(is_ordinary || !all.contains(word), "{word} in\n{all}");
    }
}

#[test]
fn quoted_value_is_never_shown() {
    let sandbox = Sandbox::start();
    for value in VALUES {
        for (index, quote) in quotes(value).into_iter().enumerate() {
            let (operation, code) = [
                ("DescribeSecret", "ValidationException"),
                ("CreateSecret", "AccessDeniedException"),
                ("CreateSecret", "InvalidParameterException"),
            ][index % 3];
            let fault = Fault::Error {
                status: 400,
                code: code.to_owned(),
                message: quote.clone(),
            };
            sandbox.fault(operation, 1, fault);
            let cli = Cli::new(&sandbox, value).github();
            let outcome = if index % 2 == 0 {
                cli.run()
            } else {
                cli.args(&["--format", "json"]).run()
            };
            assert!(
                [Some(2), Some(4)].contains(&outcome.code),
                "{}",
                outcome.stderr
            );
            assert_hidden(&outcome, value, &quote);
        }
    }
}

#[test]
fn code_that_quotes_the_value_is_not_shown() {
    let sandbox = Sandbox::start();
    for (value, code) in [
        ("correct-horse-battery", "CORRECTHORSEBATTERY"),
        ("correct-horse-battery", "correct-horse-battery"),
        ("sk-made-up-0123456789", "sk-made-up-0123456789"),
        ("sk-made-up-0123456789", "c2stbWFkZS11cC0wMTIzNDU2Nzg5"),
    ] {
        let fault = Fault::Error {
            status: 400,
            code: code.to_owned(),
            message: String::new(),
        };
        sandbox.fault("CreateSecret", 1, fault);
        let outcome = Cli::new(&sandbox, value).run();
        assert!(!outcome.all_output().contains(code), "{}", outcome.stderr);
        assert!(outcome.stderr.contains("HTTP 400"), "{}", outcome.stderr);
    }
}
