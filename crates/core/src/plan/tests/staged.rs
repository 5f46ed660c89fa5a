//! Staged writes whose value the current version already holds.

use super::*;

/// `v1` is current, `v2` holds the label `blue`. The arguments are their values, if they were read.
fn observed(current: Option<&str>, blue: Option<&str>) -> Observed {
    let mut secret = secret();
    let labels = vec!["blue".to_owned()];
    secret.versions.insert("v2".to_owned(), labels);
    Observed::Present(Box::new(Present {
        current: current.map(value),
        ..present(secret, blue)
    }))
}

#[test]
fn label_moves_to_current_version_with_the_value() {
    let plan_of = |pairs: &[(&str, &str)], observed: &Observed| {
        let mut all = vec![("VALUE", "wanted"), ("VERSION_STAGES", "blue")];
        all.extend(pairs);
        let request = request(&all);
        let plan = plan(&request, observed, &Attempt::default(), REGION);
        let plan = plan.map_err(|rejected| match rejected {
            Rejected::Failure(failure) => failure.what,
            _ => "denied".to_owned(),
        })?;
        let texts = describe(&plan, &request, observed).into_iter();
        let texts: Vec<_> = texts.map(|step| step.what + ": " + &step.why).collect();
        Ok::<_, String>(texts.join("; "))
    };
    let moved = "add the label blue to version v1: version v2 holds it, and the current version has the value";
    let written = "write the value as a new version, blue: ";
    for (current, blue, wanted) in [
        (Some("wanted"), Some("other"), moved),
        // Also if the label's own version cannot be read.
        (Some("wanted"), None, moved),
        (Some("other"), Some("other"), written),
        (None, Some("other"), written),
        // A version that is already staged stays.
        (None, Some("wanted"), ""),
    ] {
        let text = plan_of(&[], &observed(current, blue)).unwrap();
        assert!(text.starts_with(wanted), "{text}");
        assert_eq!(text.is_empty(), wanted.is_empty());
    }
    let same = observed(Some("wanted"), Some("other"));
    let expected = |id| plan_of(&[("EXPECTED_VERSION_ID", id)], &same);
    assert_eq!(expected("v1").unwrap(), moved);
    assert!(expected("v2").is_err_and(|text| text.contains("is not current")));
}
