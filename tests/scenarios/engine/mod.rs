mod failures;
mod http;
mod limits;
mod model;
mod runs;
mod workspace;
