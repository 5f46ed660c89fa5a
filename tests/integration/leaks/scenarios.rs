//! Scenarios for the leak test: one per exit code, per hazardous SDK setting and per fault.

use sandbox::{Fault, Policy, Sandbox};

use crate::common::{Cli, NAME, missing_path};

pub(super) type Arrange = Box<dyn Fn(&Sandbox, Cli) -> Cli>;

pub(super) struct Scenario {
    pub(super) what: String,
    pub(super) arrange: Arrange,
}

/// One scenario per exit code and per hazardous SDK setting.
pub(super) fn scenarios() -> Vec<Scenario> {
    let mut all = Vec::new();
    let mut add = |what: &str, arrange: Arrange| {
        all.push(Scenario {
            what: what.to_owned(),
            arrange,
        });
    };
    add("done", Box::new(|_, cli| cli));
    add("bad input", Box::new(|_, cli| cli.input("name", "a b")));
    add(
        "value as name",
        Box::new(|_, cli| {
            let value = cli.value();
            cli.input("name", &value)
        }),
    );
    add(
        "value as everything",
        Box::new(|_, cli| {
            let value = cli.value();
            [
                "tags",
                "compare",
                "timeout",
                "kms-key-id",
                "aws-region",
                "command",
                "value-encoding",
                "role-to-assume",
                "role-session-name",
                "role-duration-seconds",
                "role-external-id",
                "role-chaining",
                "audience",
                "web-identity-token-env",
                "allowed-account-ids",
            ]
            .into_iter()
            .fold(cli, |cli, input| cli.input(input, &value))
        }),
    );
    add(
        "value as description",
        Box::new(|_, cli| {
            let value = cli.value();
            cli.input("description", &value).input("tags", "k: [1")
        }),
    );
    add(
        "value as session name",
        Box::new(|_, cli| {
            let value = cli.value();
            cli.input("role-to-assume", "arn:aws:iam::111122223333:role/made-up")
                .input("role-session-name", &value)
        }),
    );
    add(
        "value as token",
        Box::new(|_, cli| {
            cli.input("role-to-assume", "arn:aws:iam::111122223333:role/made-up")
                .input("web-identity-token-env", "UPSERT_SECRET_VALUE")
        }),
    );
    add(
        "value in a proxy and a bundle",
        Box::new(|_, cli| {
            let value = cli.value();
            cli.env("HTTPS_PROXY", &format!("http://ci:{value}@proxy:x"))
                .env("AWS_CA_BUNDLE", &value)
                .env("AWS_PROFILE", &value)
        }),
    );
    add(
        "value as argument",
        Box::new(|_, cli| {
            let value = cli.value();
            cli.args(&["--value", &value])
        }),
    );
    add(
        "value as variable's name",
        Box::new(|_, cli| {
            let value = cli.value();
            cli.input("value", "").input("value-env", &value)
        }),
    );
    add(
        "value as file",
        Box::new(|_, cli| {
            let value = cli.value();
            cli.input("value", "").input("value-file", &value)
        }),
    );
    add(
        "unwritable",
        Box::new(|_, cli| cli.input("output-file", &missing_path(std::path::Path::new("/")))),
    );
    add(
        "no credentials",
        Box::new(|_, cli| cli.unset("AWS_ACCESS_KEY_ID")),
    );
    add(
        "wrong signature",
        Box::new(|_, cli| cli.env("AWS_SECRET_ACCESS_KEY", "made-up-wrong")),
    );
    add(
        "denied",
        Box::new(|sandbox, cli| {
            sandbox.set_policy(
                &sandbox.default_key_id(),
                Policy::deny(&[
                    "secretsmanager:PutSecretValue",
                    "secretsmanager:CreateSecret",
                ]),
            );
            cli
        }),
    );
    add(
        "overtaken",
        Box::new(|sandbox, cli| {
            sandbox.fault("PutSecretValue", 1, Fault::LostAfter);
            sandbox.after("PutSecretValue", 1, |world| {
                world.put(NAME, "rival");
            });
            cli
        }),
    );
    add(
        "rotation",
        Box::new(|sandbox, cli| {
            sandbox.with(|world| world.set_rotation(NAME, true));
            cli
        }),
    );
    add(
        "refused connection",
        Box::new(|_, cli| {
            cli.env("AWS_ENDPOINT_URL_SECRETS_MANAGER", "http://127.0.0.1:9")
                .env("AWS_MAX_ATTEMPTS", "1")
        }),
    );
    let traps = [
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", "localhost:4566"),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", "http://"),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", "/x"),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", "http://a b/"),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", "http://[::1"),
        ("AWS_ENDPOINT_URL", "localhost:4566"),
        ("AWS_MAX_ATTEMPTS", "0"),
        ("AWS_RETRY_MODE", "bogus"),
        ("AWS_ACCESS_KEY_ID", "AKIAMADEUP\nX"),
        ("AWS_REGION", ""),
        ("LOG_SENSITIVE_BODIES", "true"),
        ("LOG_SIGNABLE_BODY", "true"),
        ("RUST_LOG", "trace"),
        ("AWS_USE_FIPS_ENDPOINT", "maybe"),
        ("AWS_SDK_UA_APP_ID", "\u{fc} bad"),
        ("HTTPS_PROXY", "::::"),
        ("AWS_PROFILE", "nowhere"),
    ];
    for (name, content) in traps {
        add(
            &format!("{name}={content:?}"),
            Box::new(move |_, cli| cli.env(name, content)),
        );
    }
    all
}

/// Every fault on every call.
pub(super) fn fault_scenarios() -> Vec<Scenario> {
    let mut all = Vec::new();
    let mut add = |what: &str, arrange: Arrange| {
        all.push(Scenario {
            what: what.to_owned(),
            arrange,
        });
    };
    let quoting = |code: &str| Fault::Error {
        status: 400,
        code: code.to_owned(),
        message: String::new(),
    };
    let faults = [
        Fault::Throttle,
        Fault::InternalError,
        Fault::BadGateway,
        Fault::Unavailable,
        Fault::ResetBefore,
        Fault::LostAfter,
        Fault::CutBody,
        Fault::MalformedBody,
        Fault::EmptyObject,
        Fault::ExpiredToken,
        Fault::BadSignature,
        Fault::AccessDenied,
        Fault::QuoteValue,
        quoting("LimitExceededException"),
        quoting("ValidationException"),
    ];
    for operation in [
        "PutSecretValue",
        "UpdateSecret",
        "DescribeSecret",
        "GetSecretValue",
    ] {
        for fault in &faults {
            let fault = fault.clone();
            add(
                &format!("{operation} {fault:?}"),
                Box::new(move |sandbox, cli| {
                    // Repeated, so that faults that cause a second read also end the run.
                    for nth in 1..=3 {
                        sandbox.fault(operation, nth, fault.clone());
                    }
                    cli.env("AWS_MAX_ATTEMPTS", "1").input("timeout", "5s")
                }),
            );
        }
    }
    add(
        "unparsable value",
        Box::new(|sandbox, cli| {
            let value = cli.value();
            sandbox.with(|world| world.put(NAME, &value));
            for nth in 1..=12 {
                sandbox.fault("GetSecretValue", nth, Fault::MalformedGet);
            }
            cli.input("timeout", "5s")
        }),
    );
    all
}
