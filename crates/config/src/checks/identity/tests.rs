//! Roles, how they are assumed, and invalid combinations of inputs.

use upsert_secret_core::connection::TokenSource;

use super::*;
use crate::run::tests::{check, valid, with};

type Pairs = Vec<(&'static str, &'static str)>;

/// A GitHub job with permission for OIDC tokens.
const GITHUB: [(&str, &str); 4] = [
    ("$GITHUB_ACTIONS", "true"),
    (
        "$ACTIONS_ID_TOKEN_REQUEST_URL",
        "https://github.example/token?v=1",
    ),
    ("$ACTIONS_ID_TOKEN_REQUEST_TOKEN", "made-up-bearer"),
    ("ROLE_TO_ASSUME", ROLE),
];
const ROLE: &str = "arn:aws:iam::111122223333:role/ci/deploy";

fn github<'a>(pairs: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let kept = GITHUB
        .into_iter()
        .filter(|(key, _)| !pairs.iter().any(|(other, _)| other == key));
    with(&kept.chain(pairs.iter().copied()).collect::<Vec<_>>())
}

#[test]
fn token_source_follows_inputs() {
    let source = |pairs: &[(&str, &str)]| {
        let run = valid(pairs);
        let role = run.connection.identity.role.as_ref().expect("a role");
        assert_eq!((role.arn.as_str(), role.account()), (ROLE, "111122223333"));
        let source = match &role.source {
            TokenSource::Token(token) => {
                format!("token {}", String::from_utf8_lossy(token.expose()))
            }
            TokenSource::Github(request) => format!("github {} {}", request.url, request.audience),
            TokenSource::Credentials { external_id } => format!("credentials {external_id:?}"),
            TokenSource::TokenFile(_) => panic!("a token file is part of the credential chain"),
        };
        (source, run.warnings)
    };
    let role = ("ROLE_TO_ASSUME", ROLE);
    let token = ("WEB_IDENTITY_TOKEN_ENV", "ID_TOKEN");
    let chaining = ("ROLE_CHAINING", "true");
    let audience = ("AUDIENCE", "made.up");
    #[rustfmt::skip]
    let cases: &[(Pairs, &str, &[&str])] = &[
        (github(&[]), "github https://github.example/token?v=1 sts.amazonaws.com", &[]),
        (github(&[audience]), "github https://github.example/token?v=1 made.up", &[]),
        (github(&[chaining]), "credentials None", &[]),
        (github(&[chaining, ("ROLE_EXTERNAL_ID", "made-up")]), "credentials Some(\"made-up\")", &[]),
        (github(&[token, ("$ID_TOKEN", "a.b.c\n")]), "token a.b.c", &[]),
        (with(&[role]), "credentials None", &[]),
        (with(&[role, audience]), "credentials None",
            &["UPSERT_SECRET_AUDIENCE is ignored: no OIDC token is requested"]),
        (with(&[role, token, ("$ID_TOKEN", "a.b.c")]), "token a.b.c", &[]),
        (with(&[role, token, chaining, ("$ID_TOKEN", "a.b.c")]), "token a.b.c",
            &["UPSERT_SECRET_ROLE_CHAINING is ignored: an OIDC token is used"]),
        (with(&[role, ("$GITHUB_ACTIONS", "TRUE")]), "credentials None", &[]),
    ];
    for (pairs, wanted, wanted_warnings) in cases {
        let (found, warnings) = source(pairs);
        assert_eq!(found, *wanted, "{pairs:?}");
        assert_eq!(warnings, *wanted_warnings, "{pairs:?}");
    }
}

#[test]
fn invalid_role_inputs_are_rejected() {
    let role = ("ROLE_TO_ASSUME", ROLE);
    let url = "$ACTIONS_ID_TOKEN_REQUEST_URL";
    #[rustfmt::skip]
    let cases: &[(Pairs, Class, &str)] = &[
        (with(&[("ROLE_TO_ASSUME", "deploy")]), Class::Input,
            "UPSERT_SECRET_ROLE_TO_ASSUME must be the ARN of a role: `arn:aws:iam::111122223333:role/NAME`"),
        (with(&[("ROLE_TO_ASSUME", "arn:aws:iam::111122223333:user/deploy")]), Class::Input,
            "UPSERT_SECRET_ROLE_TO_ASSUME must be the ARN of a role: `arn:aws:iam::111122223333:role/NAME`"),
        (with(&[("AUDIENCE", "x")]), Class::Input,
            "UPSERT_SECRET_AUDIENCE is given, but UPSERT_SECRET_ROLE_TO_ASSUME is not"),
        (with(&[role, ("ROLE_DURATION_SECONDS", "899")]), Class::Input,
            "UPSERT_SECRET_ROLE_DURATION_SECONDS must be a number from 900 to 43200"),
        (with(&[role, ("ROLE_SESSION_NAME", "a b")]), Class::Input,
            "UPSERT_SECRET_ROLE_SESSION_NAME must have 2 to 64 letters, digits or characters of `_=,.@+-`"),
        (with(&[role, ("ROLE_CHAINING", "yes")]), Class::Input,
            "UPSERT_SECRET_ROLE_CHAINING must be `false` or `true`"),
        (with(&[("ALLOWED_ACCOUNT_IDS", ",")]), Class::Input,
            "UPSERT_SECRET_ALLOWED_ACCOUNT_IDS must be 12-digit account IDs, separated by commas"),
        (with(&[role, ("ALLOWED_ACCOUNT_IDS", "444455556666, 777788889999")]), Class::Credentials,
            "the role belongs to the account 111122223333, which is not in UPSERT_SECRET_ALLOWED_ACCOUNT_IDS"),
        (with(&[role, ("$GITHUB_ACTIONS", "true")]), Class::Credentials,
            "GitHub issues no OIDC token to this job, so it cannot assume the role"),
        (github(&[(url, "http://github.example/token")]), Class::Credentials,
            "ACTIONS_ID_TOKEN_REQUEST_URL is not an https:// URL, or its token is not valid"),
        (github(&[("ROLE_EXTERNAL_ID", "made-up")]), Class::Input,
            "UPSERT_SECRET_ROLE_EXTERNAL_ID cannot be used with an OIDC token; only AssumeRole accepts it (`role-chaining: true`)"),
        (with(&[role, ("WEB_IDENTITY_TOKEN_ENV", "ID_TOKEN")]), Class::Credentials,
            "the variable that UPSERT_SECRET_WEB_IDENTITY_TOKEN_ENV names holds no OIDC token"),
        (with(&[role, ("WEB_IDENTITY_TOKEN_ENV", "ID_TOKEN"), ("$ID_TOKEN", "")]), Class::Credentials,
            "the variable ID_TOKEN holds no OIDC token"),
        (with(&[role, ("WEB_IDENTITY_TOKEN_ENV", "ID_TOKEN"), ("$ID_TOKEN", "made up")]), Class::Credentials,
            "the variable ID_TOKEN does not hold an OIDC token"),
        // Input problems are reported before missing credentials.
        (with(&[role, ("$GITHUB_ACTIONS", "true"), ("NAME", "")]), Class::Input,
            "UPSERT_SECRET_NAME is not set: it is the name or the ARN of the secret"),
    ];
    for (pairs, class, wanted) in cases {
        let Err(failure) = check(pairs) else {
            panic!("{pairs:?} is rejected");
        };
        assert_eq!(
            (failure.class, failure.what.as_str()),
            (*class, *wanted),
            "{pairs:?}"
        );
    }
}

#[test]
fn token_file_role_needs_file_and_arn() {
    let file = ("$AWS_WEB_IDENTITY_TOKEN_FILE", "/var/token");
    let file_role = |pairs: &[(&str, &str)]| {
        let run = valid(&with(pairs));
        let role = run.connection.identity.token_file_role.as_ref();
        let found = role.map(|role| (role.arn.clone(), role.session_name.clone()));
        (found, run.warnings.len())
    };
    assert_eq!(file_role(&[]), (None, 0));
    assert_eq!(file_role(&[file]), (None, 1));
    assert_eq!(
        file_role(&[file, ("$AWS_ROLE_ARN", ROLE)]),
        (Some((ROLE.to_owned(), "upsert-secret".to_owned())), 0)
    );
    assert_eq!(
        file_role(&[
            file,
            ("$AWS_ROLE_ARN", ROLE),
            ("$AWS_ROLE_SESSION_NAME", "made-up")
        ]),
        (Some((ROLE.to_owned(), "made-up".to_owned())), 0)
    );
}
