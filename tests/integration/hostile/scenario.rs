//! A run, determined by its number: the secrets, the request, the platform, and the source of the credentials.

use std::fs;

use sandbox::front::Hostile;
use sandbox::{Random, Role, Sandbox, Trust};
use serde_json::{Value, json};

use crate::common::{Cli, NAME};

const ROLE: &str = "arn:aws:iam::111122223333:role/ci/deploy";
const GITHUB: &str = "repo:acme/models:ref:refs/heads/main";
const ID: &str = "11111111-1111-4111-8111-111111111111";
const OTHER_ID: &str = "22222222-2222-4222-8222-222222222222";

/// The reader of the log, which determines where results go.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Platform {
    GitHub,
    GitLab,
    Plain,
}

pub(super) struct Scenario {
    pub(super) cli: Cli,
    pub(super) server: Hostile,
    pub(super) platform: Platform,
    pub(super) json: bool,
    /// The number of secrets of a manifest.
    pub(super) entries: Option<usize>,
    /// A description for people who investigate a failure.
    pub(super) what: String,
    _sandbox: Sandbox,
}

/// A made-up value of one of the kinds that people store.
fn value(random: &mut Random) -> String {
    const DIGITS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let kind = random.below(9);
    let mut of = |digits: &[u8], length: usize| -> String {
        let digit = |_| char::from(random.pick(digits));
        (0..length).map(digit).collect()
    };
    match kind {
        0 | 1 => format!("sk_live_{}", of(DIGITS, 24)),
        2 => of(b"0123456789", 20),
        3 => of(b"abcdef0123456789", 32),
        4 => of(&DIGITS[26..52], 18),
        5 => format!(
            "-----BEGIN MADE UP KEY-----\n{}\n{}\n-----END MADE UP KEY-----\n",
            of(DIGITS, 64),
            of(DIGITS, 30)
        ),
        6 => format!(
            r#"{{"user":"{}","password":"{}\"\\"}}"#,
            of(&DIGITS[26..52], 10),
            of(DIGITS, 20)
        ),
        7 => format!(
            "zebra-{}-walnut-{}",
            of(&DIGITS[26..52], 7),
            of(&DIGITS[26..52], 9)
        ),
        _ => of(br##"!"#$%&'()*+,-./:;<=>?@[\]^_`{|}~abcXYZ019 "##, 24),
    }
}

impl Scenario {
    pub(super) fn new(seed: u64) -> Self {
        let random = &mut Random::new(seed);
        let (new, old) = (value(random), value(random));
        let sandbox = Sandbox::start();
        let names = [NAME, "prod/other", "prod/third"];
        for name in names {
            if random.below(3) > 0 {
                sandbox.with(|world| {
                    world.create(name, &old);
                });
            }
        }
        let hostile = random.pick(&[5, 20, 50, 100]);
        let entries = (random.below(3) == 0).then_some(names.len());
        let command = random.pick(match entries {
            None => &["upsert", "upsert", "upsert", "plan", "promote", "rollback"],
            Some(_) => &["upsert", "upsert", "upsert", "plan", "promote", "rollback"][..],
        });
        // A run that moves labels gets no value.
        let secrets = match command {
            "promote" | "rollback" => Vec::new(),
            _ => vec![new.clone().into_bytes()],
        };
        let address = sandbox.url().trim_start_matches("http://").parse().unwrap();
        let server = Hostile::start(address, seed, hostile, secrets);
        let mut cli = Cli::with_empty_env().env("V", &new);
        let mut what = format!("{hostile} % hostile");
        let mut add = |cli: Cli, name: &str, value: &str| {
            what.push_str(&format!(", {name}={value}"));
            cli.input(name, value)
        };

        if entries.is_some() && command == "rollback" {
            cli = add(cli, "release", &release(&names));
        } else if entries.is_some() {
            let path = cli.path("secrets.yaml");
            fs::write(&path, manifest(&names, random)).unwrap();
            cli = add(cli, "manifest", &path.display().to_string());
        } else {
            cli = add(cli, "name", NAME);
        }
        if entries.is_some() && command != "plan" && random.below(3) == 0 {
            cli = add(cli, "all-or-nothing", "true");
        }
        if entries.is_none() && ["upsert", "plan"].contains(&command) {
            cli = add(cli, "value-env", "V");
            for (name, value) in OPTIONS {
                if random.below(6) == 0 {
                    cli = add(cli, name, value);
                }
            }
        }
        cli = add(cli, "timeout", random.pick(&["1s", "2s"]));
        cli = credentials(cli, &sandbox, &server.url(), random);
        if random.below(3) == 0 {
            cli = cli.env("AWS_MAX_ATTEMPTS", "1");
        }
        if random.below(3) == 0 {
            cli = cli.env("RUNNER_DEBUG", "1").env("RUST_BACKTRACE", "full");
        }
        let platform = random.pick(&[Platform::GitHub, Platform::GitLab, Platform::Plain]);
        cli = match platform {
            Platform::GitHub => cli.github(),
            Platform::GitLab => cli.gitlab(),
            Platform::Plain => cli,
        };
        cli = cli.args(&[command]);
        let json = random.below(2) == 0;
        if json {
            cli = cli.extra_args(&["--format", "json"]);
        }
        let what = format!("{command}, {platform:?}, {what}");
        Self {
            cli,
            server,
            platform,
            json,
            entries,
            what,
            _sandbox: sandbox,
        }
    }
}

const OPTIONS: [(&str, &str); 14] = [
    ("description", "key of the deployment"),
    ("tags", "team=ml"),
    ("kms-key-id", "alias/aws/secretsmanager"),
    ("replica-regions", "eu-west-2"),
    (
        "resource-policy",
        r#"{"Statement":[{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"secretsmanager:GetSecretValue","Resource":"*"}]}"#,
    ),
    ("json-key", "/database/password"),
    ("version-stages", "candidate"),
    ("compare", "never"),
    ("compare", "always"),
    ("if-exists", "skip"),
    ("on-scheduled-deletion", "restore"),
    ("expected-version-id", ID),
    ("store-as", "binary"),
    ("tag-policy", "replace"),
];

/// The results of a run that made another version of each secret current.
fn release(names: &[&str]) -> String {
    let moved =
        json!({"result": "updated", "secret_version_id": ID, "previous_version_id": OTHER_ID});
    let all = names.iter().map(|name| ((*name).to_owned(), moved.clone()));
    Value::Object(all.collect()).to_string()
}

fn manifest(names: &[&str], random: &mut Random) -> String {
    let mut text = "secrets:\n".to_owned();
    for name in names {
        let entry = match random.below(4) {
            0 => "{ json: { key: { env: V } }, merge: true }",
            1 => "{ value: { env: V }, tags: { team: ml }, description: one of three }",
            _ => "{ value: { env: V } }",
        };
        text.push_str(&format!("  {name}: {entry}\n"));
    }
    text
}

/// The endpoints, and credentials from one of the sources. All of it passes through the hostile server.
fn credentials(cli: Cli, sandbox: &Sandbox, server: &str, random: &mut Random) -> Cli {
    let owned = |env: Vec<(&'static str, String)>| -> Vec<(String, String)> {
        let own = |(name, value): (&str, String)| (name.to_owned(), value);
        env.into_iter().map(own).collect()
    };
    sandbox.add_role(
        Role::new(ROLE)
            .trust(Trust::github("repo:acme/models:*"))
            .trust(Trust::principal("arn:aws:iam::111122223333:user/sandbox")),
    );
    let mut all = vec![("AWS_EC2_METADATA_DISABLED".to_owned(), "true".to_owned())];
    let mut cli = cli;
    match random.below(10) {
        0..5 => all.extend(owned(sandbox.env())),
        5 | 6 => {
            all.extend(owned(sandbox.env()));
            cli = cli.input("role-to-assume", ROLE);
        }
        7 => {
            all.extend(owned(sandbox.keyless_env()));
            all.extend(sandbox.github_oidc(GITHUB));
            cli = cli.input("role-to-assume", ROLE);
        }
        8 => {
            all.extend(owned(sandbox.keyless_env()));
            all.extend(sandbox.container_env(ROLE));
        }
        _ => {
            all.clear();
            all.extend(owned(sandbox.keyless_env()));
            all.extend(sandbox.metadata_env(ROLE));
        }
    }
    for (name, value) in all {
        cli = cli.env(&name, &value.replace(&sandbox.url(), server));
    }
    cli
}
