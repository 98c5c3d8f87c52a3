//! yarn.lock: two formats with one name.

use super::{yarn_berry, yarn_classic};
use crate::sbom::package::Package;

pub(super) fn read(text: &str) -> Result<Vec<Package>, String> {
    if is_berry(text) { yarn_berry::read(text) } else { yarn_classic::read(text) }
}

/// Whether yarn 2 or later wrote it.
pub(crate) fn is_berry(text: &str) -> bool {
    text.lines().any(|line| line.trim_end() == "__metadata:")
}
