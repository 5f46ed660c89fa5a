//! `replica-regions` and `replica-policy`: regions, each with a key of its own or without.

use std::collections::BTreeMap;

use upsert_secret_core::choices::ReplicaPolicy;
use upsert_secret_core::region::is_region;

use crate::diagnostics::Diagnostics;
use crate::inputs::RawInputs;

/// The longest KMS key id of AWS, in characters.
const MAX_KMS_KEY: usize = 2_048;
/// The word for "no replica at all", because an empty input leaves replicas as they are.
const NONE: &str = "none";
/// More than AWS has regions.
const MAX_REGIONS: usize = 100;

type Regions = BTreeMap<String, Option<String>>;

pub(crate) fn check(
    raw: &RawInputs,
    own: Option<&str>,
    diagnostics: &mut Diagnostics,
) -> (Option<Regions>, ReplicaPolicy) {
    let how = diagnostics.choice("replica-policy", raw.replica_policy.as_deref());
    let Some(text) = raw.replica_regions.as_deref() else {
        if how == ReplicaPolicy::Replace {
            diagnostics.reject(
                "replica-policy",
                "is `replace`, but no `replica-regions` are given",
            );
        }
        return (None, how);
    };
    let regions = match parse(text, own) {
        Ok(regions) => regions,
        Err(why) => {
            diagnostics.reject("replica-regions", why);
            return (None, how);
        }
    };
    if regions.is_empty() && how == ReplicaPolicy::Merge {
        diagnostics.reject(
            "replica-regions",
            "is `none`, which only `replica-policy: replace` can make true",
        );
    }
    (Some(regions), how)
}

/// `region` or `region=key`, with white space or commas between them. Regions and keys have neither.
fn parse(text: &str, own: Option<&str>) -> Result<Regions, String> {
    let mut regions = Regions::new();
    if text == NONE {
        return Ok(regions);
    }
    for entry in text
        .split(|c: char| c == ',' || c.is_whitespace())
        .filter(|entry| !entry.is_empty())
    {
        let (region, key) = match entry.split_once('=') {
            Some((region, key)) => (region, Some(key)),
            None => (entry, None),
        };
        if region == NONE || !is_region(region) {
            return Err(
                "must be regions, such as `eu-west-2`, each with `=KEY` behind it where it has a KMS key of its own"
                    .to_owned(),
            );
        }
        if own == Some(region) {
            return Err(format!("names {region}, where the secret itself is"));
        }
        if key.is_some_and(|key| {
            key.is_empty() || key.len() > MAX_KMS_KEY || !key.bytes().all(|b| b.is_ascii_graphic())
        }) {
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
    fn regions_with_and_without_keys() {
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
    fn what_is_refused() {
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
