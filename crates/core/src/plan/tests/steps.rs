//! The steps that count as changes, and how they are described.

use super::*;

#[test]
fn waits_checks_and_sweeps_are_no_changes() {
    let label = || "label".to_owned();
    for step in [
        Step::Wait,
        Step::Yield,
        Step::Sweep(vec![(label(), "v1".to_owned())]),
        Step::CheckPolicy(Nameable::Yes),
        Step::AwaitReplicas(vec![REGION.to_owned()]),
    ] {
        assert!(!step.changes(), "{step:?}");
    }
    for step in [
        Step::Restore,
        Step::Put { base: None },
        Step::Swap { base: None },
        Step::SetPolicy,
        Step::Tag(BTreeMap::new()),
        Step::Untag(Vec::new()),
        Step::Replicate(BTreeMap::new()),
        Step::Unreplicate(Vec::new()),
        Step::Label {
            label: label(),
            from: None,
        },
        Step::Update {
            description: true,
            kms_key: false,
        },
        Step::Create {
            otherwise: None,
            vacant: true,
        },
    ] {
        assert!(step.changes(), "{step:?}");
    }
}

/// The texts of all steps from a stored value to a desired one.
fn texts(stored: &str, wanted: &str) -> String {
    let request = request(&[("VALUE", wanted)]);
    let observed = described(secret(), Some(stored));
    let plan = plan(&request, &observed, &Attempt::default(), REGION).unwrap();
    let steps = describe(&plan, &request, &observed).into_iter();
    steps
        .map(|step| format!("{} {}\n", step.what, step.why))
        .collect()
}

#[test]
fn length_of_short_value_is_not_shown() {
    let text = texts("made-up-value-16", "made-up-value--17");
    assert!(
        text.contains("16 bytes") && text.contains("17 bytes"),
        "{text}"
    );
    for (stored, wanted) in [
        ("made-up-val--15", "made-up-value--17"),
        ("made-up-value--17", "made-up-val--15"),
    ] {
        let text = texts(stored, wanted);
        assert!(!text.contains("bytes"), "{text}");
    }
}

#[test]
fn description_never_contains_a_value() {
    let (stored, wanted) = ("made-up-value-stored", "made-up-value-wanted");
    let text = texts(stored, wanted);
    assert!(!text.is_empty());
    assert!(!text.contains(stored) && !text.contains(wanted), "{text}");
}
