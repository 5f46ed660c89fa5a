//! Restores of a secret that is scheduled for deletion.

use upsert_secret_core::failure::Class;

use super::*;

const RESTORE: &[(&str, &str)] = &[("ON_SCHEDULED_DELETION", "restore")];

fn deleted() -> MemoryStore {
    let mut world = World::default();
    world.create("app", "made-up");
    world.schedule_deletion("app");
    MemoryStore::new(world)
}

#[test]
fn restore_is_sent_once() {
    let store = deleted();
    let restored = run(&store, Action::Upsert, RESTORE);
    assert_eq!(restored, Ok(ChangeKind::Updated));
    let restores = || {
        let calls = store.calls().into_iter();
        calls.filter(|call| *call == "RestoreSecret").count()
    };
    assert_eq!(restores(), 1);
    assert_eq!(
        run(&store, Action::Upsert, RESTORE),
        Ok(ChangeKind::Unchanged)
    );
    assert_eq!(restores(), 1);
}

#[test]
fn restore_that_never_shows_is_failure() {
    let store = deleted();
    let rival = Rival::new(&store, |world| {
        if !world.secret("app").unwrap().deleted {
            world.schedule_deletion("app");
        }
    });
    let failure = run_with(&rival, &store, Action::Upsert, RESTORE).unwrap_err();
    assert_eq!(failure.class, Class::Refused);
    assert!(failure.what.contains("although AWS accepted"), "{failure}");
}
