//! Edge cases of values and variables: invisible characters, references, empty sources, empty variables of the SDK.

use std::fs;

use sandbox::Sandbox;

use crate::common::{Cli, NAME, current_value};

#[test]
fn empty_source_is_named() {
    let sandbox = Sandbox::start();
    let stdin = Cli::new(&sandbox, "").input("value-file", "-").stdin(b"");
    let file = Cli::new(&sandbox, "");
    let path = file.path("empty");
    fs::write(&path, "").unwrap();
    let file = file.input("value-file", path.to_str().unwrap());
    let named = Cli::new(&sandbox, "")
        .input("value-env", "MODEL_API_KEY")
        .env("MODEL_API_KEY", "");
    for (cli, wanted) in [
        (stdin, "error: there is no value: standard input is empty"),
        (
            file,
            "error: there is no value: the file that UPSERT_SECRET_VALUE_FILE names is empty",
        ),
        (
            named,
            "error: there is no value: the variable MODEL_API_KEY, which UPSERT_SECRET_VALUE_ENV names, is empty",
        ),
        (
            Cli::with_empty_env(),
            "error: no inputs are set: set UPSERT_SECRET_NAME and UPSERT_SECRET_VALUE, or UPSERT_SECRET_MANIFEST",
        ),
    ] {
        let outcome = cli.run();
        assert_eq!(outcome.code, Some(2), "{}", outcome.stderr);
        assert_eq!(outcome.stderr.lines().next(), Some(wanted));
    }
    assert!(sandbox.log().is_empty());
}

/// The way to store such text on purpose, as named in the rejection.
#[test]
fn reference_from_standard_input_is_stored() {
    let sandbox = Sandbox::start();
    let rejected = Cli::new(&sandbox, "$MODEL_API_KEY").run();
    assert_eq!(rejected.code, Some(2), "{}", rejected.stderr);
    assert!(
        rejected
            .stderr
            .contains("standard input (UPSERT_SECRET_VALUE_FILE)"),
        "{}",
        rejected.stderr
    );
    let outcome = Cli::new(&sandbox, "")
        .input("value-file", "-")
        .stdin(b"$MODEL_API_KEY")
        .run();
    outcome.expect(0, "created");
    assert!(
        outcome
            .stderr
            .contains("has the form of a reference to a variable"),
        "{}",
        outcome.stderr
    );
    assert_eq!(current_value(&sandbox).as_deref(), Some("$MODEL_API_KEY"));
}

#[test]
fn suspicious_bytes_are_stored_unchanged() {
    let sandbox = Sandbox::start();
    for (value, warning) in [
        ("\u{feff}made-up-key", "begins with a byte order mark"),
        ("made-up-key\u{a0}", "ends with a no-break space (U+00A0)"),
        ("m\0a\0d\0e\0", "has a NUL character between all others"),
    ] {
        let outcome = Cli::new(&sandbox, "")
            .input("value-file", "-")
            .stdin(value.as_bytes())
            .run();
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        assert!(outcome.stderr.contains(warning), "{}", outcome.stderr);
        assert_eq!(current_value(&sandbox).as_deref(), Some(value));
    }
    let utf16 = Cli::new(&sandbox, "")
        .input("value-file", "-")
        .stdin(b"\xff\xfem\0a\0d\0e\0")
        .run();
    assert_eq!(utf16.code, Some(2), "{}", utf16.stderr);
    assert!(utf16.stderr.contains("is UTF-16 text"), "{}", utf16.stderr);
}

#[test]
fn json_key_is_named_in_the_log() {
    let sandbox = Sandbox::start();
    sandbox.with(|world| world.create(NAME, r#"{"database":{"password":"old"}}"#));
    let cli = Cli::new(&sandbox, "made-up-value").input("json-key", "database.password");
    let outcome = cli.run();
    outcome.expect(0, "updated");
    assert!(
        outcome
            .stderr
            .contains("set the key `database.password` in version"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn string_over_binary_is_reported() {
    let sandbox = Sandbox::start();
    let cli = |kind| Cli::new(&sandbox, "made-up-value").input("store-as", kind);
    cli("binary").run().expect(0, "created");
    for (kind, held) in [("string", "SecretBinary"), ("binary", "SecretString")] {
        let outcome = cli(kind).run();
        outcome.expect(0, "updated");
        let wanted = format!("{NAME} held {held} until now");
        assert!(outcome.stderr.contains(&wanted), "{}", outcome.stderr);
    }
    let unchanged = cli("binary").run();
    assert!(!unchanged.stderr.contains(" held "), "{}", unchanged.stderr);
}

/// All variables that the SDK reads and treats as set if they are empty. GitHub cannot unset a variable.
const EMPTY: [&str; 22] = [
    "AWS_CA_BUNDLE",
    "AWS_CONFIG_FILE",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_DEFAULT_REGION",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
    "AWS_ENDPOINT_URL_SECRETS_MANAGER",
    "AWS_ENDPOINT_URL_STS",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_MAX_ATTEMPTS",
    "AWS_PROFILE",
    "AWS_RETRY_MODE",
    "AWS_ROLE_ARN",
    "AWS_SDK_UA_APP_ID",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_USE_DUALSTACK_ENDPOINT",
    "AWS_USE_FIPS_ENDPOINT",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
];

/// The program in a home directory with these configuration files; everything else is set to an empty text.
fn with_empty_variables(sandbox: &Sandbox, config: &str, credentials: &str) -> Cli {
    let mut cli = Cli::new(sandbox, "made-up-value");
    fs::create_dir(cli.path(".aws")).unwrap();
    fs::write(cli.path(".aws/config"), config).unwrap();
    fs::write(cli.path(".aws/credentials"), credentials).unwrap();
    for name in EMPTY {
        cli = cli.env(name, "");
    }
    for name in [
        "HTTPS_PROXY",
        "HTTP_PROXY",
        "ALL_PROXY",
        "NO_PROXY",
        "LOG_SIGNABLE_BODY",
    ] {
        cli = cli.env(name, "").env(&name.to_lowercase(), "");
    }
    cli
}

/// Region, keys and endpoint come from the files, as if no variable were set.
#[test]
fn empty_variables_of_the_sdk_are_not_given() {
    let sandbox = Sandbox::start();
    let variables = sandbox.env();
    let variable = |name: &str| {
        let found = variables.iter().find(|(key, _)| *key == name);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let config = format!(
        "[default]\nregion = eu-west-1\nendpoint_url = {}\n",
        sandbox.url()
    );
    let credentials = format!(
        "[default]\naws_access_key_id = {}\naws_secret_access_key = {}\n",
        variable("AWS_ACCESS_KEY_ID"),
        variable("AWS_SECRET_ACCESS_KEY")
    );
    let mut cli = with_empty_variables(&sandbox, &config, &credentials).env("AWS_REGION", "");
    for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
        cli = cli.unset(name);
    }
    cli.run().expect(0, "created");

    // The profile's settings still apply.
    let config = format!("{config}use_fips_endpoint = true\n");
    let outcome = with_empty_variables(&sandbox, &config, "").run();
    assert_eq!(outcome.code, Some(2), "{}", outcome.stderr);
    assert!(
        outcome.stderr.contains("use_fips_endpoint"),
        "{}",
        outcome.stderr
    );
}
