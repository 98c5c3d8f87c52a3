//! What a step leaves: only what it changed is stored, and the next steps begin with it. A step that changed nothing leaves what it began with.

use std::collections::HashSet;
use std::io::Seek;
use std::sync::Arc;

use nofx_sandbox::{Kind, Listed, TreeOp, write_header};
use nofx_shared::engine::{Failure, Left};

use super::access::Access;
use super::begun::Begun;
use super::git::Git;
use super::listing::{CACHES, Change, changes, is_unchanged, kept_by_git};
use super::make::{PACK_BYTES, temporary};
use super::manifest::{Manifest, State, is_gits};
use super::packed::{self, Packed};
use super::pool::Ready;
use super::seen::{Seen, seen_by_git};
use super::store::{Stored, content_of};
use super::workspaces::Workspaces;

/// Of ignored files that a step changed: what is above it is left out.
const IGNORED_BYTES: u64 = 256 << 20;

impl Workspaces {
    /// The step has succeeded. None: it leaves the checkout, or nobody begins with what it leaves.
    pub(crate) async fn leave(&self, begun: Begun, access: &Access<'_>) -> Result<Option<Left>, Failure> {
        let Begun { used, folder, ready, is_merged, is_needed } = begun;
        if !is_needed {
            return Ok(None);
        }
        let mut manifest = Manifest::clone(&ready.manifest);
        let mut now = self.list(folder.path(), &manifest.entered).await?;
        if is_unchanged(&changes(&ready.listing, &now)) {
            if is_merged {
                access.save(&manifest, vec![]).await?;
            }
            // Named again, so that nobody looks for it further back.
            let left = ready.tree.clone().zip(ready.snapshot.clone()).map(|(tree, snapshot)| Left { tree, snapshot });
            used.ready(Ready { listing: Arc::new(now), uses: None, ..ready });
            return Ok(left);
        }
        let git = Git::new(access.caller.clone(), &folder);
        let seen = if git.is_repository().await? { Some(seen_by_git(&git).await?) } else { None };
        if let Some(seen) = seen.as_ref().filter(|seen| enter(&mut manifest, seen)) {
            tracing::debug!(files = seen.files.len(), "git sees what is in a folder with the name of a cache");
            now = self.list(folder.path(), &manifest.entered).await?;
        }
        let chosen = choose(&mut manifest, &ready.listing, &now, seen.as_ref().map(|seen| &seen.files), &access.step.name);
        let bytes = bytes_of(&now, &chosen);
        if bytes > PACK_BYTES {
            let why = format!("workspace: the step changed {} MiB of files, the limit is {}", bytes >> 20, PACK_BYTES >> 20);
            return Err(Failure::permanent(why));
        }
        let is_sha256 = seen.as_ref().is_some_and(Seen::is_sha256);
        let pack = self.pack(access, &folder, &chosen, is_sha256).await?;
        let new = pack.into_iter().map(|(packed, content)| {
            for (path, state) in packed.states {
                manifest.change(&path, state, is_ignored(&path, seen.as_ref().map(|seen| &seen.files)), &access.step.name);
            }
            Stored { digest: packed.digest, content: content_of(content, packed.size) }
        });
        let new: Vec<Stored> = new.collect();
        let snapshot = access.save(&manifest, new).await?;
        let tree = seen.map_or_else(|| snapshot.clone(), |seen| seen.tree(&manifest, &ready.base));
        used.ready(Ready {
            snapshot: Some(snapshot.clone()),
            tree: Some(tree.clone()),
            manifest: Arc::new(manifest),
            listing: Arc::new(now),
            base: ready.base,
            uses: None,
        });
        Ok(Some(Left { tree, snapshot }))
    }

    async fn pack(
        &self,
        access: &Access<'_>,
        folder: &super::Folder,
        paths: &[String],
        is_sha256: bool,
    ) -> Result<Option<(Packed, std::fs::File)>, Failure> {
        if paths.is_empty() {
            return Ok(None);
        }
        let failed = |error: std::io::Error| Failure::transient(format!("workspace: {error}"));
        let (mut input, (write, mut output)) = (temporary()?, self.spool(folder).await?);
        write_header(&paths, &mut input).and_then(|()| input.rewind()).map_err(failed)?;
        self.processes.tree(folder.path(), TreeOp::Pack, input, write).await?;
        let mask = access.mask.clone();
        let read = tokio::task::spawn_blocking(move || packed::read(&mut output, &mask, is_sha256).map(|packed| (packed, output))).await;
        let read = read.map_err(|error| error.to_string()).flatten();
        read.map(Some).map_err(|why| Failure::permanent(format!("workspace: {why}")))
    }
}

/// What was there before goes: it is not what the step left.
fn leave_out(manifest: &mut Manifest, path: &str, step: &str, why: &str) {
    manifest.change(path, State::Gone, true, step);
    manifest.left_out.insert(path.to_owned(), why.to_owned());
}

/// Of files to pack.
fn bytes_of(now: &[Listed], chosen: &[String]) -> u64 {
    let chosen: HashSet<&str> = chosen.iter().map(String::as_str).collect();
    now.iter().filter(|one| chosen.contains(one.path.as_str())).fold(0, |sum, one| sum.saturating_add(one.size))
}

/// Git sees files in folders with names of caches: these are none here. Whether there are new ones.
fn enter(manifest: &mut Manifest, seen: &Seen) -> bool {
    let before = manifest.entered.len();
    let folders = seen.files.iter().filter_map(|path| path.rsplit_once('/')).flat_map(|(folders, _)| folders.split('/'));
    manifest.entered.extend(folders.filter(|name| CACHES.contains(name)).map(str::to_owned));
    manifest.entered.len() > before
}

fn is_ignored(path: &str, seen: Option<&HashSet<String>>) -> bool {
    seen.is_some_and(|files| !files.contains(path)) && !is_gits(path)
}

/// The paths to pack. What is gone, and what is left out, the manifest has afterwards.
fn choose(manifest: &mut Manifest, before: &[Listed], now: &[Listed], seen: Option<&HashSet<String>>, step: &str) -> Vec<String> {
    let mut changed = changes(before, now);
    if manifest.is_checkout() {
        let known: HashSet<&str> = changed.iter().map(|change| change.path).collect();
        changed.extend(
            kept_by_git(now).filter(|one| !known.contains(one.path.as_str())).map(|one| Change { path: &one.path, now: Some(one) }),
        );
    }
    let (mut chosen, mut ignored_bytes) = (vec![], 0_u64);
    for Change { path, now } in changed {
        let Some(one) = now else {
            let was_ignored = manifest.entries.get(path).is_some_and(|entry| entry.is_ignored);
            manifest.change(path, State::Gone, was_ignored, step);
            continue;
        };
        if one.is_left_out {
            manifest.left_out.insert(path.to_owned(), "a cache".to_owned());
            continue;
        }
        if one.kind == Kind::Other || one.kind == Kind::File && one.mode & 0o400 == 0 {
            let why = "it is neither a file nor a folder nor a link, its user may not read it, its name is not UTF-8, or it is too deep";
            leave_out(manifest, path, step, why);
            continue;
        }
        if one.kind == Kind::File && is_ignored(path, seen) {
            if ignored_bytes.saturating_add(one.size) > IGNORED_BYTES {
                leave_out(manifest, path, step, "the ignored files that its step changed are too large together");
                continue;
            }
            ignored_bytes += one.size;
        }
        chosen.push(path.to_owned());
    }
    chosen
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use nofx_sandbox::{Kind, Listed};

    use super::super::manifest::{Manifest, State};
    use super::super::seen::Seen;
    use super::{IGNORED_BYTES, choose, enter};

    fn listed(path: &str, kind: Kind, size: u64) -> Listed {
        Listed { path: path.to_owned(), kind, mode: 0o644, size, ctime_ns: 1, inode: 1, is_left_out: path.ends_with("node_modules") }
    }

    #[test]
    fn what_changed_is_packed_and_what_is_not_says_why() {
        let before = vec![listed("gone", Kind::File, 1), listed("same", Kind::File, 1)];
        let now = vec![
            listed(".git/HEAD", Kind::File, 1),
            listed(".git/objects/ab/cd", Kind::File, 1),
            listed("big.ignored", Kind::File, IGNORED_BYTES),
            listed("fifo", Kind::Other, 0),
            listed("new", Kind::File, IGNORED_BYTES),
            listed("node_modules", Kind::Folder, 0),
            listed("same", Kind::File, 1),
            listed("small.ignored", Kind::File, 1),
        ];
        let seen = HashSet::from(["new".to_owned(), "same".to_owned()]);
        let mut manifest = Manifest::default();
        let chosen = choose(&mut manifest, &before, &now, Some(&seen), "a");
        assert_eq!(chosen, [".git/HEAD", ".git/objects/ab/cd", "big.ignored", "new"], "what git sees has no limit here");
        assert_eq!(manifest.left_out.keys().collect::<Vec<_>>(), ["fifo", "node_modules", "small.ignored"]);
        assert_eq!(manifest.entries["small.ignored"].state, State::Gone, "nor is an older one there");
        assert_eq!(manifest.entries["gone"].state, State::Gone);

        // Later ones have what git keeps already.
        let chosen = choose(&mut manifest, &now, &now, Some(&seen), "b");
        assert!(chosen.is_empty(), "{chosen:?}");
    }

    #[test]
    fn the_first_snapshot_has_all_that_git_keeps_of_its_checkout() {
        let before = vec![listed(".git/HEAD", Kind::File, 1), listed(".git/objects/ab/cd", Kind::File, 1), listed("a", Kind::File, 1)];
        let mut now = before.clone();
        now[2].ctime_ns = 2;
        let chosen = choose(&mut Manifest::default(), &before, &now, None, "a");
        assert_eq!(chosen, ["a", ".git/HEAD"], "objects are in each clone");
    }

    #[test]
    fn a_folder_that_git_sees_is_no_cache() {
        let seen = |path: &str| Seen { files: HashSet::from([path.to_owned()]), claimed: vec![] };
        let mut manifest = Manifest::default();
        assert!(!enter(&mut manifest, &seen("src/target")), "a file of that name is no folder");
        assert!(enter(&mut manifest, &seen("src/target/x.rs")) && manifest.entered.contains("target"));
        assert!(!enter(&mut manifest, &seen("target/y.rs")), "it is known");
    }
}
