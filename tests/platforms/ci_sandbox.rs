//! The sandbox with what the README's examples take for granted in AWS: a role, and its trust in a job
//! of each CI system. It prints the endpoint and the environment as the sandbox program does, then
//! what each system would hand to its job, then an empty line. It runs until it is killed.

use std::io::{self, Write as _};
use std::time::Duration;

use sandbox::{Role, Sandbox, Trust};

const ROLE: &str = "arn:aws:iam::111122223333:role/store-api-key";
const AUDIENCE: &str = "sts.amazonaws.com";
const GITHUB: &str = "repo:acme/models:ref:refs/heads/main";

/// A CI system whose jobs find their token in a variable: its name here, the token's issuer, audience
/// and subject.
const SYSTEMS: [[&str; 4]; 5] = [
    [
        "GITLAB",
        "https://gitlab.com",
        AUDIENCE,
        "project_path:acme/models:ref_type:branch:ref:main",
    ],
    [
        "CIRCLECI",
        "https://oidc.circleci.com/org/11111111-2222-3333-4444-555555555555",
        "11111111-2222-3333-4444-555555555555",
        "org/11111111-2222-3333-4444-555555555555/project/66666666-7777-8888-9999-000000000000/user/aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
    ],
    [
        "BUILDKITE",
        "https://agent.buildkite.com",
        AUDIENCE,
        "organization:acme:pipeline:models:ref:refs/heads/main:commit:0123456:step:store",
    ],
    [
        "JENKINS",
        "https://jenkins.example/oidc",
        AUDIENCE,
        "https://jenkins.example/job/models/",
    ],
    [
        "BITBUCKET",
        "https://api.bitbucket.org/2.0/workspaces/acme/pipelines-config/identity/oidc",
        "ari:cloud:bitbucket::workspace/11111111-2222-3333-4444-555555555555",
        "{66666666-7777-8888-9999-000000000000}:{aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee}",
    ],
];

fn main() -> io::Result<()> {
    let sandbox = Sandbox::start();
    let mut role = Role::new(ROLE).trust(Trust::github(GITHUB));
    for [_, issuer, audience, subject] in SYSTEMS {
        let trust = Trust::web_identity(issuer)
            .audience(audience)
            .subject(subject);
        role = role.trust(trust);
    }
    sandbox.add_role(role);

    let mut out = io::stdout().lock();
    writeln!(out, "{}", sandbox.url())?;
    for (name, value) in sandbox.env() {
        writeln!(out, "{name}={value}")?;
    }
    for (name, value) in sandbox.github_oidc(GITHUB) {
        writeln!(out, "{name}={value}")?;
    }
    for [name, issuer, audience, subject] in SYSTEMS {
        let token = sandbox.id_token(issuer, subject, audience, Duration::from_hours(1));
        writeln!(out, "{name}={token}")?;
    }
    writeln!(out)?;
    out.flush()?;
    loop {
        std::thread::park();
    }
}
