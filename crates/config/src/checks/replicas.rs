//! `replica-regions` and `replica-policy`: regions, each with an optional KMS key. AWS decides which regions exist.

use std::collections::BTreeMap;

use upsert_secret_core::choices::ReplicaPolicy;
use upsert_secret_core::region::{is_numbered_region, partition};

use super::shapes::check_kms_key;
use crate::diagnostics::Diagnostics;
use crate::inputs::{RawInputs, items};

/// Represents an empty list, because an empty input leaves replicas unchanged.
const NONE: &str = "none";
/// More than the number of AWS regions.
const MAX_REGIONS: usize = 100;

type Regions = BTreeMap<String, Option<String>>;

pub(crate) fn check(
    raw: &RawInputs,
    own_region: Option<&str>,
    diagnostics: &mut Diagnostics,
) -> (Option<Regions>, ReplicaPolicy) {
    let policy = diagnostics.choice("replica-policy", raw.replica_policy.as_deref());
    let Some(text) = raw.replica_regions.as_deref() else {
        if policy == ReplicaPolicy::Replace {
            diagnostics.reject(
                "replica-policy",
                "is `replace`, but `replica-regions` is not set",
            );
        }
        return (None, policy);
    };
    let regions = diagnostics.accept("replica-regions", parse(text, own_region));
    for (region, key) in regions.iter().flatten() {
        if let Some(Err(why)) = key.as_deref().map(|key| check_kms_key(key, Some(region))) {
            let why = format!("has a key for {region} that {why}");
            diagnostics.reject("replica-regions", why);
        }
    }
    if policy == ReplicaPolicy::Merge && regions.as_ref().is_some_and(Regions::is_empty) {
        diagnostics.reject(
            "replica-regions",
            "is `none`, which requires `replica-policy: replace`",
        );
    }
    (regions, policy)
}

/// Parses `region` and `region=key` items.
fn parse(text: &str, own_region: Option<&str>) -> Result<Regions, String> {
    let mut regions = Regions::new();
    if text == NONE {
        return Ok(regions);
    }
    for entry in items(text) {
        let (region, key) = entry
            .split_once('=')
            .map_or((entry, None), |(region, key)| (region, Some(key)));
        if !is_numbered_region(region) {
            return Err(
                "must be regions, such as `eu-west-2`, each with `=KEY` after it if it has its own KMS key"
                    .to_owned(),
            );
        }
        if own_region == Some(region) {
            return Err(format!("names {region}, the region of the secret itself"));
        }
        if let Some(own) = own_region
            && partition(own) != partition(region)
        {
            return Err(format!(
                "names {region}, which is in another partition than {own}"
            ));
        }
        if key == Some("") {
            return Err(format!("has no KMS key after `{region}=`"));
        }
        if regions
            .insert(region.to_owned(), key.map(str::to_owned))
            .is_some()
        {
            return Err(format!("names {region} twice"));
        }
    }
    if regions.is_empty() || regions.len() > MAX_REGIONS {
        return Err("names no region, or too many regions".to_owned());
    }
    Ok(regions)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_may_have_keys() {
        let key = "arn:aws:kms:eu-west-2:111122223333:key/1234abcd";
        let parsed = parse(
            &format!("eu-west-2={key}\n  us-east-1, us-gov-west-1 "),
            None,
        );
        let wanted = Regions::from([
            ("eu-west-2".to_owned(), Some(key.to_owned())),
            ("us-east-1".to_owned(), None),
            ("us-gov-west-1".to_owned(), None),
        ]);
        assert_eq!(parsed, Ok(wanted));
        assert_eq!(parse("none", None), Ok(Regions::new()));
    }

    #[test]
    fn malformed_regions_are_rejected() {
        let cases = [
            "made up!",
            "foo",
            "eu-west",
            "EU-WEST-2",
            "eu-west-2a",
            "eu--2",
            "-2",
            "2",
            "eu_west_2",
            "us-gov-west-1",
            "cn-north-1",
            "eu-west-2=",
            "eu-west-2 eu-west-2=key",
            "eu-west-1",
            ",",
            "none eu-west-2",
        ];
        for text in cases {
            assert!(parse(text, Some("eu-west-1")).is_err(), "{text}");
        }
    }
}
