//! The connection settings, from `aws-region`, `timeout` and the SDK's own variables. Must not connect; AWS decides whether a
//! region exists.

use std::sync::Arc;
use std::time::Duration;

use upsert_secret_core::connection::{Connection, Identity};
use upsert_secret_core::labels::MAX_RUN;
use upsert_secret_core::region::is_region;
use upsert_secret_core::target::Target;

use super::{identity, settings};
use crate::diagnostics::Diagnostics;
use crate::environment::Environment;
use crate::inputs::RawInputs;

/// The default time limit for one secret.
const DEFAULT_TIMEOUT: Duration = Duration::from_mins(2);
/// The default time limit for a manifest: a release can contain thousands of secrets, at 50 per second.
const DEFAULT_MANIFEST_TIMEOUT: Duration = Duration::from_mins(60);

const NOT_A_REGION: &str = "must be a region such as `eu-west-1`, in lower case";

/// Checks all connection settings except the access key in the environment. `target` is the secret of a run without a manifest.
pub(crate) fn check(
    raw: &RawInputs,
    target: Option<&Target>,
    environment: &Environment,
    diagnostics: &mut Diagnostics,
) -> Arc<Connection> {
    let settings = settings::check(environment, diagnostics);
    let region = choose_region(raw, target, environment, diagnostics);
    let timeout = check_timeout(raw, diagnostics);
    let identity = identity::check(raw, environment, diagnostics).unwrap_or_else(|why| {
        diagnostics.set_unusable_credentials(why);
        Identity::default()
    });
    Arc::new(Connection {
        region,
        identity: Arc::new(identity),
        timeout,
        settings,
    })
}

/// The region from the input, the ARN or the environment, in this order; `None` if the profile determines it.
fn choose_region(
    raw: &RawInputs,
    target: Option<&Target>,
    environment: &Environment,
    diagnostics: &mut Diagnostics,
) -> Option<String> {
    let arn_region = target.and_then(Target::region);
    if let Some(given) = raw.aws_region.as_deref() {
        if !is_region(given) {
            diagnostics.reject("aws-region", NOT_A_REGION);
        } else if let Some(arn_region) = arn_region
            && arn_region != given
        {
            let name = diagnostics.spelling.name("name");
            let why = format!("is {given}, but the ARN in {name} is in {arn_region}");
            diagnostics.reject("aws-region", why);
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
    if !is_region(region) {
        diagnostics.add_problem(format!("{name} {NOT_A_REGION}"));
    }
    Some(region.to_owned())
}

/// The time limit of the whole run.
fn check_timeout(raw: &RawInputs, diagnostics: &mut Diagnostics) -> Duration {
    if let Some(text) = &raw.timeout
        && parse_timeout(text).is_none()
    {
        let is_combined = text.matches(['s', 'm', 'h']).count() > 1
            && text
                .bytes()
                .all(|b| b.is_ascii_digit() || b"smh".contains(&b));
        diagnostics.reject(
            "timeout",
            if is_combined {
                "combines units, but takes one number with one unit: `90s` for one and a half minutes"
            } else {
                "must be a time from 1s to 6h, such as `90s`, `2m` or `1h`"
            },
        );
    }
    timeout_or_default(raw)
}

/// The time limit, or the default if the given one is invalid; an invalid one is rejected after the value has been read.
pub fn timeout_or_default(raw: &RawInputs) -> Duration {
    let given = raw.timeout.as_deref().and_then(parse_timeout);
    given.unwrap_or(if raw.manifest.is_some() || raw.release.is_some() {
        DEFAULT_MANIFEST_TIMEOUT
    } else {
        DEFAULT_TIMEOUT
    })
}

fn parse_timeout(given: &str) -> Option<Duration> {
    let unit = given.trim_start_matches(|c: char| c.is_ascii_digit());
    let unit_seconds = match unit {
        "s" | "" => 1,
        "m" => 60,
        "h" => 3_600,
        _ => return None,
    };
    let number: u64 = given.strip_suffix(unit)?.parse().ok()?;
    number
        .checked_mul(unit_seconds)
        .map(Duration::from_secs)
        .filter(|limit| (Duration::from_secs(1)..=MAX_RUN).contains(limit))
}
