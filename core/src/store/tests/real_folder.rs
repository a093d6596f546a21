//! A real folder, and what an operating system makes of it.

use crate::store::{Folder, Slot};

#[test]
fn what_was_written_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let folder = Folder::at(dir.path());
    assert_eq!(folder.find(Slot::State).unwrap(), None);
    assert_eq!(folder.glance(Slot::State).unwrap(), 0);
    let locked = folder.lock().unwrap();
    assert!(locked.is_first_run());
    for generation in 1..5 {
        assert_eq!(locked.next(Slot::State).unwrap(), generation);
        let payload = format!("generation {generation}").into_bytes();
        locked.replace(Slot::State, generation, &payload, 100).unwrap();
        locked.initialized().unwrap();
        assert!(!locked.is_first_run());
        let found = folder.find(Slot::State).unwrap().unwrap();
        assert_eq!((found.generation, found.payload), (generation, payload));
        assert_eq!((found.end, found.recovered), (128, None));
        assert_eq!(folder.glance(Slot::State).unwrap(), generation);
    }
    assert!(folder.clone().try_lock().unwrap().is_none());
    drop(locked);
    assert!(!folder.try_lock().unwrap().unwrap().is_first_run());
    assert_eq!(folder.find(Slot::Usage).unwrap(), None);
}
