//! The same for the secrets of a manifest.

use std::cell::OnceCell;
use std::sync::Arc;

use super::Scene;
use crate::apply::cleanup;
use crate::aws::{self, SecretsManager};
use crate::batch::{self, Around, Board, Finder};
use crate::failure::{Class, Failure, Subject};
use crate::outcome::Outcome;
use crate::redact::Level;
use crate::report::many;
use crate::request::{Batch, Draft, Secrecy};

/// From here on reading the values of other secrets takes seconds.
const MANY_ORIGINS: usize = 200;

/// Many secrets. What came of each is on the board.
pub(in crate::app) async fn drive_many(
    batch: Batch,
    scene: &Scene<'_>,
    secrecy: &Secrecy<'_>,
    board: &Board,
) -> Result<(), Failure> {
    let connection = OnceCell::new();
    let timeout = batch.reach.timeout;
    let ended = scene
        .until_cut(work(batch, scene, secrecy, &connection, board))
        .await;
    board.meter.end();
    if let Some(aws) = connection.get() {
        for (index, lease) in board.take_leases() {
            let id = board.read(|rows| rows[index].name.clone());
            let mut outcome = Outcome {
                lease: Some(lease),
                ..Outcome::default()
            };
            cleanup(&id, aws, &mut outcome).await;
            for (level, text) in outcome.notices {
                board.note(level, format!("{id}: {text}"));
            }
        }
    }
    match ended {
        Ok(()) => many::failure(board).map_or(Ok(()), Err),
        Err(Some(failure)) => Err(failure),
        Err(None) => Err(Failure::new(
            Class::Unavailable,
            format!(
                "the run did not end within `timeout`, which is {} s: {} secrets were not tried",
                timeout.as_secs(),
                board.totals().not_tried
            ),
            "run again: what has been done is found and left alone; a longer `timeout` helps, and `only` to spread the \
             secrets over several jobs",
        )),
    }
}

async fn work(
    batch: Batch,
    scene: &Scene<'_>,
    secrecy: &Secrecy<'_>,
    connection: &OnceCell<SecretsManager>,
    board: &Board,
) -> Result<(), Failure> {
    let connected = aws::connect(&batch.reach, Arc::clone(&scene.gate))
        .await
        .map_err(|error| {
            let region = batch.reach.region.as_deref().unwrap_or_default();
            let subject = Subject {
                id: "the secrets of the manifest",
                name: "*",
                arn: None,
                region,
            };
            Failure::of_aws(&error, subject)
        })?;
    for doubt in connected.doubts {
        board.note(Level::Warning, doubt);
    }
    let aws = connection.get_or_init(|| connected.aws);
    *board.region.borrow_mut() = Some(aws.region().to_owned());
    let finder = Finder {
        aws,
        reach: &batch.reach,
        gate: &scene.gate,
        secrecy,
    };
    let around = Around {
        aws,
        run: scene.platform.run(),
        preview: scene.preview,
        fail_fast: batch.fail_fast,
    };
    let lacking = |draft: &&Draft| matches!(draft, Draft::Lacking(_));
    if batch.drafts.iter().filter(lacking).count() >= MANY_ORIGINS {
        board.meter.say("reading values from other secrets");
    }
    let wanted = batch::fill(batch.drafts, &finder).await;
    if batch.all_or_nothing && !scene.preview {
        batch::together(&wanted, around, batch.reach.timeout, board).await;
    } else {
        batch::run(&wanted, around, board).await;
    }
    Ok(())
}
