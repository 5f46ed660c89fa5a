//! Notices and warnings of plans.

use super::*;
use crate::notice::Level;
use crate::target::Target;

const V2: &str = "v2";

fn labeled(versions: &[(&str, &str)]) -> SecretMetadata {
    let versions = versions
        .iter()
        .map(|(id, label)| ((*id).to_owned(), vec![(*label).to_owned()]));
    SecretMetadata {
        versions: versions.collect(),
        ..secret()
    }
}

/// Asserts that a plan has exactly these notices, each given by a part of its text.
fn check_notices(pairs: &[(&str, &str)], observed: &Observed, wanted: &[(Level, &str)]) {
    let notices = decide(pairs, observed, &Attempt::default())
        .unwrap()
        .notices;
    assert_eq!(notices.len(), wanted.len(), "{pairs:?} {notices:?}");
    for (level, part) in wanted {
        let mut matching = notices.iter().filter(|(_, text)| text.contains(part));
        let found = matching.next().map(|(level, _)| level);
        assert_eq!(found, Some(level), "{pairs:?} {part}: {notices:?}");
    }
}

#[test]
fn first_version_becomes_current_with_warning() {
    let blue: &[(&str, &str)] = &[("VERSION_STAGES", "blue")];
    let warning = &[(
        Level::Warning,
        "gets its first version, which AWS also makes current",
    )];
    check_notices(blue, &Observed::Absent, warning);
    check_notices(blue, &described(labeled(&[]), None), warning);
    check_notices(&[], &Observed::Absent, &[]);
    check_notices(&[], &described(labeled(&[]), None), &[]);
    check_notices(blue, &described(secret(), None), &[]);
}

#[test]
fn rotation_in_progress_is_noticed_on_write() {
    let rotating = || labeled(&[("v1", "AWSCURRENT"), (V2, "AWSPENDING")]);
    let notice = &[(Level::Notice, "AWSPENDING is on version v2")];
    check_notices(&[], &described(rotating(), Some("other")), notice);
    check_notices(
        &[("VERSION_STAGES", "blue")],
        &described(rotating(), None),
        notice,
    );
    let guard = &[("EXPECTED_VERSION_ID", "v1")];
    check_notices(guard, &described(rotating(), Some("other")), notice);
    check_notices(&[], &described(rotating(), Some("wanted")), &[]);
    let mut ended = secret();
    let current = ended.versions.get_mut("v1").unwrap();
    current.push("AWSPENDING".to_owned());
    check_notices(&[], &described(ended, Some("other")), &[]);
}

#[test]
fn write_without_comparing_is_noticed() {
    let notice = &[(Level::Notice, "GetSecretValue")];
    check_notices(&[], &unread(secret()), notice);
    check_notices(&[("EXPECTED_VERSION_ID", "v1")], &unread(secret()), notice);

    let denied = PolicyView::Denied(denied("GetResourcePolicy"));
    let mut observed = present(secret(), Some("wanted"));
    observed.policy = denied;
    let observed = Observed::Present(Box::new(observed));
    let notice = &[(Level::Notice, "GetResourcePolicy")];
    check_notices(&[("RESOURCE_POLICY", "{}")], &observed, notice);
    check_notices(&[], &observed, &[]);
}

#[test]
fn alias_that_cannot_be_compared_is_noticed() {
    let keyed = SecretMetadata {
        kms_key_id: Some("1234abcd".to_owned()),
        replicas: vec![Replica {
            region: "eu-west-2".to_owned(),
            kms_key_id: Some("1234abcd".to_owned()),
            status: ReplicaStatus::InSync,
        }],
        ..secret()
    };
    let observed = described(keyed, Some("wanted"));
    for pair in [
        ("KMS_KEY_ID", "alias/models"),
        ("REPLICA_REGIONS", "eu-west-2=alias/models"),
    ] {
        check_notices(&[pair], &observed, &[(Level::Notice, "an alias and a key")]);
    }
    check_notices(&[("KMS_KEY_ID", "1234abcd")], &observed, &[]);
}

#[test]
fn skip_is_noticed() {
    let skip = &[("IF_EXISTS", "skip")];
    let notice = &[(Level::Notice, "left unchanged")];
    check_notices(skip, &described(secret(), None), notice);
    check_notices(skip, &undescribed(value_view("other")), notice);
}

#[test]
fn denied_describe_is_warned_about() {
    let unchecked = (Level::Warning, "were not checked");
    let nothing = || undescribed(ValueView::Unread(None));
    // Creating it shows whether it exists.
    check_notices(&[], &nothing(), &[]);
    check_notices(&[("NAME", ARN_NAME)], &nothing(), &[unchecked]);
    let keyed = &[("VERSION_ID_KEY", "made-up-key-of-16-bytes")];
    check_notices(keyed, &nothing(), &[(Level::Warning, "gets a new version")]);
    check_notices(keyed, &undescribed(value_view("other")), &[unchecked]);
    // Nothing is written, so nothing went unchecked.
    check_notices(&[], &undescribed(value_view("wanted")), &[]);
}

#[test]
fn suffixed_name_is_told_from_an_existing_secret() {
    let similar = |suffix: &str| SecretMetadata {
        arn: format!("arn:aws:secretsmanager:eu-west-1:111122223333:secret:m/key-{suffix}"),
        name: "m/key".to_owned(),
        ..secret()
    };
    let target = Target::parse("m/key-QxkrHW").unwrap();
    for (similar, wanted) in [
        (Some(similar("QxkrHW")), "is the end of the ARN of m/key"),
        (
            Some(similar("AbCdEf")),
            "like an ARN of m/key, which exists",
        ),
        (None, "like the ARN of another secret"),
    ] {
        let text = suffixed_name(&target, similar.as_ref());
        assert!(
            text.contains(wanted) && text.contains("m/key-QxkrHW"),
            "{text}"
        );
    }
}

#[test]
fn change_of_kind_is_warned_about() {
    let stored = |kind, text: &str| {
        let value = SecretValue::stored(SecretBytes::new(text.into()), kind);
        Observed::Present(Box::new(Present {
            value: Some(value),
            ..present(secret(), None)
        }))
    };
    let (string, binary): (&[(&str, &str)], _) = (&[], [("STORE_AS", "binary")]);
    let guarded = [("STORE_AS", "binary"), ("EXPECTED_VERSION_ID", "v1")];
    let to_string = &[(
        Level::Warning,
        "held SecretBinary until now: readers must switch to SecretString",
    )];
    let to_binary = &[(
        Level::Warning,
        "held SecretString until now: readers must switch to SecretBinary",
    )];
    // The same bytes of the other kind are a different value.
    check_notices(string, &stored(Kind::Binary, "wanted"), to_string);
    check_notices(&binary, &stored(Kind::String, "old"), to_binary);
    check_notices(&guarded, &stored(Kind::String, "old"), to_binary);
    check_notices(string, &stored(Kind::String, "old"), &[]);
    check_notices(&binary, &stored(Kind::Binary, "old"), &[]);
    check_notices(&binary, &described(secret(), None), &[]);
}
