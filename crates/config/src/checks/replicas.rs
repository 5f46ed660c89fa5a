//! `replica-regions` and `replica-policy`: regions, each with or without a KMS key. Which regions exist is for AWS to
//! say.

use std::collections::BTreeMap;

use upsert_secret_core::choices::ReplicaPolicy;
use upsert_secret_core::region::is_region;

use super::shapes::is_kms_key;
use crate::diagnostics::Diagnostics;
use crate::inputs::{RawInputs, items};

/// Stands for an empty list: an empty input leaves replicas as they are.
const NONE: &str = "none";
/// More than AWS has regions.
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
                "is `replace`, but no `replica-regions` are given",
            );
        }
        return (None, policy);
    };
    let regions = diagnostics.accept("replica-regions", parse(text, own_region));
    if policy == ReplicaPolicy::Merge && regions.as_ref().is_some_and(Regions::is_empty) {
        diagnostics.reject(
            "replica-regions",
            "is `none`, which only `replica-policy: replace` can make true",
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
        if region == NONE || !is_region(region) {
            return Err(
                "must be regions, such as `eu-west-2`, each with `=KEY` behind it where it has a KMS key of its own"
                    .to_owned(),
            );
        }
        if own_region == Some(region) {
            return Err(format!("names {region}, where the secret itself is"));
        }
        if key.is_some_and(|key| !is_kms_key(key)) {
            return Err(format!("has no KMS key behind `{region}=`"));
        }
        if regions
            .insert(region.to_owned(), key.map(str::to_owned))
            .is_some()
        {
            return Err(format!("names {region} twice"));
        }
    }
    if regions.is_empty() || regions.len() > MAX_REGIONS {
        return Err("names no region, or too many".to_owned());
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
