//! Single-secret runs, from variables.

use upsert_secret_core::url::{Endpoint, endpoint};

use super::*;

mod dotenv;
mod values;

/// Checks the run of an environment. Keys that start with `$` are variable names; the others get the prefix of inputs.
pub(crate) fn check(pairs: &[(&str, &str)]) -> Result<Run, Failure> {
    let sink = SecretSink {
        hide: &|_| {},
        mask: &|_| {},
    };
    check_into(pairs, &sink)
}

/// The checked run; its secrets go to this sink.
pub(crate) fn check_into(pairs: &[(&str, &str)], sink: &SecretSink<'_>) -> Result<Run, Failure> {
    let environment = Environment::from_pairs(pairs.iter().map(|(key, value)| {
        let key = key
            .strip_prefix('$')
            .map_or_else(|| format!("UPSERT_SECRET_{key}"), str::to_owned);
        (key.into(), (*value).into())
    }));
    let (raw, checked) = crate::variables::read(&environment);
    checked?;
    Run::check(Action::Upsert, raw, &environment, Some(sink))
}

/// The run of an environment without problems.
pub(crate) fn valid(pairs: &[(&str, &str)]) -> Run {
    check(pairs).unwrap_or_else(|failure| panic!("{failure}"))
}

const ARN: &str = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:prod/key-AbCdEf";
const BASE: [(&str, &str); 2] = [("NAME", "prod/key"), ("VALUE", "made-up-key")];

/// [`BASE`] with the values from other pairs.
pub(crate) fn with<'a>(pairs: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    BASE.into_iter()
        .filter(|(key, _)| !pairs.iter().any(|(other, _)| other == key))
        .chain(pairs.iter().copied())
        .collect()
}

#[test]
fn invalid_inputs_are_rejected() {
    let long = "x".repeat(2_049);
    let cases: &[(&[(&str, &str)], &str)] = &[
        (
            &[("NAME", "")],
            "UPSERT_SECRET_NAME is not set: it is the name or the ARN of the secret",
        ),
        (
            &[("NAME", "a b")],
            "UPSERT_SECRET_NAME must have 1 to 512 characters, only letters, digits and `/_+=.@-`",
        ),
        (
            &[("NAME", "arn:aws:s3:::bucket")],
            "UPSERT_SECRET_NAME must be a full ARN with its six-character suffix, such as `arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/key-AbCdEf`, or a name",
        ),
        (
            &[(
                "NAME",
                "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/key",
            )],
            "UPSERT_SECRET_NAME must be a full ARN with its six-character suffix, such as `arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/key-AbCdEf`, or a name",
        ),
        (
            &[("NAME", ARN), ("AWS_REGION", "eu-west-1")],
            "UPSERT_SECRET_AWS_REGION is eu-west-1, but the ARN in UPSERT_SECRET_NAME is in eu-central-1",
        ),
        (
            &[("AWS_REGION", "US-EAST-1")],
            "UPSERT_SECRET_AWS_REGION must be a region such as `eu-west-1`, in lower case",
        ),
        (
            &[("$AWS_REGION", "eu.west")],
            "AWS_REGION must be a region such as `eu-west-1`, in lower case",
        ),
        (
            &[("VALUE", "***")],
            "UPSERT_SECRET_VALUE is a mask (`***` or `[MASKED]`), not a secret; pass the secret itself, not text from a log or a masked output",
        ),
        (
            &[("STORE_AS", "text")],
            "UPSERT_SECRET_STORE_AS must be `string` or `binary`",
        ),
        (
            &[("COMPARE", "yes")],
            "UPSERT_SECRET_COMPARE must be `auto` or `always` or `never`",
        ),
        (
            &[("DESCRIPTION", &long)],
            "UPSERT_SECRET_DESCRIPTION is longer than 2048 characters",
        ),
        (
            &[("KMS_KEY_ID", "my key")],
            "UPSERT_SECRET_KMS_KEY_ID must be a key ID, a key ARN, an alias (`alias/…`) or an alias ARN",
        ),
        (
            &[("TAGS", "a")],
            "UPSERT_SECRET_TAGS line 1 is not `key=value`",
        ),
        (
            &[("TAG_POLICY", "replace")],
            "UPSERT_SECRET_TAG_POLICY is `replace`, but `tags` is not set",
        ),
        (
            &[("VERSION_ID_KEY", "short")],
            "UPSERT_SECRET_VERSION_ID_KEY must have at least 16 bytes: version IDs are public, and a short key could be guessed from them",
        ),
        (
            &[("TIMEOUT", "2 minutes")],
            "UPSERT_SECRET_TIMEOUT must be a time from 1s to 6h, such as `90s`, `2m` or `1h`",
        ),
        (
            &[("TIMEOUT", "1m30s")],
            "UPSERT_SECRET_TIMEOUT combines units, but takes one number with one unit: `90s` for one and a half minutes",
        ),
        (
            &[("TIMEOUT", "99999999999999999h")],
            "UPSERT_SECRET_TIMEOUT must be a time from 1s to 6h, such as `90s`, `2m` or `1h`",
        ),
        (
            &[("$AWS_MAX_ATTEMPTS", "0")],
            "AWS_MAX_ATTEMPTS must be a number from 1 to 100",
        ),
        (
            &[("$AWS_RETRY_MODE", "bogus")],
            "AWS_RETRY_MODE must be `standard`, `adaptive` or `legacy`",
        ),
        (
            &[("$AWS_USE_FIPS_ENDPOINT", "maybe")],
            "AWS_USE_FIPS_ENDPOINT must be `true` or `false`",
        ),
        (
            &[("$AWS_ENDPOINT_URL", "localhost:4566")],
            "AWS_ENDPOINT_URL must be a URL such as `https://host:port`",
        ),
        (
            &[("$AWS_ENDPOINT_URL", "http://")],
            "AWS_ENDPOINT_URL must be a URL such as `https://host:port`",
        ),
        (
            &[("$AWS_ENDPOINT_URL", "http://[::1")],
            "AWS_ENDPOINT_URL must be a URL such as `https://host:port`",
        ),
        (
            &[("$AWS_ENDPOINT_URL", "https://user:made-up@host")],
            "AWS_ENDPOINT_URL must be a URL such as `https://host:port`",
        ),
        (
            &[("$LOG_SENSITIVE_BODIES", "0")],
            "LOG_SENSITIVE_BODIES is set: it makes the AWS SDK log request bodies, the value included; unset it",
        ),
        (
            &[("VALUE_FILE", "/x")],
            "UPSERT_SECRET_VALUE and UPSERT_SECRET_VALUE_FILE are both given",
        ),
        (
            &[("VALUE", ""), ("VALUE_ENV", "sk-made-up")],
            "UPSERT_SECRET_VALUE_ENV is not the name of a variable",
        ),
        (
            &[("VALUE_ENCODING", "base64")],
            "UPSERT_SECRET_VALUE is not valid base64, but `value-encoding` is `base64`",
        ),
        (
            &[("VALUE_ENCODING", "hex")],
            "UPSERT_SECRET_VALUE_ENCODING must be `text` or `base64` or `dotenv`",
        ),
        (
            &[("COMMAND", "x"), ("NAME", "a b"), ("TIMEOUT", "0s")],
            "UPSERT_SECRET_NAME must have 1 to 512 characters, only letters, digits and `/_+=.@-`\nUPSERT_SECRET_TIMEOUT must be a time from 1s to 6h, such as `90s`, `2m` or `1h`",
        ),
    ];
    for (pairs, wanted) in cases {
        let Err(failure) = check(&with(pairs)) else {
            panic!("{pairs:?} is rejected");
        };
        assert_eq!(failure.class, Class::Input);
        assert_eq!(failure.what, *wanted);
    }
}

#[test]
fn value_in_public_input_is_rejected() {
    let long = "made-up-key-of-more-than-16";
    let wrapped = format!("the key is {long}");
    let pair = format!("k={long}");
    let policy = format!(r#"{{"Statement":"{long}"}}"#);
    let region = format!("eu-west-2={long}");
    let rejected: [&[(&str, &str)]; 9] = [
        &[("VALUE", long), ("RESOURCE_POLICY", &policy)],
        &[("VALUE", long), ("REPLICA_REGIONS", &region)],
        &[("NAME", "made-up-key")],
        &[("VALUE", long), ("NAME", long)],
        &[("VALUE", long), ("DESCRIPTION", &wrapped)],
        &[("VALUE", long), ("TAGS", &pair)],
        &[("VALUE", long), ("KMS_KEY_ID", long)],
        &[("VALUE", long), ("VERSION_STAGES", long)],
        &[("VALUE", long), ("JSON_KEY", long)],
    ];
    for pairs in rejected {
        let what = check(&with(pairs)).err().map(|failure| failure.what);
        assert!(
            what.is_some_and(|what| what.contains("contains the value") && !what.contains(long)),
            "{pairs:?}"
        );
    }
    // A short value occurs in ordinary words.
    assert!(check(&with(&[("VALUE", "key"), ("DESCRIPTION", "a key")])).is_ok());
}

#[test]
fn encoded_value_and_its_parts_are_rejected_in_public_input() {
    const KEY: &str = "made-up-key-of-more-than-16";
    const JSON: &str = r#"{"user": "postgres", "port": 5432, "id": 1234567890, "nested": [{"key": "hunter2-made-up"}]}"#;
    const PEM: &str =
        "-----BEGIN MADE UP KEY-----\nbWFkZSB1cA\nc2hvcnQ\n-----END MADE UP KEY-----\n";
    let base64 = "bWFkZS11cC1rZXktb2YtbW9yZS10aGFuLTE2";
    let hex = "6d6164652d75702d6b65792d6f662d6d6f72652d7468616e2d3136";
    let twice = "bmNvZGVkIG1hZGUtdXAta2V5LW9mLW1vcmUtdGhhbi0xNiE=";
    let percent = KEY.replace('-', "%2D");
    let upper = KEY.to_ascii_uppercase();
    let json_escape = KEY.replace('-', "\\u002d");
    let entities = KEY.replace('-', "&#x2d;");
    for (value, text) in [
        (KEY, KEY),
        (KEY, base64),
        (KEY, &format!("key={base64}")),
        (KEY, hex),
        (KEY, twice),
        (KEY, &percent),
        (KEY, &upper),
        (KEY, &json_escape),
        (KEY, &entities),
        (JSON, "the password is hunter2-made-up."),
        (JSON, "aHVudGVyMi1tYWRlLXVw"),
        (JSON, "postgres"),
        (JSON, "no. 1234567890"),
        (PEM, "bWFkZSB1cA"),
        // Documents that not every parser accepts.
        (r#"{"a": "hunter2-made-up", "a": ""}"#, "hunter2-made-up"),
        (r#"{"a": "hunter2-made-up", "b": 1e999}"#, "hunter2-made-up"),
        (r#"["hunter2-made-up", "\ud800"]"#, "hunter2-made-up"),
        ("\u{feff}[\"hunter2-made-up\"]", "hunter2-made-up"),
    ] {
        let pairs = [("VALUE", value), ("DESCRIPTION", text)];
        let what = check(&with(&pairs)).err().map(|failure| failure.what);
        let what = what.unwrap_or_default();
        assert!(
            what.contains("on-value-in-metadata: allow"),
            "{pairs:?}: {what}"
        );
        let allowed = [pairs[0], pairs[1], ("ON_VALUE_IN_METADATA", "allow")];
        assert!(check(&with(&allowed)).is_ok(), "{pairs:?}");
    }
    for (input, text) in [
        ("NAME", hex),
        ("VERSION_STAGES", base64),
        ("TAGS", "a=hunter2-made-up"),
    ] {
        let value = if input == "TAGS" { JSON } else { KEY };
        let what = check(&with(&[("VALUE", value), (input, text)])).err();
        assert!(
            what.is_some_and(|failure| failure.what.contains("contains the value")),
            "{input}"
        );
    }
    for (value, text) in [
        (KEY, "made-up-key-of-another"),
        // Shorter than eight bytes, or a piece of a longer word.
        (JSON, "5432 user key"),
        (JSON, "postgresql"),
        (PEM, "c2hvcnQ"),
        (PEM, "-----BEGIN MADE UP KEY-----"),
    ] {
        let pairs = [("VALUE", value), ("DESCRIPTION", text)];
        assert!(check(&with(&pairs)).is_ok(), "{pairs:?}");
    }
}

#[test]
fn access_key_with_line_break_is_rejected() {
    for name in [
        "$AWS_ACCESS_KEY_ID",
        "$AWS_SECRET_ACCESS_KEY",
        "$AWS_SESSION_TOKEN",
    ] {
        let failure = check(&with(&[(name, "MADEUP\n")])).err();
        assert_eq!(
            failure.map(|failure| failure.class),
            Some(Class::Credentials),
            "{name}"
        );
    }
}

#[test]
fn empty_value_names_causes_by_ci_system() {
    let next = |pairs: &[(&str, &str)]| {
        check(&with(pairs))
            .err()
            .map(|failure| failure.next)
            .unwrap_or_default()
    };
    assert!(next(&[("VALUE", ""), ("$GITHUB_ACTIONS", "true")]).contains("fork"));
    assert!(next(&[("VALUE", ""), ("$GITLAB_CI", "true")]).contains("protected"));
    assert!(next(&[("VALUE", "")]).contains("UPSERT_SECRET_VALUE_ENV"));
    assert!(next(&[("VALUE", ""), ("VALUE_ENV", "NOT_SET")]).contains("UPSERT_SECRET_VALUE"));
}

#[test]
fn input_names_are_spelled_as_in_the_action() {
    let failure = check(&[("ACTION", "true"), ("VALUE", "made-up"), ("NAME", "a b")]).err();
    let what = failure.map(|failure| failure.what).unwrap_or_default();
    assert!(what.starts_with("`name` must have"), "{what}");
}

#[test]
fn region_prefers_input_then_arn_then_variable() {
    let region = |pairs: &[(&str, &str)]| {
        let run = valid(&with(pairs));
        (run.connection.region.clone(), run.warnings.len())
    };
    let some = |region: &str| Some(region.to_owned());
    assert_eq!(region(&[]), (None, 0));
    assert_eq!(
        region(&[("$AWS_REGION", ""), ("$AWS_DEFAULT_REGION", "eu-west-3")]),
        (some("eu-west-3"), 0)
    );
    assert_eq!(
        region(&[
            ("$AWS_REGION", "eu-west-1"),
            ("$AWS_DEFAULT_REGION", "eu-west-3")
        ]),
        (some("eu-west-1"), 0)
    );
    assert_eq!(
        region(&[("AWS_REGION", "eu-west-2"), ("$AWS_REGION", "eu-west-1")]),
        (some("eu-west-2"), 0)
    );
    assert_eq!(
        region(&[("NAME", ARN), ("$AWS_REGION", "eu-west-1")]),
        (some("eu-central-1"), 1)
    );
    assert_eq!(
        region(&[("NAME", ARN), ("AWS_REGION", "eu-central-1")]),
        (some("eu-central-1"), 0)
    );
}

#[test]
fn arn_yields_name_without_suffix() {
    let run = valid(&with(&[("NAME", ARN)]));
    let [Draft::Ready(job)] = &run.drafts[..] else {
        panic!("one secret");
    };
    let target = job.target();
    assert_eq!(
        (target.name.as_str(), target.id.as_str()),
        ("prod/key", ARN)
    );
    assert!(target.is_arn());
}

#[test]
fn timeout_accepts_units() {
    for (given, seconds) in [("90s", 90), ("2m", 120), ("1h", 3_600), ("45", 45)] {
        let run = valid(&with(&[("TIMEOUT", given)]));
        assert_eq!(run.connection.timeout.as_secs(), seconds, "{given}");
    }
    assert_eq!(valid(&with(&[])).connection.timeout.as_secs(), 120);
}

#[test]
fn endpoint_over_plain_http_is_unencrypted() {
    let cases = [
        ("http://127.0.0.1:4566", Some(Endpoint::Protected)),
        ("http://localhost:1", Some(Endpoint::Protected)),
        ("http://[::1]:1", Some(Endpoint::Protected)),
        ("https://host", Some(Endpoint::Protected)),
        ("http://127.evil.example", Some(Endpoint::Unencrypted)),
        ("http://localhost.evil.example", Some(Endpoint::Unencrypted)),
        ("http://10.0.0.1:4566", Some(Endpoint::Unencrypted)),
        ("localhost:4566", None),
        ("ftp://host", None),
        ("https://made:up@host", None),
        ("https://host/?query", None),
        ("https://", None),
    ];
    for (url, wanted) in cases {
        assert_eq!(endpoint(url), wanted, "{url}");
    }
}
