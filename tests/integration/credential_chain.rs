//! The default credential chain, used when no role is given: sources, their precedence, and other
//! settings of profiles.

use std::fs;
use std::net::TcpListener;

use insta::assert_snapshot;
use sandbox::{Fault, Role, Sandbox, Trust};

use crate::common::{Cli, NAME, operations};

const ROLE: &str = "arn:aws:iam::111122223333:role/machine";

fn sandbox_with_role() -> Sandbox {
    let sandbox = Sandbox::start();
    sandbox.add_role(
        Role::new(ROLE)
            .trust(Trust::gitlab("made-up", "*"))
            .trust(Trust::principal("arn:aws:iam::111122223333:user/sandbox")),
    );
    sandbox
}

/// The program without credentials, except those that a test adds.
fn cli_without_keys(sandbox: &Sandbox) -> Cli {
    let mut cli = Cli::with_empty_env()
        .input("name", NAME)
        .input("value", "made-up-value");
    for (name, value) in sandbox.keyless_env() {
        cli = cli.env(name, &value);
    }
    cli
}

fn with_env(mut cli: Cli, pairs: &[(String, String)]) -> Cli {
    for (name, value) in pairs {
        cli = cli.env(name, value);
    }
    cli
}

/// Replaces the shared configuration file, and hides the machine's credentials file.
fn with_config(cli: Cli, text: &str) -> Cli {
    let file = cli.path("aws-config");
    fs::write(&file, text).unwrap();
    let nothing = cli.path("aws-credentials").display().to_string();
    cli.env("AWS_CONFIG_FILE", &file.display().to_string())
        .env("AWS_SHARED_CREDENTIALS_FILE", &nothing)
}

#[test]
fn sources_follow_sdk_precedence() {
    let sandbox = sandbox_with_role();
    let default_env = sandbox.env();
    let key = |name: &str| {
        let found = default_env.iter().find(|(key, _)| *key == name);
        found.unwrap().1.clone()
    };
    let (id, secret) = (key("AWS_ACCESS_KEY_ID"), key("AWS_SECRET_ACCESS_KEY"));
    let profile =
        format!("[default]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n");
    let role_profile =
        format!("{profile}[profile deploy]\nsource_profile = default\nrole_arn = {ROLE}\n");
    let instance = sandbox.metadata_env(ROLE);
    let container = sandbox.container_env(ROLE);
    let token = sandbox.gitlab_token("made-up", "made-up");

    let cli = || cli_without_keys(&sandbox);
    let with_token_file = |cli: Cli| {
        let file = cli.path("token").display().to_string();
        fs::write(&file, &token).unwrap();
        cli.env("AWS_ROLE_ARN", ROLE)
            .env("AWS_WEB_IDENTITY_TOKEN_FILE", &file)
    };
    // Each one also has all sources of lower precedence.
    let on_instance = || with_env(cli(), &instance);
    let in_container = || with_env(on_instance(), &container);
    let with_token = || with_token_file(in_container());
    let with_profile = || with_config(with_token(), &profile);
    let with_key = || {
        with_config(
            with_token(),
            "[default]\naws_access_key_id = AKIAMADEUP\naws_secret_access_key = made-up\n",
        )
        .env("AWS_ACCESS_KEY_ID", &id)
        .env("AWS_SECRET_ACCESS_KEY", &secret)
    };
    let cases: [(&str, Cli, &str, bool); 6] = [
        ("instance", on_instance(), "GetMetadataToken", true),
        ("container", in_container(), "GetContainerCredentials", true),
        (
            "token file",
            with_token(),
            "AssumeRoleWithWebIdentity",
            true,
        ),
        ("profile", with_profile(), "DescribeSecret", false),
        (
            "profile with a role",
            with_config(cli(), &role_profile).env("AWS_PROFILE", "deploy"),
            "AssumeRole",
            true,
        ),
        ("environment", with_key(), "DescribeSecret", false),
    ];
    for (context, cli, first, by_role) in cases {
        sandbox.clear_log();
        let outcome = cli.run();
        assert_eq!(outcome.code, Some(0), "{context}: {}", outcome.stderr);
        let all = operations(&sandbox);
        assert!(
            all[0] == first || !by_role && all[0] == "GetSecretValue",
            "{context}: {all:?}"
        );
        let callers: Vec<_> = sandbox
            .log()
            .into_iter()
            .filter(|entry| entry.operation.contains("Secret"))
            .map(|entry| entry.caller.contains(":assumed-role/machine/"))
            .collect();
        assert!(callers.iter().all(|role| *role == by_role), "{context}");
    }
}

/// Outside AWS the run fails with advice instead of hanging. `benches/no-credentials` measures how
/// soon.
#[test]
fn silent_metadata_service_is_no_credentials() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", silent.local_addr().unwrap());
    let sandbox = Sandbox::start();
    let outcome = cli_without_keys(&sandbox)
        .env("AWS_EC2_METADATA_SERVICE_ENDPOINT", &address)
        .run();
    assert_eq!(outcome.code, Some(3));
    assert!(
        outcome.stderr.contains("no AWS credentials were found"),
        "{}",
        outcome.stderr
    );
    assert!(sandbox.log().is_empty());
}

/// Outside AWS another server may answer at that address: another cloud's metadata service, a web
/// page, an error.
#[test]
fn foreign_metadata_service_is_no_credentials() {
    for fault in [
        Fault::Page(200),
        Fault::Page(404),
        Fault::Page(405),
        Fault::Page(500),
    ] {
        let sandbox = Sandbox::start();
        for nth in 1..=8 {
            sandbox.fault("GetMetadataToken", nth, fault.clone());
        }
        let outcome = cli_without_keys(&sandbox)
            .env("AWS_EC2_METADATA_SERVICE_ENDPOINT", &sandbox.url())
            .run();
        let found = outcome.stderr.lines().next().unwrap_or_default();
        assert_eq!(found, "error: no AWS credentials were found", "{fault:?}");
        assert_eq!(outcome.code, Some(3));
    }
}

#[test]
fn empty_keys_are_reported() {
    let sandbox = Sandbox::start();
    let outcome = cli_without_keys(&sandbox)
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_ACCESS_KEY_ID", "")
        .env("AWS_SECRET_ACCESS_KEY", "")
        .run();
    assert_eq!(outcome.code, Some(3));
    assert!(
        outcome.stderr.contains("are set but empty"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn invalid_profile_settings_are_rejected() {
    let sandbox = Sandbox::start();
    let own = "endpoint_url = https://127.0.0.1:1";
    let cases = [
        "endpoint_url = localhost:4566".to_owned(),
        "use_fips_endpoint = maybe".to_owned(),
        "use_dualstack_endpoint = maybe".to_owned(),
        format!("{own}\nuse_fips_endpoint = true"),
        "services = own\n[services own]\nsts =\n  endpoint_url = made up".to_owned(),
        "services = own\n[services own]\nsecrets-manager =\n  endpoint_url = ftp://made.up"
            .to_owned(),
    ];
    let mut all = String::new();
    for settings in cases {
        let cli = Cli::new(&sandbox, "made-up-value")
            .unset("AWS_ENDPOINT_URL_SECRETS_MANAGER")
            .unset("AWS_ENDPOINT_URL_STS")
            .input("allowed-account-ids", sandbox.account());
        let outcome = with_config(cli, &format!("[default]\n{settings}\n")).run();
        assert_eq!(outcome.code, Some(2), "{settings}: {}", outcome.stderr);
        all.push_str(outcome.stderr.lines().next().unwrap());
        all.push('\n');
    }
    // The SDK alone would fall back to the machine's role.
    let outcome = with_config(Cli::new(&sandbox, "made-up"), "[profile prod]\n")
        .env("AWS_PROFILE", "prdo")
        .run();
    assert_eq!(outcome.code, Some(2));
    all.push_str(outcome.stderr.lines().next().unwrap());
    assert_snapshot!(all, @r#"
    error: endpoint_url must be a URL such as `https://host:port`
    error: use_fips_endpoint must be `true` or `false`
    error: use_dualstack_endpoint must be `true` or `false`
    error: use_fips_endpoint cannot be met by an endpoint_url of your own; unset one of them
    error: endpoint_url must be a URL such as `https://host:port`
    error: endpoint_url must be a URL such as `https://host:port`
    error: AWS_PROFILE names a profile that is not in the shared configuration files
    "#);
    assert!(sandbox.log().is_empty());
}

/// The run succeeds with a warning that the value is sent unencrypted.
#[test]
fn plaintext_endpoint_warns() {
    let sandbox = Sandbox::start();
    let port = sandbox.url().rsplit(':').next().unwrap().to_owned();
    let cli = Cli::new(&sandbox, "made-up-value")
        .unset("AWS_ENDPOINT_URL_SECRETS_MANAGER")
        .unset("AWS_ENDPOINT_URL_STS");
    // 0.0.0.0 reaches this machine, but is not a loopback address.
    let settings = format!("[default]\nendpoint_url = http://0.0.0.0:{port}\n");
    let outcome = with_config(cli, &settings).run();
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("unencrypted"), "{}", outcome.stderr);
}

/// A profile that fails is reported with STS's own error, not as missing credentials.
#[test]
fn denied_profile_role_reports_sts_error() {
    let sandbox = sandbox_with_role();
    let keys = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];
    // The key is in its own profile, because the environment would take precedence.
    let profile: String = sandbox
        .env()
        .into_iter()
        .filter(|(name, _)| keys.contains(name))
        .map(|(name, value)| format!("{} = {value}\n", name.to_lowercase()))
        .collect();
    let role = "role_arn = arn:aws:iam::111122223333:role/other\nsource_profile = keys\n";
    let config = format!("[profile keys]\n{profile}[profile other]\n{role}");
    let cli = with_config(Cli::new(&sandbox, "made-up-value"), &config).env("AWS_PROFILE", "other");
    let outcome = keys.into_iter().fold(cli, Cli::unset).run();
    assert_eq!(outcome.code, Some(3));
    assert_snapshot!(crate::common::normalized_stderr(&outcome), @r#"
    error: STS does not give this job the role of the profile
      why:  AWS says: User: arn:aws:iam::111122223333:user/sandbox is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::111122223333:role/other
      next: the role's trust policy must allow sts:AssumeRole to the caller that AWS names, with `role-external-id` if it asks for one;
            and the caller's own policy must allow sts:AssumeRole on the role
      exit: 3 (no usable credentials)
    "#);
    let process = "[default]\ncredential_process = /made/up\n";
    let outcome = with_config(cli_without_keys(&sandbox), process).run();
    assert_eq!(outcome.code, Some(3));
    assert!(
        outcome.stderr.contains("credential_process"),
        "{}",
        outcome.stderr
    );
}
