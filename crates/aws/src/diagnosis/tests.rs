use upsert_secret_core::claims::Claims;
use upsert_secret_core::error::{ErrorKind as StoreErrorKind, StoreError};
use upsert_secret_core::failure::{Class, Failure};
use upsert_secret_core::quote::ForeignText;
use upsert_secret_core::store::Subject;

use super::{explain, explain_aws_error, store_error};
use crate::caller::Caller;
use crate::error::{AwsError, ErrorKind};
use crate::fault::{NetworkFault, ProxyFault, RoleFault};

mod table;

fn caller() -> Caller {
    Caller {
        region: "eu-west-1".to_owned(),
        ..Caller::default()
    }
}

fn subject() -> Subject<'static> {
    Subject::new("prod/key", "prod/key")
}

fn service(operation: &'static str, code: &str, message: &str) -> StoreError {
    let kind = StoreErrorKind::Service {
        code: code.to_owned(),
        message: ForeignText::new(message),
        status: 400,
    };
    StoreError::new(operation, kind)
}

fn explain_kind(kind: ErrorKind) -> Failure {
    explain_aws_error(AwsError::new("GetSecretValue", kind), subject(), &caller())
}

#[test]
fn denial_names_action_and_resources() {
    const ARN: &str = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/key";
    const DENIED: &str = "User: arn:aws:sts::111122223333:assumed-role/ci/job is not authorized to perform: secretsmanager:TagResource on resource: prod/key";
    let explain = |operation, message, subject| {
        explain(
            &service(operation, "AccessDeniedException", message),
            subject,
            &caller(),
        )
        .next
    };
    // The action named by AWS, in the caller's account.
    let next = explain("CreateSecret", DENIED, subject());
    assert!(next.contains("secretsmanager:TagResource"), "{next}");
    assert!(next.ends_with(&format!("{ARN}-??????")), "{next}");
    // A missing secret is read by its bare name.
    let next = explain("DescribeSecret", "", subject());
    assert!(next.contains("secretsmanager:DescribeSecret"), "{next}");
    assert!(next.contains(":*:secret:prod/key-??????"), "{next}");
    assert!(next.ends_with(":*:secret:prod/key"), "{next}");
    // A known ARN needs no pattern.
    let arn = format!("{ARN}-AbCdEf");
    let known = Subject {
        arn: Some(&arn),
        ..subject()
    };
    assert!(explain("GetSecretValue", DENIED, known).ends_with(&arn));
    // Access to the key is not access to the secret.
    let next = explain("GetSecretValue", "Access to KMS is not allowed", subject());
    assert!(next.contains("kms:Decrypt"), "{next}");
}

#[test]
fn store_error_keeps_what_engine_needs() {
    let convert = |kind| {
        let error = AwsError {
            request_id: Some("made-up".to_owned()),
            attempts: 3,
            ..AwsError::new("PutSecretValue", kind)
        };
        let converted = store_error(error, &caller());
        assert_eq!(converted.operation, "PutSecretValue");
        assert_eq!(converted.request_id.as_deref(), Some("made-up"));
        assert_eq!(converted.attempts, 3);
        converted
    };
    let denied = convert(ErrorKind::Service {
        code: "AccessDeniedException".to_owned(),
        message: ForeignText::new("made up"),
        status: 400,
    });
    assert!(denied.is_denied() && denied.message() == Some(&ForeignText::new("made up")));
    assert_eq!(convert(ErrorKind::Timeout).kind, StoreErrorKind::Timeout);
    assert_eq!(
        convert(ErrorKind::Unreadable).kind,
        StoreErrorKind::Unreadable
    );
    assert_eq!(
        convert(ErrorKind::Cancelled).kind,
        StoreErrorKind::Cancelled
    );
    assert!(convert(ErrorKind::Network(NetworkFault::ConnectionLost)).is_unknown_outcome());
    let not_sent = convert(ErrorKind::NoCredentials);
    assert!(matches!(not_sent.kind, StoreErrorKind::NotSent(_)));
    assert!(!not_sent.is_unknown_outcome());
}

#[test]
fn role_denied_for_secret_is_not_denied_secret() {
    let denied = AwsError::new("AssumeRole", role_fault("AccessDenied", None));
    let error = AwsError::new("GetSecretValue", ErrorKind::Credentials(Box::new(denied)));
    let error = store_error(error, &caller());
    assert!(!error.is_denied() && error.code().is_none());
    let failure = explain(&error, subject(), &caller());
    assert_eq!(failure.class, Class::Credentials);
    assert!(failure.what.contains("role/ci"), "{failure}");
}

#[test]
fn reference_has_code_request_id_and_attempts() {
    let mut error = service("PutSecretValue", "InternalServiceError", "");
    let reference = |error: &StoreError| explain(error, subject(), &caller()).aws;
    assert_eq!(reference(&error), None);
    error.attempts = 3;
    error.request_id = Some("made-up".to_owned());
    assert_eq!(
        reference(&error).as_deref(),
        Some("PutSecretValue, InternalServiceError, request id made-up, 3 attempts")
    );
}

fn role_fault(code: &str, claims: Option<Claims>) -> ErrorKind {
    ErrorKind::Role(Box::new(RoleFault {
        role: "arn:aws:iam::111122223333:role/ci".to_owned(),
        code: code.to_owned(),
        message: ForeignText::default(),
        status: 403,
        claims,
    }))
}

#[test]
fn local_cause_decides_class() {
    use Class::*;
    let host = || "localhost".to_owned();
    let id_token = |status| ErrorKind::IdTokenRejected {
        status,
        message: ForeignText::default(),
    };
    for (kind, class) in [
        (ErrorKind::NoCredentials, Credentials),
        (ErrorKind::InvalidCredentials, Credentials),
        (ErrorKind::TokenFile, Credentials),
        (
            ErrorKind::AccountNotAllowed {
                account: "111122223333".to_owned(),
            },
            Credentials,
        ),
        (id_token(403), Credentials),
        (id_token(503), Unavailable),
        (
            ErrorKind::NotGithub {
                host: host(),
                status: 200,
            },
            Unavailable,
        ),
        (role_fault("AccessDenied", None), Credentials),
        (role_fault("ExpiredTokenException", None), Credentials),
        (
            role_fault("InvalidIdentityToken", Some(Claims::default())),
            Credentials,
        ),
        (role_fault("IDPCommunicationError", None), Unavailable),
        (role_fault("Throttling", None), Unavailable),
        (role_fault("ValidationError", None), Input),
        (ErrorKind::Roots("made up".to_owned()), Input),
        (
            ErrorKind::Setting {
                key: "endpoint_url",
                why: "made up",
            },
            Input,
        ),
        (ErrorKind::NoRegion, Input),
        (ErrorKind::Configuration, Input),
        (
            ErrorKind::Network(NetworkFault::Dns { host: host() }),
            Unavailable,
        ),
        (
            ErrorKind::Network(NetworkFault::Proxy {
                proxy: host(),
                fault: ProxyFault::Status(407),
            }),
            Unavailable,
        ),
        (
            ErrorKind::NotAws {
                host: host(),
                status: 403,
            },
            Unavailable,
        ),
    ] {
        let failure = explain_kind(kind.clone());
        assert_eq!(failure.class, class, "{failure}");
    }
}

#[test]
fn denied_role_shows_matching_trust_policy() {
    let claims = Claims {
        sub: Some("repo:acme/models:ref:refs/heads/main".to_owned()),
        aud: Some("sts.amazonaws.com".into()),
        iss: Some("https://token.actions.githubusercontent.com".to_owned()),
    };
    let next = explain_kind(role_fault("AccessDenied", Some(claims))).next;
    for condition in [
        r#""token.actions.githubusercontent.com:aud": "sts.amazonaws.com""#,
        r#""token.actions.githubusercontent.com:sub": "repo:acme/models:ref:refs/heads/main""#,
    ] {
        assert!(next.contains(condition), "{next}");
    }
}
