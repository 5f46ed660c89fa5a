use aws_smithy_types::body::SdkBody;
use aws_smithy_types::error::ErrorMetadata;

use super::*;

const ID: &str = "11111111-2222-4333-8444-555555555555";

fn response(status: u16) -> HttpResponse {
    let mut response = HttpResponse::new(status.try_into().unwrap(), SdkBody::empty());
    response.headers_mut().insert("x-amzn-requestid", ID);
    response
}

fn reduce(error: &SdkError<ErrorMetadata, HttpResponse>) -> AwsError {
    AwsError::from_sdk("PutSecretValue", 2, error)
}

fn service_error(code: Option<&str>, status: u16) -> AwsError {
    let mut error = ErrorMetadata::builder().message("made up");
    if let Some(code) = code {
        error = error.code(code);
    }
    reduce(&SdkError::service_error(error.build(), response(status)))
}

#[test]
fn code_of_another_shape_becomes_http_status() {
    for (code, status, expected) in [
        (Some("AccessDeniedException"), 400, "AccessDeniedException"),
        (Some("Odd\n::error::made up"), 400, "HTTP 400"),
        (Some(""), 400, "HTTP 400"),
        (None, 502, "HTTP 502"),
    ] {
        let error = service_error(code, status);
        assert!(
            matches!(&error.kind, ErrorKind::Service { code, .. } if code == expected),
            "{error:?}"
        );
        assert_eq!(error.request_id.as_deref(), Some(ID));
        assert_eq!(error.attempts, 2);
    }
}

#[test]
fn response_without_aws_marks_is_foreign() {
    for status in [200, 302, 403, 407, 502] {
        let mut foreign = HttpResponse::new(status.try_into().unwrap(), SdkBody::empty());
        foreign.add_extension(Responder("proxy.example".to_owned()));
        let expected = ErrorKind::NotAws {
            host: "proxy.example".to_owned(),
            status,
        };
        let again = HttpResponse::new(status.try_into().unwrap(), SdkBody::empty());
        let no_code = ErrorMetadata::builder().build();
        let unhandled = reduce(&SdkError::service_error(no_code, foreign));
        assert_eq!(unhandled.kind, expected);
        let unparsed = reduce(&SdkError::response_error("made up", again));
        assert!(matches!(unparsed.kind, ErrorKind::NotAws { .. }));
    }
}

#[test]
fn success_that_cannot_be_parsed_is_unreadable() {
    assert_eq!(service_error(None, 200).kind, ErrorKind::Unreadable);
    let unparsed = |status| reduce(&SdkError::response_error("made up", response(status))).kind;
    assert_eq!(unparsed(200), ErrorKind::Unreadable);
    assert!(
        matches!(unparsed(503), ErrorKind::Service { code, status: 503, .. } if code == "HTTP 503")
    );
}

#[test]
fn failed_request_keeps_its_cause() {
    let fault = NetworkFault::Refused {
        host: "localhost".to_owned(),
    };
    let dispatch = |error| reduce(&SdkError::dispatch_failure(error)).kind;
    let lost = ConnectorError::io("made up".into());
    let denied = AwsError::new("AssumeRole", ErrorKind::NoCredentials);
    let provider_error = CredentialsError::provider_error(denied.clone());
    for (kind, expected) in [
        (
            reduce(&SdkError::timeout_error("made up")).kind,
            ErrorKind::Timeout,
        ),
        (
            dispatch(ConnectorError::io(fault.clone().into())),
            ErrorKind::Network(fault),
        ),
        (
            dispatch(lost),
            ErrorKind::Network(NetworkFault::ConnectionLost),
        ),
        (
            dispatch(ConnectorError::timeout("made up".into())),
            ErrorKind::Timeout,
        ),
        (
            reduce(&SdkError::construction_failure("made up")).kind,
            ErrorKind::Configuration,
        ),
        (
            reduce(&SdkError::construction_failure(provider_error)).kind,
            ErrorKind::Credentials(Box::new(denied)),
        ),
    ] {
        assert_eq!(kind, expected);
    }
}

#[test]
fn credentials_error_keeps_its_cause() {
    let reduce = |error| AwsError::from_credentials_error(&error).kind;
    let fault = NetworkFault::ConnectionLost;
    for (error, expected) in [
        (
            CredentialsError::not_loaded("made up"),
            ErrorKind::NoCredentials,
        ),
        (
            CredentialsError::provider_error("made up"),
            ErrorKind::InvalidCredentials,
        ),
        (
            CredentialsError::provider_error(fault.clone()),
            ErrorKind::Network(fault),
        ),
        (
            CredentialsError::provider_error(AwsError::new("AssumeRole", ErrorKind::TokenFile)),
            ErrorKind::TokenFile,
        ),
    ] {
        assert_eq!(reduce(error), expected);
    }
}
