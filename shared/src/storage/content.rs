//! Bytes on their way to Storage. Whoever makes them decides whether they stay in memory or on disk.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bytes::Bytes;

use super::Error;

/// Content to store: in memory when it is small, on disk when it may be large.
#[derive(Clone, Debug)]
pub enum Content {
    Bytes(Bytes),
    /// An open file: its path may lead elsewhere by the time it is read.
    File {
        file: Arc<File>,
        size: usize,
    },
}

impl Content {
    pub fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::File { size, .. } => *size,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes from an offset on, up to a limit.
    pub(super) async fn piece(&self, name: &str, from: usize, most: usize) -> Result<Bytes, Error> {
        let to = self.len().min(from + most);
        match self {
            Self::Bytes(bytes) => Ok(bytes.slice(from..to)),
            Self::File { file, .. } => {
                let file = Arc::clone(file);
                let read = tokio::task::spawn_blocking(move || {
                    let mut bytes = vec![0; to - from];
                    file.read_exact_at(&mut bytes, from as u64).map(|()| Bytes::from(bytes))
                });
                let read = read.await.map_err(std::io::Error::other).flatten();
                read.map_err(|source| Error::Unreadable { path: name.to_owned(), source })
            }
        }
    }
}
