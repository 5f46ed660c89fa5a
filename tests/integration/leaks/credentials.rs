//! Credentials from every source, quoted by the servers that receive them: they are redacted like the value. They consist of
//! words that messages may contain, so only redaction hides them.

use sandbox::{Fault, Role, Sandbox, Trust};

use crate::common::Cli;
use crate::credential_chain::{cli_without_keys, with_config};

const KEY: &str = "secret/access/key/role";
const TOKEN: &str = "session/token/value/key";
const ROLE: &str = "arn:aws:iam::111122223333:role/machine";

const ANSWER: &str = r#"{"Code": "Success", "AccessKeyId": "ASIAMADEUP", "SecretAccessKey": "secret/access/key/role",
    "Token": "session/token/value/key", "Expiration": "2126-01-01T00:00:00Z"}"#;

fn quoting(sandbox: &Sandbox, operation: &str) {
    let fault = Fault::Error {
        status: 403,
        code: "InvalidSignatureException".to_owned(),
        message: format!("The signature is invalid: {KEY} and {TOKEN} are not the key of the role"),
    };
    for nth in 1..=9 {
        sandbox.fault(operation, nth, fault.clone());
    }
}

#[test]
fn quoted_credentials_are_redacted() {
    type Source = fn(&Sandbox) -> Cli;
    let sources: [(&str, &str, Source); 5] = [
        ("environment", "DescribeSecret", |sandbox| {
            cli_without_keys(sandbox)
                .env("AWS_ACCESS_KEY_ID", "ASIAMADEUP")
                .env("AWS_SECRET_ACCESS_KEY", KEY)
                .env("AWS_SESSION_TOKEN", TOKEN)
        }),
        ("profile", "DescribeSecret", |sandbox| {
            with_config(
                cli_without_keys(sandbox),
                &format!(
                    "[default]\naws_access_key_id = ASIAMADEUP\naws_secret_access_key = {KEY}\naws_session_token = {TOKEN}\n"
                ),
            )
        }),
        ("profile of a role", "AssumeRole", |sandbox| {
            with_config(
                cli_without_keys(sandbox).env("AWS_PROFILE", "deploy"),
                &format!(
                    "[profile keys]\naws_access_key_id = ASIAMADEUP\naws_secret_access_key = {KEY}\naws_session_token = {TOKEN}\n\
                         [profile deploy]\nrole_arn = {ROLE}\nsource_profile = keys\n"
                ),
            )
        }),
        ("container", "DescribeSecret", |sandbox| {
            sandbox.fault("GetContainerCredentials", 1, Fault::Foreign(200, ANSWER));
            let env = sandbox.container_env(ROLE);
            env.iter()
                .fold(cli_without_keys(sandbox), |cli, (name, value)| {
                    cli.env(name, value)
                })
        }),
        ("instance", "DescribeSecret", |sandbox| {
            sandbox.fault("GetMetadataCredentials", 1, Fault::Foreign(200, ANSWER));
            let env = sandbox.metadata_env(ROLE);
            env.iter()
                .fold(cli_without_keys(sandbox), |cli, (name, value)| {
                    cli.env(name, value)
                })
        }),
    ];
    for (source, operation, cli) in sources {
        let sandbox = Sandbox::start();
        sandbox.add_role(
            Role::new(ROLE).trust(Trust::principal("arn:aws:iam::111122223333:user/sandbox")),
        );
        quoting(&sandbox, operation);
        quoting(&sandbox, "GetSecretValue");
        let outcome = cli(&sandbox).github().run();
        assert_eq!(outcome.code, Some(3), "{source}: {}", outcome.stderr);
        let seen = outcome.all_output();
        assert!(
            seen.contains("*** and *** are not the key"),
            "{source}: {seen}"
        );
        assert!(
            !seen.contains(KEY) && !seen.contains(TOKEN),
            "{source}: {seen}"
        );
    }
}
