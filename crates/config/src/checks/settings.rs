//! Checks the SDK's own variables before the SDK reads them: some make it panic, some it silently ignores, and some make it log
//! request bodies. Must not open the files that they name.

use std::ffi::OsStr;

use upsert_secret_core::connection::{Settings, TrustSettings};
use upsert_secret_core::failure::{Class, Failure};
use upsert_secret_core::rate::Rate;
use upsert_secret_core::url::endpoint;

use super::proxies;
use crate::ci;
use crate::diagnostics::Diagnostics;
use crate::environment::Environment;
use crate::inputs::{RawInputs, number_or};

/// The default number of attempts per call.
const DEFAULT_ATTEMPTS: u32 = 5;
const MAX_ATTEMPTS: u32 = 100;

/// At first, the AWS quota of 50 calls per second, so that a release of a hundred secrets is fast: other callers are throttled
/// for a second or two, which the retries of every SDK handle. Afterward less, because all callers share the account's quota.
const DEFAULT_RATE: Rate = Rate {
    first: 50,
    later: 40,
};
/// More than any AWS quota.
const MAX_RATE: u32 = 1_000;

/// Variables that must be UTF-8: this program or the SDK reads them as text.
const TEXT_VARIABLES: [&str; 17] = [
    "AWS_CA_BUNDLE",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "http_proxy",
    "ALL_PROXY",
    "all_proxy",
    "NO_PROXY",
    "no_proxy",
    "AWS_USE_FIPS_ENDPOINT",
    "AWS_USE_DUALSTACK_ENDPOINT",
    "AWS_MAX_ATTEMPTS",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_PROFILE",
];

/// The calls per second for each family of operations.
pub(crate) fn check_rate(raw: &RawInputs, diagnostics: &mut Diagnostics) -> Rate {
    let Some(given) = raw.rate.as_deref() else {
        return DEFAULT_RATE;
    };
    let rate = number_or(DEFAULT_RATE.later, Some(given), 1..=MAX_RATE).map(Rate::constant);
    diagnostics.accept("rate", rate).unwrap_or(DEFAULT_RATE)
}

pub(super) fn check(environment: &Environment, diagnostics: &mut Diagnostics) -> Settings {
    for name in TEXT_VARIABLES {
        // If treated as unset, it would bypass a proxy or select a non-FIPS endpoint.
        if let Some(content) = environment.raw(name)
            && content.to_str().is_none()
        {
            diagnostics.add_problem(format!("{name} is not valid UTF-8"));
        }
    }
    for name in ["LOG_SENSITIVE_BODIES", "LOG_SIGNABLE_BODY"] {
        if environment
            .raw(name)
            .is_some_and(|content| !content.is_empty())
        {
            diagnostics.add_problem(format!("{name} is set: it makes the AWS SDK log request bodies, the value included; unset it"));
        }
    }
    let attempts = environment.text("AWS_MAX_ATTEMPTS").map(str::trim);
    let max_attempts =
        number_or(DEFAULT_ATTEMPTS, attempts, 1..=MAX_ATTEMPTS).unwrap_or_else(|why| {
            diagnostics.add_problem(format!("AWS_MAX_ATTEMPTS {why}"));
            DEFAULT_ATTEMPTS
        });
    if let Some(mode) = environment.text("AWS_RETRY_MODE")
        && !["standard", "adaptive", "legacy"].contains(&mode.trim().to_ascii_lowercase().as_str())
    {
        diagnostics.add_problem("AWS_RETRY_MODE must be `standard`, `adaptive` or `legacy`");
    }
    // The SDK ignores other words and would use a non-FIPS endpoint.
    for name in ["AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"] {
        if let Some(flag) = environment.text(name)
            && !["true", "false"].contains(&flag.to_ascii_lowercase().as_str())
        {
            diagnostics.add_problem(format!("{name} must be `true` or `false`"));
        }
    }
    check_endpoints(environment, diagnostics);
    Settings {
        max_attempts,
        trust: check_trust(environment),
        proxies: proxies::check(environment),
        trace: environment.is_on("RUNNER_DEBUG") || environment.is_on("CI_DEBUG_TRACE"),
        ci: ci::system(environment),
    }
}

fn check_endpoints(environment: &Environment, diagnostics: &mut Diagnostics) {
    for name in [
        "AWS_ENDPOINT_URL_SECRETS_MANAGER",
        "AWS_ENDPOINT_URL_STS",
        "AWS_ENDPOINT_URL",
        "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    ] {
        // Empty means unset: GitHub cannot unset a variable.
        let Some(url) = environment.raw(name).filter(|url| !url.is_empty()) else {
            continue;
        };
        if url.to_str().and_then(endpoint).is_none() {
            diagnostics.add_problem(format!("{name} must be a URL such as `https://host:port`"));
        }
    }
}

/// The trusted certificate authorities, from the variables of AWS tools and OpenSSL.
fn check_trust(environment: &Environment) -> TrustSettings {
    if let Some(file) = environment.text("AWS_CA_BUNDLE") {
        return TrustSettings::Bundle(file.to_owned());
    }
    let text = |name| environment.text(name).map(str::to_owned);
    match (text("SSL_CERT_FILE"), text("SSL_CERT_DIR")) {
        (None, None) => TrustSettings::System,
        (file, folders) => TrustSettings::Files { file, folders },
    }
}

/// Rejects keys that make the SDK panic, such as one with a line break, and partial access keys: the other part is an undefined
/// CI secret, which is not a reason to use other credentials. Only for runs that use the credential chain.
pub(crate) fn check_access_key(
    environment: &Environment,
    warnings: &mut Vec<String>,
) -> Result<(), Failure> {
    for name in [
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
    ] {
        let key = environment.raw(name).map(OsStr::as_encoded_bytes);
        if key.is_some_and(|key| !key.iter().all(u8::is_ascii_graphic)) {
            return Err(Failure::new(
                Class::Credentials,
                format!(
                    "{name} contains white space, a line break or another character that keys cannot have"
                ),
                "store it again without the character, usually a line break at its end",
            ));
        }
    }
    let [id, secret] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];
    let is_given = |name| environment.text(name).is_some();
    let (given, missing) = match (is_given(id), is_given(secret)) {
        (true, false) => (id, secret),
        (false, true) => (secret, id),
        (given, _) => {
            if !given && environment.raw(id).is_some() && environment.raw(secret).is_some() {
                warnings.push(format!(
                    "{id} and {secret} are set but empty (CI secrets that are not defined?), so other \
                     sources of credentials are used"
                ));
            }
            return Ok(());
        }
    };
    Err(Failure::new(
        Class::Credentials,
        format!("{given} is set, but {missing} is not"),
        "set both (is the CI secret defined for this repository and environment?), or neither",
    ))
}
