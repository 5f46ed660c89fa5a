//! Regions, their partitions and the domains of their endpoints. It does not know which regions exist.

/// Whether a text can be a region. It becomes part of a host name, so it must be a host label.
pub fn is_region(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
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

/// The domain that the region's service endpoints end in.
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
