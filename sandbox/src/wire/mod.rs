//! Messages between the worker and its supervisor, and how they and descriptors travel: one sequenced-packet socket, JSON, descriptors
//! beside it. What the messages do is not here.

mod message;
mod socket;

pub use message::Ended;
pub(crate) use message::{
    Answer, FileOp, FolderOp, FromKeeper, FromSupervisor, KeeperSpec, Process, Removal, Request, ToKeeper, ToSupervisor,
};
pub(crate) use socket::Socket;
