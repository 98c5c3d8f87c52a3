//! A new folder with what a step begins with: the checkout of the run's commit, and what steps changed since. Caches, which no snapshot has,
//! are taken over from another folder of the run, if this worker has one.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Seek;
use std::path::Path;
use std::sync::Arc;

use nofx_sandbox::{TreeOp, memory_file, read_header, write_header};
use nofx_shared::engine::Failure;

use super::access::Access;
use super::begin::Wanted;
use super::checkout::CheckedOut;
use super::folder::Folder;
use super::git::Git;
use super::listing::{CACHES, Listing, caches};
use super::manifest::Manifest;
use super::pool::{InUse, Ready};
use super::restore::pack_of;
use super::seen::{Base, seen_by_git};
use super::workspaces::Workspaces;

/// Largest pack.
pub(super) const PACK_BYTES: u64 = 4 << 30;

impl Workspaces {
    /// A new empty folder.
    pub(super) async fn empty(&self, access: &Access<'_>) -> Result<(InUse, Folder), Failure> {
        self.disk.check_room()?;
        let (pool, run) = (Arc::clone(&self.pool), access.step.run_id);
        let used = self.off_loop(move || pool.create(run)).await?;
        let folder = Folder::new(&self.processes, used.path().to_owned())?;
        Ok((used, folder))
    }

    /// `is_needed`: what the step leaves will be compared with what it began with.
    pub(super) async fn make(&self, access: &Access<'_>, wanted: &Wanted, is_needed: bool) -> Result<(InUse, Ready), Failure> {
        let manifest = match (&wanted.manifest, &wanted.snapshot) {
            (Some(manifest), _) => Arc::clone(manifest),
            (None, Some(snapshot)) => Arc::new(access.load_manifest(snapshot).await?),
            (None, None) => Arc::default(),
        };
        let donor = self.pool.any(access.step.run_id);
        let (used, folder) = self.empty(access).await?;
        let (mut manifest, mut tree, mut base) = (Arc::unwrap_or_clone(manifest), wanted.tree.clone(), Base::new());
        if let Some(source) = &access.step.workspace {
            let pinned = wanted.commit.as_deref().or(manifest.commit.as_deref());
            let route = self.route(&source.git, &access.caller.for_checkout()).await?;
            let found = access.check_out(&folder, source, route, pinned).await?;
            if let Some(CheckedOut { commit, tree: of_commit, base: files }) = found {
                manifest.commit = Some(commit);
                base = files;
                if manifest.is_checkout() {
                    tree = tree.or(Some(of_commit));
                }
            }
        }
        let is_compared = is_needed || wanted.uses > 1;
        let mut listing = Listing::new();
        if manifest.is_checkout() && is_compared {
            listing = self.list(folder.path(), &manifest.entered).await?;
            // A cache that a checkout has is none; there may be another one in it.
            while let caches @ [_, ..] = caches(&listing).as_slice() {
                manifest.entered.extend(caches.iter().filter_map(|path| path.rsplit('/').next().map(str::to_owned)));
                listing = self.list(folder.path(), &manifest.entered).await?;
            }
        } else if !manifest.is_checkout() {
            self.restore(access, &folder, &manifest).await?;
        }
        if let Some(donor) = donor {
            self.copy_caches(donor.path(), folder.path(), &manifest.entered).await;
            // They are no change of the step's.
            listing.clear();
        }
        let git = Git::new(access.caller.clone(), &folder);
        if wanted.needs_index {
            git.run(&["read-tree", "HEAD"]).await?;
        }
        if tree.is_none() {
            tree = match (git.is_repository().await?, &wanted.snapshot) {
                (true, _) => Some(seen_by_git(&git).await?.tree(&manifest, &base)),
                (false, snapshot) => snapshot.clone(),
            };
        }
        if is_compared && listing.is_empty() {
            listing = self.list(folder.path(), &manifest.entered).await?;
        }
        let (snapshot, listing, base) = (wanted.snapshot.clone(), Arc::new(listing), Arc::new(base));
        let ready = Ready { snapshot, tree, manifest: Arc::new(manifest), listing, base, uses: None };
        Ok((used, ready))
    }

    async fn restore(&self, access: &Access<'_>, folder: &Folder, manifest: &Manifest) -> Result<(), Failure> {
        let mut packs = BTreeMap::new();
        for pack in manifest.packs() {
            let (write, read) = self.spool(folder).await?;
            access.load(pack, PACK_BYTES, write).await?;
            packs.insert(pack.to_owned(), read);
        }
        let (manifest, (write, pack)) = (manifest.clone(), self.spool(folder).await?);
        self.off_loop(move || pack_of(&manifest, &mut packs, write)).await?;
        self.processes.tree(folder.path(), TreeOp::Unpack, pack, nothing()?).await
    }

    /// The same in another folder, which the step uses while this one waits for the next that begins with it.
    pub(super) async fn copy(&self, access: &Access<'_>, from: &InUse, ready: &Ready, is_needed: bool) -> Result<(InUse, Ready), Failure> {
        let (to, folder) = self.empty(access).await?;
        self.copy_folders(from.path(), folder.path(), vec![String::new()]).await?;
        let listing = if is_needed { self.list(folder.path(), &ready.manifest.entered).await? } else { Listing::new() };
        Ok((to, Ready { listing: Arc::new(listing), uses: Some(1), ..ready.clone() }))
    }

    /// A cache is only a cache: without it a step takes longer.
    async fn copy_caches(&self, from: &Path, to: &Path, entered: &BTreeSet<String>) {
        let copied = async {
            let caches = caches(&self.list(from, entered).await?);
            if caches.is_empty() { Ok(()) } else { self.copy_folders(from, to, caches).await }
        };
        if let Err(failure) = copied.await {
            tracing::warn!(error = failure.message, "caches of a workspace could not be copied");
        }
    }

    async fn copy_folders(&self, from: &Path, to: &Path, folders: Vec<String>) -> Result<(), Failure> {
        let mut named = temporary()?;
        write_header(&folders, &mut named).and_then(|()| named.rewind()).map_err(|error| failed(&error))?;
        let (reader, writer) = std::io::pipe().map_err(|error| failed(&error))?;
        let (reader, writer) = (File::from(std::os::fd::OwnedFd::from(reader)), File::from(std::os::fd::OwnedFd::from(writer)));
        let packing = self.processes.tree(from, TreeOp::PackFolders, named, writer);
        let unpacking = self.processes.tree(to, TreeOp::Unpack, reader, nothing()?);
        let (packed, unpacked) = tokio::join!(packing, unpacking);
        packed.and(unpacked)
    }

    /// A file on disk, to write to and to read from: it goes when both are closed. It belongs to the user of the folder, of whom no process
    /// runs meanwhile.
    pub(super) async fn spool(&self, folder: &Folder) -> Result<(File, File), Failure> {
        let scratch = self.processes.scratch(Some(folder.path())).await?;
        let files = scratch.files()?;
        let opened = self.off_loop(move || {
            let write = files.create("spool").map_err(|why| format!("a temporary file {why}"))?;
            let read = files.open("spool").and_then(|file| file.ok_or_else(|| "is not there".to_owned()));
            read.map(|read| (write, read)).map_err(|why| format!("a temporary file {why}"))
        });
        let opened = opened.await;
        drop(scratch);
        opened
    }

    /// What is in a folder.
    pub(super) async fn list(&self, folder: &Path, entered: &BTreeSet<String>) -> Result<Listing, Failure> {
        let left_out = CACHES.iter().filter(|name| !entered.contains(**name)).map(|name| (*name).to_owned()).collect();
        let mut output = temporary()?;
        let written = output.try_clone().map_err(|error| failed(&error))?;
        self.processes.tree(folder, TreeOp::List { left_out }, nothing()?, written).await?;
        self.off_loop(move || {
            output.rewind().and_then(|()| read_header(std::io::BufReader::new(output))).map_err(|error| format!("its list: {error}"))
        })
        .await
    }
}

/// For what is small.
pub(super) fn temporary() -> Result<File, Failure> {
    memory_file().map_err(|error| failed(&error))
}

pub(super) fn nothing() -> Result<File, Failure> {
    File::options().read(true).write(true).open("/dev/null").map_err(|error| failed(&error))
}

fn failed(error: &std::io::Error) -> Failure {
    Failure::transient(format!("workspace: {error}"))
}
