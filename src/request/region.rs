//! Which region: the input, the ARN or the environment. It becomes part of a host name.

use super::{Problems, Target};
use crate::inputs::{Environment, RawInputs};

/// The region of the input, the ARN or the environment, in this order; `None` leaves it to the profile.
pub(super) fn choose(
    raw: &RawInputs,
    target: Option<&Target>,
    environment: &Environment,
    problems: &mut Problems,
    doubts: &mut Vec<String>,
) -> Option<String> {
    let of_arn = target.and_then(Target::region);
    if let Some(given) = raw.aws_region.as_deref() {
        if !is_region(given) {
            problems.add(
                "aws-region",
                "must be a region such as `eu-west-1`, in lower case",
            );
        } else if let Some(of_arn) = of_arn
            && of_arn != given
        {
            problems.add(
                "aws-region",
                format!(
                    "is {given}, but the ARN in {} is in {of_arn}",
                    problems.spelling.name("name")
                ),
            );
        }
        return Some(given.to_owned());
    }
    let from = ["AWS_REGION", "AWS_DEFAULT_REGION"]
        .into_iter()
        .find_map(|name| Some((name, environment.text(name)?.trim())))
        .filter(|(_, region)| !region.is_empty());
    if let Some(of_arn) = of_arn {
        if let Some((name, other)) = from
            && other != of_arn
        {
            doubts.push(format!("the ARN's region {of_arn} is used, not {name}"));
        }
        return Some(of_arn.to_owned());
    }
    let (name, region) = from?;
    if is_region(region) {
        Some(region.to_owned())
    } else {
        problems.found.push(format!(
            "{name} must be a region such as `eu-west-1`, in lower case"
        ));
        None
    }
}

/// A region becomes part of a host name, so only a host label will do. Which ones exist is AWS's to say.
pub(crate) fn is_region(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// The partition of a region: the second part of its ARNs.
pub(crate) fn partition(region: &str) -> &'static str {
    match region.split('-').next() {
        Some("cn") => "aws-cn",
        Some("eusc") => "aws-eusc",
        _ if region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    }
}

/// What the names of its services end in.
pub(crate) fn domain(region: &str) -> &'static str {
    match partition(region) {
        "aws-cn" => "amazonaws.com.cn",
        "aws-eusc" => "amazonaws.eu",
        _ => "amazonaws.com",
    }
}
