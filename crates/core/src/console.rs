//! Links to the AWS Management Console. Must not open them, and does not check that the secret exists.

use crate::region::{is_region, partition};
use crate::target::Target;

/// The console page of a secret; `None` if the region or the name is not valid, so that no other text becomes part of a link.
pub fn secret_page(region: &str, name: &str) -> Option<String> {
    let is_name = Target::parse(name).is_ok_and(|target| !target.is_arn());
    if !is_region(region) || !is_name {
        return None;
    }
    // AWS General Reference, "AWS Management Console endpoints", and the guides of the other partitions.
    let host = match partition(region) {
        "aws-cn" => "console.amazonaws.cn",
        "aws-us-gov" => "console.amazonaws-us-gov.com",
        "aws-eusc" => "console.amazonaws-eusc.eu",
        _ => "console.aws.amazon.com",
    };
    let mut query = String::new();
    for c in name.chars() {
        match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '_' | '.' => query.push(c),
            // A name is ASCII.
            c => query.push_str(&format!("%{:02X}", u32::from(c))),
        }
    }
    Some(format!(
        "https://{region}.{host}/secretsmanager/secret?name={query}&region={region}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret_page_is_in_console_of_partition() {
        for (region, host) in [
            ("eu-west-1", "eu-west-1.console.aws.amazon.com"),
            ("cn-north-1", "cn-north-1.console.amazonaws.cn"),
            (
                "us-gov-west-1",
                "us-gov-west-1.console.amazonaws-us-gov.com",
            ),
            ("eusc-de-east-1", "eusc-de-east-1.console.amazonaws-eusc.eu"),
        ] {
            assert_eq!(
                secret_page(region, "prod/key+1").unwrap_or_default(),
                format!("https://{host}/secretsmanager/secret?name=prod%2Fkey%2B1&region={region}")
            );
        }
    }

    #[test]
    fn other_text_becomes_no_link() {
        for (region, name) in [
            ("eu-west-1", ""),
            ("eu-west-1", "a b"),
            ("eu-west-1", "a)[x](y"),
            (
                "eu-west-1",
                "arn:aws:secretsmanager:eu-west-1:111122223333:secret:a-AbCdEf",
            ),
            ("example.com/?", "a"),
            ("", "a"),
        ] {
            assert_eq!(secret_page(region, name), None, "{region} {name}");
        }
    }
}
