//! `/ui/approvals`: gates of people. What a gate looks like is a component, since runs show it too.

mod decide;
mod decision_context;
mod list;

pub(super) use decide::decide;
pub(super) use list::show;
