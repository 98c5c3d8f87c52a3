//! The folder of all workspaces: one folder for each step that has one, or had it last, and `tmp/<supervisor>/` with scratch folders. Each belongs to a user of steps;
//! what is above them belongs to the supervisor, and nobody else can list it.

use std::collections::HashMap;
use std::fs::{DirBuilder, File, Permissions};
use std::io::{Error, ErrorKind};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Component, Path, PathBuf};

use rustix::fs::{FlockOperation, Mode, OFlags};
use uuid::Uuid;

use super::left::{OF, left};
use super::users::Users;

/// Scratch folders of all supervisors of this machine that have the same folder of workspaces.
const TMP: &str = "tmp";

pub(super) struct Folders {
    root: PathBuf,
    /// Its own scratch folders.
    scratch: PathBuf,
    /// Locked while this supervisor lives.
    _lock: File,
    next: u64,
    /// Scratch folders, each with the folder whose processes also use it.
    shared: HashMap<PathBuf, PathBuf>,
    /// None: everything belongs to this user.
    users: Option<Users>,
}

impl Folders {
    pub(super) fn new(root: &Path, name: &str, users: Option<Users>) -> Result<Self, Error> {
        let tmp = root.join(TMP);
        for folder in [root, &tmp] {
            prepare(folder, users.is_some())?;
        }
        let mut users = users;
        if let Some(users) = &mut users {
            // Whoever they belonged to is not given again while they are there.
            let there = std::fs::read_dir(root)?.flatten().map(|entry| entry.path()).chain(left(root, &tmp));
            for (folder, uid) in there.filter_map(|folder| std::fs::symlink_metadata(&folder).ok().map(|meta| (folder, meta.uid()))) {
                if users.contains(uid) {
                    users.found(uid, &folder);
                }
            }
        }
        let (scratch, lock) = own(&tmp, name)?;
        Ok(Self { root: root.to_owned(), scratch, _lock: lock, next: 0, shared: HashMap::new(), users })
    }

    /// What supervisors that are gone have left, to be removed.
    pub(super) fn left(&self) -> Vec<PathBuf> {
        left(&self.root, &self.root.join(TMP))
    }

    /// Removes its own scratch folder, which is empty by now.
    pub(super) fn close(&self) {
        drop(std::fs::remove_dir(&self.scratch));
    }

    /// A new folder for a run, of a new user. Its name says which supervisor it goes with.
    pub(super) fn create(&mut self, run: Uuid) -> Result<PathBuf, String> {
        self.next += 1;
        let maker = self.scratch.file_name().unwrap_or_default().to_string_lossy();
        let folder = self.root.join(format!("{}{OF}{maker}.{}", run.simple(), self.next));
        self.claim(&folder)
    }

    /// A new scratch folder: of this user; when none is named, of a new one.
    pub(super) fn scratch(&mut self, of: Option<Option<u32>>) -> Result<PathBuf, String> {
        self.next += 1;
        let folder = self.scratch.join(self.next.to_string());
        match of {
            Some(uid) => make(&folder, uid).map(|()| folder),
            None => self.claim(&folder),
        }
    }

    /// The same for processes of the folder that a path is in.
    pub(super) fn shared_scratch(&mut self, like: &Path) -> Result<PathBuf, String> {
        let (of, uid) = (self.folder_of(like)?, self.user_of(like)?);
        let folder = self.scratch(Some(uid))?;
        self.shared.insert(folder.clone(), of);
        Ok(folder)
    }

    /// A scratch folder of this user that was made before, as a whole: never a workspace, and none that others use, too.
    pub(super) fn prepared(&mut self, folder: &Path, uid: Option<u32>) -> Result<PathBuf, String> {
        let (whole, rest) = self.split(folder)?;
        let is_own = whole.parent() == Some(&self.scratch) && rest.as_os_str().is_empty() && !self.shared.contains_key(&whole);
        if is_own && self.user_of(folder)? == uid {
            Ok(whole)
        } else {
            Err(format!("{} is no scratch folder of this process' user", folder.display()))
        }
    }

    /// What processes of this folder use together: it, the folder that it is the scratch folder of, and that one's other scratch folders.
    pub(super) fn used_with(&self, folder: &Path) -> Vec<PathBuf> {
        let main = self.shared.get(folder).map_or(folder, PathBuf::as_path);
        let others = self.shared.iter().filter(|(_, of)| of.as_path() == main).map(|(scratch, _)| scratch.clone());
        others.chain([main.to_owned()]).collect()
    }

    fn claim(&mut self, folder: &Path) -> Result<PathBuf, String> {
        match &mut self.users {
            Some(users) => users.allocate(|uid| make(folder, Some(uid)).map(|()| folder.to_owned())),
            None => make(folder, None).map(|()| folder.to_owned()),
        }
    }

    /// The folder of a run, or the scratch folder, that a path is in; the rest of the path; the user that it belongs to.
    pub(super) fn locate<'a>(&mut self, path: &'a Path) -> Result<(OwnedFd, &'a Path, Option<u32>), String> {
        let (folder, rest) = self.split(path)?;
        let failed = |error: rustix::io::Errno| format!("{}: {error}", folder.display());
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let opened = rustix::fs::open(&folder, flags, Mode::empty()).map_err(failed)?;
        let uid = self.held(rustix::fs::fstat(&opened).map_err(failed)?.st_uid)?;
        Ok((opened, rest, uid))
    }

    /// The user of a folder that `locate` would find.
    pub(super) fn user_of(&mut self, path: &Path) -> Result<Option<u32>, String> {
        self.locate(path).map(|(_, _, uid)| uid)
    }

    /// The folder itself, when the path names one as a whole: what may be removed.
    pub(super) fn whole(&mut self, path: &Path) -> Result<(PathBuf, Option<u32>), String> {
        let (folder, rest) = self.split(path)?;
        self.shared.remove(&folder);
        if rest.as_os_str().is_empty() {
            Ok((folder, self.user_of(path)?))
        } else {
            Err(format!("{} is inside of a folder", path.display()))
        }
    }

    /// The workspace or scratch folder that a path is in.
    pub(super) fn folder_of(&self, path: &Path) -> Result<PathBuf, String> {
        self.split(path).map(|(folder, _)| folder)
    }

    /// The user of a folder that another supervisor has left.
    pub(super) fn owner(&self, folder: &Path) -> Result<Option<u32>, String> {
        let uid = std::fs::symlink_metadata(folder).map_err(|error| error.to_string())?.uid();
        Ok(self.users.as_ref().filter(|users| users.contains(uid)).map(|_| uid))
    }

    /// Whether the user may be given again when this folder is gone.
    pub(super) fn is_last(&self, folder: &Path, uid: Option<u32>) -> bool {
        self.users.as_ref().zip(uid).is_some_and(|(users, uid)| users.last_folder(uid) == folder)
    }

    /// A folder of this user is gone: when it was the user's own, the user is free.
    pub(super) fn free_user(&mut self, uid: Option<u32>) {
        if let (Some(users), Some(uid)) = (&mut self.users, uid) {
            users.release_if_gone(uid);
        }
    }

    fn split<'a>(&self, path: &'a Path) -> Result<(PathBuf, &'a Path), String> {
        let outside = || format!("{} is in no workspace of this worker", path.display());
        let below = |folder: &Path| path.strip_prefix(folder).ok().filter(|rest| !rest.as_os_str().is_empty());
        let (folder, rest) = match below(&self.scratch) {
            Some(rest) => (&self.scratch, rest),
            None => (&self.root, below(&self.root).ok_or_else(outside)?),
        };
        let mut parts = rest.components();
        let Some(Component::Normal(name)) = parts.next() else { return Err(outside()) };
        if folder == &self.root && name == TMP {
            return Err(outside());
        }
        Ok((folder.join(name), parts.as_path()))
    }

    fn held(&mut self, uid: u32) -> Result<Option<u32>, String> {
        match &mut self.users {
            Some(users) if users.contains(uid) => users.hold(uid).map(|()| Some(uid)),
            None if uid == nix::unistd::geteuid().as_raw() => Ok(None),
            _ => Err(format!("the folder belongs to user {uid}, which is not in NOFX_STEP_USERS")),
        }
    }
}

fn make(folder: &Path, uid: Option<u32>) -> Result<(), String> {
    let failed = |error: Error| format!("could not create {}: {error}", folder.display());
    DirBuilder::new().mode(0o700).create(folder).map_err(failed)?;
    uid.map_or(Ok(()), |uid| std::os::unix::fs::chown(folder, Some(uid), Some(uid)).map_err(failed))
}

/// Creates a folder, or makes sure that the one that is there belongs to this user, is no link, and cannot be written to by others: its
/// default name is well known, and its parent may be a folder where everybody can write.
fn prepare(folder: &Path, is_entered: bool) -> Result<(), Error> {
    let mode = if is_entered { 0o711 } else { 0o700 };
    DirBuilder::new().recursive(true).mode(mode).create(folder)?;
    let found = std::fs::symlink_metadata(folder)?;
    let refuse = |why| {
        let text = format!("{}: {why}; set NOFX_WORKSPACES to a folder of the worker's own", folder.display());
        Err(Error::new(ErrorKind::PermissionDenied, text))
    };
    if !found.is_dir() {
        return refuse("the folder is a link");
    }
    if found.uid() != nix::unistd::geteuid().as_raw() {
        return refuse("the folder belongs to another user");
    }
    if found.permissions().mode() & 0o022 != 0 {
        return refuse("other users can write to the folder");
    }
    std::fs::set_permissions(folder, Permissions::from_mode(mode))
}

/// The scratch folder of a supervisor, locked. Another one may take it for one that was left before it is.
fn own(tmp: &Path, name: &str) -> Result<(PathBuf, File), Error> {
    loop {
        let scratch = tmp.join(format!("{name}-{}", Uuid::now_v7().simple()));
        DirBuilder::new().mode(0o711).create(&scratch)?;
        let lock = match File::open(&scratch) {
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            lock => lock?,
        };
        rustix::fs::flock(&lock, FlockOperation::LockExclusive)?;
        if scratch.is_dir() {
            std::fs::set_permissions(&scratch, Permissions::from_mode(0o711))?;
            return Ok((scratch, lock));
        }
    }
}

#[cfg(test)]
mod tests;
