use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nofx_sandbox::Files;
use tokio::sync::Semaphore;
use uuid::Uuid;

use super::home::{is_installed, path, registries};
use super::locked::usable;
use super::store::Store;
use super::{Counters, Locked, Tool, pip};

/// Most bytes that one process is given, and that are taken over from it; the rest is downloaded.
const BYTES: u64 = 512 << 20;
/// Processes whose files are copied at once: they share a disk.
const MAX_CONCURRENT: usize = 2;

/// The cache of a worker.
#[derive(Clone)]
pub(crate) struct Dependencies {
    /// None: nothing is cached.
    root: Option<PathBuf>,
    max_bytes: u64,
    /// The files that lock files in a folder name.
    read_locks: fn(&Files) -> Vec<Locked>,
    counters: Counters,
    permits: Arc<Semaphore>,
}

/// What the lock files of a process name, and which of it the process was given.
pub(crate) struct Given {
    tenant: Uuid,
    /// Not given: a process that downloads it leaves it in its home.
    missing: Vec<Locked>,
}

impl Dependencies {
    pub(crate) fn new(root: &Path, max_bytes: u64, read_locks: fn(&Files) -> Vec<Locked>, counters: Counters) -> Self {
        let is_on = max_bytes > 0 && is_own(root);
        if max_bytes > 0 && !is_on {
            tracing::warn!(folder = %root.display(), "dependencies are not cached: the folder is not this worker's own");
        }
        let permits = Arc::new(Semaphore::new(MAX_CONCURRENT));
        Self { root: is_on.then(|| root.to_owned()), max_bytes, read_locks, counters, permits }
    }

    /// This, unless nothing is cached.
    pub(crate) fn if_on(&self) -> Option<&Self> {
        self.root.as_ref().map(|_| self)
    }

    /// The files that a process in this folder, with this environment, may find in its home; none when there is nothing to find. May wait for a
    /// disk.
    pub(crate) fn wanted(&self, folder: &Files, env: &BTreeMap<String, String>) -> Option<Vec<Locked>> {
        let mut wanted = usable((self.read_locks)(folder), env);
        let installed: Vec<Tool> = [Tool::Cargo, Tool::Npm].into_iter().filter(|tool| is_installed(*tool, folder)).collect();
        wanted.retain(|locked| !installed.contains(&locked.tool));
        (!wanted.is_empty()).then_some(wanted)
    }

    /// Puts the files that the tenant has into a home. May wait for a disk. What fails is downloaded.
    pub(crate) fn give(&self, tenant: Uuid, wanted: Vec<Locked>, home: &Files) -> Given {
        let Some(store) = self.store(tenant) else { return Given { tenant, missing: vec![] } };
        let (of_pip, wanted): (Vec<Locked>, Vec<Locked>) = wanted.into_iter().partition(|locked| locked.tool == Tool::Pip);
        let (of_cargo, mut left, mut missing) = (store.registries(), BYTES, vec![]);
        for locked in wanted {
            let from: Vec<&str> = match locked.tool {
                Tool::Cargo => of_cargo.iter().map(String::as_str).filter(|name| !["npm", pip::REGISTRY].contains(name)).collect(),
                Tool::Npm => vec!["npm"],
                Tool::Pip => vec![],
            };
            let mut is_given = false;
            for registry in from {
                if left == 0 || !store.has(registry, &locked.digest) {
                    continue;
                }
                let Some(path) = path(&locked, registry) else { continue };
                match store.give(registry, &locked.digest, || home.create(&path)) {
                    Ok(Some(bytes)) => {
                        (is_given, left) = (true, left.saturating_sub(bytes));
                        self.counters.add(locked.tool, "given", bytes);
                    }
                    Ok(None) => {}
                    Err(why) => {
                        tracing::warn!(file = path, why, "a dependency was not given");
                        drop(home.remove(&path));
                    }
                }
            }
            if !is_given {
                self.counters.add(locked.tool, "missing", 0);
                missing.push(locked);
            }
        }
        missing.extend(pip::give(&store, of_pip, home, &mut left, &self.counters));
        Given { tenant, missing }
    }

    /// Takes over what a process downloaded, once it has ended well. May wait for a disk.
    pub(crate) fn take(&self, given: &Given, home: &Files) {
        let Some(store) = self.store(given.tenant) else { return };
        let (mut left, mut is_changed) = (BYTES, false);
        for tool in [Tool::Cargo, Tool::Npm] {
            for registry in registries(tool, home) {
                for locked in given.missing.iter().filter(|locked| locked.tool == tool) {
                    let Some(path) = path(locked, &registry) else { continue };
                    // What is no regular file, or a link to another's, is none.
                    let Ok(Some(mut file)) = home.open(&path) else { continue };
                    let size = file.metadata().map_or(u64::MAX, |meta| meta.len());
                    if size > left {
                        continue;
                    }
                    // Also when it is another file than its name says: reading it takes as long.
                    left -= size;
                    match store.add(&registry, &locked.digest, &mut file) {
                        Ok(Some(bytes)) => {
                            is_changed = true;
                            self.counters.add(tool, "stored", bytes);
                        }
                        Ok(None) => {}
                        Err(error) => tracing::warn!(file = path, %error, "a dependency was not stored"),
                    }
                }
            }
        }
        is_changed |= pip::take(&store, &given.missing, home, &mut left, &self.counters);
        if is_changed {
            store.prune();
        }
    }

    /// Runs work that copies files, off the loop's thread, for few processes at once.
    pub(crate) async fn off_loop<T: Send + 'static>(&self, work: impl FnOnce(&Self) -> T + Send + 'static) -> Option<T> {
        let permit = Arc::clone(&self.permits).acquire_owned().await.ok()?;
        let this = self.clone();
        let done = tokio::task::spawn_blocking(move || {
            let done = work(&this);
            drop(permit);
            done
        });
        done.await.ok()
    }

    fn store(&self, tenant: Uuid) -> Option<Store> {
        self.root.as_ref().map(|root| Store::new(root, tenant, self.max_bytes))
    }
}

/// Whether only this user can enter the folder.
fn is_own(folder: &Path) -> bool {
    let own = nix::unistd::geteuid().as_raw();
    std::fs::symlink_metadata(folder).is_ok_and(|meta| meta.is_dir() && meta.uid() == own && meta.permissions().mode() & 0o077 == 0)
}

#[cfg(test)]
mod tests;
