use std::fs::File;
use std::io::{Error, Read, Write};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::files::Kind;

/// Longest header: that of some hundred thousand paths.
const HEADER_BYTES: u64 = 128 << 20;

/// What is at a path, without what is in it. A file whose content changes has another `ctime_ns`, which no program can set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    #[serde(rename = "p")]
    pub path: String,
    #[serde(rename = "k")]
    pub kind: Kind,
    #[serde(rename = "m")]
    pub mode: u32,
    #[serde(rename = "s")]
    pub size: u64,
    /// Zero for a folder: it changes with what is in it, which is listed, too.
    #[serde(rename = "c")]
    pub ctime_ns: i64,
    #[serde(rename = "i")]
    pub inode: u64,
    /// A folder with a name that is left out: what is in it is not listed.
    #[serde(rename = "o", default, skip_serializing_if = "std::ops::Not::not")]
    pub is_left_out: bool,
}

/// What a path gets, or has. The contents of files follow all parts, in their order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    pub path: String,
    pub mode: u32,
    pub kind: PartKind,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartKind {
    Gone,
    Folder,
    Link {
        target: String,
    },
    /// `mtime_ns`: build tools compare it.
    File {
        size: u64,
        mtime_ns: i64,
    },
}

/// A file in memory, for lists: whoever reads and writes workspaces may create no other one.
pub fn memory_file() -> Result<File, Error> {
    Ok(File::from(rustix::fs::memfd_create("tree", rustix::fs::MemfdFlags::CLOEXEC)?))
}

/// Writes what stands before contents: its length, and the value.
pub fn write_header(value: &impl Serialize, mut to: impl Write) -> Result<(), Error> {
    let text = serde_json::to_vec(value)?;
    to.write_all(&(text.len() as u64).to_le_bytes())?;
    to.write_all(&text)
}

/// Reads it; the contents follow.
pub fn read_header<T: DeserializeOwned>(mut from: impl Read) -> Result<T, Error> {
    let mut length = [0; 8];
    from.read_exact(&mut length)?;
    let length = u64::from_le_bytes(length);
    if length > HEADER_BYTES {
        return Err(Error::other(format!("a header of {length} bytes is too long")));
    }
    let mut text = vec![];
    from.take(length).read_to_end(&mut text)?;
    Ok(serde_json::from_slice(&text)?)
}
