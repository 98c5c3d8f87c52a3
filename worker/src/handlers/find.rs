//! Finds a tool's handler in the list.

use super::{Erased, all};

pub(crate) fn find(tool: &str) -> Option<&'static dyn Erased> {
    all().into_iter().find(|handler| match handler.tool().strip_suffix('*') {
        Some(prefix) => tool.starts_with(prefix),
        None => handler.tool() == tool,
    })
}

/// The name of the tool's handler: `manual:*` for `manual:review`.
pub(crate) fn name(tool: &str) -> &'static str {
    find(tool).map_or("unknown", |handler| handler.tool())
}
