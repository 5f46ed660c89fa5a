//! The complete state of the service: the stores, the clock and the source of IDs. Independent of operations.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use super::{principals::Principals, store::Store};
use crate::random::Random;

/// The account of the default caller.
pub const ACCOUNT: &str = "111122223333";
/// The region in which the arranging helpers work.
pub const REGION: &str = "eu-west-1";

/// The time of a new world: 2026-01-01T00:00:00Z.
const START: Duration = Duration::from_secs(1_767_225_600);

static EMPTY: Store = Store::new();

/// Secrets Manager in all accounts and regions.
///
/// Time stands still until [`World::set_now`] or [`World::advance`] moves it. Clones are cheap: they share their
/// data until one of them changes.
#[derive(Clone)]
pub struct World {
    /// By account and region.
    pub(super) stores: BTreeMap<(String, String), Arc<Store>>,
    /// How often DescribeSecret shows a new replica as `InProgress`.
    pub(super) replica_describes: usize,
    /// Regions that are not enabled for the account.
    pub(super) disabled_regions: BTreeSet<String>,
    pub(crate) principals: Principals,
    pub(crate) random: Random,
    now: SystemTime,
}

impl Default for World {
    fn default() -> Self {
        Self::new(0)
    }
}

impl World {
    /// An empty world. Equal seeds and equal calls give equal IDs and ARNs.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            stores: BTreeMap::new(),
            replica_describes: 1,
            disabled_regions: BTreeSet::new(),
            principals: Principals::default(),
            random: Random::new(seed),
            now: UNIX_EPOCH + START,
        }
    }

    /// The time of the service.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        self.now
    }

    /// Sets the time. Secrets whose recovery window has ended disappear.
    pub fn set_now(&mut self, now: SystemTime) {
        self.now = now;
        let stores = self.stores.values_mut();
        for store in stores.filter(|store| store.has_expired(now)) {
            Arc::make_mut(store).sweep(now);
        }
    }

    /// Moves the time forward, as [`World::set_now`] does.
    pub fn advance(&mut self, by: Duration) {
        self.set_now(self.now + by);
    }

    pub(crate) fn store(&self, account: &str, region: &str) -> &Store {
        let key = (account.to_owned(), region.to_owned());
        self.stores.get(&key).map_or(&EMPTY, Arc::as_ref)
    }

    pub(crate) fn store_mut(&mut self, account: &str, region: &str) -> &mut Store {
        let key = (account.to_owned(), region.to_owned());
        let new = || Arc::new(Store::new());
        Arc::make_mut(self.stores.entry(key).or_insert_with(new))
    }

    /// All stores, with their account and region.
    pub(crate) fn stores(&self) -> impl Iterator<Item = (&str, &str, &Store)> {
        let stores = self.stores.iter();
        stores.map(|((account, region), store)| (account.as_str(), region.as_str(), &**store))
    }
}
