//! Bytes on their way to Storage. Whoever makes them decides whether they stay in memory or on disk.

use std::io::SeekFrom;
use std::path::PathBuf;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncSeekExt};

use super::Error;

/// Content to store: in memory when it is small, on disk when it may be large.
#[derive(Clone, Debug)]
pub enum Content {
    Bytes(Bytes),
    File { path: PathBuf, size: usize },
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
            Self::File { path, .. } => {
                let read = async {
                    let mut file = tokio::fs::File::open(path).await?;
                    file.seek(SeekFrom::Start(from as u64)).await?;
                    let mut bytes = vec![0; to - from];
                    file.read_exact(&mut bytes).await?;
                    Ok(Bytes::from(bytes))
                };
                read.await.map_err(|source| Error::Unreadable { path: name.to_owned(), source })
            }
        }
    }
}
