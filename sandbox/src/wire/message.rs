use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::launch::Spec;
use crate::tree::TreeOp;
use nofx_shared::drivers::{Enforced, Level, Limits, Network, Toolchain, Usage};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A process to be started.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Process {
    pub argv: Vec<String>,
    /// A file that is its last argument, with this text, in its scratch folder: arguments can be read by all users of a machine.
    pub script: Option<String>,
    /// Its working folder, in a workspace or a scratch folder: whose that is, that user runs it.
    pub dir: PathBuf,
    pub env: BTreeMap<String, String>,
    /// None: not confined.
    pub level: Option<Level>,
    pub limits: Limits,
    pub network: Network,
    /// The port of the egress proxy on loopback, for `Network::Proxy`.
    pub proxy_port: Option<u16>,
    /// The toolchains that it may read; none: all.
    pub toolchains: Option<Vec<Toolchain>>,
    /// A folder of `FolderOp::Prepare`; none: a new one.
    pub scratch: Option<PathBuf>,
}

/// What the worker sends; each has a number of its own.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ToSupervisor {
    pub id: u64,
    pub request: Request,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Request {
    /// With two descriptors: its standard output and error; for `Network::Proxy` a third, the end of a `Bridge`.
    Run(Box<Process>),
    /// Kills the process that was started by this request, with all of its descendants.
    Stop {
        run: u64,
    },
    /// Its scratch folder is not needed any more.
    Release {
        run: u64,
    },
    Folder(FolderOp),
    /// The toolchains that there are.
    Toolchains,
    /// With two descriptors: what it reads and what it writes.
    Tree {
        folder: PathBuf,
        op: TreeOp,
    },
    /// On a path below the folder of all workspaces.
    File {
        path: PathBuf,
        op: FileOp,
    },
    /// The worker's loop is alive.
    Heartbeat,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum FolderOp {
    /// A new folder for a step of a run: of a user of its own, and gone with this supervisor.
    Create { run: Uuid },
    /// A scratch folder of the user whose workspace or scratch folder this is in; of a new user when none is named.
    Scratch { like: Option<PathBuf> },
    /// The scratch folder of a process that will run in this folder: something is put into it before.
    Prepare { dir: PathBuf },
    /// Removes a workspace or scratch folder with all that is in it.
    Remove { folder: PathBuf },
    /// Removes what supervisors that are gone have left.
    Clean,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum FileOp {
    /// A regular file, to read.
    Read,
    /// A folder, to list.
    List,
    /// A new regular file in place of what is there, to write; its folders are created.
    Create,
    /// What is there.
    Kind,
    Remove,
}

/// What the supervisor sends: an answer to a request, or the end of a process.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct FromSupervisor {
    pub id: u64,
    pub answer: Result<Answer, String>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Answer {
    Done,
    /// A new folder, which goes when whoever asked for it does not wait any more.
    Created(PathBuf),
    Toolchains(BTreeSet<Toolchain>),
    /// With a descriptor, unless there is nothing.
    File {
        is_there: bool,
    },
    /// `file`, `folder`, `link`, `other`; none when nothing is there.
    Kind(Option<crate::files::Kind>),
    Started {
        scratch: PathBuf,
    },
    Ended(Box<Ended>),
}

/// The end of a process and of all of its descendants.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Ended {
    /// None: killed by a signal.
    pub exit_code: Option<i32>,
    /// What it used too much of, as "used more than 512 MiB of memory": it was killed for it.
    pub excess: Option<String>,
    pub usage: Usage,
    /// None: it was not confined.
    pub enforced: Option<Enforced>,
}

/// What a keeper receives.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum ToKeeper {
    /// With the descriptors of a `Streams`.
    Start(Box<KeeperSpec>),
    /// Kills everything; the end is still reported.
    Kill,
    /// Kills everything, removes the folder and ends.
    Release,
}

/// One process to keep. Its scratch folder is removed at the end.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct KeeperSpec {
    /// Whose the process is; none: this user's.
    pub uid: Option<u32>,
    pub program: Spec,
    /// Its control group; none where there are none.
    pub group: Option<PathBuf>,
    /// False: the program runs with all that its user may do.
    pub is_confined: bool,
}

/// A folder to remove.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Removal {
    pub folder: PathBuf,
    /// Whose its content is; none: this user's.
    pub uid: Option<u32>,
    /// The user has no other folder, and may be given again when this one is gone.
    pub is_last: bool,
}

/// What a keeper, the process that removes a folder, or the one that reads or writes a workspace reports, once.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum FromKeeper {
    Ended(Box<Ended>),
    Done,
    Failed(String),
}
