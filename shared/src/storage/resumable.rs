//! Uploads in pieces (tus 1.0.0): after a lost connection the client asks for the offset, and sends the rest.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::{Response, StatusCode};

use super::client::Body;
use super::{ARTIFACTS, Content, Error, Storage};

/// The piece size that Supabase accepts; only the last piece may be smaller.
pub(super) const PIECE_BYTES: usize = 6 << 20;
/// Failures in a row without a byte of progress before the upload fails.
const MAX_RETRIES: u32 = 6;

/// The result of a call.
enum Step {
    /// The server waits for the pieces there.
    Created(String),
    /// The server has this many bytes.
    Has(usize),
    /// The server has all bytes, and has stored the object.
    Stored,
    /// The server has all bytes, but died before it stored the object: the upload cannot be completed.
    Lost,
}

pub(super) async fn upload(storage: &Storage, path: &str, media_type: &str, content: &Content) -> Result<(), Error> {
    let mut place: Option<String> = None;
    let (mut offset, mut furthest) = (0, 0);
    // Failures since the last progress, and whether to ask the server for the outcome of the last piece.
    let (mut failures, mut is_unsure) = (0, false);
    loop {
        let step = match &place {
            None => begin(storage, path, media_type, content.len()).await.map(Step::Created),
            Some(place) if is_unsure => ask(storage, path, place, content.len()).await,
            Some(place) => append(storage, path, place, offset, content).await,
        };
        let failed = match step {
            Ok(Step::Stored) => return Ok(()),
            Ok(Step::Created(created)) => {
                (place, offset, is_unsure) = (Some(created), 0, false);
                continue;
            }
            Ok(Step::Has(now)) => {
                if now > furthest {
                    (furthest, failures) = (now, 0);
                }
                (offset, is_unsure) = (now, false);
                continue;
            }
            Ok(Step::Lost) => {
                place = None;
                Error::Refused { path: path.to_owned(), code: "InternalError".to_owned() }
            }
            Err(error) => error,
        };
        if failed.is_permanent() || failures == MAX_RETRIES {
            return Err(failed);
        }
        failures += 1;
        is_unsure = true;
        tokio::time::sleep(Duration::from_millis(100) * 2u32.pow(failures)).await;
    }
}

/// Where to send the pieces.
async fn begin(storage: &Storage, path: &str, media_type: &str, length: usize) -> Result<String, Error> {
    let metadata = [("bucketName", ARTIFACTS), ("objectName", path), ("contentType", media_type), ("cacheControl", "3600")];
    let metadata = metadata.map(|(name, value)| format!("{name} {}", STANDARD.encode(value))).join(",");
    let request = storage.client.post(format!("{}/upload/resumable", storage.base)).header("tus-resumable", "1.0.0");
    let request = request.header("upload-length", length).header("upload-metadata", metadata);
    let response = accepted(path, storage.ask(request).await?).await?;
    let place = response.headers().get("location").and_then(|value| value.to_str().ok()).map(str::to_owned);
    let place = place.ok_or_else(|| Error::Refused { path: path.to_owned(), code: "no Location".to_owned() })?;
    // The server may be behind a gateway that it does not know.
    let id = place.rsplit('/').next().unwrap_or_default();
    Ok(format!("{}/upload/resumable/{id}", storage.base))
}

/// How much is there.
async fn ask(storage: &Storage, path: &str, place: &str, length: usize) -> Result<Step, Error> {
    let request = storage.client.head(place).header("tus-resumable", "1.0.0");
    match offset(path, &accepted(path, storage.ask(request).await?).await?)? {
        now if now < length => Ok(Step::Has(now)),
        _ if storage.has(path).await? => Ok(Step::Stored),
        _ => Ok(Step::Lost),
    }
}

/// Sends the piece from an offset on; how much is there after it.
async fn append(storage: &Storage, path: &str, place: &str, from: usize, content: &Content) -> Result<Step, Error> {
    let piece = content.piece(path, from, PIECE_BYTES).await?;
    let request = storage.client.patch(place).header("tus-resumable", "1.0.0").header("upload-offset", from);
    let response = storage.ask(request.header("content-type", "application/offset+octet-stream").body(piece)).await?;
    // It has another offset than we think.
    if response.status() == StatusCode::CONFLICT {
        return ask(storage, path, place, content.len()).await;
    }
    let now = offset(path, &accepted(path, response).await?)?;
    Ok(if now < content.len() { Step::Has(now) } else { Step::Stored })
}

fn offset(path: &str, response: &Response) -> Result<usize, Error> {
    let offset = response.headers().get("upload-offset").and_then(|value| value.to_str().ok()?.parse().ok());
    offset.ok_or_else(|| Error::Refused { path: path.to_owned(), code: "no Upload-Offset".to_owned() })
}

async fn accepted(path: &str, response: Response) -> Result<Response, Error> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let body: Body = serde_json::from_slice(&response.bytes().await.map_err(Error::Unavailable)?).unwrap_or_default();
    Err(Error::Refused { path: path.to_owned(), code: body.code.unwrap_or_else(|| status.as_u16().to_string()) })
}
