//! `/ui/approvals`: gates of people; `/ui/policies`: what requires gates. What a gate looks like is a component, since runs show it too.

mod decide;
mod decision_context;
mod list;
mod policies;

pub(super) use decide::decide;
pub(super) use list::show;
pub(super) use policies::{policies, set_policy};
