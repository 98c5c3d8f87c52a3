mod approvals;
mod asked;
mod audit;
mod audit_settings;
mod checks;
mod coverage;
mod on_the_spot;
mod policies;
