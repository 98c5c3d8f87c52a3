//! Finds handlers in the list.

use super::{Erased, all};
use crate::gates::OnTheSpot;

pub(crate) fn find(tool: &str) -> Option<&'static dyn Erased> {
    all().into_iter().find(|handler| match handler.tool().strip_suffix('*') {
        Some(prefix) => tool.starts_with(prefix),
        None => handler.tool() == tool,
    })
}

/// The tools that are gates, in the order of the list.
pub(crate) fn gates() -> impl Iterator<Item = (&'static dyn Erased, &'static dyn OnTheSpot)> {
    all().into_iter().filter_map(|handler| Some((handler, handler.gate()?)))
}

/// The name of the tool's handler: `manual:*` for `manual:review`.
pub(crate) fn name(tool: &str) -> &'static str {
    find(tool).map_or("unknown", |handler| handler.tool())
}
