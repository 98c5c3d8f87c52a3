mod failures;
mod limits;
mod model;
mod runs;
