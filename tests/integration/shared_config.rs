//! The shared configuration files, and leftovers in the environment: settings that a run does not use do not stop it.

use std::fs;
use std::process::Command;

use insta::assert_snapshot;
use sandbox::{Role, Sandbox, Trust};

use crate::common::{Cli, Outcome, operations};
use crate::credential_chain::{cli_without_keys, with_config};

const ROLE: &str = "arn:aws:iam::111122223333:role/deploy";

/// Standard error without the run's directory.
fn without_folder(cli: &Cli, outcome: &Outcome) -> String {
    let folder = cli.path("").display().to_string();
    outcome
        .stderr
        .replace(&folder, "[folder]/")
        .trim_end()
        .to_owned()
}

/// A run that assumes a role with an OIDC token and therefore needs no other credentials.
fn cli_with_token(sandbox: &Sandbox) -> Cli {
    sandbox.add_role(Role::new(ROLE).trust(Trust::gitlab("made-up", "*")));
    let token = sandbox.gitlab_token("made-up", "made-up");
    cli_without_keys(sandbox)
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("ID_TOKEN", &token)
        .input("web-identity-token-env", "ID_TOKEN")
        .input("role-to-assume", ROLE)
}

#[test]
fn leftovers_stop_only_runs_that_use_them() {
    let sandbox = Sandbox::start();
    let keys = || Cli::new(&sandbox, "made-up-value");
    let token = || cli_with_token(&sandbox);
    let none = || cli_without_keys(&sandbox).env("AWS_EC2_METADATA_DISABLED", "true");
    let profile = |cli: Cli| with_config(cli, "[profile prod]\n").env("AWS_PROFILE", "prdo");
    let region = |cli: Cli| cli.unset("AWS_REGION").unset("AWS_DEFAULT_REGION");
    let socks = "socks5://127.0.0.1:1";
    for (context, cli, code) in [
        ("profile beside keys", profile(keys()), 0),
        ("profile beside a token", profile(token()), 0),
        ("profile for credentials", profile(none()), 2),
        ("profile for the region", profile(region(keys())), 2),
        (
            "default profile",
            with_config(keys(), "").env("AWS_PROFILE", "default"),
            0,
        ),
        (
            "empty profile",
            with_config(keys(), "").env("AWS_PROFILE", ""),
            0,
        ),
        (
            "half a key beside a token",
            token().env("AWS_ACCESS_KEY_ID", "AKIAMADEUP"),
            0,
        ),
        (
            "half a key",
            none().env("AWS_SECRET_ACCESS_KEY", "made-up"),
            3,
        ),
        (
            "broken key beside a token",
            token().env("AWS_SESSION_TOKEN", "made up"),
            0,
        ),
        (
            "half a key for a chained role",
            token()
                .unset("UPSERT_SECRET_WEB_IDENTITY_TOKEN_ENV")
                .env("AWS_ACCESS_KEY_ID", "AKIAMADEUP"),
            3,
        ),
        ("SOCKS, loopback", keys().env("ALL_PROXY", socks), 0),
        (
            "SOCKS for http",
            keys().env("HTTP_PROXY", socks).env("https_proxy", "::::"),
            0,
        ),
    ] {
        let outcome = cli.run();
        assert_eq!(outcome.code, Some(code), "{context}: {}", outcome.stderr);
        let warns = outcome
            .stderr
            .contains("warning: AWS_PROFILE names a profile `prdo`");
        assert_eq!(
            warns,
            code == 0 && context.starts_with("profile"),
            "{context}: {}",
            outcome.stderr
        );
    }
}

/// `iam-policy` makes no calls, and a role without a token is the more important problem.
#[test]
fn half_a_key_hides_nothing() {
    let sandbox = Sandbox::start();
    let policy = Cli::new(&sandbox, "made-up-value")
        .unset("AWS_SECRET_ACCESS_KEY")
        .args(&["iam-policy"])
        .run();
    assert_eq!(policy.code, Some(0), "{}", policy.stderr);
    let role = cli_without_keys(&sandbox)
        .github()
        .input("role-to-assume", ROLE)
        .env("AWS_ACCESS_KEY_ID", "AKIAMADEUP")
        .run();
    assert_eq!(role.code, Some(3));
    assert!(role.stderr.contains("OIDC token"), "{}", role.stderr);
}

#[test]
fn socks_proxy_on_the_way_to_aws_is_rejected() {
    let sandbox = Sandbox::start();
    let outcome = Cli::new(&sandbox, "made-up-value")
        .unset("AWS_ENDPOINT_URL_SECRETS_MANAGER")
        .env("ALL_PROXY", "socks5://ci:made-up@127.0.0.1:1")
        .run();
    assert_eq!(outcome.code, Some(2));
    assert_snapshot!(outcome.stderr.trim_end(), @r"
    error: ALL_PROXY names a SOCKS proxy, which upsert-secret does not support
      next: set HTTPS_PROXY to an HTTP proxy (it takes precedence over ALL_PROXY), or list the hosts that need no proxy in NO_PROXY
      exit: 2 (bad input)
    ");
    assert!(sandbox.log().is_empty());
}

#[test]
fn missing_profile_names_profile_and_files() {
    let sandbox = Sandbox::start();
    let mut all = String::new();
    for (profile, config) in [
        ("prdo", "[profile prod]\n"),
        ("prod", "[prod]\n"),
        ("made-up=key", ""),
        (
            "prod",
            "[profile prod]\nrole_arn = x\nsource_profile = keys\n",
        ),
    ] {
        let cli = with_config(cli_without_keys(&sandbox), config).env("AWS_PROFILE", profile);
        let outcome = cli.run();
        assert_eq!(outcome.code, Some(2), "{}", outcome.stderr);
        all += &without_folder(&cli, &outcome);
        all.push('\n');
    }
    assert_snapshot!(all, @r"
    error: AWS_PROFILE names a profile `prdo` that does not exist
      why:  looked in [folder]/aws-config and [folder]/aws-credentials (no such file)
      next: correct AWS_PROFILE, or unset it for a run without a profile
      exit: 2 (bad input)
    error: AWS_PROFILE names a profile `prod` that does not exist
      why:  looked in [folder]/aws-config and [folder]/aws-credentials (no such file)
      next: the file has the section `[prod]`, which must be `[profile prod]`
      exit: 2 (bad input)
    error: AWS_PROFILE names a profile that does not exist
      why:  looked in [folder]/aws-config and [folder]/aws-credentials (no such file)
      next: correct AWS_PROFILE, or unset it for a run without a profile
      exit: 2 (bad input)
    error: the profile `prod` names a `source_profile` `keys` that does not exist
      why:  looked in [folder]/aws-config and [folder]/aws-credentials (no such file)
      next: correct `source_profile`, or add the profile
      exit: 2 (bad input)
    ");
    assert!(sandbox.log().is_empty());
}

/// If treated as empty, the file would lose its endpoint.
#[test]
fn unusable_file_stops_the_run() {
    let sandbox = Sandbox::start();
    let endpoint = "endpoint_url = https://127.0.0.1:1\n";
    let mut all = String::new();
    for (variable, content) in [
        (
            "AWS_CONFIG_FILE",
            format!("[default]\n{endpoint}made-up-key\n").into_bytes(),
        ),
        (
            "AWS_SHARED_CREDENTIALS_FILE",
            b"aws_secret_access_key = made-up-key\n".to_vec(),
        ),
        ("AWS_CONFIG_FILE", b"\xff\xfe[\0d\0".to_vec()),
    ] {
        let cli = with_config(Cli::new(&sandbox, "made-up-value"), "");
        let file = cli.path("unusable");
        fs::write(&file, content).unwrap();
        let cli = cli.env(variable, &file.display().to_string());
        let outcome = cli.run();
        assert_eq!(outcome.code, Some(2), "{}", outcome.stderr);
        assert!(
            !outcome.stderr.contains("made-up-key"),
            "{}",
            outcome.stderr
        );
        all += &without_folder(&cli, &outcome);
        all.push('\n');
    }
    assert_snapshot!(all, @r"
    error: the shared configuration cannot be used: [folder]/unusable, line 3, has no `=`, as a setting needs it
      why:  the file can set credentials, the region and the endpoint, so the run does not continue without it
      next: correct the file, or set AWS_CONFIG_FILE or AWS_SHARED_CREDENTIALS_FILE to another one (`/dev/null` for none)
      exit: 2 (bad input)
    error: the shared configuration cannot be used: [folder]/unusable, line 1, comes before the first line in brackets, such as `[default]`
      why:  the file can set credentials, the region and the endpoint, so the run does not continue without it
      next: correct the file, or set AWS_CONFIG_FILE or AWS_SHARED_CREDENTIALS_FILE to another one (`/dev/null` for none)
      exit: 2 (bad input)
    error: the shared configuration cannot be used: [folder]/unusable is UTF-16; save it as UTF-8
      why:  the file can set credentials, the region and the endpoint, so the run does not continue without it
      next: correct the file, or set AWS_CONFIG_FILE or AWS_SHARED_CREDENTIALS_FILE to another one (`/dev/null` for none)
      exit: 2 (bad input)
    ");
    assert!(sandbox.log().is_empty());
}

#[test]
fn byte_order_mark_hides_no_profile() {
    let sandbox = Sandbox::start();
    let cli = Cli::new(&sandbox, "made-up-value")
        .unset("AWS_REGION")
        .unset("AWS_DEFAULT_REGION");
    let config = "\u{feff}[default]\nregion = eu-west-1\n";
    with_config(cli, config).run().expect(0, "created");
}

/// Runs `mkfifo` at this path; opening the pipe blocks.
fn pipe(cli: &Cli) -> String {
    let path = cli.path("pipe").display().to_string();
    assert!(
        Command::new("mkfifo")
            .arg(&path)
            .status()
            .unwrap()
            .success()
    );
    path
}

/// A pipe without a writer, in place of any file that a variable or a profile names.
#[test]
#[cfg(unix)]
fn pipe_without_writer_does_not_outlive_timeout() {
    let sandbox = Sandbox::start();
    let keys = || Cli::new(&sandbox, "made-up-value");
    let none = || cli_without_keys(&sandbox).env("AWS_EC2_METADATA_DISABLED", "true");
    let home = |folder: &str| {
        let cli = keys();
        fs::create_dir(cli.path(".aws")).unwrap();
        let path = pipe(&cli);
        fs::rename(path, cli.path(folder)).unwrap();
        cli
    };
    let named = |cli: Cli, variable: &str| {
        let path = pipe(&cli);
        cli.env(variable, &path)
    };
    let in_profile = none();
    let path = pipe(&in_profile);
    let in_profile = with_config(
        in_profile,
        &format!("[default]\nrole_arn = {ROLE}\nweb_identity_token_file = {path}\n"),
    );
    let container = none().env("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:1/");
    let token = none().env("AWS_ROLE_ARN", ROLE);
    for (context, cli, code) in [
        ("configuration", named(keys(), "AWS_CONFIG_FILE"), 2),
        (
            "credentials",
            named(keys(), "AWS_SHARED_CREDENTIALS_FILE"),
            2,
        ),
        ("default configuration", home(".aws/config"), 2),
        ("default credentials", home(".aws/credentials"), 2),
        ("certificates", named(keys(), "AWS_CA_BUNDLE"), 2),
        ("certificates of OpenSSL", named(keys(), "SSL_CERT_FILE"), 2),
        (
            "manifest",
            named(
                keys()
                    .unset("UPSERT_SECRET_NAME")
                    .unset("UPSERT_SECRET_VALUE"),
                "UPSERT_SECRET_MANIFEST",
            ),
            2,
        ),
        (
            "value",
            named(
                keys().unset("UPSERT_SECRET_VALUE"),
                "UPSERT_SECRET_VALUE_FILE",
            ),
            2,
        ),
        ("token", named(token, "AWS_WEB_IDENTITY_TOKEN_FILE"), 7),
        (
            "container's token",
            named(container, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"),
            7,
        ),
        ("profile's token", in_profile, 7),
    ] {
        let outcome = cli.input("timeout", "1s").run();
        assert_eq!(outcome.code, Some(code), "{context}: {}", outcome.stderr);
    }
    assert_eq!(operations(&sandbox), Vec::<String>::new());
}
