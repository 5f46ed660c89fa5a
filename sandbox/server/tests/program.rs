//! The sandbox as a program: its output, its environment variables, and how it stops.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
};

use sandbox::client::Client;
use serde_json::json;

const PROGRAM: &str = env!("CARGO_BIN_EXE_sandbox");

#[test]
fn printed_environment_works() {
    let (mut child, url, environment) = start(&["--port", "0", "--latency-ms", "1"], 5);
    assert_eq!(environment["AWS_ENDPOINT_URL_SECRETS_MANAGER"], url);
    assert_eq!(environment["AWS_ENDPOINT_URL_STS"], url);
    let client = Client {
        url,
        region: environment["AWS_REGION"].clone(),
        key_id: environment["AWS_ACCESS_KEY_ID"].clone(),
        secret: environment["AWS_SECRET_ACCESS_KEY"].clone(),
        session_token: None,
        at: None,
    };
    let reply = client.call("DescribeSecret", &json!({"SecretId": "none"}));
    assert_eq!(
        reply.expect("a response").code(),
        "ResourceNotFoundException"
    );
    end(&mut child.0);
}

/// The running program, which is killed when this is dropped.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        // It may have stopped already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts the program with these options; returns its first line and the variables that follow.
fn start(arguments: &[&str], lines: usize) -> (Program, String, BTreeMap<String, String>) {
    let mut child = Command::new(PROGRAM)
        .args(arguments)
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut printed = BufReader::new(child.stdout.take().expect("piped")).lines();
    let url = printed.next().expect("a line").expect("text");
    let environment = printed.by_ref().take(lines).map(|line| {
        let line = line.expect("text");
        let (name, value) = line.split_once('=').expect("NAME=value");
        (name.to_owned(), value.to_owned())
    });
    let environment = environment.collect();
    (Program(child), url, environment)
}

#[test]
fn roles_work_without_key() {
    const RELEASE: &str = "arn:aws:iam::111122223333:role/release";
    const DEPLOY: &str = "arn:aws:iam::111122223333:role/deploy";
    let arguments = [
        "--no-key",
        "--role",
        RELEASE,
        "--trust-github",
        "repo:acme/app:*",
        "--role",
        DEPLOY,
        "--trust-gitlab",
        "project_path:acme/app:*",
        "--max-session",
        "7200",
        "--github-job",
        "repo:acme/app:ref:refs/heads/main",
        "--gitlab-job",
        "project_path:acme/app:ref_type:branch:ref:main",
        "--github-audience",
        "https://acme.example.com",
    ];
    let (mut child, url, environment) = start(&arguments, 6);
    assert!(
        !environment.contains_key("AWS_ACCESS_KEY_ID"),
        "{environment:?}"
    );
    let client = Client::new(&url);
    let assume = |role: &str, token: &str, duration: &str| {
        let parameters = [
            ("RoleArn", role),
            ("RoleSessionName", "script"),
            ("WebIdentityToken", token),
            ("DurationSeconds", duration),
        ];
        let reply = client.sts_unsigned("AssumeRoleWithWebIdentity", &parameters);
        reply.expect("a response")
    };
    let gitlab = &environment["GITLAB_OIDC_TOKEN"];
    assert_eq!(assume(DEPLOY, gitlab, "7200").status, 200);
    assert_eq!(assume(RELEASE, gitlab, "900").code(), "AccessDenied");

    let ask = format!(
        "{}&audience=https://acme.example.com",
        environment["ACTIONS_ID_TOKEN_REQUEST_URL"]
    );
    let bearer = format!("Bearer {}", environment["ACTIONS_ID_TOKEN_REQUEST_TOKEN"]);
    let token = client
        .plain("GET", &ask, &[("authorization", &bearer)], "")
        .expect("a response");
    let session = assume(
        RELEASE,
        token.json()["value"].as_str().expect("a token"),
        "900",
    );
    let session = client.with_session(&session);
    let reply = session.call("DescribeSecret", &json!({"SecretId": "none"}));
    assert_eq!(
        reply.expect("a response").code(),
        "ResourceNotFoundException"
    );
    let log = client.get("/_sandbox/log").expect("a response").body;
    let last = log.lines().last().expect("a line");
    assert!(
        last.contains("arn:aws:sts::111122223333:assumed-role/release/script"),
        "{last}"
    );
    end(&mut child.0);
}

#[test]
fn bind_accepts_only_loopback() {
    let (mut child, url, _) = start(&["--bind", "::1"], 5);
    assert!(url.starts_with("http://[::1]:"), "{url}");
    let reply = Client::new(&url).sts("GetCallerIdentity");
    assert_eq!(reply.expect("a response").status, 200);
    end(&mut child.0);
    let output = Command::new(PROGRAM)
        .args(["--bind", "0.0.0.0"])
        .output()
        .expect("it runs");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("not a loopback address"), "{said}");
}

/// Stops the program with SIGTERM and checks that it succeeds; on systems without signals, kills it.
fn end(child: &mut Child) {
    if cfg!(unix) {
        let id = child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status();
        assert!(sent.expect("kill runs").success());
        assert!(child.wait().expect("it ends").success());
    } else {
        child.kill().expect("it can be killed");
        child.wait().expect("it ends");
    }
}

#[test]
fn invalid_arguments_exit_2() {
    for arguments in [
        &["--prot", "1"][..],
        &["--port"],
        &["--port", "x"],
        &["--port", "70000"],
        &["--bind", "x"],
        &["--port-like", "1"],
        &["--role", "x"],
        &["--role", "arn:aws:iam::111122223333:user/release"],
        &["--trust-github", "repo:acme/app:*"],
        &["listen", "1"],
    ] {
        let output = Command::new(PROGRAM)
            .args(arguments)
            .output()
            .expect("it runs");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty());
    }
    let help = Command::new(PROGRAM)
        .arg("--help")
        .output()
        .expect("it runs");
    assert_eq!(help.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&help.stdout).contains("--writes-per-second"));
}
