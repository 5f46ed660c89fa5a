//! Single-secret runs and manifest runs follow the same rules: every state and every request ends the same way in both. Also
//! covers canceled runs.

use std::collections::BTreeMap;
use std::time::Duration;

use sandbox_model::World;
use upsert_secret_config::run::Action;

use super::run_all;
use crate::engine::context::Context;
use crate::progress::Progress;
use crate::run_report::{RunKind, RunReport};
use crate::testing::{FakeSystem, MemoryStore, block_on, entry_job, job};

const OLD: &str = "11111111-1111-4111-8111-111111111111";
const NEW: &str = "22222222-2222-4222-8222-222222222222";
/// Expired in 2001.
const EXPIRED: &str = "upsert-secret-until-1000000000-33333333-3333-4333-8333-333333333333";

/// A named function that prepares the secret `app`.
type State = (&'static str, fn(&mut World));

/// Values of the secret, with no special conditions.
const VALUES: &[State] = &[
    ("absent", |_| {}),
    ("without a version", |world| world.create_empty("app")),
    ("same value", |world| put(world, "made-up")),
    ("other value", |world| put(world, "other")),
    ("binary value", |world| {
        world.create_binary("app", b"made-up");
    }),
    ("same JSON key", |world| {
        put(world, r#"{"a":1,"k":"made-up"}"#);
    }),
    ("other JSON key", |world| {
        put(world, r#"{"a":1,"k":"other"}"#);
    }),
];

/// Special conditions of a secret.
const CONDITIONS: &[State] = &[
    ("", |_| {}),
    ("rotation enabled", |world| world.set_rotation("app", true)),
    ("managed by a service", |world| {
        world.set_owning_service("app", "rds");
    }),
    ("scheduled for deletion", |world| {
        world.schedule_deletion("app");
    }),
    ("label of a killed run", |world| {
        if holds(world, NEW) {
            world.move_stage("app", EXPIRED, NEW, None);
        }
    }),
    ("candidate", |world| {
        world.put_staged("app", "made-up", OLD, &["candidate"]);
    }),
];

/// Inputs other than the name and the value.
const REQUESTS: &[&[(&str, &str)]] = &[
    &[],
    &[("IF_EXISTS", "skip")],
    &[("COMPARE", "never")],
    &[("COMPARE", "always")],
    &[("STORE_AS", "binary")],
    &[("JSON_KEY", "k")],
    &[("EXPECTED_VERSION_ID", NEW)],
    &[("EXPECTED_VERSION_ID", OLD)],
    &[("VERSION_STAGES", "candidate")],
    &[("VERSION_STAGES", "AWSCURRENT,candidate")],
    &[("ON_ROTATION", "allow")],
    &[("ON_SCHEDULED_DELETION", "restore")],
    &[("ON_SCHEDULED_DELETION", "restore"), ("JSON_KEY", "k")],
    &[("DESCRIPTION", "of the build")],
    &[("TAGS", "team=ci")],
    &[("TAGS", "team=ci"), ("TAG_POLICY", "replace")],
    &[("REPLICA_REGIONS", "eu-west-2")],
    &[("VERSION_ID_KEY", "an invented key, long enough to be one")],
];

/// Operations that the caller is denied.
const DENIALS: &[&[&str]] = &[
    &[],
    &["DescribeSecret"],
    &["GetSecretValue"],
    &["BatchGetSecretValue"],
    &["GetSecretValue", "BatchGetSecretValue"],
    &["DescribeSecret", "GetSecretValue"],
    &["PutSecretValue"],
];

fn put(world: &mut World, value: &str) {
    world.create_empty("app");
    world.put_staged("app", value, NEW, &["AWSCURRENT"]);
}

fn holds(world: &World, version: &str) -> bool {
    let secret = world.secret("app");
    secret.is_some_and(|secret| secret.version(version).is_some())
}

/// The result of a run and the state stored afterward.
#[derive(Debug, PartialEq, Eq)]
struct Ending {
    status: &'static str,
    class: Option<&'static str>,
    changes: Vec<String>,
    secrets: Vec<StoredSecret>,
}

fn run(store: &MemoryStore, inputs: &[(&str, &str)], single: bool) -> Ending {
    let report = report(store, inputs, single);
    let targets = report.targets();
    let details = targets[0].details.as_deref();
    let failure = details.and_then(|details| details.failure.as_ref());
    let changes = details.into_iter().flat_map(|it| &it.outcome.changes);
    Ending {
        status: targets[0].status.word(),
        class: failure.map(|failure| failure.class.name()),
        changes: changes.map(|change| format!("{change:?}")).collect(),
        secrets: secrets(&store.world()),
    }
}

fn report(store: &MemoryStore, inputs: &[(&str, &str)], single: bool) -> RunReport {
    let kind = RunKind {
        single,
        ..RunKind::default()
    };
    let report = RunReport::new(["app".to_owned()], kind, Progress::silent());
    let context = Context {
        store,
        system: &FakeSystem::new(store),
        run: None,
        timeout: Duration::from_secs(300),
        progress: &report.progress,
    };
    let job = if single {
        job(Action::Upsert, inputs)
    } else {
        entry_job(inputs)
    };
    let targets = [Ok(job)];
    block_on(run_all(&targets, context, false, &report));
    report
}

/// A version with its staging labels and value.
type StoredVersion = (String, Vec<String>, Option<String>, Option<Vec<u8>>);
/// ARN and state, name, description, tags and versions.
type StoredSecret = (
    String,
    String,
    Option<String>,
    BTreeMap<String, String>,
    Vec<StoredVersion>,
);

/// Every secret in every region, without timestamps.
fn secrets(world: &World) -> Vec<StoredSecret> {
    let all = world.all_secrets();
    all.map(|(account, _, secret)| {
        let versions = secret.versions.into_iter();
        let versions = versions.map(|it| (it.id, it.stages, it.string, it.binary));
        let arn = format!("{account} {} {}", secret.arn, secret.deleted);
        (
            arn,
            secret.name,
            secret.description,
            secret.tags,
            versions.collect(),
        )
    })
    .collect()
}

#[test]
fn single_secret_and_manifest_entry_end_alike() {
    let mut stores = Vec::new();
    for (value, arrange_value) in VALUES {
        for (condition, arrange) in CONDITIONS {
            if !condition.is_empty() && *value == "absent" {
                continue;
            }
            let mut world = World::default();
            arrange_value(&mut world);
            arrange(&mut world);
            stores.push((
                format!("{value}, {condition}"),
                world,
                sandbox_model::REGION,
            ));
        }
        let mut world = World::default();
        arrange_value(&mut world);
        if *value != "absent" {
            world.replicate("app", "eu-west-2");
            world.settle_replicas();
            stores.push((format!("{value}, replica"), world, "eu-west-2"));
        }
    }
    let mut differences = Vec::new();
    let mut runs = 0;
    for (state, world, region) in &stores {
        for request in REQUESTS {
            for denied in DENIALS {
                let [single, entry] = [true, false].map(|single| {
                    let store = MemoryStore::new(world.clone()).in_region(region);
                    run(&store.denying(denied), request, single)
                });
                runs += 1;
                if single != entry {
                    differences.push(format!(
                        "{state}: {request:?}, denied {denied:?}\n  single: {single:?}\n  entry:  {entry:?}"
                    ));
                }
            }
        }
    }
    assert!(runs > 1000, "only {runs} runs");
    assert!(
        differences.is_empty(),
        "{} of {runs} differ:\n{}",
        differences.len(),
        differences[..differences.len().min(12)].join("\n")
    );
}

#[test]
fn cancelled_run_leaves_label_for_cleanup() {
    let mut world = World::default();
    world.create("app", "{}");
    for single in [true, false] {
        let store = MemoryStore::new(world.clone()).cancelled_after("PutSecretValue");
        let report = report(&store, &[("JSON_KEY", "k")], single);
        assert_eq!(report.targets()[0].status.word(), "failed");
        assert_eq!(report.take_write_labels().len(), 1, "single: {single}");
    }
}

#[test]
fn creation_of_a_cancelled_run_is_reported() {
    let store = MemoryStore::new(World::default())
        .denying(&["DescribeSecret", "GetSecretValue"])
        .cancelled_after("CreateSecret");
    let key = ("VERSION_ID_KEY", "an invented key, long enough to be one");
    let report = report(&store, &[key], false);
    assert_eq!(report.targets()[0].status.word(), "failed");
    assert!(store.world().secret("app").is_some());
}
