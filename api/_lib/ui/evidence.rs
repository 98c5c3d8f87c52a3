//! Contents of artifacts that several pages show: the start of a log or a diff, and the evidence of gates.

use nofx_shared::gates::Evidence;
use nofx_shared::storage;

use super::state::Ui;
use crate::artifacts::Artifact;
use crate::http::Refusal;

/// Bytes of a text that a page shows.
const SHOWN_BYTES: usize = 128 << 10;

/// The start of an artifact, as text.
pub(super) struct Text {
    pub text: String,
    pub is_cut: bool,
}

pub(super) async fn read_text(ui: &Ui, artifact: &Artifact) -> Result<Text, Refusal> {
    let read = read(ui, artifact, SHOWN_BYTES).await?;
    let is_cut = i64::try_from(read.len()).unwrap_or(i64::MAX) < artifact.size_bytes;
    Ok(Text { text: String::from_utf8_lossy(&read).into_owned(), is_cut })
}

/// The evidence in an artifact; none when it holds something else.
pub(super) async fn read_evidence(ui: &Ui, artifact: &Artifact) -> Result<Option<Evidence>, Refusal> {
    const MAX_BYTES: usize = 4 << 20;
    Ok(serde_json::from_slice(&read(ui, artifact, MAX_BYTES).await?).ok())
}

async fn read(ui: &Ui, artifact: &Artifact, most: usize) -> Result<Vec<u8>, Refusal> {
    let mut answer = ui.app.storage().download(&artifact.blob).await?;
    let mut bytes = vec![];
    while let Some(piece) = answer.chunk().await.map_err(storage::Error::Unavailable)? {
        bytes.extend_from_slice(&piece);
        if bytes.len() >= most {
            bytes.truncate(most);
            break;
        }
    }
    Ok(bytes)
}
