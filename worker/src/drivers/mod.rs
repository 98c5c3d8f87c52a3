//! Where a step's processes run. The only place that starts any.

mod processes;

pub(crate) use processes::{Command, Ended, Printed, Processes};
