//! Plans from GetSecretValue's answer alone.

use super::*;

fn stored(text: &str) -> SecretVersion {
    let ValueView::Value(version) = value_view(text) else {
        panic!("a version");
    };
    *version
}

fn is_settled(pairs: &[(&str, &str)], text: &str) -> bool {
    let mut all = vec![("VALUE", "wanted")];
    all.extend(pairs);
    settled(&request(&all), &stored(text)).is_some()
}

#[test]
fn stored_value_settles_plan_that_keeps_it() {
    let plan = settled(&request(&[("VALUE", "wanted")]), &stored("wanted")).unwrap();
    let keep = Some(VersionRef::from(&stored("wanted")));
    assert_eq!(
        plan,
        Plan {
            keep,
            ..Plan::default()
        }
    );
    assert!(!is_settled(&[], "other"));
}

#[test]
fn json_key_is_settled_if_set() {
    let key = &[("JSON_KEY", "b")];
    assert!(is_settled(key, r#"{"a":1,"b":"wanted"}"#));
    assert!(!is_settled(key, r#"{"a":1}"#));
    assert!(!is_settled(key, "wanted"));
}

#[test]
fn request_for_more_than_the_value_is_not_settled() {
    for pair in [
        ("DESCRIPTION", "d"),
        ("KMS_KEY_ID", "alias/models"),
        ("TAGS", "k=v"),
        ("REPLICA_REGIONS", "eu-west-2"),
        ("RESOURCE_POLICY", "{}"),
        ("VERSION_STAGES", "blue"),
        ("VERSION_STAGES", "blue,AWSCURRENT"),
        ("COMPARE", "never"),
        ("IF_EXISTS", "skip"),
    ] {
        assert!(!is_settled(&[pair], "wanted"), "{pair:?}");
    }
}
