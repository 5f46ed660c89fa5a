//! Parses outputs by the rules of each CI system's own parser, implemented here independently of the code under test.

use std::process::Command;

use proptest::prelude::*;

use super::OutputFormat;

/// Azure's agent: finds the first `##vso[` of a line and the first `]` after it, splits properties at `;`, and decodes escapes
/// in this order, percent signs last (`Command.cs`).
fn azure(line: &str) -> Option<(String, String)> {
    let (_, command) = line.split_once("##vso[")?;
    let (command, data) = command.split_once(']')?;
    let (event, properties) = command.split_once(' ')?;
    let mut properties = properties
        .split(';')
        .filter_map(|pair| pair.split_once('='));
    let name = properties.clone().find(|(key, _)| *key == "variable")?.1;
    let is_output = properties.any(|pair| pair == ("isOutput", "true"));
    let decoded = data
        .replace("%3B", ";")
        .replace("%0D", "\r")
        .replace("%0A", "\n")
        .replace("%5D", "]")
        .replace("%AZP25", "%");
    (event == "task.setvariable" && is_output).then(|| (name.to_owned(), decoded))
}

/// TeamCity: the attributes of a message are in single quotes, and `|` escapes the next character.
fn teamcity(line: &str) -> Option<(String, String)> {
    let rest = line.strip_prefix("##teamcity[setParameter ")?;
    let (name, rest) = teamcity_attribute(rest.strip_prefix("name='")?)?;
    let (value, rest) = teamcity_attribute(rest.strip_prefix(" value='")?)?;
    (rest == "]").then_some((name, value))
}

/// The text up to the closing quote, and what follows it.
fn teamcity_attribute(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\'' => return Some((value, &text[at + 1..])),
            '|' => value.push(match chars.next()?.1 {
                'n' => '\n',
                'r' => '\r',
                c @ ('|' | '\'' | '[' | ']') => c,
                _ => return None,
            }),
            // A message ends here, inside an attribute.
            '[' | ']' => return None,
            c => value.push(c),
        }
    }
    None
}

/// What a later step sees of an output, or `None` if the output is dropped.
fn seen(
    format: OutputFormat,
    parse: fn(&str) -> Option<(String, String)>,
    value: &str,
) -> Option<(String, String)> {
    if format.rejection(value).is_some() {
        return None;
    }
    let line = format.line("secret_id", value);
    let line = line.strip_suffix('\n').unwrap();
    assert!(!line.contains('\n'), "{line:?}");
    Some(parse(line).unwrap_or_else(|| panic!("not read: {line:?}")))
}

proptest! {
    #[test]
    fn azure_reads_back_what_was_written(value in r"([ -~\r\n]|%[0-9A-Z]{2}|%AZP25|##vso\[|\]|;){0,40}") {
        let read = seen(OutputFormat::AzurePipelines, azure, &value);
        let expected = ("secret_id".to_owned(), value.clone());
        prop_assert_eq!(read, (!value.contains('$')).then_some(expected));
    }

    #[test]
    fn teamcity_reads_back_what_was_written(value in r"([ -~\r\n]|\|[nrx'|\[\]]|##teamcity\[){0,40}") {
        let read = seen(OutputFormat::TeamCity, teamcity, &value);
        let expected = ("env.UPSERTED_SECRET_ID".to_owned(), value.clone());
        prop_assert_eq!(read, (!value.contains('%')).then_some(expected));
    }
}

/// Uses a real shell, because CircleCI's steps run in one.
#[test]
#[cfg(unix)]
fn shell_reads_back_what_was_written() {
    let values = [
        "",
        "plain",
        "'",
        "''",
        r"it's \'quoted\'",
        "$HOME `id` $(id) !! \\ \" % # ; & |",
        "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/a@b+c=d-AbCdEf",
    ];
    for value in values {
        let line = OutputFormat::CircleCi.line("secret_id", value);
        let script = format!("{line}printf '%s' \"$UPSERTED_SECRET_ID\"");
        let shown = Command::new("sh").args(["-euc", &script]).output().unwrap();
        assert!(shown.status.success(), "{line}");
        assert_eq!(String::from_utf8(shown.stdout).unwrap(), value);
    }
}

#[test]
fn lines_have_the_form_of_each_system() {
    let line = |format: OutputFormat| format.line("secret_id", "a]b");
    assert_eq!(line(OutputFormat::KeyValue), "secret_id=a]b\n");
    assert_eq!(line(OutputFormat::Dotenv), "UPSERTED_SECRET_ID=a]b\n");
    assert_eq!(line(OutputFormat::Bitbucket), "UPSERTED_SECRET_ID=a]b\n");
    assert_eq!(
        line(OutputFormat::CircleCi),
        "export UPSERTED_SECRET_ID='a]b'\n"
    );
    assert_eq!(
        line(OutputFormat::AzurePipelines),
        "##vso[task.setvariable variable=secret_id;isOutput=true]a%5Db\n"
    );
    assert_eq!(
        line(OutputFormat::TeamCity),
        "##teamcity[setParameter name='env.UPSERTED_SECRET_ID' value='a|]b']\n"
    );
}

#[test]
fn value_that_would_be_expanded_is_rejected() {
    use OutputFormat::{AzurePipelines, Bitbucket, CircleCi, Dotenv, KeyValue, TeamCity};
    for (value, formats) in [
        ("a$b", &[Dotenv, Bitbucket, AzurePipelines][..]),
        ("a%b", &[Dotenv, Bitbucket, TeamCity]),
        ("a'b", &[Bitbucket]),
        ("a b", &[Bitbucket]),
        ("a;b", &[Bitbucket]),
        ("a&b", &[Bitbucket]),
        ("a*b", &[Bitbucket]),
        ("~a", &[Bitbucket]),
        ("a:b/c_d+e=f.g@h-i,j", &[]),
        ("", &[]),
    ] {
        for format in [
            KeyValue,
            Dotenv,
            Bitbucket,
            CircleCi,
            AzurePipelines,
            TeamCity,
        ] {
            let rejected = format.rejection(value).is_some();
            assert_eq!(rejected, formats.contains(&format), "{value} {format:?}");
        }
    }
}
