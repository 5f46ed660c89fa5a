//! Reads secrets that need no write again: values 20 per call, or labels if values cannot be read. Only compares; must not
//! decide anything about the transaction.

use std::cell::RefCell;

use upsert_secret_core::labels::CURRENT;
use upsert_secret_core::plan::is_met;
use upsert_secret_core::request::Job;
use upsert_secret_core::state::ValueView;
use upsert_secret_core::store::SecretStore;
use upsert_secret_core::transaction::{Command, Event, Labels};

use super::driver::{Driver, Member};
use crate::batch::prefetch::{BATCH, Chunk, Prefetcher};

impl<S: SecretStore> Driver<'_, S> {
    /// Reads the secrets of these commands again.
    pub(super) async fn validate(
        &self,
        members: &[Member<'_>],
        commands: &[Command],
    ) -> Vec<Event> {
        let prefetcher = Prefetcher::new(self.context.store, self.report, self.targets);
        let indices: Vec<usize> = commands.iter().map(Command::member).collect();
        let (read, unread): (Vec<usize>, Vec<usize>) = indices
            .into_iter()
            .partition(|index| members[*index].job.reads());
        let chunks = read.chunks(BATCH).map(|chunk| {
            let ids = chunk.iter().map(|index| (*index, members[*index].id()));
            Chunk::Read(ids.collect())
        });
        let unread = unread.into_iter().map(Chunk::Unread);
        let events = RefCell::new(Vec::new());
        self.for_each(chunks.chain(unread), async |chunk| {
            for (index, view) in prefetcher.read(chunk).await {
                let event = self.compare(index, &members[index], view).await;
                events.borrow_mut().push(event);
            }
        })
        .await;
        events.into_inner()
    }

    async fn compare(&self, index: usize, member: &Member<'_>, view: Option<ValueView>) -> Event {
        self.report.progress.step();
        let version = member.guard.attempt.outcome.version.as_ref();
        let version = version.map(|version| version.id.as_str());
        if let Some(ValueView::Value(read)) = view {
            let labels = Labels::of_current(&read.version_id, &read.stages);
            let is_right = match member.job {
                Job::Upsert(request) => is_met(request, &read.value),
                Job::Move(_) => version == Some(&read.version_id),
            };
            return Event::Read(index, Ok((is_right, labels)));
        }
        // Whatever its value, this is the version that was accepted before.
        let labels = self.describe(member).await;
        Event::Read(
            index,
            labels.map(|labels| (labels.holder(CURRENT) == version, labels)),
        )
    }
}
