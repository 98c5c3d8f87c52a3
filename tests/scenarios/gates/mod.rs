mod approvals;
mod checks;
mod coverage;
mod policies;
