//! Plans based only on the GetSecretValue response.

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
fn request_beyond_value_is_not_settled() {
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

#[test]
fn staged_value_with_every_label_is_settled() {
    let mut version = stored("wanted");
    version.stages.push("blue".to_owned());
    for (labels, wanted) in [
        ("blue", true),
        ("blue,AWSCURRENT", true),
        ("blue,green", false),
    ] {
        let request = request(&[("VALUE", "wanted"), ("VERSION_STAGES", labels)]);
        assert_eq!(settled(&request, &version).is_some(), wanted, "{labels}");
    }
}
