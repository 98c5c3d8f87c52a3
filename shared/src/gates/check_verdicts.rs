//! `check_verdicts`: whether trees that a step is about to publish were judged as its policy requires.

use serde::Deserialize;
use serde_json::json;

use crate::db::{Db, Error};
use crate::engine::ClaimedStep;

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct TreeVerdicts {
    /// Whether the policy for the step's tool requires gates at all.
    pub is_required: bool,
    pub missing: Option<Missing>,
}

/// A tree without verdicts of these gates.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Missing {
    pub tree: String,
    pub gates: Vec<String>,
}

/// Checks trees, named by git; none when the lease has expired.
pub async fn check_verdicts(db: &Db, step: &ClaimedStep, trees: &[String]) -> Result<Option<TreeVerdicts>, Error> {
    db.call("check_verdicts", &json!({"p_step": step.id, "p_token": step.token, "p_trees": trees})).await
}
