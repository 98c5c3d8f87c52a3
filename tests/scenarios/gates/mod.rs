mod approvals;
mod audit;
mod checks;
mod coverage;
mod on_the_spot;
mod policies;
