//! `ended_attempts`: whose machines may be killed.

use serde_json::json;
use uuid::Uuid;

use crate::db::{Db, Error};

/// Which of these attempts (a step, and the number of its attempt) no worker runs, by their positions from 0.
pub async fn ended_attempts(db: &Db, attempts: &[(Uuid, u32)]) -> Result<Vec<usize>, Error> {
    let (steps, numbers): (Vec<_>, Vec<_>) = attempts.iter().copied().unzip();
    let positions: Vec<usize> = db.call("ended_attempts", &json!({"p_steps": steps, "p_attempts": numbers})).await?;
    Ok(positions.into_iter().filter_map(|position| position.checked_sub(1)).collect())
}
