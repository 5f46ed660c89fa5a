//! The default credential chain, used when no role is given: sources, their precedence, and other
//! settings of profiles.

use std::fs;
use std::net::TcpListener;

use insta::assert_snapshot;
use sandbox::{Fault, Role, Sandbox, Trust};

use crate::common::{Cli, NAME, Outcome, operations};

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
pub(crate) fn cli_without_keys(sandbox: &Sandbox) -> Cli {
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
pub(crate) fn with_config(cli: Cli, text: &str) -> Cli {
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
    // Each one also has all sources with lower precedence.
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
    assert_snapshot!(first_lines(&outcome, 4), @r#"
    error: no AWS credentials were found
      why:  searched: the environment (AWS_ACCESS_KEY_ID …), the shared configuration files, AWS_WEB_IDENTITY_TOKEN_FILE, the container's and the instance's metadata services;
            the instance metadata service at 127.0.0.1 accepted the connection and did not answer the request for a token (PUT)
      next: if the role of this EC2 instance is to be used in a container, raise the instance's hop limit to 2 (`aws ec2 modify-instance-metadata-options --http-put-response-hop-limit 2`); AWS_EC2_METADATA_DISABLED=true skips the service;
    "#);
    assert!(sandbox.log().is_empty());
}

/// The first lines of standard error.
fn first_lines(outcome: &Outcome, count: usize) -> String {
    let lines: Vec<_> = outcome.stderr.lines().take(count).collect();
    lines.join("\n")
}

/// Outside AWS, another server may respond at that address: another cloud's metadata service, a web page, an error.
#[test]
fn foreign_metadata_service_is_no_credentials() {
    for fault in [Fault::Page(200), Fault::Page(404), Fault::Page(405)] {
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
fn failing_metadata_service_is_reported() {
    let sandbox = sandbox_with_role();
    let instance = sandbox.metadata_env(ROLE);
    for nth in 1..=8 {
        sandbox.fault("GetMetadataToken", nth, Fault::InternalError);
    }
    let outcome = with_env(cli_without_keys(&sandbox), &instance).run();
    assert_eq!(outcome.code, Some(7), "{}", outcome.stderr);
    assert_snapshot!(first_lines(&outcome, 4), @r#"
    error: no AWS credentials were found: the instance metadata service at 127.0.0.1 failed with HTTP 500
      why:  searched: the environment (AWS_ACCESS_KEY_ID …), the shared configuration files, AWS_WEB_IDENTITY_TOKEN_FILE, the container's and the instance's metadata services
      next: if the role of this EC2 instance is to be used, run again; AWS_EC2_METADATA_DISABLED=true skips the service;
            set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN for temporary keys)
    "#);
}

/// The variables of a container name a service that does not work: place, status and variable are reported.
#[test]
fn container_service_faults_are_explained() {
    let cases: [(Fault, i32); 5] = [
        (Fault::Page(404), 3),
        (Fault::Page(403), 3),
        (Fault::InternalError, 7),
        (Fault::Page(200), 3),
        (Fault::Foreign(200, "{}"), 3),
    ];
    let mut all = String::new();
    for (fault, code) in cases {
        let sandbox = sandbox_with_role();
        let container = sandbox.container_env(ROLE);
        for nth in 1..=8 {
            sandbox.fault("GetContainerCredentials", nth, fault.clone());
        }
        let outcome = with_env(cli_without_keys(&sandbox), &container).run();
        assert_eq!(outcome.code, Some(code), "{fault:?}: {}", outcome.stderr);
        all.push_str(&first_lines(&outcome, 3));
        all.push('\n');
    }
    assert_snapshot!(all, @r#"
    error: the container's credential service at 127.0.0.1 answered with HTTP 404
      why:  AWS_CONTAINER_CREDENTIALS_FULL_URI names this service
      next: check the path in AWS_CONTAINER_CREDENTIALS_FULL_URI, and that the task or pod has a role; to use other credentials, unset that variable
    error: the container's credential service at 127.0.0.1 rejected the request with HTTP 403
      why:  AWS_CONTAINER_CREDENTIALS_FULL_URI names this service
      next: check AWS_CONTAINER_AUTHORIZATION_TOKEN or the file of AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE, and the role of the task or pod; to use other credentials, unset AWS_CONTAINER_CREDENTIALS_FULL_URI
    error: the container's credential service at 127.0.0.1 failed with HTTP 500
      why:  AWS_CONTAINER_CREDENTIALS_FULL_URI names this service
      next: run again; to use other credentials, unset AWS_CONTAINER_CREDENTIALS_FULL_URI
    error: the response from the container's credential service at 127.0.0.1 holds no credentials (HTTP 200)
      why:  AWS_CONTAINER_CREDENTIALS_FULL_URI names this service
      next: check that AWS_CONTAINER_CREDENTIALS_FULL_URI names the credential service, and not another server; to use other credentials, unset that variable
    error: the response from the container's credential service at 127.0.0.1 holds no credentials (HTTP 200)
      why:  AWS_CONTAINER_CREDENTIALS_FULL_URI names this service
      next: check that AWS_CONTAINER_CREDENTIALS_FULL_URI names the credential service, and not another server; to use other credentials, unset that variable
    "#);
}

/// The variables of a container are invalid, or left over from another one.
#[test]
fn container_variables_are_explained() {
    let full_uri = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
    let token_file = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";
    let sandbox = sandbox_with_role();
    let container = sandbox.container_env(ROLE);
    let cli = || with_env(cli_without_keys(&sandbox), &container);
    let missing = cli().env(token_file, "/no/such/token");
    let malformed = cli();
    let file = malformed.path("token").display().to_string();
    fs::write(&file, "made-up\ntoken").unwrap();
    let malformed = malformed.env(token_file, &file);
    let foreign = cli().env(full_uri, "http://192.0.2.1/role");
    let closed = cli().env(full_uri, "http://127.0.0.1:1/role");
    let mut all = String::new();
    for (cli, code) in [(missing, 3), (malformed, 3), (foreign, 3), (closed, 7)] {
        let outcome = cli.run();
        assert_eq!(outcome.code, Some(code), "{}", outcome.stderr);
        assert!(!outcome.all_output().contains("made-up\ntoken"));
        all.push_str(&first_lines(&outcome, 2));
        all.push('\n');
    }
    assert_snapshot!(all, @r#"
    error: AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE does not name a readable file
      next: check that the token's volume is mounted and readable; to use other credentials, unset that variable and AWS_CONTAINER_CREDENTIALS_FULL_URI
    error: the token of AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE contains a line break or another character that tokens cannot have
      next: write the token as one line, without a line break at its end
    error: AWS_CONTAINER_CREDENTIALS_FULL_URI is not the URI of a credential service
      next: use https, or http with a loopback address, 169.254.170.2, 169.254.170.23 or [fd00:ec2::23]; to use other credentials, unset that variable
    error: no connection to the container's credential service at 127.0.0.1: 127.0.0.1 refused the connection
      why:  AWS_CONTAINER_CREDENTIALS_FULL_URI names this service
    "#);
    // GitHub cannot unset a variable, only set it empty.
    let outcome = cli_without_keys(&sandbox)
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env(full_uri, "")
        .run();
    let first = first_lines(&outcome, 1);
    assert_eq!(first, "error: no AWS credentials were found");
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
    assert_snapshot!(all, @r#"
    error: endpoint_url must be a URL such as `https://host:port`
    error: use_fips_endpoint must be `true` or `false`
    error: use_dualstack_endpoint must be `true` or `false`
    error: use_fips_endpoint cannot be met by an endpoint_url of your own; unset one of them
    error: endpoint_url must be a URL such as `https://host:port`
    error: endpoint_url must be a URL such as `https://host:port`
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

    // STS is called for a profile's role as well.
    sandbox.add_role(
        Role::new(ROLE).trust(Trust::principal("arn:aws:iam::111122223333:user/sandbox")),
    );
    let settings = format!(
        "[profile keys]\n{}[profile deploy]\nrole_arn = {ROLE}\nsource_profile = keys\n",
        key_settings(&sandbox)
    );
    let cli = cli_without_keys(&sandbox).env("AWS_PROFILE", "deploy");
    let outcome = with_config(cli, &settings)
        .env("AWS_ENDPOINT_URL_STS", &format!("http://0.0.0.0:{port}"))
        .run();
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let warning = "the endpoint of STS is a plain http:// address on another host";
    assert!(outcome.stderr.contains(warning), "{}", outcome.stderr);
}

/// Only web URL schemes are accepted, whatever configures the endpoint.
#[test]
fn other_schemes_are_rejected() {
    let sandbox = sandbox_with_role();
    let address = sandbox.url().replace("http://", "gopher://");
    let profile = |text: &str| format!("[default]\n{}{text}\n", key_settings(&sandbox));
    let own = "services = own\n[services own]\nsts =\n  endpoint_url = ";
    let with_keys = || Cli::new(&sandbox, "made-up-value");
    let cases = [
        (
            "Secrets Manager",
            2,
            with_keys().env("AWS_ENDPOINT_URL_SECRETS_MANAGER", &address),
        ),
        ("STS", 2, with_keys().env("AWS_ENDPOINT_URL_STS", &address)),
        (
            "proxy",
            2,
            with_keys()
                .env("ALL_PROXY", &address)
                .env("AWS_ENDPOINT_URL", "https://made-up.example")
                .unset("AWS_ENDPOINT_URL_SECRETS_MANAGER"),
        ),
        (
            "profile",
            2,
            with_config(
                cli_without_keys(&sandbox).unset("AWS_ENDPOINT_URL_SECRETS_MANAGER"),
                &profile(&format!("endpoint_url = {address}")),
            ),
        ),
        (
            "STS of a profile's role",
            2,
            with_config(
                cli_without_keys(&sandbox)
                    .unset("AWS_ENDPOINT_URL_STS")
                    .env("AWS_PROFILE", "deploy"),
                &format!(
                    "[profile keys]\n{}[profile deploy]\nrole_arn = {ROLE}\nsource_profile = keys\n{own}{address}\n",
                    key_settings(&sandbox)
                ),
            ),
        ),
        (
            "container",
            3,
            cli_without_keys(&sandbox).env("AWS_CONTAINER_CREDENTIALS_FULL_URI", &address),
        ),
        (
            "instance",
            2,
            cli_without_keys(&sandbox).env("AWS_EC2_METADATA_SERVICE_ENDPOINT", &address),
        ),
        (
            "OIDC token",
            3,
            cli_without_keys(&sandbox)
                .github()
                .input("role-to-assume", ROLE)
                .env("ACTIONS_ID_TOKEN_REQUEST_URL", &address)
                .env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "made-up"),
        ),
    ];
    for (context, code, cli) in cases {
        let outcome = cli.run();
        assert_eq!(outcome.code, Some(code), "{context}: {}", outcome.stderr);
        assert!(sandbox.log().is_empty(), "{context}: {:?}", sandbox.log());
    }
}

/// The sandbox's access key, as settings of a profile.
fn key_settings(sandbox: &Sandbox) -> String {
    let env = sandbox.env().into_iter();
    env.filter(|(name, _)| ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"].contains(name))
        .map(|(name, value)| format!("{} = {value}\n", name.to_lowercase()))
        .collect()
}

/// A profile that fails is reported with STS's own error, not as missing credentials.
#[test]
fn denied_profile_role_reports_sts_error() {
    let sandbox = sandbox_with_role();
    let keys = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];
    // The key is in its own profile, because the environment would take precedence.
    let profile = key_settings(&sandbox);
    let role = "role_arn = arn:aws:iam::111122223333:role/other\nsource_profile = keys\n";
    let config = format!("[profile keys]\n{profile}[profile other]\n{role}");
    let cli = with_config(Cli::new(&sandbox, "made-up-value"), &config).env("AWS_PROFILE", "other");
    let outcome = keys.into_iter().fold(cli, Cli::unset).run();
    assert_eq!(outcome.code, Some(3));
    assert_snapshot!(crate::common::normalized_stderr(&outcome), @r#"
    error: STS refused to let this job assume the role of the profile
      why:  AWS answered: User: arn:aws:iam::111122223333:user/sandbox is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::111122223333:role/other
      next: the role's trust policy must allow sts:AssumeRole to the caller that AWS names, with UPSERT_SECRET_ROLE_EXTERNAL_ID if the policy requires one;
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
