//! Checks a server against recorded facts about the real service, one row per fact.
//!
//! Each row has an ID, the recorded condition, and its source: `VL` LocalStack's snapshot tests
//! (localstack/localstack at 8b9a79f0), recorded on AWS; `VM` moto's tests marked `aws_verified` (getmoto/moto at
//! 0af643a5); `R` responses of the live service quoted in public issues and provider code; `D` the API model and
//! AWS's documentation. `~` means recorded for a similar operation.
//!
//! Excluded, because no recording was found and emulators disagree: RestoreSecret of a secret that is not
//! scheduled, a second DeleteSecret of a scheduled one, CreateSecret with an empty SecretString, an empty
//! VersionStages, whether 65,536 counts bytes or characters beyond ASCII, whether a custom label on the current
//! version survives a default PutSecretValue, replicating again to an existing replica. If only the code or the
//! message is unknown, the row requires a 400 and an unchanged state.
//!
//! `FIDELITY_ENDPOINT=http://127.0.0.1:PORT` runs the same rows against another server. `moto.rs` lists the known
//! deviations of moto 5.2.5; the test fails if there is one more or one less.

mod batch;
mod create;
mod delete;
mod get;
mod keys;
mod moto;
mod policies;
mod policy_validation;
mod put;
mod replica_removal;
mod replicas;
mod run;
mod stages;
mod sts;
mod tags;
mod update;
mod wire;

use std::{collections::BTreeSet, env};

use run::{Case, Run};
use sandbox::Sandbox;

fn cases() -> impl Iterator<Item = &'static Case> {
    [
        create::CASES,
        wire::CASES,
        put::CASES,
        update::CASES,
        stages::CASES,
        get::CASES,
        keys::CASES,
        batch::CASES,
        delete::CASES,
        replicas::CASES,
        replica_removal::CASES,
        policies::CASES,
        policy_validation::CASES,
        tags::CASES,
        sts::CASES,
    ]
    .into_iter()
    .flatten()
}

#[test]
fn recorded_conditions_hold() {
    let mut seen = BTreeSet::new();
    assert!(
        cases().all(|case| seen.insert(case.id)),
        "an ID is used twice"
    );
    let endpoint = env::var("FIDELITY_ENDPOINT").ok();
    let (mut differs, mut walked) = (BTreeSet::new(), 0);
    for case in cases().filter(|case| endpoint.is_none() || !case.needs_sandbox) {
        let result = match &endpoint {
            Some(endpoint) => (case.steps)(&Run::new(endpoint, case.id, None)),
            None => {
                let sandbox = Sandbox::start();
                (case.steps)(&Run::new(&sandbox.url(), case.id, Some(&sandbox)))
            }
        };
        walked += 1;
        let answer = match result {
            Ok(()) => "as recorded".to_owned(),
            Err(difference) => {
                differs.insert(case.id);
                format!("DIFFERS: {difference}")
            }
        };
        println!(
            "{:5} [{}] {}: {answer}",
            case.id, case.source, case.recorded
        );
    }
    println!("{walked} conditions, {} differ", differs.len());
    let known: BTreeSet<&str> = match endpoint {
        Some(_) => moto::DEVIATIONS.iter().map(|(id, _)| *id).collect(),
        None => BTreeSet::new(),
    };
    let unlisted: Vec<_> = differs.difference(&known).collect();
    let fixed: Vec<_> = known.difference(&differs).collect();
    assert!(
        unlisted.is_empty() && fixed.is_empty(),
        "differs but is not listed: {unlisted:?}; is listed but does not differ: {fixed:?}"
    );
}
