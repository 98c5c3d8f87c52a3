//! Uploads: in one request when they are small, else in pieces (see `resumable`).

use super::{ARTIFACTS, Content, Error, Storage, resumable};

impl Storage {
    /// Stores bytes at a path of the bucket that is named by their digest: what exists already is the same. Content that is
    /// larger than a piece is sent in pieces, and resumed when the connection is lost.
    pub async fn upload(&self, path: &str, media_type: &str, content: &Content) -> Result<(), Error> {
        let stored = if content.len() > resumable::PIECE_BYTES {
            resumable::upload(self, path, media_type, content).await
        } else {
            self.upload_whole(path, media_type, content).await
        };
        match stored {
            Err(Error::Refused { code, .. }) if matches!(code.as_str(), "KeyAlreadyExists" | "Duplicate" | "409") => Ok(()),
            other => other,
        }
    }

    async fn upload_whole(&self, path: &str, media_type: &str, content: &Content) -> Result<(), Error> {
        let bytes = content.piece(path, 0, resumable::PIECE_BYTES).await?;
        let request = self.client.post(format!("{}/object/{ARTIFACTS}/{path}", self.base)).header("content-type", media_type).body(bytes);
        self.send(path, request).await.map(drop)
    }
}
