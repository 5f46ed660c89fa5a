//! The sandbox as a program: what it prints, that what it prints works, and how it ends.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
};

use sandbox::client::Client;
use serde_json::json;

const PROGRAM: &str = env!("CARGO_BIN_EXE_sandbox");

#[test]
fn prints_an_environment_that_works() {
    let mut child = Command::new(PROGRAM)
        .args(["--port", "0", "--latency-ms", "1"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let url = lines.next().expect("a line").expect("text");
    let environment: BTreeMap<String, String> = lines
        .by_ref()
        .take(5)
        .map(|line| {
            let line = line.expect("text");
            let (name, value) = line.split_once('=').expect("NAME=value");
            (name.to_owned(), value.to_owned())
        })
        .collect();
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
        reply.expect("an answer").code(),
        "ResourceNotFoundException"
    );
    end(&mut child);
}

/// SIGTERM ends it well; where there are no signals it can only be killed.
fn end(child: &mut std::process::Child) {
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
fn refuses_what_it_does_not_know() {
    for arguments in [
        &["--prot", "1"][..],
        &["--port"],
        &["--port", "x"],
        &["--port", "70000"],
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
