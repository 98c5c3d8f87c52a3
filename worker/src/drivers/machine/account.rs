//! What a driver of machines implements.

use std::sync::Arc;

use futures::future::BoxFuture;
use nofx_shared::drivers::Enforced;
use tokio::io::AsyncRead;

use super::{Exec, Fault, Sink, Spec, Tags};

/// Bytes on their way to a machine or from it.
pub(crate) type Bytes = Box<dyn AsyncRead + Send + Unpin>;

/// An account at a provider: it makes machines, lists them and kills them. No call is repeated here: the callers know which may be.
pub(crate) trait Account: Send + Sync {
    /// What a machine of this kind enforces: what the driver truly knows, nothing else. An error says what of it cannot be enforced; then
    /// nothing is created. Makes no call.
    fn enforces(&self, spec: &Spec) -> Result<Enforced, String>;

    /// Creates a machine with all of the tags and the lifetime. After `Fault::Unavailable` it may be there, without its id being known.
    fn create<'a>(&'a self, spec: &'a Spec) -> BoxFuture<'a, Result<Arc<dyn Machine>, Fault>>;

    /// All machines of a deployment that are not gone, paused ones too.
    fn list<'a>(&'a self, deployment: &'a str) -> BoxFuture<'a, Result<Vec<Listed>, Fault>>;

    /// Kills a machine with all that runs there. One that is not there is fine.
    fn kill<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<(), Fault>>;
}

/// A machine that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    pub id: String,
    pub tags: Tags,
}

/// A machine that was created. It has bash, GNU find, tar, sort, comm and sed, and a folder `/tmp` that its user may write to.
pub(crate) trait Machine: Send + Sync {
    fn id(&self) -> &str;

    /// Runs a program until it ends, with its standard input closed; its output goes to the sink as it arrives. The exit code, or none when
    /// a signal killed it. A stream that ends before the program does is a fault. When the future is dropped, the program may run on: the
    /// caller kills the machine.
    fn run<'a>(&'a self, exec: &'a Exec, sink: &'a mut Sink<'_>) -> BoxFuture<'a, Result<Option<i32>, Fault>>;

    /// Writes a file, in place of what is there; its folders are made.
    fn upload<'a>(&'a self, path: &'a str, bytes: Bytes) -> BoxFuture<'a, Result<(), Fault>>;

    /// Reads a file. What a machine sends is hostile: the caller limits it.
    fn download<'a>(&'a self, path: &'a str) -> BoxFuture<'a, Result<Bytes, Fault>>;
}
