//! `aws-region`: the region of the input, the ARN or the environment.

use upsert_secret_core::region::is_region;
use upsert_secret_core::target::Target;

use crate::diagnostics::Diagnostics;
use crate::environment::Environment;
use crate::inputs::RawInputs;

/// The region of the input, the ARN or the environment, in this order; `None` leaves it to the profile.
pub(crate) fn choose(
    raw: &RawInputs,
    target: Option<&Target>,
    environment: &Environment,
    diagnostics: &mut Diagnostics,
    warnings: &mut Vec<String>,
) -> Option<String> {
    let of_arn = target.and_then(Target::region);
    if let Some(given) = raw.aws_region.as_deref() {
        if !is_region(given) {
            diagnostics.reject(
                "aws-region",
                "must be a region such as `eu-west-1`, in lower case",
            );
        } else if let Some(of_arn) = of_arn
            && of_arn != given
        {
            diagnostics.reject(
                "aws-region",
                format!(
                    "is {given}, but the ARN in {} is in {of_arn}",
                    diagnostics.spelling.name("name")
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
            warnings.push(format!("the ARN's region {of_arn} is used, not {name}"));
        }
        return Some(of_arn.to_owned());
    }
    let (name, region) = from?;
    if is_region(region) {
        Some(region.to_owned())
    } else {
        diagnostics.found.push(format!(
            "{name} must be a region such as `eu-west-1`, in lower case"
        ));
        None
    }
}
