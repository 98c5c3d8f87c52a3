//! What the helper process answers, in the file that its parent gave it.

use nofx_shared::drivers::Enforced;
use serde::{Deserialize, Serialize};

/// What became of a start. It is written before the program begins; a program that cannot be executed replaces it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Report {
    /// All of this holds.
    Enforced(Box<Enforced>),
    /// The program did not start; why, for people.
    Refused(String),
}
