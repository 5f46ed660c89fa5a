//! Connections opened while a token is being requested.

use sandbox::When;
use sandbox::front::{Authority, Tls};

use super::with_ca;
use crate::common::WAIT_LIMIT;
use crate::roles::{github_job, sandbox_with_role};

#[test]
fn connections_open_while_token_is_pending() {
    let sandbox = sandbox_with_role();
    let authority = Authority::new();
    let front = || {
        let builder = Tls::builder(&["localhost"]).authority(&authority);
        builder.start(&sandbox.url())
    };
    let (sts, secrets_manager) = (front(), front());
    let cli = with_ca(github_job(&sandbox), "AWS_CA_BUNDLE", &authority.pem())
        .env("AWS_ENDPOINT_URL_STS", &sts.url())
        .env("AWS_ENDPOINT_URL_SECRETS_MANAGER", &secrets_manager.url());
    let held = sandbox.hold("GetIdToken", 1, When::BeforeApply);
    let child = cli.spawn();
    assert!(sts.wait_for_handshakes(1, WAIT_LIMIT));
    assert!(secrets_manager.wait_for_handshakes(2, WAIT_LIMIT));
    held.release();
    cli.finish(child).expect(0, "created");
    assert_eq!(sts.handshakes().len(), 1);
    assert_eq!(secrets_manager.handshakes().len(), 2);
}
