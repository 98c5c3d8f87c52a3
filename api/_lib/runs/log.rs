//! `GET /api/runs/{id}/steps/{step_id}/log`

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use nofx_shared::auth::Caller;
use nofx_shared::db::Query;
use nofx_shared::problem::Kind;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::App;
use crate::http::{Authenticated, Params, Path, Refusal, cached, one};

/// Chunks that are read at once.
const CHUNKS: u32 = 64;

#[derive(Deserialize)]
pub(crate) struct After {
    attempt: Option<u32>,
    after: Option<i64>,
}

/// The output of a step so far.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct LogChunk {
    pub text: String,
    /// Offset of the end of the text, in bytes: the next `after`.
    pub after: i64,
}

#[derive(Deserialize)]
struct Chunk {
    at_byte: i64,
    text: String,
}

/// The chunks of an attempt's log from an offset in bytes on.
pub(crate) async fn log(app: &App, caller: &Caller, step: Uuid, attempt: u32, after: i64) -> Result<LogChunk, Refusal> {
    let filters = [
        ("select", "at_byte,text".to_owned()),
        ("step_id", format!("eq.{step}")),
        ("attempt", format!("eq.{attempt}")),
        ("at_byte", format!("gte.{after}")),
        ("order", "at_byte".to_owned()),
        ("limit", CHUNKS.to_string()),
    ];
    let chunks: Vec<Chunk> = app.db(caller).read(&Query::of("step_log", filters)).await?;
    Ok(join(chunks, after))
}

/// Chunks that follow each other, with a line where output is missing between them.
fn join(chunks: Vec<Chunk>, after: i64) -> LogChunk {
    let mut joined = LogChunk { text: String::new(), after };
    for Chunk { at_byte, text } in chunks {
        if at_byte > joined.after {
            joined.text.push_str(&format!("[{} bytes of output are left out here]\n", at_byte - joined.after));
        }
        joined.text.push_str(&text);
        joined.after = at_byte + i64::try_from(text.len()).unwrap_or(0);
    }
    joined
}

/// Read the log of a running step.
///
/// For every role. Secrets are masked. The newest 4 MiB of an attempt are stored for a day: poll with the returned `after` while the step
/// runs. A line says where output is left out. Once the attempt has finished, the log is an artifact of the step (`log-<attempt>.txt`).
#[utoipa::path(get, path = "/runs/{id}/steps/{step_id}/log", security(("bearer" = [])),
    params(("id" = Uuid, Path), ("step_id" = Uuid, Path), ("attempt" = Option<u32>, Query, description = "Default: the newest."),
        ("after" = Option<i64>, Query, description = "Offset in bytes to read from.")),
    responses((status = 200, body = LogChunk), (status = 304)))]
pub(crate) async fn get_step_log(
    State(app): State<App>,
    caller: Authenticated,
    Path((id, step_id)): Path<(Uuid, Uuid)>,
    Params(query): Params<After>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let newest = newest_attempt(&app, &caller, id, step_id).await?;
    Ok(cached(&headers, &log(&app, &caller, step_id, query.attempt.unwrap_or(newest), query.after.unwrap_or(0)).await?))
}

async fn newest_attempt(app: &App, caller: &Caller, run: Uuid, step: Uuid) -> Result<u32, Refusal> {
    #[derive(Deserialize)]
    struct Row {
        attempt: u32,
    }
    let filters = [("select", "attempt".to_owned()), ("id", format!("eq.{step}")), ("run_id", format!("eq.{run}"))];
    let detail = format!("Step {step} was not found. List the steps with GET /api/runs/{run}.");
    let row: Row = one(&app.db(caller), &Query::of("step", filters), Kind::StepNotFound, detail).await?;
    Ok(row.attempt)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_where_output_is_missing() {
        let chunk = |at_byte, text: &str| Chunk { at_byte, text: text.to_owned() };
        let joined = join(vec![chunk(0, "one\n"), chunk(4, "two\n"), chunk(20, "three\n")], 0);
        assert_eq!((joined.text.as_str(), joined.after), ("one\ntwo\n[12 bytes of output are left out here]\nthree\n", 26));
        let joined = join(vec![chunk(8, "later\n")], 4);
        assert_eq!(joined.text, "[4 bytes of output are left out here]\nlater\n", "the reader was too slow");
        assert_eq!(join(vec![], 4).after, 4);
    }
}
