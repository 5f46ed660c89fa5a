//! `aws-region`: the region of the input, the ARN or the environment. Whether the region exists is for AWS to say.

use upsert_secret_core::region::is_region;
use upsert_secret_core::target::Target;

use crate::diagnostics::Diagnostics;
use crate::environment::Environment;
use crate::inputs::RawInputs;

/// The region of the input, the ARN or the environment, in this order; `None` leaves it to the profile.
pub(super) fn choose(
    raw: &RawInputs,
    target: Option<&Target>,
    environment: &Environment,
    diagnostics: &mut Diagnostics,
) -> Option<String> {
    let arn_region = target.and_then(Target::region);
    if let Some(given) = raw.aws_region.as_deref() {
        if !is_region(given) {
            diagnostics.reject(
                "aws-region",
                "must be a region such as `eu-west-1`, in lower case",
            );
        } else if let Some(arn_region) = arn_region
            && arn_region != given
        {
            diagnostics.reject(
                "aws-region",
                format!(
                    "is {given}, but the ARN in {} is in {arn_region}",
                    diagnostics.spelling.name("name")
                ),
            );
        }
        return Some(given.to_owned());
    }
    let variable = ["AWS_REGION", "AWS_DEFAULT_REGION"]
        .into_iter()
        .find_map(|name| Some((name, environment.text(name)?.trim())))
        .filter(|(_, region)| !region.is_empty());
    if let Some(arn_region) = arn_region {
        if let Some((name, other)) = variable
            && other != arn_region
        {
            diagnostics.warn(format!("the ARN's region {arn_region} is used, not {name}"));
        }
        return Some(arn_region.to_owned());
    }
    let (name, region) = variable?;
    if is_region(region) {
        Some(region.to_owned())
    } else {
        diagnostics.add_problem(format!(
            "{name} must be a region such as `eu-west-1`, in lower case"
        ));
        None
    }
}
