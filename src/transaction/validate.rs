//! The second reading of secrets that need no write: twenty a call, or their labels where values cannot be read. It compares, and
//! decides nothing about the transaction.

use std::cell::RefCell;

use upsert_secret_core::labels::CURRENT;
use upsert_secret_core::plan::is_met;
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
        let prefetcher = Prefetcher::new(self.context.store, self.report);
        let indices: Vec<usize> = commands.iter().map(Command::member).collect();
        let (read, unread): (Vec<usize>, Vec<usize>) = indices
            .into_iter()
            .partition(|index| members[*index].request.reads());
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
        if let Some(ValueView::Value(read)) = view {
            let labels = Labels::of_current(&read.version_id, &read.stages);
            return Event::Read(index, Ok((is_met(member.request, &read.value), labels)));
        }
        // Whatever the version holds, it is the one that was found to be right.
        let version = member.guard.attempt.outcome.version.as_ref();
        let version = version.map(|version| version.id.as_str());
        let labels = self.describe(member).await;
        Event::Read(
            index,
            labels.map(|labels| (labels.holder(CURRENT) == version, labels)),
        )
    }
}
