//! A single secret from a `.env` file.

use super::*;

const ENCODING: (&str, &str) = ("VALUE_ENCODING", "dotenv");

#[test]
fn pairs_of_any_source_become_a_document() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(".env");
    let file = "B='made up'\nA=\n";
    std::fs::write(&path, file).unwrap();
    for source in [
        vec![("VALUE", ""), ("VALUE_FILE", path.to_str().unwrap())],
        vec![("VALUE", file)],
        vec![("VALUE", ""), ("VALUE_ENV", "FILE"), ("$FILE", file)],
    ] {
        let pairs = [source, vec![ENCODING]].concat();
        let run = valid(&with(&pairs));
        let [Draft::Ready(Job::Upsert(request))] = &run.drafts[..] else {
            panic!("one secret");
        };
        assert_eq!(request.value.expose(), br#"{"B":"made up","A":""}"#);
        let keys: Vec<_> = request.composed.iter().map(ToString::to_string).collect();
        assert_eq!(keys, ["B", "A"]);
        let wanted = "the value in line 2 is empty; is the variable that it was written from defined? Write `\"\"` for an empty value";
        assert_eq!(run.warnings, [wanted]);
    }
}

#[test]
fn invalid_dotenv_value_is_rejected() {
    let failure = check(&with(&[("VALUE", "A=1\nhidden"), ENCODING])).err();
    let failure = failure.unwrap();
    assert_eq!(
        failure.what,
        "UPSERT_SECRET_VALUE is not a `.env` file, but `value-encoding` is `dotenv`"
    );
    let why = failure.why.as_deref().unwrap_or_default();
    assert!(why.starts_with("line 2 is not `NAME=value`"), "{why}");
    assert!(!failure.to_string().contains("hidden"), "{failure}");
    let failure = check(&with(&[("VALUE", "A='***'"), ENCODING])).err();
    let why = failure.and_then(|failure| failure.why);
    assert_eq!(
        why.as_deref(),
        Some("it has a value in line 1 that is a mask (`***` or `[MASKED]`), not a secret")
    );
    for (pair, wanted) in [
        (
            ("JSON_KEY", "a"),
            "UPSERT_SECRET_JSON_KEY cannot be combined with `value-encoding: dotenv`, whose pairs are the keys of the document",
        ),
        (
            ("STORE_AS", "binary"),
            "UPSERT_SECRET_STORE_AS is for bytes; `value-encoding: dotenv` makes text",
        ),
        (
            ("DESCRIPTION", "of made-up-value-of-a"),
            "UPSERT_SECRET_DESCRIPTION contains the value or a part of it, and can be read without access to the value; if both match by coincidence, set `on-value-in-metadata: allow`",
        ),
    ] {
        let what = check(&with(&[
            ("VALUE", "A=' made-up-value-of-a '\nB=made-up"),
            ENCODING,
            pair,
        ]));
        let what = what.err().map(|failure| failure.what);
        assert_eq!(what.as_deref(), Some(wanted));
    }
}
