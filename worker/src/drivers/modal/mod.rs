//! Sandboxes at Modal, which are virtual machines of their own. Modal's wire is private to its SDKs: a process on the official one for Python
//! (`bridge.py`) speaks for the worker.

mod account;
mod bridge;
mod call;
mod sandbox;

pub(crate) use account::Modal;
pub(crate) use bridge::Bridges;
