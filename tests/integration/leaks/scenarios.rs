//! What a run can be put into: one situation for each exit class, each trap of the SDK, each fault.

use sandbox::{Fault, Policy, Sandbox};

use crate::common::{NAME, Tool, nowhere};

pub(super) type Change = Box<dyn Fn(&Sandbox, Tool) -> Tool>;

pub(super) struct Situation {
    pub(super) what: String,
    pub(super) change: Change,
}

/// One situation for each exit class and each trap of the SDK.
pub(super) fn situations() -> Vec<Situation> {
    let mut all = Vec::new();
    let mut add = |what: &str, change: Change| {
        all.push(Situation {
            what: what.to_owned(),
            change,
        });
    };
    add("done", Box::new(|_, tool| tool));
    add("bad input", Box::new(|_, tool| tool.input("name", "a b")));
    add(
        "value as name",
        Box::new(|_, tool| {
            let value = tool.value();
            tool.input("name", &value)
        }),
    );
    add(
        "value as everything",
        Box::new(|_, tool| {
            let value = tool.value();
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
            .fold(tool, |tool, input| tool.input(input, &value))
        }),
    );
    add(
        "value as description",
        Box::new(|_, tool| {
            let value = tool.value();
            tool.input("description", &value).input("tags", "k: [1")
        }),
    );
    add(
        "value as session name",
        Box::new(|_, tool| {
            let value = tool.value();
            tool.input("role-to-assume", "arn:aws:iam::111122223333:role/made-up")
                .input("role-session-name", &value)
        }),
    );
    add(
        "value as token",
        Box::new(|_, tool| {
            tool.input("role-to-assume", "arn:aws:iam::111122223333:role/made-up")
                .input("web-identity-token-env", "UPSERT_SECRET_VALUE")
        }),
    );
    add(
        "value in a proxy and a bundle",
        Box::new(|_, tool| {
            let value = tool.value();
            tool.env("HTTPS_PROXY", &format!("http://ci:{value}@proxy:x"))
                .env("AWS_CA_BUNDLE", &value)
                .env("AWS_PROFILE", &value)
        }),
    );
    add(
        "value as argument",
        Box::new(|_, tool| {
            let value = tool.value();
            tool.arguments(&["--value", &value])
        }),
    );
    add(
        "value as variable's name",
        Box::new(|_, tool| {
            let value = tool.value();
            tool.input("value", "").input("value-env", &value)
        }),
    );
    add(
        "value as file",
        Box::new(|_, tool| {
            let value = tool.value();
            tool.input("value", "").input("value-file", &value)
        }),
    );
    add(
        "unwritable",
        Box::new(|_, tool| tool.input("output-file", &nowhere(std::path::Path::new("/")))),
    );
    add(
        "no credentials",
        Box::new(|_, tool| tool.unset("AWS_ACCESS_KEY_ID")),
    );
    add(
        "wrong signature",
        Box::new(|_, tool| tool.env("AWS_SECRET_ACCESS_KEY", "made-up-wrong")),
    );
    add(
        "denied",
        Box::new(|sandbox, tool| {
            sandbox.set_policy(
                &sandbox.default_key_id(),
                Policy::deny(&[
                    "secretsmanager:PutSecretValue",
                    "secretsmanager:CreateSecret",
                ]),
            );
            tool
        }),
    );
    add(
        "overtaken",
        Box::new(|sandbox, tool| {
            sandbox.fault("PutSecretValue", 1, Fault::LostAfter);
            sandbox.after("PutSecretValue", 1, |world| {
                world.put(NAME, "rival");
            });
            tool
        }),
    );
    add(
        "rotation",
        Box::new(|sandbox, tool| {
            sandbox.with(|world| world.set_rotation(NAME, true));
            tool
        }),
    );
    add(
        "refused connection",
        Box::new(|_, tool| {
            tool.env("AWS_ENDPOINT_URL_SECRETS_MANAGER", "http://127.0.0.1:9")
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
            Box::new(move |_, tool| tool.env(name, content)),
        );
    }
    all
}

/// Every fault of every call.
pub(super) fn faulty_situations() -> Vec<Situation> {
    let mut all = Vec::new();
    let mut add = |what: &str, change: Change| {
        all.push(Situation {
            what: what.to_owned(),
            change,
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
                Box::new(move |sandbox, tool| {
                    // Twice, so that a fault that is looked at again also ends the run.
                    for nth in 1..=3 {
                        sandbox.fault(operation, nth, fault.clone());
                    }
                    tool.env("AWS_MAX_ATTEMPTS", "1").input("timeout", "5s")
                }),
            );
        }
    }
    add(
        "unparsable value",
        Box::new(|sandbox, tool| {
            let value = tool.value();
            sandbox.with(|world| world.put(NAME, &value));
            for nth in 1..=12 {
                sandbox.fault("GetSecretValue", nth, Fault::MalformedGet);
            }
            tool.input("timeout", "5s")
        }),
    );
    all
}
