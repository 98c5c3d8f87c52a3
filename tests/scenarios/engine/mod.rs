mod failures;
mod http;
mod limits;
mod logs;
mod model;
mod runs;
mod workspace;
