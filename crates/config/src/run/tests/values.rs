//! Edge cases of values and variables: empty, blank, references, paths, invisible characters.

use std::ffi::OsString;

use upsert_secret_core::connection::TrustSettings;

use super::*;

/// A typed input of the GitLab component cannot be unset, so it passes its default.
#[test]
fn defaults_of_component_have_no_effect() {
    let pairs = [
        ("ALLOW_PUBLIC_POLICY", "false"),
        ("ROLE_CHAINING", "false"),
        ("ROLE_DURATION_SECONDS", "900"),
    ];
    assert_eq!(valid(&with(&pairs)).warnings, Vec::<String>::new());
    for (name, text) in [("ROLE_CHAINING", "true"), ("ROLE_DURATION_SECONDS", "901")] {
        let what = check(&with(&[(name, text)]))
            .err()
            .map(|failure| failure.what);
        let wanted =
            format!("UPSERT_SECRET_{name} is given, but UPSERT_SECRET_ROLE_TO_ASSUME is not");
        assert_eq!(what, Some(wanted));
    }
}

#[test]
fn empty_variable_of_the_sdk_is_not_given() {
    for name in [
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_STS",
        "AWS_ENDPOINT_URL_SECRETS_MANAGER",
        "AWS_USE_FIPS_ENDPOINT",
        "AWS_USE_DUALSTACK_ENDPOINT",
        "AWS_MAX_ATTEMPTS",
        "AWS_RETRY_MODE",
        "AWS_CA_BUNDLE",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "AWS_REGION",
        "AWS_PROFILE",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_ROLE_ARN",
        "AWS_SESSION_TOKEN",
        "HTTPS_PROXY",
        "NO_PROXY",
        "LOG_SENSITIVE_BODIES",
        "LOG_SIGNABLE_BODY",
    ] {
        let variable = format!("${name}");
        let run = check(&with(&[(&variable, "")]));
        let run = run.unwrap_or_else(|failure| panic!("{name}: {failure}"));
        assert_eq!(run.warnings, Vec::<String>::new(), "{name}");
        let trust = &run.connection.settings.trust;
        assert!(matches!(trust, TrustSettings::System), "{name}");
    }
}

#[test]
fn reference_is_rejected_in_variables_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("value");
    std::fs::write(&path, "$MODEL_API_KEY").unwrap();
    let path = path.to_str().unwrap();
    let encoded = "JE1PREVMX0FQSV9LRVk=";
    for (pairs, subject) in [
        (vec![("VALUE", "$MODEL_API_KEY")], "VALUE"),
        (
            vec![("VALUE", "%MODEL_API_KEY%"), ("STORE_AS", "binary")],
            "VALUE",
        ),
        (
            vec![("VALUE", "${KEY}"), ("VALUE_ENCODING", "base64")],
            "VALUE",
        ),
        (vec![("VALUE", "$KEY"), ("JSON_KEY", "a")], "VALUE"),
        (
            vec![("VALUE", ""), ("VALUE_ENV", "K"), ("$K", "$KEY")],
            "VALUE_ENV names a variable that",
        ),
    ] {
        let failure = check(&with(&pairs)).err().unwrap();
        let wanted = format!("UPSERT_SECRET_{subject} is a reference to a variable");
        assert!(failure.what.starts_with(&wanted), "{failure}");
        assert!(
            failure.next.contains("(UPSERT_SECRET_VALUE_FILE)"),
            "{failure}"
        );
    }
    for pairs in [
        vec![("VALUE", ""), ("VALUE_FILE", path)],
        vec![("VALUE", encoded), ("VALUE_ENCODING", "base64")],
    ] {
        let run = valid(&with(&pairs));
        let wanted =
            "the value has the form of a reference to a variable; it is stored exactly as given";
        assert_eq!(run.warnings, [wanted]);
        let [Draft::Ready(Job::Upsert(request))] = &run.drafts[..] else {
            panic!("one secret");
        };
        assert_eq!(request.value.expose(), b"$MODEL_API_KEY");
    }
    let key = check(&with(&[("VERSION_ID_KEY", "${VERSION_ID_KEY}")])).err();
    assert!(key.is_some_and(|failure| {
        failure
            .what
            .starts_with("UPSERT_SECRET_VERSION_ID_KEY is a reference")
    }));
}

/// Bytes are never changed, even if they look suspicious.
#[test]
fn suspicious_value_is_stored_with_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    std::fs::write(&file, "made up").unwrap();
    let file = file.to_str().unwrap();
    for (value, part) in [
        (
            "\u{feff}made-up-key",
            "begins with a byte order mark (U+FEFF)",
        ),
        (
            "made-up-key\u{3000}",
            "ends with an ideographic space (U+3000)",
        ),
        ("$made_up_key", "has the form of a reference to a variable"),
        (file, "is the path of a file that exists"),
    ] {
        for pairs in [
            vec![("VALUE", value)],
            vec![("VALUE", ""), ("VALUE_ENV", "K"), ("$K", value)],
            vec![("VALUE", value), ("JSON_KEY", "a")],
        ] {
            let run = valid(&with(&pairs));
            assert_eq!(run.warnings.len(), 1, "{pairs:?}");
            assert!(run.warnings[0].contains(part), "{:?}", run.warnings);
            let [Draft::Ready(Job::Upsert(request))] = &run.drafts[..] else {
                panic!("one secret");
            };
            assert_eq!(request.value.expose(), value.as_bytes());
        }
    }
    let json = [
        ("VALUE", "\u{feff}{}"),
        ("JSON_KEY", "a"),
        ("JSON_VALUE_AS", "json"),
    ];
    let what = check(&with(&json)).err().map(|failure| failure.what);
    let wanted = "UPSERT_SECRET_VALUE begins with a byte order mark (U+FEFF), which JSON (`json-value-as: json`) does not allow";
    assert_eq!(what.as_deref(), Some(wanted));
    let policy = [("RESOURCE_POLICY", "\u{feff}{}")];
    let what = check(&with(&policy)).err().map(|failure| failure.what);
    let wanted = "UPSERT_SECRET_RESOURCE_POLICY begins with a byte order mark (U+FEFF), which JSON does not allow; save it without one";
    assert_eq!(what.as_deref(), Some(wanted));
}

/// Inputs, and the failure's headline, cause and start of the next step.
type Case<'a> = (&'a [(&'a str, &'a str)], &'a str, Option<&'a str>, &'a str);

#[test]
fn missing_value_is_explained_by_its_source() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty");
    std::fs::write(&empty, "").unwrap();
    let empty = empty.to_str().unwrap();
    let defined = "a CI secret that is not defined arrives as an empty string";
    let cases: &[Case<'_>] = &[
        (
            &[],
            "no inputs are set: set UPSERT_SECRET_NAME and UPSERT_SECRET_VALUE, or UPSERT_SECRET_MANIFEST",
            None,
            "`upsert-secret --help-all` lists all inputs",
        ),
        (
            &[("NAME", "a")],
            "there is no value: UPSERT_SECRET_VALUE is not set",
            None,
            "set UPSERT_SECRET_VALUE,",
        ),
        (
            &[("NAME", "a"), ("VALUE", "")],
            "there is no value: UPSERT_SECRET_VALUE is empty",
            Some(defined),
            "set UPSERT_SECRET_VALUE,",
        ),
        (
            &[("NAME", "a"), ("VALUE_ENV", "K"), ("$K", "")],
            "there is no value: the variable K, which UPSERT_SECRET_VALUE_ENV names, is empty",
            Some(defined),
            "define K for this job",
        ),
        (
            // It may be the value itself.
            &[("NAME", "a"), ("VALUE_ENV", "MADE_UP_KEY")],
            "there is no value: the variable that UPSERT_SECRET_VALUE_ENV names is not set",
            None,
            "define that variable for this job",
        ),
        (
            &[("NAME", "a"), ("VALUE_ENV", "${MADE_UP_KEY}")],
            "UPSERT_SECRET_VALUE_ENV is not the name of a variable",
            None,
            "it takes the name of the variable that holds the value, without `$` or braces",
        ),
        (
            &[("NAME", "a"), ("VALUE_FILE", empty)],
            "there is no value: the file that UPSERT_SECRET_VALUE_FILE names is empty",
            None,
            "check the path, and the step that writes the file",
        ),
        (
            &[("NAME", "a"), ("VALUE", " \u{200b}\n")],
            "UPSERT_SECRET_VALUE consists of white space or other invisible characters only",
            None,
            "correct the input",
        ),
    ];
    for (pairs, what, why, next) in cases {
        let failure = check(pairs).err().unwrap();
        assert_eq!((&*failure.what, failure.why.as_deref()), (*what, *why));
        assert!(failure.next.starts_with(next), "{failure}");
    }
}

/// The form that Windows passes to a program: an unpaired surrogate, in WTF-8. Stored unchanged, the bytes would differ from
/// the given value, whatever its kind.
#[cfg(unix)]
#[test]
fn half_a_character_of_windows_is_rejected() {
    use std::os::unix::ffi::OsStringExt as _;
    let check = |on_windows: bool| {
        let half = OsString::from_vec(b"made up \xed\xa0\x80".to_vec());
        let environment = Environment::from_pairs([
            ("UPSERT_SECRET_NAME".into(), "a".into()),
            ("UPSERT_SECRET_STORE_AS".into(), "binary".into()),
            ("UPSERT_SECRET_VALUE_ENV".into(), "K".into()),
            ("K".into(), half),
        ]);
        let environment = if on_windows {
            environment.on_windows()
        } else {
            environment
        };
        let (raw, checked) = crate::variables::read(&environment);
        checked.and_then(|()| {
            let sink = SecretSink {
                hide: &|_| {},
                mask: &|_| {},
            };
            Run::check(Action::Upsert, raw, &environment, Some(&sink))
        })
    };
    let failure = check(true).err().map(|failure| failure.what);
    let wanted = "UPSERT_SECRET_VALUE_ENV names a variable that contains half a character (an unpaired surrogate), so its bytes are not defined";
    assert_eq!(failure.as_deref(), Some(wanted));
    // On other systems, a binary value may contain any bytes.
    assert!(check(false).is_ok());
}
