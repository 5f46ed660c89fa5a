//! Which policies are equivalent.

use proptest::prelude::*;

use super::*;

const ALLOW: &str = r#"{"Version":"2012-10-17","Statement":{"Sid":"","Effect":"Allow","Principal":{"AWS":"111122223333"},
    "Action":"secretsmanager:GetSecretValue","Resource":"*",
    "Condition":{"StringEquals":{"aws:PrincipalTag/team":"ml"},"Bool":{"aws:SecureTransport":"true"}}}}"#;

/// A policy with one statement.
fn policy(principal: &str, action: &str) -> String {
    format!(
        r#"{{"Statement":[{{"Effect":"Deny","Principal":{principal},"Action":{action},"Resource":"*"}}]}}"#
    )
}

#[test]
fn notations_of_one_policy_are_equivalent() {
    let other = r#"{"Statement":[{"Action":["SecretsManager:getsecretvalue","secretsmanager:GetSecretValue"],"Resource":["*"],
        "Effect":"Allow","Principal":{"AWS":["arn:aws:iam::111122223333:root"]},
        "Condition":{"Bool":{"AWS:SecureTransport":true},"StringEquals":{"aws:principaltag/team":["ml"]}}}],
        "Version":"2012-10-17"}"#;
    let two = |a: &str, b: &str| format!(r#"{{"Statement":[{a},{b}]}}"#);
    let (one, another) = (r#"{"Effect":"Allow"}"#, r#"{"Effect":"Deny"}"#);
    let same = [
        (ALLOW.to_owned(), other.to_owned()),
        (two(one, another), two(another, one)),
        (
            policy(r#""*""#, r#""a:B""#),
            policy(r#"{"AWS":"*"}"#, r#"["A:b"]"#),
        ),
        (
            policy(r#"{"AWS":["a","b"]}"#, r#"["x","y"]"#),
            policy(r#"{"AWS":["b","a"]}"#, r#"["y","x"]"#),
        ),
        (
            r#"{"Statement":[]}"#.to_owned(),
            r#"{"Version":"2008-10-17","Statement":[]}"#.to_owned(),
        ),
    ];
    for (a, b) in same {
        assert!(
            ResourcePolicy::parse(&a).unwrap().is_equivalent_to(&b),
            "{a} {b}"
        );
        assert!(
            ResourcePolicy::parse(&b).unwrap().is_equivalent_to(&a),
            "{b} {a}"
        );
    }
}

#[test]
fn text_is_sent_as_given() {
    let text = " { \"Statement\" : [] }\n";
    assert_eq!(ResourcePolicy::parse(text).unwrap().text(), text);
}

#[test]
fn changed_policy_is_not_equivalent() {
    let changes = [
        ("Allow", "Deny"),
        ("111122223333", "444455556666"),
        ("GetSecretValue", "PutSecretValue"),
        ("Resource\":\"*", "Resource\":\"arn:x"),
        ("\"Action\"", "\"NotAction\""),
        ("\"Principal\"", "\"NotPrincipal\""),
        (":\"ml\"", ":\"ML\""),
        ("StringEquals", "StringNotEquals"),
        ("\"true\"", "false"),
        ("2012-10-17", "2008-10-17"),
        ("\"Sid\":\"\"", "\"Sid\":\"x\""),
        ("{\"AWS\":\"111122223333\"}", "\"*\""),
        (
            "{\"AWS\":\"111122223333\"}",
            "{\"Service\":\"111122223333\"}",
        ),
    ];
    let policy = ResourcePolicy::parse(ALLOW).unwrap();
    for (from, to) in changes {
        let other = ALLOW.replacen(from, to, 1);
        assert_ne!(other, ALLOW, "{from}");
        assert!(!policy.is_equivalent_to(&other), "{from} {to}");
    }
    assert!(!policy.is_equivalent_to("not JSON"));
    let lower = ResourcePolicy::parse(r#"{"Statement":[{"Resource":"arn:x"}]}"#).unwrap();
    assert!(!lower.is_equivalent_to(r#"{"Statement":[{"Resource":"arn:X"}]}"#));
}

#[test]
fn text_that_is_no_object_is_rejected_unquoted() {
    for text in [
        "made-up",
        "\"made-up\"",
        "[\"made-up\"]",
        "{\"made-up\"",
        "",
    ] {
        let why = ResourcePolicy::parse(text).unwrap_err();
        assert!(!why.contains("made-up"), "{why}");
    }
}

proptest! {
    #[test]
    fn order_of_actions_has_no_effect(actions in proptest::collection::vec("[a-c]:[a-c]", 1..4), turn in 0..4_usize) {
        let mut turned = actions.clone();
        turned.rotate_left(turn % actions.len());
        let list = |actions: &[String]| policy("\"*\"", &serde_json::to_string(actions).unwrap());
        prop_assert!(ResourcePolicy::parse(&list(&actions)).unwrap().is_equivalent_to(&list(&turned)));
        let more: Vec<String> = actions.iter().cloned().chain(["d:d".to_owned()]).collect();
        prop_assert!(!ResourcePolicy::parse(&list(&actions)).unwrap().is_equivalent_to(&list(&more)));
    }
}
