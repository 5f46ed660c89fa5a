//! The only module that registers credentials for redaction: those that a provider returns, those in a request, and those in
//! the shared configuration files. Credentials from any source pass through one of these before a server can quote them.
//! Secrets in variables, such as a proxy password, are registered before this crate is called. Must not send or print.

use std::sync::Arc;

use aws_credential_types::Credentials;
use aws_credential_types::credential_fn::provide_credentials_fn;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_smithy_types::body::SdkBody;
use http::Request;
use percent_encoding::percent_decode_str;

use crate::call_gate::CallGate;

/// Headers whose whole value is a token.
const TOKEN_HEADERS: [&str; 2] = ["x-amz-security-token", "x-aws-ec2-metadata-token"];

/// The parameter of an STS request that contains a token.
const TOKEN_PARAMETER: &str = "WebIdentityToken=";

/// The profile settings that contain secrets.
const PROFILE_SETTINGS: [&str; 2] = ["aws_secret_access_key", "aws_session_token"];

/// Wraps a provider so that its credentials, including refreshed ones, are registered before they are used.
pub(crate) fn registered(
    inner: impl ProvideCredentials + 'static,
    gate: &Arc<CallGate>,
) -> SharedCredentialsProvider {
    let (inner, gate) = (Arc::new(inner), Arc::clone(gate));
    SharedCredentialsProvider::new(provide_credentials_fn(move || {
        let (inner, gate) = (Arc::clone(&inner), Arc::clone(&gate));
        async move {
            let credentials = inner.provide_credentials().await?;
            register(&credentials, &gate);
            Ok(credentials)
        }
    }))
}

fn register(credentials: &Credentials, gate: &CallGate) {
    gate.hide(credentials.secret_access_key().as_bytes());
    if let Some(token) = credentials.session_token() {
        gate.hide(token.as_bytes());
    }
}

/// Registers the tokens and passwords in a request. Those that the SDK reads and sends itself, such as the token of a profile's
/// role, do not appear anywhere else.
pub(crate) fn register_sent(request: &Request<SdkBody>, gate: &CallGate) {
    let values = |name| {
        let values = request.headers().get_all(name).into_iter();
        values.filter_map(|value| value.to_str().ok())
    };
    for token in TOKEN_HEADERS.into_iter().flat_map(values) {
        gate.hide(token.as_bytes());
    }
    for value in values("authorization") {
        register_authorization(value, gate);
    }
    let is_form = values("content-type").any(|kind| kind.starts_with("application/x-www-form"));
    let body = request.body().bytes().filter(|_| is_form);
    let parameters = body.and_then(|body| str::from_utf8(body).ok());
    let mut parameters = parameters.unwrap_or_default().split('&');
    if let Some(token) = parameters.find_map(|it| it.strip_prefix(TOKEN_PARAMETER)) {
        gate.hide(&percent_decode_str(token).collect::<Vec<u8>>());
    }
}

/// Registers the part of an authorization after its scheme. The container's token has no scheme.
fn register_authorization(value: &str, gate: &CallGate) {
    let (scheme, secret) = value.split_once(' ').unwrap_or(("", value));
    // A signature is not a secret, and differs for each request.
    if !scheme.starts_with("AWS4-") {
        gate.hide(secret.as_bytes());
    }
}

/// Registers the secrets of a profile; `setting` looks one up.
pub(crate) fn register_profile<'p>(setting: impl Fn(&str) -> Option<&'p str>, gate: &CallGate) {
    for secret in PROFILE_SETTINGS.into_iter().filter_map(setting) {
        gate.hide(secret.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::call_gate::CallObserver;

    #[derive(Default)]
    struct Hidden(Mutex<Vec<String>>);

    impl CallObserver for Hidden {
        fn trace(&self, _: &str) {}

        fn hide(&self, secret: &[u8]) {
            let secret = String::from_utf8(secret.to_vec()).unwrap();
            self.0.lock().unwrap().push(secret);
        }
    }

    #[test]
    fn secrets_of_requests_are_registered() {
        const FORM: &str = "application/x-www-form-urlencoded";
        let cases: [(&str, &str, &str, &[&str]); 8] = [
            ("x-amz-security-token", "made-up==", "", &["made-up=="]),
            ("x-aws-ec2-metadata-token", "made-up", "", &["made-up"]),
            ("authorization", "made-up", "", &["made-up"]),
            ("authorization", "bearer made-up", "", &["made-up"]),
            (
                "authorization",
                "AWS4-HMAC-SHA256 Credential=made-up",
                "",
                &[],
            ),
            (
                "content-type",
                FORM,
                "Action=A&WebIdentityToken=a.b%2Dc&B=d",
                &["a.b-c"],
            ),
            ("content-type", FORM, "Action=A", &[]),
            (
                "content-type",
                "application/x-amz-json-1.1",
                "WebIdentityToken=a",
                &[],
            ),
        ];
        for (name, value, body, expected) in cases {
            let hidden = Arc::new(Hidden::default());
            let gate = CallGate::new(Arc::clone(&hidden) as Arc<dyn CallObserver>, false);
            let request = Request::builder().header(name, value);
            let request = request.body(SdkBody::from(body)).unwrap();
            register_sent(&request, &gate);
            assert_eq!(
                *hidden.0.lock().unwrap(),
                expected,
                "{name}: {value} {body}"
            );
        }
    }
}
