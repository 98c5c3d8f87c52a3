mod failures;
mod http;
mod limits;
mod model;
mod workspace;

#[path = "."]
mod every_host {
    mod runs;
}
