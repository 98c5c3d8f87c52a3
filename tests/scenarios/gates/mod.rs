mod approvals;
mod audit;
mod checks;
mod coverage;
mod policies;
