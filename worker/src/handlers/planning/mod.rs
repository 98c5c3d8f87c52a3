//! Plans that models make: `plan:make` writes one and checks it, `plan:submit` makes a run of it once somebody has looked.

mod make;
mod submit;

pub(super) use make::PlanMake;
pub(super) use submit::PlanSubmit;
