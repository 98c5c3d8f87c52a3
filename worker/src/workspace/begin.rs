//! What a step begins with: exactly what its needs left. A folder of this worker that has it is used as it is, once a list has proved that it
//! has; else a new one is made. Steps that run at the same time have folders of their own.

use std::sync::Arc;

use nofx_shared::engine::{Failure, TreesBefore};

use super::access::Access;
use super::begun::Begun;
use super::folder::Folder;
use super::listing::{changes, is_unchanged};
use super::manifest::Manifest;
use super::merge::merge;
use super::pool::{InUse, Ready};
use super::workspaces::Workspaces;

/// What a folder must have.
pub(super) struct Wanted {
    /// None: the checkout.
    pub snapshot: Option<String>,
    /// None: it is still in the store.
    pub manifest: Option<Arc<Manifest>>,
    /// None: it is known when the folder is there.
    pub tree: Option<String>,
    pub commit: Option<String>,
    /// How many steps begin with it.
    pub uses: usize,
    pub is_merged: bool,
    pub needs_index: bool,
}

impl Workspaces {
    /// The workspace of a step, as its needs left it.
    pub(crate) async fn begin(&self, access: &Access<'_>) -> Result<Begun, Failure> {
        let before = access.before().await?;
        let is_needed = before.is_needed;
        let wanted = wanted(access, before).await?;
        if access.step.workspace.is_none() && wanted.snapshot.is_none() {
            let (mut used, folder) = self.empty(access).await?;
            used.finish();
            let ready = Ready::default();
            return Ok(Begun { used, folder, ready, is_merged: false, is_needed });
        }
        let lock = self.pool.lock(access.step.run_id);
        let guard = lock.lock().await;
        let (mut used, mut ready) = match self.found(access, &wanted).await? {
            Some(found) => found,
            None => self.make(access, &wanted, is_needed).await?,
        };
        used.finish();
        let left = ready.uses.unwrap_or(wanted.uses).saturating_sub(1);
        let used = if left > 0 {
            let (mut copy, copied) = self.copy(access, &used, &ready, is_needed).await?;
            copy.finish();
            used.ready(Ready { uses: Some(left), ..ready });
            ready = copied;
            copy
        } else {
            used
        };
        drop(guard);
        let folder = Folder::new(&self.processes, used.path().to_owned())?;
        Ok(Begun { used, folder, ready, is_merged: wanted.is_merged, is_needed })
    }

    /// A folder of this worker that has what is wanted.
    async fn found(&self, access: &Access<'_>, wanted: &Wanted) -> Result<Option<(InUse, Ready)>, Failure> {
        while let Some((used, mut ready)) = self.pool.take(access.step.run_id, wanted.snapshot.as_deref()) {
            self.disk.changes(used.path());
            let now = self.list(used.path(), &ready.manifest.entered).await?;
            if is_unchanged(&changes(&ready.listing, &now)) {
                ready.listing = Arc::new(now);
                return Ok(Some((used, ready)));
            }
            tracing::warn!(run = %access.step.run_id, "a folder of a run changed while no step used it; another one is made");
            used.discard();
        }
        Ok(None)
    }
}

async fn wanted(access: &Access<'_>, before: TreesBefore) -> Result<Wanted, Failure> {
    let TreesBefore { commit, tree, heads, uses, .. } = before;
    let Some(first) = heads.first() else {
        let manifest = Some(Arc::new(Manifest::of(commit.clone())));
        return Ok(Wanted { snapshot: None, manifest, tree, commit, uses, is_merged: false, needs_index: false });
    };
    let mut snapshots: Vec<&str> = heads.iter().map(|head| head.snapshot.as_str()).collect();
    snapshots.sort_unstable();
    snapshots.dedup();
    if snapshots.len() == 1 {
        let (snapshot, tree) = (Some(first.snapshot.clone()), first.tree.clone());
        return Ok(Wanted { snapshot, manifest: None, tree, commit, uses: first.uses, is_merged: false, needs_index: false });
    }
    let mut manifests = vec![];
    for snapshot in snapshots {
        manifests.push(access.load_manifest(snapshot).await?);
    }
    let merged = merge(manifests).map_err(|why| Failure::permanent(format!("workspace: {why}")))?;
    Ok(Wanted {
        snapshot: Some(merged.manifest.digest()),
        manifest: Some(Arc::new(merged.manifest)),
        tree: None,
        commit,
        uses: 1,
        is_merged: true,
        needs_index: merged.needs_index,
    })
}
