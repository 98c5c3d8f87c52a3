//! What Lambda says of itself.

use std::path::PathBuf;

use super::Reader;

/// The folder that the function was deployed as: `LAMBDA_TASK_ROOT`, which Lambda sets.
pub fn lambda_folder() -> PathBuf {
    Reader::default().text("LAMBDA_TASK_ROOT").map_or_else(|| PathBuf::from("/var/task"), PathBuf::from)
}
