//! What a step begins with and what it leaves, as far as the database knows it. Contents are in Storage; only workers read them.

use serde::Deserialize;
use serde_json::json;

use super::ClaimedStep;
use crate::db::{Db, Error};

/// What a step begins with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct TreesBefore {
    /// The commit of all checkouts of the run, and its tree; none before the first one.
    pub commit: Option<String>,
    pub tree: Option<String>,
    /// None: it begins with the checkout.
    pub heads: Vec<Head>,
    /// How many steps begin with the checkout, about.
    pub uses: usize,
    /// Whether a later step begins with what this one leaves.
    pub is_needed: bool,
}

/// The snapshot that a step left.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Head {
    pub name: String,
    pub snapshot: String,
    pub tree: Option<String>,
    /// How many steps need that step.
    pub uses: usize,
}

/// Says what a step begins with; none when its lease has expired.
pub async fn trees_before(db: &Db, step: &ClaimedStep) -> Result<Option<TreesBefore>, Error> {
    db.call("trees_before", &json!({"p_step": step.id, "p_token": step.token})).await
}

/// Pins the run's checkouts to a commit, unless they are; returns the commit. None when the lease has expired.
pub async fn pin_workspace(db: &Db, step: &ClaimedStep, commit: &str, tree: &str) -> Result<Option<String>, Error> {
    db.call("pin_workspace", &json!({"p_step": step.id, "p_token": step.token, "p_commit": commit, "p_tree": tree})).await
}

/// Records the blobs of a snapshot; false when the lease has expired.
pub async fn record_snapshot(db: &Db, step: &ClaimedStep, blobs: &[String]) -> Result<bool, Error> {
    db.call("record_snapshot", &json!({"p_step": step.id, "p_token": step.token, "p_blobs": blobs})).await
}

/// What the next steps begin with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// What git sees.
    pub tree: String,
    pub snapshot: String,
}
