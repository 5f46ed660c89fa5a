//! Verifies that exit code 2 means that nothing was written: runs every request in every state, for one secret, a manifest of
//! two and a transaction of two, and rejects each write in turn as bad input.

use std::time::Duration;

use sandbox_model::World;
use upsert_secret_config::run::Action;
use upsert_secret_core::failure::Class;
use upsert_secret_core::transaction::Limits;
use upsert_secret_core::version_id::RunIdentity;

use crate::batch::run_all;
use crate::engine::context::Context;
use crate::engine::job::PreparedTarget;
use crate::progress::Progress;
use crate::run_report::{RunKind, RunReport};
use crate::testing::{FakeSystem, MemoryStore, RejectingStore, block_on, job};
use crate::{report, transaction};

const OLD: &str = "11111111-1111-4111-8111-111111111111";
const NEW: &str = "22222222-2222-4222-8222-222222222222";
/// Expired in 2001.
const EXPIRED: &str = "upsert-secret-until-1000000000-33333333-3333-4333-8333-333333333333";
const POLICY: &str = r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"secretsmanager:GetSecretValue","Resource":"*"}}"#;

/// A named function that prepares the secret `app`.
type State = (&'static str, fn(&mut World));
type Inputs = &'static [(&'static str, &'static str)];

const STATES: &[State] = &[
    ("absent", |_| {}),
    ("without a version", |world| world.create_empty("app")),
    ("same value", |world| put(world, "made-up")),
    ("other value", |world| put(world, "other")),
    ("document", |world| put(world, r#"{"k":"other"}"#)),
    ("replicated", |world| {
        put(world, "other");
        world.replicate("app", "eu-west-3");
    }),
    ("scheduled for deletion", |world| {
        put(world, "other");
        world.schedule_deletion("app");
    }),
    ("label of a killed run", |world| {
        put(world, r#"{"k":"other"}"#);
        world.move_stage("app", EXPIRED, NEW, None);
    }),
    ("candidate", |world| {
        put(world, "other");
        world.put_staged("app", "made-up", OLD, &["candidate"]);
    }),
];

const ALL: Inputs = &[
    ("DESCRIPTION", "of the build"),
    ("KMS_KEY_ID", "alias/models"),
    ("TAGS", "team=ci"),
    ("TAG_POLICY", "replace"),
    ("REPLICA_REGIONS", "eu-west-2"),
    ("REPLICA_POLICY", "replace"),
    ("RESOURCE_POLICY", POLICY),
    ("VERSION_STAGES", "AWSCURRENT,blue"),
    ("ON_SCHEDULED_DELETION", "restore"),
];

const REQUESTS: &[Inputs] = &[
    &[],
    ALL,
    &[("DESCRIPTION", "of the build")],
    &[("KMS_KEY_ID", "alias/models")],
    &[("TAGS", "team=ci"), ("TAG_POLICY", "replace")],
    &[
        ("REPLICA_REGIONS", "eu-west-2"),
        ("REPLICA_POLICY", "replace"),
    ],
    &[("RESOURCE_POLICY", POLICY)],
    &[("VERSION_STAGES", "AWSCURRENT,blue")],
    &[("VERSION_STAGES", "candidate")],
    &[("ON_SCHEDULED_DELETION", "restore")],
    &[("JSON_KEY", "k"), ("TAGS", "team=ci")],
    &[("EXPECTED_VERSION_ID", NEW), ("RESOURCE_POLICY", POLICY)],
    &[("IF_EXISTS", "skip"), ("DESCRIPTION", "of the build")],
    &[("COMPARE", "never"), ("TAGS", "team=ci")],
    &[
        ("STORE_AS", "binary"),
        ("VERSION_ID_KEY", "an invented key, long enough to be one"),
    ],
];

/// Operations that the caller is denied.
const DENIALS: &[&[&str]] = &[
    &[],
    &["DescribeSecret"],
    &["DescribeSecret", "GetSecretValue"],
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Single,
    Manifest,
    Transaction,
}

fn put(world: &mut World, value: &str) {
    world.create_empty("app");
    world.put_staged("app", value, NEW, &["AWSCURRENT"]);
}

/// The failure class of the run and its cause, in a run in which write number `at` is rejected.
fn run(
    targets: &[PreparedTarget],
    kind: Kind,
    store: &MemoryStore,
    at: usize,
) -> (RejectingStore, Option<(Class, String)>) {
    let rejecting = RejectingStore::new(store, at);
    let kind = RunKind {
        single: kind == Kind::Single,
        all_or_nothing: kind == Kind::Transaction,
        ..RunKind::default()
    };
    let names = targets.iter().map(|_| "app".to_owned());
    let report = RunReport::new(names, kind, Progress::silent());
    let identity = RunIdentity {
        parts: vec!["made-up".to_owned()],
    };
    let context = Context {
        store: &rejecting,
        system: &FakeSystem::new(store),
        run: Some(&identity),
        timeout: Duration::from_secs(300),
        progress: &report.progress,
    };
    if kind.all_or_nothing {
        let limits = Limits::default();
        block_on(transaction::run(targets, context, limits, &report));
    } else {
        block_on(run_all(targets, context, false, &report));
    }
    let failure = report::failure(&report).map(|failure| report.conclude(failure));
    let ended = failure.map(|failure| (failure.class, failure.why.unwrap_or_default()));
    (rejecting, ended)
}

/// Rejects each write of a run in turn, and returns the number of writes.
fn walk(
    what: &str,
    targets: &[PreparedTarget],
    kind: Kind,
    store: impl Fn() -> MemoryStore,
) -> usize {
    for at in 0.. {
        let (store, ended) = run(targets, kind, &store(), at);
        let what = format!("{what}, {kind:?}, write {at}: {ended:?}");
        match ended {
            Some((Class::Input, _)) => assert!(!store.has_written(), "{what}"),
            Some((_, why)) if why.contains("this run wrote") => {
                assert!(store.has_written(), "{what}");
            }
            _ => {}
        }
        if !store.has_rejected() {
            return at;
        }
    }
    0
}

#[test]
fn bad_input_means_that_nothing_was_written() {
    let mut writes = 0;
    for (state, arrange) in STATES {
        for inputs in REQUESTS {
            for denied in DENIALS {
                let store = || {
                    let mut world = World::default();
                    world.add_kms_key("alias/models");
                    arrange(&mut world);
                    MemoryStore::new(world).denying(denied)
                };
                let what = format!("{state}, {inputs:?}, denied {denied:?}");
                let upsert = || Ok(job(Action::Upsert, inputs));
                let other = || Ok(job(Action::Upsert, &[("NAME", "other"), ("TAGS", "a=b")]));
                writes += walk(&what, &[upsert()], Kind::Single, store);
                let both = [other(), upsert()];
                writes += walk(&what, &both, Kind::Manifest, store);
                let stages = |(input, text): &(&str, &str)| {
                    *input == "VERSION_STAGES" && !text.contains("AWSCURRENT")
                };
                if !inputs.iter().any(stages) && denied.is_empty() {
                    let store = || {
                        let store = store();
                        store.world().create("other", "to be replaced");
                        store
                    };
                    writes += walk(&what, &both, Kind::Transaction, store);
                }
            }
        }
    }
    for action in [Action::Promote, Action::Rollback] {
        let inputs: Inputs = if action == Action::Promote {
            &[("VERSION_ID", OLD)]
        } else {
            &[]
        };
        let store = || {
            let mut world = World::default();
            put(&mut world, "other");
            world.put_staged("app", "made-up", OLD, &["candidate"]);
            MemoryStore::new(world)
        };
        writes += walk(
            "a label move",
            &[Ok(job(action, inputs))],
            Kind::Single,
            store,
        );
    }
    assert!(writes > 1000, "only {writes} writes");
}
