//! Plans that models write: `plan:make` has a plan written and checks it, `plan:submit` creates a run from it after a review.

mod make;
mod submit;

pub(super) use make::PlanMake;
pub(super) use submit::PlanSubmit;
