//! Regions, their partitions and the domains of their endpoints. Does not check which regions exist.

/// Whether a text can be a region. It becomes part of a host name, so it must be a host label.
pub fn is_region(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// Whether a text has the format of AWS regions: words and a number, as in `us-gov-east-1` (API model, `RegionType`). Does not
/// check that the region exists.
pub fn is_numbered_region(text: &str) -> bool {
    let Some((words, number)) = text.rsplit_once('-') else {
        return false;
    };
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase());
    is_region(text)
        && words.split('-').all(is_word)
        && !number.is_empty()
        && number.bytes().all(|b| b.is_ascii_digit())
}

/// The partition of a region: the second part of its ARNs.
pub fn partition(region: &str) -> &'static str {
    match region.split('-').next() {
        Some("cn") => "aws-cn",
        Some("eusc") => "aws-eusc",
        _ if region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    }
}

/// Regions of the `aws` partition that every account can use without enabling them. The list is final: regions launched after
/// 2019-03-20 must be enabled (AWS Account Management documentation).
const ENABLED_BY_DEFAULT: &[&str] = &[
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];

/// Whether accounts can use a region without enabling it first.
pub fn is_enabled_by_default(region: &str) -> bool {
    partition(region) != "aws" || ENABLED_BY_DEFAULT.contains(&region)
}

/// The domain suffix of the region's service endpoints.
pub(crate) fn domain(region: &str) -> &'static str {
    match partition(region) {
        "aws-cn" => "amazonaws.com.cn",
        "aws-eusc" => "amazonaws.eu",
        _ => "amazonaws.com",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn region_must_be_a_host_label() {
        let longest = "a".repeat(63);
        for text in ["eu-west-1", "us-gov-east-1", &longest] {
            assert!(is_region(text), "{text}");
        }
        let too_long = "a".repeat(64);
        for text in [
            "",
            "-a",
            "a-",
            "EU-WEST-1",
            "eu_west_1",
            "eu.west",
            &too_long,
        ] {
            assert!(!is_region(text), "{text}");
        }
    }

    #[test]
    fn later_regions_must_be_enabled() {
        for (region, enabled) in [
            ("eu-west-1", true),
            ("us-gov-east-1", true),
            ("cn-north-1", true),
            ("ap-east-1", false),
            ("il-central-1", false),
        ] {
            assert_eq!(is_enabled_by_default(region), enabled, "{region}");
        }
    }

    #[test]
    fn numbered_region_may_be_unknown() {
        for text in ["eu-west-1", "us-gov-east-1", "eusc-de-east-1", "xy-made-99"] {
            assert!(is_numbered_region(text), "{text}");
        }
        for text in [
            "",
            "foo",
            "eu-west",
            "eu-west-",
            "eu-west-1a",
            "eu--1",
            "-1",
            "1",
            "e2-west-1",
        ] {
            assert!(!is_numbered_region(text), "{text}");
        }
    }

    #[test]
    fn partition_and_domain_follow_from_region() {
        for (region, arn_part, host_part) in [
            ("eu-west-1", "aws", "amazonaws.com"),
            ("us-gov-west-1", "aws-us-gov", "amazonaws.com"),
            ("cn-north-1", "aws-cn", "amazonaws.com.cn"),
            ("eusc-de-east-1", "aws-eusc", "amazonaws.eu"),
        ] {
            assert_eq!((partition(region), domain(region)), (arn_part, host_part));
        }
    }
}
