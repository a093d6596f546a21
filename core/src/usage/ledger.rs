//! The ledger of what was used: a checkpoint, and a tail of records that every process reads on.

use super::checkpoint::{self, Turn};
use super::commit::Written;
use super::meter::Entry;
use super::record::Record;
use super::tail::Tail;
use super::ticks::Ticks;
use super::totals::{Place, Totals};
use super::view::{Later, NAME, View};
use crate::errors::{Code, Error, Result};
use crate::feature::Feature;
use crate::limits::USAGE_ROOM;
use crate::store::disk::write_all_at;
use crate::store::failure::failed;
use crate::store::{File, Folder, How, Locked, Slot};
use arc_swap::ArcSwap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

/// What [`Ledger::record_later`] leaves to a power failure: the records of so long at most.
const LATER: Duration = Duration::from_secs(1);

/// How often a file may be replaced while it is looked for.
const LOOKS: u32 = 16;

/// How long a reader waits for a writer of its own process, and how long at a time.
const SOON: Duration = Duration::from_millis(100);
const PAUSE: Duration = Duration::from_micros(20);

/// What was used in one installation: one per process, for all its threads.
#[derive(Debug)]
pub(crate) struct Ledger {
    folder: Folder,
    ticks: Ticks,
    /// Bytes for records in each new file.
    room: u64,
    /// What this process has read. A child has its own: a lock that another thread of its parent
    /// held at the fork is never let go of.
    mine: ArcSwap<Mine>,
}

#[derive(Debug)]
struct Mine {
    process: u32,
    view: Mutex<View>,
}

impl Mine {
    fn new() -> Arc<Mine> {
        Arc::new(Mine { process: std::process::id(), view: Mutex::default() })
    }

    /// Taken after the lock on the folder, and not held while that or a record is waited for.
    fn view(&self) -> MutexGuard<'_, View> {
        self.view.lock().unwrap_or_else(|poisoned| self.mend(poisoned))
    }

    /// The same; `None` if it is held for longer than it takes to write a file.
    fn view_soon(&self) -> Option<MutexGuard<'_, View>> {
        let began = Instant::now();
        loop {
            match self.view.try_lock() {
                Ok(view) => return Some(view),
                Err(TryLockError::Poisoned(poisoned)) => return Some(self.mend(poisoned)),
                Err(TryLockError::WouldBlock) if began.elapsed() > SOON => return None,
                Err(TryLockError::WouldBlock) => std::thread::sleep(PAUSE),
            }
        }
    }

    /// A thread died while it changed the view: it is read anew.
    fn mend<'v>(&self, poisoned: PoisonError<MutexGuard<'v, View>>) -> MutexGuard<'v, View> {
        self.view.clear_poison();
        let mut view = poisoned.into_inner();
        *view = View { later: view.later, ..View::default() };
        view
    }
}

impl Ledger {
    /// The ledger in a folder. Touches nothing.
    pub(crate) fn new(folder: Folder) -> Ledger {
        Ledger::with(folder, Ticks::default(), USAGE_ROOM)
    }

    pub(super) fn with(folder: Folder, ticks: Ticks, room: u64) -> Ledger {
        Ledger { folder, ticks, room, mine: ArcSwap::new(Mine::new()) }
    }

    /// Writes an empty one at a time (seconds since 1970), where there never was one: part of the
    /// first run. Fails as the store does.
    pub(crate) fn begin(locked: &Locked<'_>, at: i64) -> Result<()> {
        let generation = locked.next(Slot::Usage)?;
        if generation > 1 {
            return Ok(());
        }
        let turn = Turn { seq: 1, at: Some(at), room: USAGE_ROOM, ..Turn::default() };
        let (_, payload) = checkpoint::write(&Totals::default(), &turn)?;
        locked.replace(Slot::Usage, generation, &payload, USAGE_ROOM)
    }

    /// What was used, by all processes up to now. Takes no lock and writes nothing; the same
    /// `Arc` as long as nothing changes. A ledger that is lost is an empty one:
    /// [`Ledger::damaged`] tells.
    pub(crate) fn totals(&self) -> Result<Arc<Totals>> {
        let mine = self.mine();
        let Some(mut view) = mine.view_soon() else {
            // Somebody waits for a disk that does not answer. What it has can be read.
            let mut view = View::default();
            view.look(&self.folder, false)?;
            return Ok(view.totals);
        };
        view.look(&self.folder, false)?;
        Ok(Arc::clone(&view.totals))
    }

    /// What was used as of the last look of this process: right after it recorded, all that it
    /// and others had recorded by then. Looks at no file. `None` = it has to be looked at.
    pub(crate) fn remembered(&self) -> Option<Arc<Totals>> {
        let mine = self.mine();
        let view = mine.view_soon()?;
        (view.generation != 0).then(|| Arc::clone(&view.totals))
    }

    /// Records an entry at a time (seconds since 1970). On disk when it returns.
    ///
    /// Fails with `limit_exceeded` where the license stops it, with `invalid_argument` for a
    /// wrong verb or number, and as the store does. What the disk refused was not acknowledged;
    /// it may be counted all the same.
    pub(crate) fn record(&self, feature: &Feature, entry: Entry, at: i64) -> Result<()> {
        if let Some(seq) = self.known(feature, entry, at)? {
            return self.settle(seq);
        }
        match self.enter(feature, entry, at)? {
            Entered::Written(written) => self.finish(&written),
            Entered::Known(seq) => self.settle(seq),
        }
    }

    /// The same without waiting for the disk: a killed process loses nothing, and a power failure
    /// the records of one second at most.
    pub(crate) fn record_later(&self, feature: &Feature, entry: Entry, at: i64) -> Result<()> {
        if self.known(feature, entry, at)?.is_some() {
            return Ok(());
        }
        let Entered::Written(written) = self.enter(feature, entry, at)? else { return Ok(()) };
        let now = self.ticks.now();
        let since = {
            let mine = self.mine();
            let mut view = mine.view();
            let since = view.later.map_or(now, |later| later.since);
            let seq = view.later.map_or(0, |later| later.seq).max(written.seq);
            view.later = Some(Later { since, seq });
            since
        };
        if now.saturating_sub(since) < LATER { Ok(()) } else { self.finish(&written) }
    }

    /// Makes durable what [`Ledger::record_later`] left.
    pub(crate) fn flush(&self) -> Result<()> {
        let later = self.mine().view().later;
        later.map_or(Ok(()), |later| self.settle(later.seq))
    }

    /// Notes that the server has everything up to a place, and writes a new checkpoint. An answer
    /// is good once, and only to who asked last: so an earlier place than it had before is one of
    /// a database that was restored, and the rest is reported again.
    pub(crate) fn acknowledge(&self, locked: &Locked<'_>, seq: u64, head: &str) -> Result<()> {
        let mine = self.mine();
        let mut view = mine.view();
        view.look(&self.folder, true)?;
        let acknowledged = Some(Place { seq, head: head.to_string() });
        if view.totals.acknowledged == acknowledged {
            return Ok(());
        }
        self.turn(locked, &mut view, Turn { acknowledged, ..Turn::default() })
    }

    /// Damage that was found and made good as far as that could be done, until the server has
    /// heard of it, or 30 days have gone by. As of the last look.
    pub(crate) fn damaged(&self) -> Option<String> {
        let mine = self.mine();
        let view = mine.view_soon()?;
        view.flaw.clone().or_else(|| view.totals.damage.as_ref().map(|damage| damage.what.clone()))
    }

    /// What this process has read; nothing yet in the child of a fork.
    fn mine(&self) -> Arc<Mine> {
        let mine = self.mine.load_full();
        if mine.process == std::process::id() {
            return mine;
        }
        self.mine.compare_and_swap(&mine, Mine::new());
        self.mine.load_full()
    }

    /// Up to which number an entry would change nothing, if so. Only keys and levels are told
    /// again and again: that is free of the lock.
    fn known(&self, feature: &Feature, entry: Entry, at: i64) -> Result<Option<u64>> {
        entry.kind(feature)?;
        if matches!(entry, Entry::Add(1..)) {
            return Ok(None);
        }
        let totals = self.totals()?;
        let known = totals.admit(feature, entry, at).is_ok_and(|change| change.is_none());
        Ok(known.then_some(totals.seq))
    }

    /// Appends a record, under the lock.
    pub(super) fn enter(&self, feature: &Feature, entry: Entry, at: i64) -> Result<Entered> {
        let mine = self.mine();
        let locked = self.folder.lock()?;
        let mut view = mine.view();
        let file = view.look(&self.folder, true)?;
        if view.totals.admit(feature, entry, at)?.is_none() {
            return Ok(Entered::Known(view.totals.seq));
        }
        let file = self.ready(&locked, &mut view, file, &feature.id, at)?;
        // Numbered anew: a checkpoint has a number too.
        let Some((kind, event)) = view.totals.admit(feature, entry, at)? else {
            return Ok(Entered::Known(view.totals.seq));
        };
        let Some(place) = view.totals.index(&feature.id) else {
            return Err(Error::new(Code::Internal, "a feature without a place"));
        };
        let record = Record { event, feature: place, kind };
        let bytes = record.to_bytes();
        if let Err(error) = write_all_at(&*file, &bytes, view.tail.at(event.seq)) {
            view.renew = true;
            return Err(failed(NAME, "written", &error));
        }
        Arc::make_mut(&mut view.totals).apply(&bytes, &record);
        let tail: Tail = view.tail;
        drop(view);
        drop(locked);
        Ok(Entered::Written(Written { file, tail, seq: event.seq }))
    }

    /// The file to append to, with a place for one record of a feature.
    fn ready(
        &self,
        locked: &Locked<'_>,
        view: &mut View,
        file: Option<Box<dyn File>>,
        id: &str,
        at: i64,
    ) -> Result<Box<dyn File>> {
        let fits = view.tail.has(view.totals.seq + 1) && view.totals.index(id).is_some();
        if fits && !view.renew && view.settled {
            let open = || self.folder.open(Slot::Usage, view.generation, How::Write);
            let file = file.map_or_else(open, Ok)?;
            let marked = view.tail.is_marked(&*file);
            if !marked.map_err(|error| failed(NAME, "read", &error))? {
                return Ok(file);
            }
        }
        let turn = Turn { at: Some(at), feature: Some(id.to_string()), ..Turn::default() };
        self.turn(locked, view, turn)?;
        self.folder.open(Slot::Usage, view.generation, How::Write)
    }

    /// Writes a new checkpoint with an empty tail.
    fn turn(&self, locked: &Locked<'_>, view: &mut View, turn: Turn) -> Result<()> {
        // Where a file is damaged, both are written: the next reader finds two whole ones.
        for _ in 0..1 + u32::from(view.flaw.is_some()) {
            let highest = view.totals.seq.max(self.folder.synced()?);
            let known = turn.acknowledged.as_ref().map_or(0, |place| place.seq);
            let turn = Turn {
                seq: highest.max(known).saturating_add(1),
                room: self.room,
                damage: view.flaw.clone(),
                lost: view.lost,
                ..turn.clone()
            };
            let (totals, payload) = checkpoint::write(&view.totals, &turn)?;
            let generation = locked.next(Slot::Usage)?;
            // Whatever comes of it is read anew, if it fails.
            view.generation = 0;
            locked.replace(Slot::Usage, generation, &payload, self.room)?;
            // What this number covers is what makes the new file the one to go on with.
            let _ = self.folder.set_synced(turn.seq);
            let start = (64 + payload.len() as u64).next_multiple_of(64);
            *view = View {
                generation,
                tail: Tail { start, room: self.room, base: turn.seq },
                totals: Arc::new(totals),
                settled: true,
                later: view.later,
                ..View::default()
            };
            view.note_durable(turn.seq);
        }
        Ok(())
    }

    /// Waits until a record of this process is on disk.
    pub(super) fn finish(&self, written: &Written) -> Result<()> {
        let done = written.wait(&self.folder);
        let mine = self.mine();
        let mut view = mine.view();
        match &done {
            Ok(()) => view.note_durable(written.seq),
            // Wherever it is now, the next record goes to another file.
            Err(_) if view.tail == written.tail => view.renew = true,
            Err(_) => {}
        }
        done
    }

    /// Makes durable whatever was recorded up to a number, by whomever.
    pub(crate) fn settle_records(&self, seq: u64) -> Result<()> {
        let mine = self.mine();
        let is_record = {
            let mut view = mine.view();
            view.look(&self.folder, false)?;
            view.generation > 0 && seq > view.tail.base
        };
        if is_record { self.settle(seq) } else { Ok(()) }
    }

    /// Waits until everything up to a number is on disk, whoever has written it.
    fn settle(&self, seq: u64) -> Result<()> {
        for _ in 0..LOOKS {
            if self.folder.synced()? >= seq {
                self.mine().view().note_durable(seq);
                return Ok(());
            }
            let (tail, generation) = {
                let mine = self.mine();
                let mut view = mine.view();
                view.look(&self.folder, false)?;
                (view.tail, view.generation)
            };
            if generation == 0 || seq <= tail.base {
                return self.settle_checkpoint(seq);
            }
            match self.folder.open(Slot::Usage, generation, How::Write) {
                Ok(file) => return self.finish(&Written { file, tail, seq }),
                Err(error) if error.code() == Code::Busy => {}
                Err(error) => return Err(error),
            }
        }
        self.settle_checkpoint(seq)
    }

    /// Makes sure of a checkpoint whose writer may have died before he had.
    fn settle_checkpoint(&self, seq: u64) -> Result<()> {
        let locked = self.folder.lock()?;
        let mine = self.mine();
        let mut view = mine.view();
        if self.folder.synced()? < seq {
            view.look(&self.folder, true)?;
            self.turn(&locked, &mut view, Turn::default())?;
        }
        view.note_durable(seq);
        Ok(())
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        // A child leaves its parent's records to its parent.
        if self.mine.load().process == std::process::id() {
            let _ = self.flush();
        }
    }
}

/// What became of an entry.
pub(super) enum Entered {
    /// It is in a file, and may not be on disk yet.
    Written(Written),
    /// It would change nothing that was so up to this number.
    Known(u64),
}

#[cfg(test)]
impl Ledger {
    /// As if its process was killed: nothing is flushed.
    pub(super) fn forget(self) {
        self.mine().view().later = None;
    }

    /// Does something as if in the child of a fork, while a thread of its parent holds the view.
    pub(super) fn as_in_a_child(&self, act: impl FnOnce()) {
        let parents = Arc::new(Mine { process: 0, view: Mutex::default() });
        let held = parents.view();
        self.mine.store(Arc::clone(&parents));
        act();
        drop(held);
    }
}
