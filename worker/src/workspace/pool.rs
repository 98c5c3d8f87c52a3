//! The folders that this worker has for runs: which one a step uses, and what the others have. A folder that nobody uses is only kept because
//! it saves work: all that it has can be made again.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use nofx_sandbox::Sandbox;
use uuid::Uuid;

use super::listing::Listing;
use super::manifest::Manifest;
use super::seen::Base;

/// What a folder has.
#[derive(Clone, Debug, Default)]
pub(super) struct Ready {
    /// None: the checkout, or an empty folder.
    pub snapshot: Option<String>,
    /// None: it is no repository, and nobody has changed anything.
    pub tree: Option<String>,
    pub manifest: Arc<Manifest>,
    pub listing: Arc<Listing>,
    pub base: Arc<Base>,
    /// How many steps will still begin with it; none: nobody has said so.
    pub uses: Option<usize>,
}

enum State {
    InUse,
    Ready(Ready),
    /// What a step left that did not succeed. Its caches are as good as others.
    Dirty,
}

struct Slot {
    path: PathBuf,
    state: State,
    /// When its last step began, or was over.
    since: Instant,
}

pub(super) struct Pool {
    sandbox: Sandbox,
    runs: Mutex<HashMap<Uuid, Vec<Slot>>>,
    /// One step of a run at a time gets a folder: the second may get a copy of what the first had to fetch.
    locks: Mutex<HashMap<Uuid, Arc<tokio::sync::Mutex<()>>>>,
}

/// A folder as it is now.
pub(super) struct Found {
    pub run: Uuid,
    pub path: PathBuf,
    /// For how long no step has used it; none: one does.
    pub idle: Option<Duration>,
}

/// A folder that a step uses. Dropped: what is in it is not known.
pub(super) struct InUse {
    pool: Arc<Pool>,
    run: Uuid,
    path: Option<PathBuf>,
    /// It is not complete: dropped, it goes.
    is_unfinished: bool,
}

impl InUse {
    pub(super) fn path(&self) -> &Path {
        self.path.as_deref().expect("it is there until it is given back")
    }

    /// It is complete.
    pub(super) fn finish(&mut self) {
        self.is_unfinished = false;
    }

    /// The step is over; this is what the folder has.
    pub(super) fn ready(mut self, ready: Ready) {
        self.give_back(State::Ready(ready));
    }

    /// Nobody needs it any more.
    pub(super) fn discard(mut self) {
        self.remove();
    }

    fn remove(&mut self) {
        if let Some(path) = self.path.take() {
            self.pool.drop_slot(self.run, &path);
            self.pool.sandbox.remove_later(&path);
        }
    }

    fn give_back(&mut self, state: State) {
        let Some(path) = self.path.take() else { return };
        let mut runs = self.pool.runs.lock().expect("the lock is never poisoned");
        let slots = runs.entry(self.run).or_default();
        if matches!(state, State::Dirty) {
            // One is enough.
            for old in slots.extract_if(.., |slot| matches!(slot.state, State::Dirty)) {
                self.pool.sandbox.remove_later(&old.path);
            }
        }
        if let Some(slot) = slots.iter_mut().find(|slot| slot.path == path) {
            slot.state = state;
            slot.since = Instant::now();
        }
    }
}

impl Drop for InUse {
    fn drop(&mut self) {
        if self.is_unfinished {
            self.remove();
        } else {
            self.give_back(State::Dirty);
        }
    }
}

impl Pool {
    pub(super) fn new(sandbox: Sandbox) -> Arc<Self> {
        Arc::new(Self { sandbox, runs: Mutex::default(), locks: Mutex::default() })
    }

    pub(super) fn lock(&self, run: Uuid) -> Arc<tokio::sync::Mutex<()>> {
        Arc::clone(self.locks.lock().expect("the lock is never poisoned").entry(run).or_default())
    }

    /// A new folder. When none can be made, the oldest that nobody uses goes first. Waits for the supervisor.
    pub(super) fn create(self: &Arc<Self>, run: Uuid) -> Result<InUse, String> {
        let path = match self.sandbox.create_workspace(run) {
            Ok(path) => path,
            Err(why) => {
                let (of, idle) = self.idle().into_iter().next().ok_or(why)?;
                self.remove(of, &idle)?;
                self.sandbox.create_workspace(run)?
            }
        };
        let slot = Slot { path: path.clone(), state: State::InUse, since: Instant::now() };
        self.runs.lock().expect("the lock is never poisoned").entry(run).or_default().push(slot);
        Ok(InUse { pool: Arc::clone(self), run, path: Some(path), is_unfinished: true })
    }

    /// A folder with this snapshot that nobody uses.
    pub(super) fn take(self: &Arc<Self>, run: Uuid, snapshot: Option<&str>) -> Option<(InUse, Ready)> {
        let mut runs = self.runs.lock().expect("the lock is never poisoned");
        // The last has the newest caches.
        let slot = runs
            .get_mut(&run)?
            .iter_mut()
            .rev()
            .find(|slot| matches!(&slot.state, State::Ready(ready) if ready.snapshot.as_deref() == snapshot))?;
        let State::Ready(ready) = std::mem::replace(&mut slot.state, State::InUse) else { return None };
        Some((InUse { pool: Arc::clone(self), run, path: Some(slot.path.clone()), is_unfinished: false }, ready))
    }

    /// A folder of the run that nobody uses, whatever it has.
    pub(super) fn any(self: &Arc<Self>, run: Uuid) -> Option<Donor> {
        let mut runs = self.runs.lock().expect("the lock is never poisoned");
        let slot = runs.get_mut(&run)?.iter_mut().rev().find(|slot| !matches!(slot.state, State::InUse))?;
        let state = std::mem::replace(&mut slot.state, State::InUse);
        Some(Donor { used: InUse { pool: Arc::clone(self), run, path: Some(slot.path.clone()), is_unfinished: false }, state: Some(state) })
    }

    /// The runs that have a folder.
    pub(super) fn runs(&self) -> Vec<Uuid> {
        self.runs.lock().expect("the lock is never poisoned").keys().copied().collect()
    }

    /// All folders.
    pub(super) fn all(&self) -> Vec<Found> {
        let runs = self.runs.lock().expect("the lock is never poisoned");
        let of = |run: Uuid, slot: &Slot| {
            let idle = (!matches!(slot.state, State::InUse)).then(|| slot.since.elapsed());
            Found { run, path: slot.path.clone(), idle }
        };
        runs.iter().flat_map(|(run, slots)| slots.iter().map(move |slot| of(*run, slot))).collect()
    }

    /// Those that nobody uses, the oldest run first: ids of runs sort by time.
    fn idle(&self) -> Vec<(Uuid, PathBuf)> {
        let mut idle: Vec<_> = self.all().into_iter().filter(|one| one.idle.is_some()).map(|one| (one.run, one.path)).collect();
        idle.sort();
        idle
    }

    /// Removes a folder, unless a step uses it now. Waits for the supervisor.
    pub(super) fn remove(&self, run: Uuid, path: &Path) -> Result<bool, String> {
        let is_idle = {
            let mut runs = self.runs.lock().expect("the lock is never poisoned");
            let slots = runs.get_mut(&run).into_iter().flatten();
            let idle = slots.into_iter().find(|slot| slot.path == path && !matches!(slot.state, State::InUse));
            // Nobody gets it from now on.
            idle.map(|slot| slot.state = State::InUse).is_some()
        };
        if is_idle {
            self.drop_slot(run, path);
            self.sandbox.remove(path)?;
        }
        Ok(is_idle)
    }

    fn drop_slot(&self, run: Uuid, path: &Path) {
        let mut runs = self.runs.lock().expect("the lock is never poisoned");
        let is_empty = runs.get_mut(&run).is_none_or(|slots| {
            slots.retain(|slot| slot.path != path);
            slots.is_empty()
        });
        if is_empty {
            runs.remove(&run);
            let mut locks = self.locks.lock().expect("the lock is never poisoned");
            // Whoever waits for it has it, too.
            if locks.get(&run).is_some_and(|lock| Arc::strong_count(lock) == 1) {
                locks.remove(&run);
            }
        }
    }
}

/// A folder whose caches are copied. It is as before when this is dropped.
pub(super) struct Donor {
    used: InUse,
    state: Option<State>,
}

impl Donor {
    pub(super) fn path(&self) -> &Path {
        self.used.path()
    }
}

impl Drop for Donor {
    fn drop(&mut self) {
        if let Some(state) = self.state.take() {
            self.used.give_back(state);
        }
    }
}
